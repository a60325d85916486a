// Runs a detector's graph over features.

import GraphEngine
import ONNX
import Tensors

/// A detector's graph, ready to score texts.
struct ConceptScorer {
  private let session: Session
  let conceptCount: Int

  /// Texts of one run: enough for the matrix products, few enough for the cache.
  static let batchSize = 64

  /// - Parameter alsoWords: whether what single words add is computed, too.
  init(_ model: Model, alsoWords: Bool = false, threads: Int?) throws {
    conceptCount = Self.conceptCount(of: model)
    session = try Session(
      model, outputs: [ConceptGraph.logitsOutput] + (alsoWords ? [ConceptGraph.wordScoresOutput] : []),
      options: Session.Options(threads: threads))
  }

  /// The last extent of the logits.
  static func conceptCount(of model: Model) -> Int {
    model.graph.outputs.lazy.compactMap { output -> Int? in
      guard output.name == ConceptGraph.logitsOutput, case .tensor(let type, _)? = output.type,
        case .fixed(let extent)? = type.shape?.last?.extent
      else { return nil }
      return Int(extent)
    }.first ?? 0
  }

  /// The logits of texts, in their order: `[texts, concepts]`.
  func logits(of texts: FeaturizedTexts) throws -> [Float] {
    var logits = [Float](repeating: 0, count: texts.count * conceptCount)
    try run(texts) { batch, plan in
      plan.withUnsafeOutput(ConceptGraph.logitsOutput, as: Float.self) { values in
        for (row, text) in batch.enumerated() {
          for concept in 0..<conceptCount {
            logits[text * conceptCount + concept] = values[row * conceptCount + concept]
          }
        }
      }
    }
    return logits
  }

  /// Runs texts of about one length together.
  func run(_ texts: FeaturizedTexts, _ read: (_ batch: ArraySlice<Int>, _ plan: Plan) throws -> Void) throws {
    let order = (0..<texts.count).map { (texts.wordCount($0), $0) }.sorted { $0 < $1 }.map(\.1)
    for start in stride(from: 0, to: order.count, by: Self.batchSize) {
      try Task.checkCancellation()
      let batch = order[start..<min(start + Self.batchSize, order.count)]
      let shape = texts.shape(of: batch)
      guard let plan = try session.plan(for: [ConceptGraph.featureInput: TensorSpec(.int64, shape)]) else {
        preconditionFailure("shapes follow inputs")
      }
      plan.withUnsafeMutableInput(ConceptGraph.featureInput, as: Int64.self) {
        texts.write(batch, shape: shape, to: $0)
      }
      try session.execute(plan)
      try read(batch, plan)
    }
  }
}
