// What the trainings of every kind of detector have in common: the loop, and the measures of what is trained.

import GraphEngine
import ONNX
import Tensors
import Training

/// Trains one kind of network on the texts of a training.
protocol DetectorRun: AnyObject {
  var texts: TrainingTexts { get }
  var drawing: ExampleDrawing { get }
  var mapping: ConceptMapping { get }
  var settings: ConceptSettings { get }
  /// How many examples an epoch has.
  var exampleCount: Int { get }
  /// What a person should know of how the examples are read.
  var warnings: [String] { get }

  /// - Parameter prepare: is told what is being done before the first step.
  func train(
    from state: TrainingState?, prepare: (String) -> Void, save: (TrainingState) throws -> Void,
    report: @escaping (TrainingProgress) -> Void
  ) throws -> TrainingState

  /// The trained parameters together with those that stayed as they were.
  func allParameters(_ trained: [String: Tensor]) -> [String: Tensor]

  /// The logits of texts of folded words, in their order: `[texts, concepts]`.
  func logits(_ texts: [[[UInt8]]], parameters: [String: Tensor]) throws -> [Float]

  /// The inputs that are recorded beside the model: two notes.
  func recorded() -> [String: Tensor]
}

extension DetectorRun {
  /// Notes to record: of those held out, or of the others, or aliases.
  var recordedTexts: [[[UInt8]]] {
    let notes = texts.validation.isEmpty ? texts.training.filter { $0.kind == .note } : texts.validation
    return (notes.isEmpty ? texts.training : notes).prefix(2).map(\.words)
  }

  /// How epochs and batches follow one another.
  var loop: TrainingLoop {
    let steps = (exampleCount + settings.batchSize - 1) / settings.batchSize * settings.epochs
    return TrainingLoop(
      epochs: settings.epochs, batchSize: settings.batchSize, learningRate: settings.learningRate,
      schedule: .linear(warmup: 0, total: steps), patience: settings.patience,
      // Held-out notes are held to the aliases in them: to find what they say in other words counts as an error there, so
      // they would keep an epoch that has learnt too little. They decide only where they are asked to.
      monitor: settings.patience != nil ? (metric: "validation_loss", largerIsBetter: false) : nil,
      seed: settings.seed)
  }

  /// Runs the loop over the inputs that a kind of network adds to `concepts` and `weight`.
  /// - Parameter examples: of the present epoch.
  func run(
    _ trainer: Trainer, from state: TrainingState?, examples: @escaping () -> [ConceptExample],
    order: @escaping (_ epoch: Int) -> [Int], specs: @escaping (_ batch: ArraySlice<Int>) -> [String: TensorSpec],
    fill: @escaping (_ plan: Plan, _ batch: ArraySlice<Int>) throws -> Void,
    save: (TrainingState) throws -> Void, report: @escaping (TrainingProgress) -> Void
  ) throws -> TrainingState {
    let conceptCount = mapping.concepts.count
    let samples = TrainingLoop.Samples(
      count: exampleCount, order: order,
      specs: { batch in
        let spec = TensorSpec(.float, [batch.count, conceptCount])
        return specs(batch).merging([ConceptGraph.targetInput: spec, ConceptGraph.weightInput: spec]) { $1 }
      },
      fill: { plan, batch in
        try fill(plan, batch)
        let examples = examples()
        func write(_ name: String, _ common: Float, _ other: Float, _ concepts: KeyPath<ConceptExample, [Int]>) {
          plan.withUnsafeMutableInput(name, as: Float.self) { values in
            values.update(repeating: common)
            for (row, example) in batch.enumerated() {
              for concept in examples[example][keyPath: concepts] { values[row * conceptCount + concept] = other }
            }
          }
        }
        write(ConceptGraph.targetInput, 0, 1, \.concepts)
        write(ConceptGraph.weightInput, 1, 0, \.undecided)
      })
    do {
      return try loop.run(
        trainer, over: samples, from: state,
        evaluate: { EpochEvaluation(metrics: try self.metrics($0)) }, save: save, report: report)
    } catch TrainingError.lossNotFinite(let epoch, let batch, let value, let samples) {
      throw ConceptTrainingError.lossNotFinite(
        epoch: epoch, batch: batch, value: value,
        texts: samples.map { TrainingExampleFile.text(examples()[$0].words) })
    }
  }

  /// A number that an epoch's order is drawn from. It hangs on the epoch's number alone, so that a resumed training draws
  /// the same.
  func orderSeed(_ epoch: Int) -> UInt64 { settings.seed &+ UInt64(epoch) &* 0xBF58_476D_1CE4_E5B9 }

  // MARK: Measures

  /// The measures on the notes that are held out; nil where none are.
  func measures(_ parameters: [String: Tensor]) throws -> ConceptMeasures? {
    guard !texts.validation.isEmpty else { return nil }
    return ConceptMeasures(
      logits: try logits(texts.validation.map(\.words), parameters: parameters),
      actual: texts.validation.map { Set($0.concepts) }, languages: texts.validation.map { _ in nil },
      concepts: mapping.concepts, threshold: settings.threshold)
  }

  /// The measures of an epoch by name.
  private func metrics(_ parameters: [String: Tensor]) throws -> [String: Double] {
    guard let measures = try measures(parameters) else { return [:] }
    return [
      "validation_loss": measures.loss, "validation_accuracy": measures.accuracy,
      "validation_exact_match": measures.exactMatch, "validation_micro_f1": measures.micro.f1,
      "validation_micro_precision": measures.micro.precision, "validation_micro_recall": measures.micro.recall,
      "validation_macro_f1": measures.macro.f1,
    ]
  }

  func aliasChecks(_ parameters: [String: Tensor]) throws -> AliasChecks {
    func check(_ questions: TrainingTexts.AliasQuestions) throws -> AliasChecks.Check {
      let logits = try logits(questions.words, parameters: parameters)
      let count = mapping.concepts.count
      return questions.check(
        questions.words.indices.map { text in
          (0..<count).max { logits[text * count + $0] < logits[text * count + $1] }!
        })
    }
    return AliasChecks(
      heldOut: try check(texts.heldOutQuestions), typos: try check(texts.typoQuestions(seed: settings.seed)))
  }
}
