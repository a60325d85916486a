// Names of files as they come over the network: below a folder, plain, never out of it.

/// A path that may be put below a folder of this machine, whoever sent it.
enum PlainPath {
  /// More than any training writes.
  private static let longest = 1024

  /// The path, checked: parts of 1 to 255 bytes with slashes between, none of them hidden, `.` or `..`, without control
  /// characters.
  ///
  /// - Throws: ``WorkRefused``.
  static func checked(_ path: String) throws(WorkRefused) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain =
      path.utf8.count <= longest
      && parts.allSatisfy { !$0.isEmpty && $0.utf8.count <= 255 && !$0.hasPrefix(".") }
      && path.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    guard isPlain else {
      throw WorkRefused(
        "\"\(path.prefix(100))\" is no path of a file here; expected names with slashes between, none hidden or \"..\"")
    }
    return path
  }

  /// Whether a text is a SHA-256 as this service writes it.
  static func isChecksum(_ text: String) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (97...102).contains($0) }
  }
}
