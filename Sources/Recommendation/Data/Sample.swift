// The data that comes with this module.

import Files
import Glibc

extension InteractionDataset {
  /// The path of `recommendation_test.json`: 50 users, 200 items, 1,000 interactions and held-out cases, made by
  /// `ranker data synthesize recommendation --output recommendation_test.json`. The default of every `--data-path`.
  ///
  /// It stands with the package's resources beside the executable; reading it where it does not is an error that says so.
  public static let samplePath = packageResource("recommendation_test.json", of: "Recommendation")

  /// - Throws: where the sample is asked for and not there, as when the executable was copied without its resources.
  static func checkSample(_ path: String) throws(InteractionError) {
    guard path == samplePath, access(path, R_OK) != 0 else { return }
    throw .badForm(
      path: path,
      problem: "is not there; it comes with the package. Name your own data, or make the sample: "
        + "ranker data synthesize recommendation --output recommendation_test.json")
  }
}
