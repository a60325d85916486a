// The encoder that is used where none is named.

import Foundation

/// all-MiniLM-L6-v2 in the user's cache, where `tools/fetch-encoder` puts it: 6 layers, 384 wide, for English.
public enum DefaultEncoder {
  public static let name = "all-MiniLM-L6-v2"

  /// `$XDG_CACHE_HOME/rankerkit/encoders/all-MiniLM-L6-v2`, where that is not set below `~/.cache`.
  public static func path(environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? "\(environment["HOME"] ?? NSHomeDirectory())/.cache"
    return "\(cache)/rankerkit/encoders/\(name)"
  }

  /// The directory of the encoder that a person named, or the default one.
  /// - Throws: `EncoderError.noDefaultEncoder` where none was named and the default one is not there.
  public static func directory(
    named: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(EncoderError) -> String {
    if let named { return named }
    let path = path(environment: environment)
    guard FileManager.default.fileExists(atPath: "\(path)/\(EncoderConfiguration.fileName)") else {
      throw .noDefaultEncoder(path: path)
    }
    return path
  }
}
