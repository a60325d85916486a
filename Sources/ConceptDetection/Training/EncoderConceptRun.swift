// The training of a network that reads notes with a pretrained encoder: each example is encoded once, then the concepts'
// embeddings are trained.

import Datasets
import Encoders
import GraphEngine
import ONNX
import Tensors
import Tokenization
import Training

/// Trains the concepts' embeddings of a detector that reads notes with a pretrained encoder.
///
/// The encoder costs a thousand times what the concepts do, so it stays as it came, and the examples of the first epoch
/// are shown in every one, in another order: each is encoded once.
final class EncoderConceptRun: DetectorRun {
  let graph: EncoderConceptGraph
  let texts: TrainingTexts
  let drawing: ExampleDrawing
  let mapping: ConceptMapping
  let settings: ConceptSettings
  let warnings: [String]
  private let encoder: PretrainedEncoder
  private let tokenizer: WordPieceTokenizer
  private let runner: TokenRunner
  private let examples: [ConceptExample]
  private let tokens: [[Int32]]
  /// Texts that were encoded last, with their states: each epoch measures the same ones.
  private var encoded: (texts: [[[UInt8]]], states: TokenStates)?

  var exampleCount: Int { examples.count }

  init(
    graph: EncoderConceptGraph, encoder: PretrainedEncoder, tokenizer: WordPieceTokenizer, texts: TrainingTexts,
    mapping: ConceptMapping, settings: ConceptSettings
  ) throws {
    self.graph = graph
    self.encoder = encoder
    self.tokenizer = tokenizer
    self.texts = texts
    self.mapping = mapping
    self.settings = settings
    let drawing = ExampleDrawing(texts, seed: settings.seed)
    self.drawing = drawing
    let length = EncoderConceptRun.maximumLength(of: graph.configuration)
    runner = try TokenRunner(
      graph.configuration.encoderModel(encoder.parameters, opset: settings.opset),
      outputs: [EncoderConfiguration.hiddenOutput], padding: tokenizer.padID, maximumLength: length,
      threads: settings.threads)
    var (examples, tokens, cut): ([ConceptExample], [[Int32]], Int) = ([], [], 0)
    let drawn = drawing.examples(epoch: 1)
    for (example, text) in zip(drawn, tokenizer.encode(batch: drawn.map { TrainingExampleFile.text($0.words) })) {
      if text.count > length {
        cut += 1
      } else {
        examples.append(example)
        tokens.append(text.ids)
      }
    }
    (self.examples, self.tokens) = (examples, tokens)
    warnings =
      cut > 0
      ? [
        "\(cut) of \(drawn.count) examples have more than \(length) tokens and are left out; of long notes the sentences "
          + "and clauses are trained on"
      ] : []
  }

  /// Tokens that are read at once: more than a sentence has. A longer note is read in pieces.
  static func maximumLength(of configuration: EncoderConfiguration) -> Int { min(configuration.maximumLength, 128) }

  func train(
    from state: TrainingState?, prepare: (String) -> Void, save: (TrainingState) throws -> Void,
    report: @escaping (TrainingProgress) -> Void
  ) throws -> TrainingState {
    prepare("encoding the examples")
    let states = try TokenStates(tokens, runner: runner, width: graph.width)
    // A resumed training takes its parameters from the state: any values of the right shapes will do.
    let head = try state == nil ? initialHead(states) : emptyHead
    let trainer = try Trainer(
      graph.training(head), loss: ConceptGraph.lossName, parameters: graph.headShapes.map(\.name),
      options: Trainer.Options(seed: settings.seed, threads: settings.threads))
    return try run(
      trainer, from: state, examples: { self.examples },
      order: { epoch in
        LengthOrder.order(
          self.tokens.count, batchSize: self.settings.batchSize, seed: self.orderSeed(epoch),
          length: { self.tokens[$0].count })
      },
      specs: { states.specs($0) }, fill: { try states.fill($0, $1) }, save: save, report: report)
  }

  // MARK: Where it starts

  /// The logit that the mean state of a concept's aliases has more than that of all aliases.
  private static let firstDistance = 6.0

  private var emptyHead: [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: graph.headShapes.map { ($0.name, Tensor(zeros: $0.shape, elementType: .float)) })
  }

  /// Concepts' embeddings that point to their aliases: with `m[c]` the mean of the states of a concept's aliases and `m`
  /// that of all `m[c]`, `z[c] = -4 + 6 (m[c] - m) · (h - m) / |m[c] - m|²`: 2 where `h = m[c]`, and -4, the logit of
  /// what few sentences have, where `h = m`.
  private func initialHead(_ states: TokenStates) throws -> [String: Tensor] {
    let (count, width) = (mapping.concepts.count, graph.width)
    let aliases = examples.indices.filter { examples[$0].kind == .alias && !examples[$0].isVaried }
    var sums = [[Double]](repeating: [Double](repeating: 0, count: width), count: count)
    var counts = [Double](repeating: 0, count: count)
    for (alias, mean) in zip(aliases, try states.means(of: aliases)) {
      for concept in examples[alias].concepts {
        for column in 0..<width { sums[concept][column] += mean[column] }
        counts[concept] += 1
      }
    }
    for concept in 0..<count { sums[concept] = sums[concept].map { $0 / max(counts[concept], 1) } }
    let known = Double(max(counts.count { $0 > 0 }, 1))
    let middle = (0..<width).map { column in sums.reduce(0) { $0 + $1[column] } / known }
    var (weights, biases): ([Float], [Float]) = ([], [])
    for concept in 0..<count {
      let away = counts[concept] > 0 ? zip(sums[concept], middle).map { $0 - $1 } : [Double](repeating: 0, count: width)
      // A lexicon of one concept has its aliases in the middle.
      let scale = Self.firstDistance / max(away.reduce(0) { $0 + $1 * $1 }, 1e-3)
      weights += away.map { Float($0 * scale) }
      biases.append(ConceptGraph.firstLogit - Float(scale * zip(away, middle).reduce(0) { $0 + $1.0 * $1.1 }))
    }
    return [
      ConceptGraph.conceptTable: Tensor(weights, shape: [count, width]), ConceptGraph.conceptBias: Tensor(biases),
    ]
  }

  // MARK: Measures

  func allParameters(_ trained: [String: Tensor]) -> [String: Tensor] {
    let names = Set(graph.configuration.encoderParameters.map(\.name))
    return encoder.parameters.filter { names.contains($0.key) }.merging(trained) { $1 }
  }

  /// - Parameter parameters: those of the concepts suffice.
  func logits(_ texts: [[[UInt8]]], parameters: [String: Tensor]) throws -> [Float] {
    guard !texts.isEmpty else { return [] }
    if encoded?.texts != texts {
      // A text that is longer than what is read at once is measured by its beginning.
      let tokens = tokenizer.encode(batch: texts.map(TrainingExampleFile.text), maxLength: runner.maximumLength)
      encoded = (texts, try TokenStates(tokens.map(\.ids), runner: runner, width: graph.width))
    }
    let states = encoded!.states
    let session = try Session(graph.scorer(parameters), options: Session.Options(threads: settings.threads))
    let count = graph.conceptCount
    var logits = [Float](repeating: 0, count: texts.count * count)
    for start in stride(from: 0, to: texts.count, by: ConceptScorer.batchSize) {
      let batch = start..<min(start + ConceptScorer.batchSize, texts.count)
      guard let plan = try session.plan(for: states.specs(batch)) else { preconditionFailure("shapes follow inputs") }
      try states.fill(plan, batch)
      try session.execute(plan)
      plan.withUnsafeOutput(ConceptGraph.logitsOutput, as: Float.self) { values in
        for place in 0..<batch.count * count { logits[start * count + place] = values[place] }
      }
    }
    return logits
  }

  func recorded() -> [String: Tensor] {
    let tokens = tokenizer.encode(
      batch: recordedTexts.map(TrainingExampleFile.text), maxLength: runner.maximumLength
    ).map(\.ids)
    return TokenRunner.inputs(
      tokens, length: tokens.map(\.count).max() ?? 0, padding: tokenizer.padID,
      hasTypes: graph.configuration.tokenTypeCount > 0)
  }
}
