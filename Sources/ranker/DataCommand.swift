// `ranker data`: look at data, check it, make some up.

import ArgumentParser
import ConceptDetection
import Datasets
import Foundation
import PairwiseRanking
import PreferenceStore
import Recommendation
import TextClassification

struct DataCommands: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Check data files, look at them, split them, vary them, and make some up.",
    subcommands: [ValidateData.self, DataStatistics.self, SplitData.self, AugmentData.self, SynthesizeData.self])
}

/// What a data file is for.
enum DataPurpose: String, ExpressibleByArgument, CaseIterable {
  case recommendation, classification, concept, pairs

  /// What records of it are called.
  var record: String {
    switch self {
    case .recommendation: "interaction"
    case .classification: "sample"
    case .concept: "note"
    case .pairs: "pair"
    }
  }
}

/// The path of interactions, that of the bundled sample where none is named.
struct DataPath: ExpressibleByArgument {
  var path = InteractionDataset.samplePath

  init() {}
  init(argument: String) { path = argument }

  /// The help names the sample; where it lies on this machine would only be noise.
  var defaultValueDescription: String { "" }
}

/// How the columns of a file are to be understood, whatever it holds.
struct TableOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the columns hold: names in order (user_id,item_id,rating or text,labels), or user_id=name,….",
      valueName: "names"))
  var columns: String?

  @Option(help: ArgumentHelp("What stands between the fields of a line (default: found out).", valueName: "text"))
  var separator: String?

  @Flag(inversion: .prefixedNo, help: "Whether the first line names the columns (default: found out).")
  var header: Bool?

  var columnNames: [String] {
    columns.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
  }

  var separatorText: String? { separator?.replacingOccurrences(of: "\\t", with: "\t") }

  func validate() throws {
    if separator == "" { throw ValidationError("--separator must not be empty") }
  }
}

/// How interactions are to be understood, the same for every command that reads them.
struct InteractionOptions: ParsableArguments {
  @OptionGroup var table: TableOptions

  @Flag(help: "Take explicit ratings as the strength of interactions.")
  var useRatings = false

  @Option(help: ArgumentHelp("Hold out a clickstream's last days.", valueName: "days"))
  var evalDays = InteractionReadOptions().evaluationDays

  /// - Parameter isStrict: makes the first bad row an error.
  func reading(isStrict: Bool = false, keptProblems: Int = 20) -> InteractionReadOptions {
    InteractionReadOptions(
      isStrict: isStrict, columns: table.columnNames, separator: table.separatorText, hasHeader: table.header,
      usesRatings: useRatings, evaluationDays: evalDays, keptProblems: keptProblems)
  }

  func validate() throws {
    if evalDays < 0 { throw ValidationError("--eval-days must not be negative, found \(evalDays)") }
  }
}

/// How labels are to be understood, the same for every command that reads labelled texts.
struct LabelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What stands between the labels of a cell (default: the first of ; | , that any cell has, otherwise blanks).",
      valueName: "text"))
  var labelSeparator: String?

  /// - Parameters:
  ///   - table: how the columns are to be understood.
  ///   - isStrict: makes the first bad row an error.
  func reading(
    _ table: TableOptions, isStrict: Bool = false, keptProblems: Int = 20
  ) -> ClassificationReadOptions {
    ClassificationReadOptions(
      isStrict: isStrict, columns: table.columnNames, separator: table.separatorText,
      labelSeparator: labelSeparator?.replacingOccurrences(of: "\\t", with: "\t"), hasHeader: table.header,
      keptProblems: keptProblems)
  }

  /// How texts without labels are read.
  static func textReading(_ table: TableOptions, isStrict: Bool) -> ClassificationReadOptions {
    ClassificationReadOptions(
      isStrict: isStrict, columns: table.columnNames, separator: table.separatorText, hasHeader: table.header)
  }

  func validate() throws {
    if labelSeparator == "" { throw ValidationError("--label-separator must not be empty") }
  }
}

/// Where the lexicon of a folder of notes is, the same for every command that looks at both.
struct ConceptDataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Of notes: the lexicon, or a folder with lexicon_v1.json (default: taxonomy).", valueName: "file"))
  var taxonomy: String?

  func paths(_ folder: String) throws -> ConceptDataPaths {
    try ConceptDataPaths(dataFolder: folder, taxonomy: taxonomy ?? "taxonomy")
  }

  /// - Parameter isStrict: makes the first bad row an error.
  func reading(_ table: TableOptions, isStrict: Bool = false, keptProblems: Int = 20) -> NoteReadOptions {
    NoteReadOptions(isStrict: isStrict, columns: table.columnNames, keptProblems: keptProblems)
  }
}
