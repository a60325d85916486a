// The data that comes with this module.

import Files
import Glibc

extension ClassificationDataset {
  /// The path of `classification_test.json`: 200 texts about what is in a library, 20 for each of ten Dewey classes. The
  /// default of every `--data-path`; its README says how it came about.
  ///
  /// It stands with the package's resources beside the executable; reading it where it does not is an error that says so.
  public static let samplePath = packageResource("classification_test.json", of: "TextClassification")

  /// - Throws: where the sample is asked for and not there, as when the executable was copied without its resources.
  static func checkSample(_ path: String) throws(ClassificationDataError) {
    guard path == samplePath, access(path, R_OK) != 0 else { return }
    throw .badForm(
      path: path,
      problem: "is not there; it comes with the package. Name your own data, or make some up: "
        + "ranker data synthesize classification --output classification.json")
  }
}
