// A data file of unknown form, looked at before it is read.

import Glibc

/// A data file or directory, opened and looked at: its first bytes tell what it is, not its name.
public struct DataFile {
  /// What a path leads to.
  public enum Kind: Sendable, Hashable {
    case directory
    case parquet
    /// Text that begins with a brace or a bracket.
    case json
    /// Other text.
    case text
    case empty
  }

  public let path: String
  public let kind: Kind
  /// Nil for a directory and for Parquet.
  private let opened: RecordFile?

  /// Opens `path`, `-` for standard input. A pipe is read once, so only one reader can take it.
  ///
  /// - Throws: where it can't be opened, or holds what no reader here knows: something compressed, UTF-16.
  public init(path: String) throws(DatasetError) {
    var status = stat()
    if path != "-", stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      (self.path, kind, opened) = (path, .directory, nil)
      return
    }
    if Self.isParquet(path) {
      (self.path, kind, opened) = (path, .parquet, nil)
      return
    }
    let file: RecordFile
    do throws(DatasetError) { file = try RecordFile(path: path) } catch {
      guard case .notJSON(let path, let found, let advice) = error else { throw error }
      throw .badForm(path: path, problem: "is \(found), which is not read here; \(advice)")
    }
    // No text has a zero byte; models, images and archives do.
    guard !file.head.contains(0) else {
      throw .badForm(path: file.path, problem: "is a binary file; expected JSON, CSV, TSV or Parquet")
    }
    self.path = file.path
    opened = file
    switch file.head.first(where: { !$0.isJSONWhitespace }) {
    case nil: kind = file.head.isEmpty ? .empty : .text
    case UInt8(ascii: "{"), UInt8(ascii: "["): kind = .json
    default: kind = .text
    }
  }

  /// - Throws: for a directory or Parquet, which are no text.
  func text() throws(DatasetError) -> RecordFile {
    guard let opened else {
      throw kind == .directory ? .isDirectory(path: path) : .badForm(path: path, problem: "is a Parquet file, not text")
    }
    return opened
  }

  private static func isParquet(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // Not of a pipe: what is read of one is gone.
    var status = stat()
    var head: [UInt8] = [0, 0, 0, 0]
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    return pread(descriptor, &head, 4, 0) == 4 && head == Array("PAR1".utf8)
  }
}

extension DataFile {
  /// The names that the file's first bytes give to values, as they are compared in headers: the keys of JSON, or the
  /// fields of a first line. None of a pipe, a directory or Parquet.
  package var namesAtTheBeginning: Set<String> {
    guard let opened, !opened.isPipe else { return [] }
    switch kind {
    case .json: return Self.keys(in: opened.head)
    case .text:
      let line = opened.head.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
      return Set(
        line.split { [9, 44, 58, 59, 124].contains($0) }.map { field in
          String(decoding: field.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self).comparedInHeader
        })
    case .directory, .parquet, .empty: return []
    }
  }

  /// Strings that a colon follows.
  private static func keys(in head: [UInt8]) -> Set<String> {
    var keys: Set<String> = []
    var position = 0
    while let start = head[position...].firstIndex(of: UInt8(ascii: "\"")) {
      var end = start + 1
      while end < head.count, head[end] != UInt8(ascii: "\"") { end += head[end] == UInt8(ascii: "\\") ? 2 : 1 }
      guard end < head.count else { break }
      position = end + 1
      if head[position...].first(where: { !$0.isJSONWhitespace }) == UInt8(ascii: ":") {
        keys.insert(String(decoding: head[(start + 1)..<end], as: UTF8.self).comparedInHeader)
      }
    }
    return keys
  }
}
