// `ranker evaluate`: how well a trained model does on pairs.

import ArgumentParser
import Foundation
import Measures
import PairwiseRanking
import Reports

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained model on preference pairs.",
    discussion: """
      Accuracy is the share of the pairs with a winner that the model orders rightly, equal scores counting half. \
      Kendall's τ compares score differences with labels, ties included. In the confusion, a score difference within \
      half the margin counts as equal.
      """)

  @Option(help: ArgumentHelp("The directory of the model.", valueName: "directory"))
  var modelPath: String

  @Option(help: ArgumentHelp("The pairs, JSON lines; - for standard input.", valueName: "file.jsonl"))
  var input: String

  @Flag(help: "Make the first bad line of the data an error, instead of leaving it out.")
  var strict = false

  @Flag(help: "Print the measures as JSON.")
  var json = false

  func run() throws {
    let ranker = try PairwiseRanking.Ranker(directory: modelPath)
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
