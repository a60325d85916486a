// The options that trainings of scoring recommenders share: where the data is, how it counts, where the model goes.

import ArgumentParser
import Recommendation

/// Data and output of `ranker train als` and `ranker train popular`.
struct RecommenderOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The interactions: JSON, CSV, TSV or Parquet, or a clickstream's directory; - for standard input (default: a "
        + "sample that was made up).",
      valueName: "path"))
  var dataPath = DataPath()

  @OptionGroup var interactions: InteractionOptions

  @Option(
    help: ArgumentHelp("The directory for the model; made where it does not exist.", valueName: "directory"))
  var outputDir = "ml_models"

  @Flag(help: "Set each user's latest item aside, to be found among 99 that the user has nothing to do with.")
  var leaveOneOut = false

  @Option(
    help: ArgumentHelp("What interactions of a kind weigh: view=1,contact=5 (others weigh 1).", valueName: "kind=x,…"))
  var eventWeights: EventWeights?

  @Option(help: ArgumentHelp("After how many days an interaction weighs half.", valueName: "days"))
  var halfLife: Double?

  @Flag(help: "Make the first bad row of the data an error, instead of leaving it out.")
  var strict = false

  var reading: InteractionReadOptions { interactions.reading(isStrict: strict) }
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
