// Runs a classifier over the samples that are held out, and measures what it decides.

import Encoders
import Glibc
import GraphEngine
import Measures
import ONNX
import Tensors

/// The probabilities of some samples, and what to hold them to.
struct ClassifierEvaluation {
  let labels: [String]
  /// `[samples, labels]`.
  let logits: [Float]
  let actual: [Set<Int>]

  var probabilities: [Float] { Self.probabilities(of: logits) }

  static func probabilities(of logits: [Float]) -> [Float] { logits.map { 1 / (1 + expf(-$0)) } }

  /// The mean of `softplus(z) - y z`.
  var loss: Double {
    var sum = 0.0
    for (sample, truth) in actual.enumerated() {
      for label in labels.indices {
        let z = Double(logits[sample * labels.count + label])
        sum += max(z, 0) + log1p(exp(-abs(z))) - (truth.contains(label) ? z : 0)
      }
    }
    return logits.isEmpty ? 0 : sum / Double(logits.count)
  }

  /// The measures at fixed thresholds.
  func measures(at threshold: Double) -> ClassificationMeasures {
    let thresholds = DecisionThresholds(threshold, labelCount: labels.count)
    return measures(thresholds.decisions(probabilities), thresholds)
  }

  /// The thresholds that are written: the given one for every label, or tuned ones.
  func thresholds(_ given: Double?) -> [Double] {
    guard let given else {
      return DecisionThresholds(tunedOn: probabilities, actual: actual, labelCount: labels.count).values
    }
    return DecisionThresholds(given, labelCount: labels.count).values
  }

  /// The measures of tuned thresholds, each sample decided by thresholds that it had no part in.
  func tunedMeasures() -> ClassificationMeasures {
    measures(
      DecisionThresholds.crossFitted(probabilities, actual: actual, labelCount: labels.count), nil)
  }

  private func measures(_ decided: [Set<Int>], _ thresholds: DecisionThresholds?) -> ClassificationMeasures {
    ClassificationMeasures(
      report: LabelReport(labels: labels, actual: actual, predicted: decided), samples: actual.count, loss: loss,
      thresholds: thresholds)
  }
}

/// Runs the graph that is exported over texts.
struct ClassifierEvaluator {
  let graph: ClassifierGraph
  let threads: Int?

  /// Texts of one run: enough for the matrix products, few enough for the cache.
  private static let batchSize = 32

  /// The logits of all texts, in their order: `[texts, labels]`.
  /// - Parameter model: the graph with parameters, as ``ClassifierGraph/classifier(_:)`` or
  ///   ``ClassifierGraph/quantizedClassifier(_:)`` makes it.
  func logits(_ texts: TokenizedTexts, maximumLength: Int, of model: Model) throws -> [Float] {
    try rows(
      texts, maximumLength: maximumLength,
      session: Session(
        model, outputs: [EncoderConfiguration.logitsOutput], options: Session.Options(threads: threads)),
      width: graph.labels.count)
  }

  /// What the head sees of all texts, in their order: `[texts, width]`.
  func pooled(_ texts: TokenizedTexts, maximumLength: Int, parameters: [String: Tensor]) throws -> [Float] {
    try rows(
      texts, maximumLength: maximumLength,
      session: Session(graph.pooler(parameters), options: Session.Options(threads: threads)),
      width: graph.configuration.width)
  }

  private func rows(
    _ texts: TokenizedTexts, maximumLength: Int, session: Session, width: Int
  ) throws -> [Float] {
    let batches = TextBatches(texts: texts, graph: graph, maximumLength: maximumLength)
    let order = batches.byLength
    let output = session.outputs[0]
    var rows = [Float](repeating: 0, count: texts.count * width)
    for start in stride(from: 0, to: order.count, by: Self.batchSize) {
      try Task.checkCancellation()
      let batch = order[start..<min(start + Self.batchSize, order.count)]
      guard let plan = try session.plan(for: batches.specs(batch)) else { preconditionFailure("shapes follow inputs") }
      batches.fill(plan, batch)
      try session.execute(plan)
      plan.withUnsafeOutput(output, as: Float.self) { values in
        for (row, text) in batch.enumerated() {
          for column in 0..<width { rows[text * width + column] = values[row * width + column] }
        }
      }
    }
    return rows
  }
}
