// The training of a classifier as it is watched, and its last lines.

import Foundation
import Reports
import TextClassification
import Training

/// Shows the events of a classifier's training.
struct ClassificationTrainingView {
  let view: ProgressView

  static let wording = ProgressWording(
    samples: "texts",
    measures: { record in
      [
        ("micro F1", "micro_f1"), ("macro F1", "macro_f1"), ("precision", "micro_precision"),
        ("recall", "micro_recall"),
      ]
      .compactMap { name, key in
        record.metrics["validation_\(key)"].map { "\(name) \(Figures.number($0, digits: 3))" }
      }
    },
    score: { $0.metrics["validation_micro_f1"].map { -$0 } ?? $0.trainLoss })

  func show(_ event: ClassificationTraining.Event) {
    view.show(event, tell: tell, line: line)
  }

  private func tell(_ beginning: ClassificationTraining.Beginning) {
    for note in beginning.notes { view.line(note) }
    for warning in beginning.warnings { view.warn(warning) }
    let data = beginning.data
    view.line(
      "\(count(data.trainingSamples, "text")) of \(count(beginning.labels.count, "label")) to train on, "
        + "\(Figures.count(data.validationSamples)) to validate"
        + (data.variations > 0 ? "; \(Figures.count(data.variations)) of them variations" : ""))
    view.line(
      "\(count(beginning.layers, "layer")) \(origin(beginning.encoder)), "
        + "\(Figures.count(beginning.trainedParameterCount)) of \(Figures.count(beginning.parameterCount)) parameters "
        + "to train")
  }

  private func origin(_ encoder: ClassificationMetadata.Encoder) -> String {
    switch encoder.origin {
    case .pretrained: "of \(encoder.path ?? "")"
    case .scratch: "from nothing"
    case .distilled: "taken from \(encoder.path ?? "")"
    }
  }

  /// The event that only this kind of training has.
  private struct Line: Encodable {
    var event = "began"
    var labels: [String]
    var data: ClassificationMetadata.DataSummary
    var encoder: ClassificationMetadata.Encoder
    var parameters: Int
    var trainedParameters: Int
    var warnings: [String]
  }

  private func line(_ beginning: ClassificationTraining.Beginning) -> any Encodable {
    Line(
      labels: beginning.labels, data: beginning.data, encoder: beginning.encoder,
      parameters: beginning.parameterCount, trainedParameters: beginning.trainedParameterCount,
      warnings: beginning.warnings)
  }
}

/// The last lines of a classifier's training.
struct ClassificationTrainingSummary {
  private let outcome: ClassificationTraining.Outcome

  init(_ outcome: ClassificationTraining.Outcome) { self.outcome = outcome }

  func printOut(_ mode: ProgressView.Mode) {
    let metadata = outcome.metadata
    LastLines(
      directory: outcome.directory, files: outcome.files, model: outcome.directory, quality: quality,
      metadata: metadata, wasFinished: outcome.wasFinished,
      leftOut: (metadata.data.skippedRows, "row"),
      hints: [
        ("Report", "\(outcome.directory)/\(ClassificationMetadata.Files.report)"),
        ("Use", "ranker classify --model \(outcome.directory) --text \"…\""),
        ("Check", "onnx-verify \(outcome.directory)"),
      ]
    ).printOut(
      mode,
      measures: Measures(
        bestEpoch: metadata.bestEpoch, validation: metadata.validation, int8: metadata.quantized))
  }

  private var quality: String {
    let metadata = outcome.metadata
    let best = "epoch \(metadata.bestEpoch) of \(metadata.history.count)"
    guard let measures = metadata.validation else { return "nothing was held out to measure it by, \(best)" }
    let inBytes = metadata.quantized?.validation.map { "; in 8 bits \(Figures.number($0.micro.f1, digits: 3))" } ?? ""
    return
      "F1 \(Figures.number(measures.micro.f1, digits: 3)) (macro \(Figures.number(measures.macro.f1, digits: 3)))"
      + "\(inBytes) on \(count(measures.samples, "text")) held out (\(best))"
  }

  private struct Measures: Encodable {
    var bestEpoch: Int
    var validation: ClassificationMeasures?
    var int8: ClassificationMetadata.Quantized?
  }
}
