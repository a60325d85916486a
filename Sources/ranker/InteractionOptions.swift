// Where interactions come from and how they are read: the options that every recommender's training has.

import ArgumentParser
import Recommendation

/// The data of a recommender.
struct InteractionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The interactions: JSON, CSV or TSV, as its content tells; - for standard input.", valueName: "file"))
  var dataPath: String

  @Option(
    help: ArgumentHelp(
      "What the columns hold, with commas: names in their order, or pairs such as user_id=visitor.",
      valueName: "name,…"))
  var columns: String?

  @Option(help: ArgumentHelp("What separates the fields of a line (default: found by looking).", valueName: "text"))
  var separator: String?

  @Flag(inversion: .prefixedNo, help: "The file begins with the names of its columns (default: found by looking).")
  var header: Bool?

  @Flag(help: "Take ratings as the strength of an interaction.")
  var useRatings = false

  @Flag(help: "Make the first bad row of the data an error, instead of leaving it out.")
  var strict = false

  var readOptions: InteractionReadOptions {
    InteractionReadOptions(
      isStrict: strict, columns: columns.map { $0.split(separator: ",").map(String.init) } ?? [],
      separator: separator, hasHeader: header, usesRatings: useRatings)
  }
}
