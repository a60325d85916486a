// The data that comes with this module.

import Glibc

extension InteractionDataset {
  /// The path of `recommendation_test.json`: 50 users, 200 items, 1,000 interactions and held-out cases, made by
  /// `ranker data synthesize recommendation --output recommendation_test.json`. The default of every `--data-path`.
  ///
  /// - Throws: where the package's resources are not beside the executable, as when it was copied without them.
  public static func samplePath() throws(InteractionError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = readlink("/proc/self/exe", &buffer, Int(PATH_MAX))
    let executable = String(
      decoding: buffer.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let folder = executable.lastIndex(of: "/").map { executable[..<$0] } ?? "."
    let path = "\(folder)/RankerKit_Recommendation.resources/Resources/recommendation_test.json"
    guard access(path, R_OK) == 0 else {
      throw .badForm(
        path: path,
        problem: "is not there; it comes with the package. Name your own data with --data-path, or make the sample: "
          + "ranker data synthesize recommendation --output recommendation_test.json")
    }
    return path
  }
}
