// `ranker data validate`: everything that is wrong with a file, with its place.

import ArgumentParser
import ConceptDetection
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

      For concept detection the lexicon, the notes and the candidates are looked at, as ranker train concept finds them:

        ranker data validate data --type concept --taxonomy taxonomy/lexicon_v1.json
      """)

  @Argument(
    help: ArgumentHelp(
      "The file, a clickstream's directory, or a folder of notes; - for standard input.", valueName: "file"))
  var file: String

  @Option(help: "What the file is for: recommendation, classification, concept or pairs.")
  var type: DataPurpose

  @Flag(help: "Exit with 1 for warnings too.")
  var strict = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Understanding the file") var interactions: InteractionOptions
  @OptionGroup(title: "Understanding the file") var labels: LabelOptions
  @OptionGroup(title: "Understanding the file") var concepts: ConceptDataOptions

  private static let keptProblems = 10_000

  func run() throws {
    let kept = Self.keptProblems
    switch type {
    case .recommendation:
      try tell([InteractionDataset.validate(path: file, options: interactions.reading(keptProblems: kept))])
    case .classification:
      let options = labels.reading(interactions.table, keptProblems: kept)
      try tell([ClassificationDataset.validate(path: file, options: options)])
    case .pairs: try tell([PairDataset.validate(path: file)])
    case .concept:
      let options = concepts.reading(interactions.table, keptProblems: kept)
      try tell(try concepts.paths(file).validate(options: options), records: ["concept", "note", "candidate"])
    }
  }

  /// - Parameter records: what the records of each report are called.
  private func tell(_ reports: [ValidationReport], records: [String]? = nil) throws {
    if json {
      if records == nil { try printJSON(reports[0]) } else { try printJSON(reports) }
    } else {
      for (report, record) in zip(reports, records ?? [type.record]) { printOut(report, record: record) }
    }
    guard reports.allSatisfy({ $0.isSound && (!strict || $0.isSpotless) }) else { throw ExitCode(1) }
  }

  private func printOut(_ report: ValidationReport, record: String) {
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
    let records = count(report.usableRecords, record)
    print("\(report.isSound ? style.green("✓") : style.red("✗")) \(report.path.printable): \(records) can be used")
  }
}
