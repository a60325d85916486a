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
    guard mode != .json else {
      printJSONLine(Line(outcome))
      return
    }
    let metadata = outcome.metadata
    let files = metadata.files
    if mode == .verbose { printDifferences(metadata.verification) }
    if mode != .quiet {
      print("Report: \(outcome.directory)/\(files.report)")
      print("Rank:   ranker rank --model \(outcome.directory) --items items.jsonl")
      print("Check:  onnx-verify \(outcome.directory)")
    }
    let style = Style.output
    let mark = style.green("✓")
    print("\(mark) \(outcome.directory)/\(files.comparer): \(quality); \(state)\(leftOut)")
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

  private var state: String {
    outcome.wasFinished
      ? "this training had ended before, nothing was left to do"
      : "verified, \(Figures.duration(outcome.metadata.trainingTime))"
  }

  /// With `--quiet` nothing else tells of them.
  private var leftOut: String {
    let lines = outcome.metadata.data.skippedLines
    return lines > 0 ? "; \(count(lines, "line")) of data left out" : ""
  }

  private struct Line: Encodable {
    var event = "done"
    var directory: String
    var files: [String]
    var wasFinished: Bool
    var bestEpoch: Int
    var training: PairMeasures
    var validation: PairMeasures?
    var crossValidation: CrossValidation?
    var verified: Bool
    var trainingTime: Double

    init(_ outcome: RankerTraining.Outcome) {
      let metadata = outcome.metadata
      directory = outcome.directory
      files = outcome.files
      wasFinished = outcome.wasFinished
      bestEpoch = metadata.bestEpoch
      training = metadata.training
      validation = metadata.validation
      crossValidation = metadata.crossValidation
      verified = metadata.verification.allSatisfy(\.passed)
      trainingTime = metadata.trainingTime
    }
  }
}
