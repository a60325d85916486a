// A folder of files that belong together: a model and what was made with it.

import Files
import Glibc

/// A folder that a training writes its model to. Making one proves that it can be written to, so that a training does
/// not find out at its end.
///
/// ```swift
/// let directory = try ArtifactDirectory(path: "models/pairwise_ranker")
/// // … train …
/// try directory.write("pairwise_ranker.pth") { try $0.write(bytes) }
/// let checksums = try directory.checksums()
/// ```
public struct ArtifactDirectory: Sendable {
  public let path: String
  /// The names written so far, in order.
  public private(set) var names: [String] = []

  /// Makes the folder, with the folders above it, where it does not exist, and writes, syncs and removes a file in it.
  ///
  /// - Throws: `CheckpointError.system` where that fails.
  public init(path: String) throws {
    self.path = path.isEmpty ? "." : path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    try Self.makeFolder(self.path)
    try Self.probe(self.path)
  }

  /// Where the file of a name is.
  public func path(of name: String) -> String { "\(path)/\(name)" }

  /// Writes a file of the folder, whole or not at all. A name may lead into folders below (`test_data_set_0/input_0.pb`),
  /// which are made.
  ///
  /// - Throws: `CheckpointError.system` where the file can't be written; what `body` throws.
  public mutating func write(_ name: String, _ body: (AtomicFile) throws -> Void) throws {
    try prepare(name)
    try writeFile(to: path(of: name), body)
    note(name)
  }

  /// Writes a file of the folder that another function writes (atomically) when given its path.
  public mutating func write(_ name: String, toPath body: (String) throws -> Void) throws {
    try prepare(name)
    try body(path(of: name))
    note(name)
  }

  /// The checksums of the files written so far.
  public func checksums() throws -> Checksums {
    try Checksums(of: names, in: path)
  }

  private func prepare(_ name: String) throws {
    guard let slash = name.lastIndex(of: "/") else { return }
    try Self.makeFolder(path(of: String(name[..<slash])))
  }

  private mutating func note(_ name: String) {
    if !names.contains(name) { names.append(name) }
  }

  /// `mkdir -p`.
  private static func makeFolder(_ path: String) throws {
    var position = path.utf8.startIndex
    while position < path.utf8.endIndex {
      position = path.utf8[path.utf8.index(after: position)...].firstIndex(of: UInt8(ascii: "/")) ?? path.utf8.endIndex
      let folder = String(path[..<position])
      // Asked first: of a folder that may not be written to, mkdir may answer something else than that it exists.
      // Asked again: another process may just have made it.
      if isFolder(folder) || mkdir(folder, 0o777) == 0 { continue }
      let code = errno
      if !isFolder(folder) {
        throw CheckpointError.system(path: folder, action: "make the folder", code: code == EEXIST ? ENOTDIR : code)
      }
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// A page on the disk: enough to meet a full disk, a quota or a missing permission.
  private static func probe(_ path: String) throws {
    let name = "\(path)/.writable-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    do {
      try writeFile(to: name) { try $0.write([UInt8](repeating: 0, count: 4096)) }
    } catch CheckpointError.system(_, let action, let code) {
      throw CheckpointError.system(path: path, action: "\(action) in this folder", code: code)
    }
    unlink(name)
  }
}
