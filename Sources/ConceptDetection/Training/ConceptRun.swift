// The training of a network that reads words: features, batches, steps.

import Datasets
import GraphEngine
import ONNX
import Tensors
import Training

/// Trains the parameters of a detector that reads hashed features of words.
final class ConceptRun: DetectorRun {
  let graph: ConceptGraph
  let features: ConceptFeatures
  let texts: TrainingTexts
  let drawing: ExampleDrawing
  let mapping: ConceptMapping
  let settings: ConceptSettings
  let warnings: [String] = []
  /// The examples of the present epoch with their features.
  private var examples: [ConceptExample] = []
  private var featurized = FeaturizedTexts()

  var exampleCount: Int { drawing.count }

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
  }

  /// Of the features of each word that a training shows.
  private static let droppedShare = 0.2

  func train(
    from state: TrainingState?, prepare: (String) -> Void, save: (TrainingState) throws -> Void,
    report: @escaping (TrainingProgress) -> Void
  ) throws -> TrainingState {
    let trainer = try Trainer(
      graph.training(graph.initialParameters(seed: settings.seed)), loss: ConceptGraph.lossName,
      parameters: graph.parameterShapes.map(\.name),
      options: Trainer.Options(
        padding: [ConceptGraph.featureTable: Int(ConceptFeatures.padding)], seed: settings.seed,
        threads: settings.threads))
    return try run(
      trainer, from: state, examples: { self.examples }, order: order,
      specs: { [ConceptGraph.featureInput: TensorSpec(.int64, self.featurized.shape(of: $0))] },
      fill: { plan, batch in
        let shape = self.featurized.shape(of: batch)
        plan.withUnsafeMutableInput(ConceptGraph.featureInput, as: Int64.self) {
          self.featurized.write(batch, shape: shape, to: $0)
        }
      }, save: save, report: report)
  }

  /// Draws the examples of an epoch, and the order in which they are shown.
  private func order(_ epoch: Int) -> [Int] {
    examples = drawing.examples(epoch: epoch)
    featurized.removeAll()
    var generator = SeededGenerator(seed: settings.seed &+ UInt64(epoch) &* 0x94D0_49BB_1331_11EB)
    for example in examples {
      featurized.append(example.words, features: features, dropping: Self.droppedShare, with: &generator)
    }
    return LengthOrder.order(
      examples.count, batchSize: settings.batchSize, seed: orderSeed(epoch), length: featurized.wordCount)
  }

  func allParameters(_ trained: [String: Tensor]) -> [String: Tensor] { trained }

  func logits(_ texts: [[[UInt8]]], parameters: [String: Tensor]) throws -> [Float] {
    try ConceptScorer(graph.detector(parameters), threads: settings.threads)
      .logits(of: FeaturizedTexts(texts, features: features))
  }

  func recorded() -> [String: Tensor] {
    let texts = FeaturizedTexts(recordedTexts, features: features)
    return [ConceptGraph.featureInput: texts.tensor(Array(0..<texts.count))]
  }
}
