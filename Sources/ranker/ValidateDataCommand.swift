// `ranker data validate`: everything that is wrong with a file, with its place.

import ArgumentParser
import Datasets
import PairwiseRanking
import Recommendation
import Reports
import TextClassification

struct ValidateData: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Say everything that is wrong with a data file.",
    discussion: """
      Reads the whole file and prints each problem with the lines it was found on and how often. Problems are rows that \
      a training would leave out and files that can't be read; warnings are about data that can be used, but maybe not \
      as meant (repeated rows, counts that do not match, labels with too few samples). Exits with 1 where there are problems, with --strict \
      also where there are warnings.
      """)

  @Argument(help: ArgumentHelp("The file, or a clickstream's directory; - for standard input.", valueName: "file"))
  var file: String

  @Option(help: "What the file is for: recommendation, classification or pairs.")
  var type: DataPurpose

  @Flag(help: "Exit with 1 for warnings too.")
  var strict = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Understanding the file") var interactions: InteractionOptions
  @OptionGroup(title: "Understanding the file") var labels: LabelOptions

  func run() throws {
    let report =
      switch type {
      case .recommendation:
        InteractionDataset.validate(path: file, options: interactions.reading(keptProblems: 10_000))
      case .classification:
        ClassificationDataset.validate(path: file, options: labels.reading(interactions.table, keptProblems: 10_000))
      case .pairs: PairDataset.validate(path: file)
      }
    if json { try printJSON(report) } else { printOut(report) }
    guard report.isSound, !strict || report.isSpotless else { throw ExitCode(1) }
  }

  private func printOut(_ report: ValidationReport) {
    let style = Style.output
    for finding in report.findings {
      let label =
        switch finding.severity {
        case .problem: style.red("problem")
        case .warning: style.yellow("warning")
        case .note: style.dim("note")
        }
      print("\(label): \(finding.message.printable)")
      var place = ""
      if !finding.lines.isEmpty {
        place = "line\(finding.lines.count == 1 ? "" : "s") \(finding.lines.map(String.init).joined(separator: ", "))"
        if finding.count > finding.lines.count { place += ", …" }
      }
      if finding.count > 1 { place += place.isEmpty ? "\(finding.count) times" : "  (\(finding.count) times)" }
      if !place.isEmpty { print(style.dim("  \(place)")) }
    }
    let records = count(report.usableRecords, type.record)
    print("\(report.isSound ? style.green("✓") : style.red("✗")) \(report.path.printable): \(records) can be used")
  }
}
