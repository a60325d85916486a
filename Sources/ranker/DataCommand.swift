// `ranker data`: look at data, check it, make some up.

import ArgumentParser
import Datasets
import Foundation
import PairwiseRanking
import PreferenceStore
import Recommendation

struct DataCommands: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Check data files, look at them, split them, and make some up.",
    subcommands: [ValidateData.self, DataStatistics.self, SplitData.self, SynthesizeData.self])
}

/// What a data file is for.
enum DataPurpose: String, ExpressibleByArgument, CaseIterable {
  case recommendation, pairs
}

/// The path of interactions, that of the bundled sample where none is named.
struct DataPath: ExpressibleByArgument {
  var path = InteractionDataset.samplePath

  init() {}
  init(argument: String) { path = argument }

  /// The help names the sample; where it lies on this machine would only be noise.
  var defaultValueDescription: String { "" }
}

/// How interactions are to be understood, the same for every command that reads them.
struct InteractionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the columns hold: names in order (user_id,item_id,rating,timestamp), or user_id=name,….",
      valueName: "names"))
  var columns: String?

  @Option(help: ArgumentHelp("What stands between the fields of a line (default: found out).", valueName: "text"))
  var separator: String?

  @Flag(inversion: .prefixedNo, help: "Whether the first line names the columns (default: found out).")
  var header: Bool?

  @Flag(help: "Take explicit ratings as the strength of interactions.")
  var useRatings = false

  @Option(help: ArgumentHelp("Hold out a clickstream's last days.", valueName: "days"))
  var evalDays = InteractionReadOptions().evaluationDays

  /// - Parameter isStrict: makes the first bad row an error.
  func reading(isStrict: Bool = false, keptProblems: Int = 20) -> InteractionReadOptions {
    InteractionReadOptions(
      isStrict: isStrict,
      columns: columns.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? [],
      separator: separator.map { $0.replacingOccurrences(of: "\\t", with: "\t") }, hasHeader: header,
      usesRatings: useRatings, evaluationDays: evalDays, keptProblems: keptProblems)
  }

  func validate() throws {
    if evalDays < 0 { throw ValidationError("--eval-days must not be negative, found \(evalDays)") }
    if separator == "" { throw ValidationError("--separator must not be empty") }
  }
}
