// `ranker evaluate`: how well a trained model does on pairs, or on labelled notes.

import ArgumentParser
import ConceptDetection
import Foundation
import Measures
import PairwiseRanking
import Reports
import Verification

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained model: a ranker on preference pairs, a concept detector on labelled notes.",
    discussion: """
      Of a ranker, accuracy is the share of the pairs with a winner that the model orders rightly, equal scores counting half. \
      Kendall's τ compares score differences with labels, ties included. In the confusion, a score difference within \
      half the margin counts as equal.

      Of concept detectors, one or several, the notes of --labels (columns text and concepts, and language where it is \
      known; default: the bundled ones) say what should be found: loss, accuracy, precision, recall and F1 over all \
      decisions (micro), over concepts (macro), and for each bucket and language.

        ranker evaluate --model-path models/pairwise_ranker --input dataset.jsonl
        ranker evaluate --model-path models/concept_model_base_… models/concept_model_large_… --labels labels.jsonl
      """)

  @Option(parsing: .upToNextOption, help: ArgumentHelp("The directory of the model.", valueName: "directory"))
  var modelPath: [String]

  @Option(help: ArgumentHelp("The pairs, JSON lines; - for standard input.", valueName: "file.jsonl"))
  var input: String?

  @Option(help: ArgumentHelp("Labelled notes for concept detectors: JSON lines, CSV or Parquet.", valueName: "file"))
  var labels: String?

  @Option(help: ArgumentHelp("From which probability on a note has a concept (default: the model's).", valueName: "x"))
  var threshold: Double?

  @Flag(help: "Make the first bad line of the data an error, instead of leaving it out.")
  var strict = false

  @Flag(help: "Print the measures as JSON.")
  var json = false

  func validate() throws {
    guard !modelPath.isEmpty else { throw ValidationError("--model-path names no model.") }
    if let threshold, !(threshold > 0 && threshold < 1) {
      throw ValidationError("--threshold is \(threshold); expected a number between 0 and 1.")
    }
    if input != nil, labels != nil {
      throw ValidationError("--input is for rankers, --labels for concept detectors: give one of them.")
    }
  }

  func run() throws {
    let areDetectors = try modelPath.map(Self.isDetector)
    if areDetectors.allSatisfy({ $0 }) {
      if input != nil { throw ValidationError("a concept detector is measured on labelled notes: give --labels FILE.") }
      return try ConceptEvaluations(modelPath, labels: labels, threshold: threshold, isStrict: strict)
        .printOut(json: json)
    }
    guard modelPath.count == 1 else {
      throw ValidationError("only concept detectors can be compared; name one ranker.")
    }
    guard let input else { throw ValidationError("a ranker is measured on pairs: give --input FILE.") }
    if threshold != nil { throw ValidationError("--threshold is for concept detectors.") }
    try evaluate(ranker: modelPath[0], on: input)
  }

  /// Whether a path names a concept detector; what is no model at all is left to the reading of it.
  private static func isDetector(_ path: String) throws -> Bool {
    try MetadataFiles.paths(for: path).contains { file in
      (try? CommonMetadata(contentsOf: file))?.modelType == ConceptMetadata.modelType
    }
  }

  private func evaluate(ranker path: String, on input: String) throws {
    let ranker = try PairwiseRanking.Ranker(directory: path)
    let evaluation = try ranker.evaluate(path: input, isStrict: strict)
    remarkSkipped(evaluation.skipped, of: input)
    let measures = evaluation.measures
    if json {
      try printJSON(
        Output(measures: measures, skippedLines: evaluation.skipped.count, missingMetrics: evaluation.missingMetrics))
      return
    }
    print("pairs           \(Figures.count(measures.pairs))")
    print("accuracy        \(Figures.percent(measures.accuracy))")
    print("Kendall's τ     \(Figures.number(measures.kendallTau))")
    print("loss            \(Figures.number(measures.loss))")
    print("label accuracy  \(Figures.percent(measures.labelAccuracy))")
    print()
    let labels = PairwiseAgreement().confusion.labels
    var table = TextTable(
      [TextTable.Column(title: "said / predicted")] + labels.map { TextTable.Column(title: $0, alignsRight: true) })
    for (label, row) in zip(labels, measures.confusion) { table.add([label] + row.map(Figures.count)) }
    table.printOut()
    flushOutput()
    if evaluation.missingMetrics > 0 {
      remark("note: \(count(evaluation.missingMetrics, "metric")) missing, taken as the training's mean")
    }
  }

  private struct Output: Encodable {
    let measures: PairMeasures
    let skippedLines: Int
    let missingMetrics: Int
  }
}
