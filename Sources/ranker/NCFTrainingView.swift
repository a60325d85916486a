// The training of an NCF recommender as it is watched, and its last lines.

import Foundation
import Recommendation
import Reports
import Training

/// Shows the events of an NCF training.
struct NCFTrainingView {
  let view: ProgressView

  static let wording = ProgressWording(
    samples: "samples",
    measures: { record in
      [
        record.metrics["ndcg@10"].map { "NDCG@10 \(Figures.number($0, digits: 3))" },
        record.metrics["hit_rate@10"].map { "HR@10 \(Figures.number($0, digits: 3))" },
      ].compactMap(\.self)
    },
    score: { $0.metrics["ndcg@10"].map { -$0 } ?? $0.trainLoss })

  func show(_ event: NCFTraining.Event) {
    switch view.mode {
    case .quiet: break
    case .json: printLine(event)
    case .normal, .verbose: tell(event)
    }
  }

  private func tell(_ event: NCFTraining.Event) {
    switch event {
    case .began(let beginning):
      for warning in beginning.warnings { view.warn(warning) }
      let data = beginning.data
      view.line(
        "\(Figures.count(data.pairs)) pairs of \(Figures.count(beginning.users)) users and "
          + "\(Figures.count(beginning.items)) items: \(Figures.count(data.trainingPairs)) to train on, "
          + "\(Figures.count(data.validationUsers)) users to validate, \(Figures.count(data.testUsers)) to test")
      view.line(
        "\(Figures.count(data.samplesPerEpoch)) samples an epoch, \(Figures.count(beginning.parameterCount)) parameters"
      )
    case .resumed(let epochs): view.resumed(epochs: epochs)
    case .progress(let progress): view.show(progress)
    case .finishing(let what): view.finishing(what)
    }
  }

  /// The event that only this kind of training has.
  private struct Line: Encodable {
    var event = "began"
    var users: Int
    var items: Int
    var data: NCFMetadata.DataSummary
    var parameters: Int
    var warnings: [String]
  }

  private func printLine(_ event: NCFTraining.Event) {
    switch event {
    case .began(let beginning):
      printJSONLine(
        Line(
          users: beginning.users, items: beginning.items, data: beginning.data, parameters: beginning.parameterCount,
          warnings: beginning.warnings))
    case .resumed(let epochs): printJSONLine(ProgressLine(event: "resumed", epoch: epochs))
    case .progress(let progress): printJSONLine(ProgressLine(progress))
    case .finishing(let what): view.finishing(what)
    }
  }
}

/// The last lines of an NCF training.
struct NCFTrainingSummary {
  private let outcome: NCFTraining.Outcome

  init(_ outcome: NCFTraining.Outcome) { self.outcome = outcome }

  func printOut(_ mode: ProgressView.Mode) {
    let metadata = outcome.metadata
    let checkpoint = "\(outcome.directory)/\(metadata.files.checkpoint)"
    LastLines(
      directory: outcome.directory, files: outcome.files, model: checkpoint, quality: quality, metadata: metadata,
      wasFinished: outcome.wasFinished,
      leftOut: (metadata.data.skippedRows, "row"),
      hints: [
        ("Report", "\(outcome.directory)/\(metadata.files.report)"),
        ("Use", "ranker recommend --model \(checkpoint) --user ID --top-k 10"), ("Check", "onnx-verify \(checkpoint)"),
      ]
    ).printOut(
      mode,
      measures: Measures(bestEpoch: metadata.bestEpoch, validation: metadata.validation, test: metadata.test))
  }

  private var quality: String {
    let metadata = outcome.metadata
    let best = "epoch \(metadata.bestEpoch) of \(metadata.history.count)"
    guard let (part, measures) = metadata.headline else { return "nothing was held out to measure it by, \(best)" }
    return
      "NDCG@10 \(Figures.number(measures.ndcg, digits: 3)), hit rate \(Figures.number(measures.hitRate, digits: 3)) "
      + "on the \(part) of \(count(measures.caseCount, "user")) (\(best))"
  }

  private struct Measures: Encodable {
    var bestEpoch: Int
    var validation: RecommendationMeasures?
    var test: RecommendationMeasures?
  }
}
