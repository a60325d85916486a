// The training proper: batches, steps, and the measures after each epoch.

import Datasets
import GraphEngine
import ONNX
import Tensors
import Training

/// Trains the parameters of one detector.
final class ConceptRun {
  let graph: ConceptGraph
  let features: ConceptFeatures
  let texts: TrainingTexts
  let drawing: ExampleDrawing
  let mapping: ConceptMapping
  let settings: ConceptSettings
  /// Of the notes that are held out.
  private let languages: [String?]
  /// The examples of the present epoch with their features.
  private var examples: [ConceptExample] = []
  private var featurized = FeaturizedTexts()
  private let validation: FeaturizedTexts

  init(
    graph: ConceptGraph, features: ConceptFeatures, texts: TrainingTexts, mapping: ConceptMapping,
    settings: ConceptSettings
  ) {
    self.graph = graph
    self.features = features
    self.texts = texts
    self.mapping = mapping
    self.settings = settings
    drawing = ExampleDrawing(texts, seed: settings.seed)
    validation = FeaturizedTexts(texts.validation.map(\.words), features: features)
    languages = Array(repeating: nil, count: texts.validation.count)
  }

  func train(
    from state: TrainingState?, save: (TrainingState) throws -> Void, report: @escaping (TrainingProgress) -> Void
  ) throws -> TrainingState {
    let trainer = try Trainer(
      graph.training(graph.initialParameters(seed: settings.seed)), loss: ConceptGraph.lossName,
      parameters: graph.parameterShapes.map(\.name),
      options: Trainer.Options(
        padding: [ConceptGraph.featureTable: Int(ConceptFeatures.padding)], seed: settings.seed,
        threads: settings.threads))
    let steps = (drawing.count + settings.batchSize - 1) / settings.batchSize * settings.epochs
    let validates = validation.count > 0
    let loop = TrainingLoop(
      epochs: settings.epochs, batchSize: settings.batchSize, learningRate: settings.learningRate,
      schedule: .linear(warmup: 0, total: steps), patience: settings.patience,
      // Held-out notes are held to the aliases in them: to find what they say in other words counts as an error there, so
      // they would keep an epoch that has learnt too little. They decide only where they are asked to.
      monitor: settings.patience != nil ? (metric: "validation_loss", largerIsBetter: false) : nil,
      seed: settings.seed)
    do {
      return try loop.run(
        trainer, over: samples, from: state,
        evaluate: { parameters in
          guard validates else { return EpochEvaluation(metrics: [:]) }
          let measures = try self.measures(parameters)
          return EpochEvaluation(metrics: [
            "validation_loss": measures.loss, "validation_accuracy": measures.accuracy,
            "validation_exact_match": measures.exactMatch, "validation_micro_f1": measures.micro.f1,
            "validation_micro_precision": measures.micro.precision, "validation_micro_recall": measures.micro.recall,
            "validation_macro_f1": measures.macro.f1,
          ])
        }, save: save, report: report)
    } catch TrainingError.lossNotFinite(let epoch, let batch, let value, let samples) {
      throw ConceptTrainingError.lossNotFinite(
        epoch: epoch, batch: batch, value: value,
        texts: samples.map { TrainingExampleFile.text(examples[$0].words) })
    }
  }

  /// Of the features of each word that a training shows.
  private static let droppedShare = 0.2

  private var samples: TrainingLoop.Samples {
    let (conceptCount, batchSize, seed) = (graph.conceptCount, settings.batchSize, settings.seed)
    return TrainingLoop.Samples(
      count: drawing.count,
      order: { epoch in
        self.examples = self.drawing.examples(epoch: epoch)
        self.featurized.removeAll()
        var generator = SeededGenerator(seed: seed &+ UInt64(epoch) &* 0x94D0_49BB_1331_11EB)
        for example in self.examples {
          self.featurized.append(
            example.words, features: self.features, dropping: Self.droppedShare, with: &generator)
        }
        // Each epoch's order hangs on its number alone, so that a resumed training draws the same.
        return LengthOrder.order(
          self.examples.count, batchSize: batchSize, seed: seed &+ UInt64(epoch) &* 0xBF58_476D_1CE4_E5B9,
          length: self.featurized.wordCount)
      },
      specs: { batch in
        [
          ConceptGraph.featureInput: TensorSpec(.int64, self.featurized.shape(of: batch)),
          ConceptGraph.targetInput: TensorSpec(.float, [batch.count, conceptCount]),
          ConceptGraph.weightInput: TensorSpec(.float, [batch.count, conceptCount]),
        ]
      },
      fill: { plan, batch in
        let shape = self.featurized.shape(of: batch)
        plan.withUnsafeMutableInput(ConceptGraph.featureInput, as: Int64.self) {
          self.featurized.write(batch, shape: shape, to: $0)
        }
        plan.withUnsafeMutableInput(ConceptGraph.targetInput, as: Float.self) { values in
          values.update(repeating: 0)
          for (row, example) in batch.enumerated() {
            for concept in self.examples[example].concepts { values[row * conceptCount + concept] = 1 }
          }
        }
        plan.withUnsafeMutableInput(ConceptGraph.weightInput, as: Float.self) { values in
          values.update(repeating: 1)
          for (row, example) in batch.enumerated() {
            for concept in self.examples[example].undecided { values[row * conceptCount + concept] = 0 }
          }
        }
      })
  }

  // MARK: Measures

  /// The measures on the notes that are held out.
  func measures(_ parameters: [String: Tensor]) throws -> ConceptMeasures {
    ConceptMeasures(
      logits: try scorer(parameters).logits(of: validation), actual: texts.validation.map { Set($0.concepts) },
      languages: languages, concepts: mapping.concepts, threshold: settings.threshold)
  }

  func aliasChecks(_ parameters: [String: Tensor]) throws -> AliasChecks {
    let scorer = try scorer(parameters)
    func check(_ questions: TrainingTexts.AliasQuestions) throws -> AliasChecks.Check {
      let logits = try scorer.logits(of: FeaturizedTexts(questions.words, features: features))
      let count = graph.conceptCount
      return questions.check(
        questions.words.indices.map { text in
          (0..<count).max { logits[text * count + $0] < logits[text * count + $1] }!
        })
    }
    return AliasChecks(
      heldOut: try check(texts.heldOutQuestions), typos: try check(texts.typoQuestions(seed: settings.seed)))
  }

  private func scorer(_ parameters: [String: Tensor]) throws -> ConceptScorer {
    try ConceptScorer(graph.detector(parameters), threads: settings.threads)
  }

  /// The inputs that are recorded beside the model: two notes.
  func recorded() -> [String: Tensor] {
    var texts = validation
    if texts.count == 0 {
      texts = FeaturizedTexts(
        self.texts.training.filter { $0.kind == .note }.prefix(2).map(\.words), features: features)
    }
    if texts.count == 0 {
      texts = FeaturizedTexts(self.texts.training.prefix(2).map(\.words), features: features)
    }
    return [ConceptGraph.featureInput: texts.tensor(Array(0..<min(texts.count, 2)))]
  }
}
