// The end of a training: where the model is, how good it is, and what to do next.

import Foundation
import PairwiseRanking
import Reports
import Verification

/// The last lines of a pairwise training.
struct PairwiseTrainingSummary {
  private let outcome: RankerTraining.Outcome

  init(_ outcome: RankerTraining.Outcome) { self.outcome = outcome }

  func printOut(_ mode: ProgressView.Mode) {
    let metadata = outcome.metadata
    let directory = outcome.directory
    LastLines(
      directory: directory, files: outcome.files, model: "\(directory)/\(metadata.files.comparer)", quality: quality,
      metadata: metadata,
      wasFinished: outcome.wasFinished, leftOut: (metadata.data.skippedLines, "line"),
      hints: [
        ("Report", "\(directory)/\(metadata.files.report)"),
        ("Rank", "ranker rank --model \(directory) --items items.jsonl"), ("Check", "onnx-verify \(directory)"),
      ]
    ).printOut(
      mode,
      measures: Measures(
        bestEpoch: metadata.bestEpoch, training: metadata.training, validation: metadata.validation,
        crossValidation: metadata.crossValidation))
  }

  private var quality: String {
    let metadata = outcome.metadata
    let best = "epoch \(metadata.bestEpoch) of \(metadata.history.count)"
    if let summary = metadata.crossValidation {
      return "accuracy \(PairwiseTrainingView.spread(summary.accuracy) { Figures.percent($0) }) "
        + "in \(summary.folds.count)-fold cross-validation, trained on everything"
    }
    let measures = metadata.headline.measures
    let pairs = metadata.validation == nil ? "pairs that it trained on" : "held-out pairs"
    guard let accuracy = measures.accuracy else {
      return "loss \(Figures.number(measures.loss)) on \(measures.pairs) \(pairs), \(best)"
    }
    return "orders \(Figures.percent(accuracy)) of the \(pairs) rightly "
      + "(τ \(Figures.number(measures.kendallTau, digits: 3)), \(best))"
  }

  private struct Measures: Encodable {
    var bestEpoch: Int
    var training: PairMeasures
    var validation: PairMeasures?
    var crossValidation: CrossValidation?
  }
}
