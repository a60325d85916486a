// The options that trainings of scoring recommenders share: where the data is, how it counts, where the model goes.

import ArgumentParser
import Foundation
import Recommendation

/// Data and output of `ranker train als` and `ranker train popular`.
struct RecommenderOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The interactions: JSON, CSV, TSV or Parquet, or a clickstream's directory; - for standard input.",
      valueName: "path"))
  var dataPath: String

  @Option(
    help: ArgumentHelp("The directory for the model; made where it does not exist.", valueName: "directory"))
  var outputDir = "ml_models"

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

  @Flag(help: "Set each user's latest item aside, to be found among 99 that the user has nothing to do with.")
  var leaveOneOut = false

  @Option(
    help: ArgumentHelp("What interactions of a kind weigh: view=1,contact=5 (others weigh 1).", valueName: "kind=x,…"))
  var eventWeights: EventWeights?

  @Option(help: ArgumentHelp("After how many days an interaction weighs half.", valueName: "days"))
  var halfLife: Double?

  @Flag(help: "Make the first bad row of the data an error, instead of leaving it out.")
  var strict = false

  func validate() throws {
    if evalDays < 0 { throw ValidationError("--eval-days is \(evalDays); expected 0 or more.") }
    if separator == "" { throw ValidationError("--separator must not be empty.") }
  }

  var reading: InteractionReadOptions {
    InteractionReadOptions(
      isStrict: strict,
      columns: columns.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? [],
      separator: separator.map { $0.replacingOccurrences(of: "\\t", with: "\t") }, hasHeader: header,
      usesRatings: useRatings, evaluationDays: evalDays)
  }
}

/// Weights by kind as one argument: `view=1,contact=5`.
struct EventWeights: ExpressibleByArgument {
  let weights: [String: Float]

  init?(argument: String) {
    var weights: [String: Float] = [:]
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let equals = part.lastIndex(of: "="), equals > part.startIndex,
        let weight = Float(part[part.index(after: equals)...])
      else { return nil }
      weights[String(part[..<equals])] = weight
    }
    self.weights = weights
  }
}
