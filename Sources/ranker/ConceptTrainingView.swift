// The training of a concept detector as it is watched, and its last lines.

import ConceptDetection
import Foundation
import Reports
import Training

/// Shows the events of a detector's training.
struct ConceptTrainingView {
  let view: ProgressView

  static let wording = ProgressWording(
    samples: "examples",
    measures: { record in
      [("validation loss", "loss"), ("accuracy", "accuracy"), ("micro F1", "micro_f1")]
        .compactMap { name, key in
          record.metrics["validation_\(key)"].map { "\(name) \(Figures.number($0, digits: 3))" }
        }
    },
    score: { $0.trainLoss })

  func show(_ event: ConceptTraining.Event) {
    view.show(event, tell: tell, line: line)
  }

  private func tell(_ beginning: ConceptTraining.Beginning) {
    for note in beginning.notes { view.line(note) }
    for warning in beginning.warnings { view.warn(warning) }
    let data = beginning.data
    view.line(
      "\(count(data.noteCount, "note")) (\(Figures.count(data.namedNotes)) with an alias in them, "
        + "\(Figures.count(data.validationNotes)) to validate), \(count(beginning.concepts, "concept")) with "
        + "\(count(data.aliases, "alias", plural: "aliases")) (\(Figures.count(data.heldOutAliases)) held out)")
    if data.redactions.total > 0 {
      view.line("\(count(data.redactions.total, "address or number", plural: "addresses and numbers")) taken out")
    }
    view.line(
      "\(Figures.count(data.examplesPerEpoch)) examples an epoch, \(Figures.count(beginning.parameterCount)) "
        + "parameters to train")
  }

  /// The event that only this kind of training has.
  private struct Line: Encodable {
    var event = "began"
    var concepts: Int
    var data: ConceptMetadata.DataSummary
    var parameters: Int
    var warnings: [String]
  }

  private func line(_ beginning: ConceptTraining.Beginning) -> any Encodable {
    Line(
      concepts: beginning.concepts, data: beginning.data, parameters: beginning.parameterCount,
      warnings: beginning.warnings)
  }
}

/// The last lines of a detector's training.
struct ConceptTrainingSummary {
  private let outcome: ConceptTraining.Outcome

  init(_ outcome: ConceptTraining.Outcome) { self.outcome = outcome }

  func printOut(_ mode: ProgressView.Mode) {
    let metadata = outcome.metadata
    LastLines(
      directory: outcome.directory, files: outcome.files, model: outcome.directory, quality: quality,
      metadata: metadata, wasFinished: outcome.wasFinished,
      leftOut: (metadata.data.skippedRows, "row"),
      hints: [
        ("Report", "\(outcome.directory)/\(ConceptMetadata.Files.report)"),
        ("Use", "ranker detect --model-path \(outcome.directory) --text \"…\""),
        ("Test", "ranker evaluate --model-path \(outcome.directory) --labels FILE"),
        ("Check", "onnx-verify \(outcome.directory)"),
      ]
    ).printOut(
      mode,
      measures: Measures(
        bestEpoch: metadata.bestEpoch, loss: metadata.loss, validation: metadata.validation,
        aliasChecks: metadata.aliasChecks))
  }

  private var quality: String {
    let metadata = outcome.metadata
    let (held, typos) = (metadata.aliasChecks.heldOut, metadata.aliasChecks.typos)
    let unseen = held.aliases > 0 ? ", \(Figures.percent(held.top1)) of aliases it never saw" : ""
    return
      "loss \(Figures.number(metadata.loss, digits: 2)), names \(Figures.percent(typos.top1)) of aliases with a typo"
      + "\(unseen) (epoch \(metadata.bestEpoch) of \(metadata.history.count))"
  }

  private struct Measures: Encodable {
    var bestEpoch: Int
    var loss: Double
    var validation: ConceptMeasures?
    var aliasChecks: AliasChecks
  }
}
