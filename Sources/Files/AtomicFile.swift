// A file that appears under its name whole or not at all.

import Glibc

/// A file being written beside its final place. `commit()` makes it durable and gives it its name; until then a
/// reader sees what was there before. Without a commit nothing is left behind.
///
/// Where the file system allows it (`O_TMPFILE`), the file has no name at all until it is complete, so that not even a
/// killed process leaves a part of it. Elsewhere it has a hidden name in the same folder and is removed on failure.
///
/// ```swift
/// try AtomicFile.write(to: "model.json") { file in
///   try file.write("{}")
/// }
/// ```
public final class AtomicFile {
  /// Where the file goes. What is there is replaced; a symbolic link is replaced itself, not what it points to.
  public private(set) var path: String
  private let folder: String
  private let name: String
  private var descriptor: Int32
  /// The hidden name that the file has until it is committed, if it has one.
  private var hiddenPath: String?
  private var buffer: [UInt8] = []

  /// Writes smaller than this are gathered; larger ones go to the system as they are, without a copy.
  private static let bufferCapacity = 1 << 16

  /// Starts a file that will be at `path`.
  ///
  /// - Throws: `FileError` where the path is a folder's or empty, and where its folder does not exist or can't be
  ///   written to.
  public init(path: String) throws(FileError) {
    self.path = path
    (folder, name) = Self.split(path)
    guard !path.isEmpty else { throw FileError(path: path, action: "write a file without a name", code: ENOENT) }
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG || name.isEmpty {
      // Renaming over a device such as /dev/null would put a file in its place.
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FileError(
        path: path, action: isFolder ? "write" : "put a file in the place of a device or a pipe",
        code: isFolder ? EISDIR : EINVAL)
    }
    descriptor = open(folder, Self.unnamedFile | O_WRONLY | O_CLOEXEC, 0o666)
    // File systems without unnamed files answer EOPNOTSUPP, old kernels EISDIR; NFS and FUSE vary.
    if descriptor < 0, ![ENOENT, EACCES, EROFS, ENOSPC, EMFILE, ENFILE, ENOTDIR].contains(errno) {
      let hidden = Self.hiddenPath(folder: folder, name: name)
      descriptor = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { hiddenPath = hidden }
    }
    guard descriptor >= 0 else {
      throw FileError(path: path, action: "create a file in \(folder)", code: errno)
    }
  }

  deinit { discard() }

  /// Writes a whole file: starts it, lets `body` write, commits. When `body` throws, nothing is left behind.
  ///
  /// - Throws: `FileError`, or what `body` throws.
  public static func write(to path: String, _ body: (AtomicFile) throws -> Void) throws {
    let file = try AtomicFile(path: path)
    do {
      try body(file)
      try file.commit()
    } catch {
      file.discard()
      throw error
    }
  }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    if bytes.count < Self.bufferCapacity {
      if buffer.count + bytes.count > Self.bufferCapacity { try flush() }
      buffer.append(contentsOf: bytes)
    } else {
      try flush()
      try writeThrough(bytes)
    }
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(FileError) {
    try bytes.span.withUnsafeBytes { (bytes) throws(FileError) in try write(bytes) }
  }

  /// Appends text as UTF-8.
  public func write(_ text: String) throws(FileError) {
    try text.utf8.span.withUnsafeBytes { (bytes) throws(FileError) in try write(bytes) }
  }

  /// Makes the file durable and gives it its name. To be called once, after the last write.
  ///
  /// - Parameter name: the file's name in the same folder where it is known only now, such as a hash of the content;
  ///   `path` follows it.
  public func commit(as name: String? = nil) throws(FileError) {
    if let name {
      precondition(!name.isEmpty && !name.utf8.contains(UInt8(ascii: "/")), "\"\(name)\" is no name within a folder")
      path = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
    }
    try flush()
    guard fsync(descriptor) == 0 else { throw failure("write to the disk") }
    if hiddenPath == nil { try giveHiddenName() }
    guard let hidden = hiddenPath, rename(hidden, path) == 0 else { throw failure("rename into place") }
    hiddenPath = nil
    // Closing can still report what a network file system failed to keep.
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else { throw FileError(path: path, action: "close", code: errno) }
    // The new name is in the folder: the folder must reach the disk too. Some file systems can't sync a folder.
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }

  /// Drops what was written. The name keeps what it had before.
  private func discard() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    if let hiddenPath { unlink(hiddenPath) }
    hiddenPath = nil
  }

  private func flush() throws(FileError) {
    try buffer.withUnsafeBufferPointer { (bytes) throws(FileError) in
      try writeThrough(UnsafeRawBufferPointer(bytes))
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    precondition(descriptor >= 0, "\(path) was committed or discarded: nothing can be written to it")
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw failure("write")
      }
      rest = rest.dropFirst(written)
    }
  }

  /// A name for an unnamed file, for the moment between its completion and its renaming. (`linkat` does not replace.)
  private func giveHiddenName() throws(FileError) {
    let hidden = Self.hiddenPath(folder: folder, name: name)
    guard linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, hidden, AT_SYMLINK_FOLLOW) == 0 else {
      throw failure("name the file")
    }
    hiddenPath = hidden
  }

  private func failure(_ action: String) -> FileError {
    let error = FileError(path: path, action: action, code: errno)
    discard()
    return error
  }

  /// `O_TMPFILE`, a macro too complex for Swift to import: `__O_TMPFILE | O_DIRECTORY` of Linux's `fcntl.h`.
  private static let unnamedFile = 0o20_000_000 | O_DIRECTORY

  private static func hiddenPath(folder: String, name: String) -> String {
    let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    // A name may have 255 bytes: a long one is cut, the random part keeps it apart.
    return "\(folder)/.\(String(decoding: name.utf8.prefix(200), as: Unicode.UTF8.self)).\(random).tmp"
  }

  /// The folder of a path and the name in it.
  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.utf8.index(after: slash)...]))
  }
}
