// The training of a pairwise ranker as it is watched.

import PairwiseRanking
import Reports
import Training

/// Shows the events of a pairwise training.
struct PairwiseTrainingView {
  let view: ProgressView

  static let wording = ProgressWording(
    samples: "pairs",
    measures: { record in
      let metrics = record.metrics
      return [
        (metrics["validation_accuracy"] ?? metrics["train_accuracy"]).map { "accuracy \(Figures.percent($0))" },
        metrics["validation_kendall_tau"].map { "τ \(Figures.number($0, digits: 3))" },
      ].compactMap(\.self)
    })

  func show(_ event: RankerTraining.Event) {
    switch view.mode {
    case .quiet: break
    case .json: printLine(event)
    case .normal, .verbose: tell(event)
    }
  }

  private func tell(_ event: RankerTraining.Event) {
    switch event {
    case .began(let beginning):
      for warning in beginning.warnings { view.warn(warning) }
      view.line(
        "\(Figures.count(beginning.pairs)) pairs of \(Figures.count(beginning.items)) items: "
          + "\(Figures.count(beginning.trainingPairs)) to train on, \(Figures.count(beginning.validationPairs)) held out"
      )
      view.line(
        "\(Figures.count(beginning.layout.count)) features (\(beginning.layout.summary)), "
          + "\(Figures.count(beginning.parameterCount)) parameters")
    case .resumed(let epochs, let fold): view.resumed(epochs: epochs, part: fold.map { "fold \($0)" })
    case .fold(let number, let count):
      view.startOver()
      if view.mode == .verbose { view.line("fold \(number) of \(count)") }
    case .foldEnded(let number, let count, let fold):
      view.line(
        "fold \(number) of \(count): accuracy \(Figures.percent(fold.validation.accuracy)), "
          + "τ \(Figures.number(fold.validation.kendallTau, digits: 3)), "
          + "loss \(Figures.number(fold.validation.loss)), best epoch \(fold.bestEpoch) of \(fold.epochs)")
    case .finalModel(let epochs, let summary):
      view.startOver()
      view.line(
        "accuracy \(Self.spread(summary.accuracy) { Figures.percent($0) }), "
          + "τ \(Self.spread(summary.kendallTau) { Figures.number($0, digits: 3) }) over \(summary.folds.count) folds; "
          + "now on everything for \(epochs) epochs")
    case .progress(let progress, let fold): view.show(progress, part: fold.map { "fold \($0)" })
    case .finishing(let what): view.finishing(what)
    }
  }

  static func spread(_ spread: CrossValidation.Spread?, _ text: (Double) -> String) -> String {
    spread.map { "\(text($0.mean)) ± \(text($0.standardDeviation))" } ?? "–"
  }

  // MARK: JSON

  /// The events that only this kind of training has.
  private struct Line: Encodable {
    var event: String
    var epochs: Int?
    var fold: Int?
    var folds: Int?
    var validation: PairMeasures?
    var bestEpoch: Int?
    var crossValidation: CrossValidation?
    var pairs: Int?
    var items: Int?
    var features: Int?
    var trainingPairs: Int?
    var validationPairs: Int?
    var parameters: Int?
    var warnings: [String]?
  }

  private func printLine(_ event: RankerTraining.Event) {
    switch event {
    case .began(let beginning):
      printJSONLine(
        Line(
          event: "began", pairs: beginning.pairs, items: beginning.items, features: beginning.layout.count,
          trainingPairs: beginning.trainingPairs, validationPairs: beginning.validationPairs,
          parameters: beginning.parameterCount, warnings: beginning.warnings))
    case .resumed(let epochs, let fold): printJSONLine(ProgressLine(event: "resumed", epoch: epochs, fold: fold))
    case .fold(let number, let count): printJSONLine(Line(event: "fold", fold: number, folds: count))
    case .foldEnded(let number, let count, let fold):
      printJSONLine(
        Line(
          event: "fold_ended", epochs: fold.epochs, fold: number, folds: count, validation: fold.validation,
          bestEpoch: fold.bestEpoch))
    case .finalModel(let epochs, let summary):
      printJSONLine(Line(event: "final_model", epochs: epochs, crossValidation: summary))
    case .progress(let progress, let fold): printJSONLine(ProgressLine(progress, fold: fold))
    case .finishing(let what): view.finishing(what)
    }
  }
}
