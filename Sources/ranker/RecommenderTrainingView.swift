// The training of a scoring recommender as it is watched, and its last lines.

import Foundation
import Recommendation
import Reports
import Training
import Verification

/// Shows the training of a factorisation, or the making of a popularity model.
struct RecommenderTrainingView {
  let view: ProgressView

  static let wording = ProgressWording(
    samples: "pairs", pass: "iteration",
    measures: { record in
      // The first names that the records have: a clickstream's are at 40.
      let names = record.metrics.keys
      let shown = names.contains("recall@40") ? ["recall@40", "precision@40"] : ["ndcg@10", "hit_rate@10"]
      return shown.compactMap { name in
        record.metrics[name].map { "\(MeasureNames.spoken(name)) \(Figures.number($0, digits: 3))" }
      }
    },
    score: { $0.trainLoss })

  func began(_ beginning: RecommenderBeginning) {
    if view.mode == .json { printJSONLine(Line(beginning)) }
    for warning in beginning.warnings { view.warn(warning) }
    let data = beginning.data
    view.line(
      "\(Figures.count(data.trainingPairs)) pairs of \(count(data.users, "user")) and \(count(data.items, "item")) "
        + "to train on, \(count(data.heldOutCases, "case")) held out")
    view.line("\(Figures.count(beginning.parameterCount)) parameters")
  }

  func resumed(_ iterations: Int) {
    if view.mode == .json { printJSONLine(ProgressLine(event: "resumed", epoch: iterations)) }
    view.resumed(epochs: iterations)
  }

  func progress(_ progress: TrainingProgress) {
    if view.mode == .json { printJSONLine(ProgressLine(progress)) }
    view.show(progress)
  }

  /// The event that only this kind of training has.
  private struct Line: Encodable {
    var event = "began"
    var data: RecommenderDataSummary
    var parameters: Int
    var warnings: [String]

    init(_ beginning: RecommenderBeginning) {
      data = beginning.data
      parameters = beginning.parameterCount
      warnings = beginning.warnings
    }
  }
}

/// Measures by the names that people give them.
enum MeasureNames {
  /// `NDCG@10` for `ndcg@10`.
  static func spoken(_ name: String) -> String {
    let parts = name.split(separator: "@")
    guard parts.count == 2 else { return name }
    switch parts[0] {
    case "ndcg": return "NDCG@\(parts[1])"
    case "hit_rate": return "HR@\(parts[1])"
    case "f1": return "F1@\(parts[1])"
    default: return name
    }
  }
}

/// The last lines of the training.
struct RecommenderTrainingSummary {
  var directory: String
  var metadata: any ModelMetadata
  var data: RecommenderDataSummary
  var measures: RecommendationMeasures?
  var graph: String
  var checkpoint: String
  var report: String
  var files: [String]
  var loss: Double?
  var wasFinished = false

  func printOut(_ mode: ProgressView.Mode) {
    LastLines(
      directory: directory, files: files, model: "\(directory)/\(graph)", quality: quality, metadata: metadata,
      wasFinished: wasFinished,
      leftOut: (data.skippedRows, "row"),
      hints: [
        ("Report", "\(directory)/\(report)"),
        ("Use", "ranker recommend --model \(directory)/\(checkpoint) --user ID --top-k 10"),
        ("Check", "onnx-verify \(directory)"),
      ]
    ).printOut(mode, measures: Measures(loss: loss, measures: measures))
  }

  private var quality: String {
    let loss = loss.map { "loss \(Figures.number($0))" }
    guard let measures else {
      return [loss, "nothing was held out to measure it by"].compactMap(\.self).joined(separator: ", ")
    }
    let k = measures.k
    let figures =
      data.heldOutSource == .lastDays
      ? "recall@\(k) \(Figures.percent(measures.recall)), precision \(Figures.percent(measures.precision)), "
        + "F1 \(Figures.percent(measures.f1))"
      : "NDCG@\(k) \(Figures.number(measures.ndcg, digits: 3)), "
        + "hit rate \(Figures.number(measures.hitRate, digits: 3))"
    let on = "\(figures) on \(count(measures.caseCount, "held-out case"))"
    return [on, loss].compactMap(\.self).joined(separator: ", ")
  }

  private struct Measures: Encodable {
    var loss: Double?
    var measures: RecommendationMeasures?
  }
}
