// The data that comes with this module.

import Glibc

extension InteractionDataset {
  /// The path of `recommendation_test.json`: 50 users, 200 items, 1,000 interactions and held-out cases, made by
  /// `ranker data synthesize recommendation --output recommendation_test.json`. The default of every `--data-path`.
  ///
  /// It stands with the package's resources beside the executable; reading it where it does not is an error that says so.
  public static let samplePath: String = {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = buffer.withUnsafeMutableBytes { buffer in
      readlink("/proc/self/exe", buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
    }
    let executable = String(decoding: buffer.prefix(max(length, 0)), as: UTF8.self)
    let folder = executable.lastIndex(of: "/").map { executable[..<$0] } ?? "."
    return "\(folder)/RankerKit_Recommendation.resources/Resources/recommendation_test.json"
  }()

  /// - Throws: where the sample is asked for and not there, as when the executable was copied without its resources.
  static func checkSample(_ path: String) throws(InteractionError) {
    guard path == samplePath, access(path, R_OK) != 0 else { return }
    throw .badForm(
      path: path,
      problem: "is not there; it comes with the package. Name your own data, or make the sample: "
        + "ranker data synthesize recommendation --output recommendation_test.json")
  }
}
