// A file that appears whole or not at all.

#if canImport(Glibc)
  import Glibc
#endif

/// Writes to a temporary name in the target's own directory; `commit` makes it the target. A file that is not
/// committed, because something threw or the disk is full, leaves nothing behind.
final class AtomicFile {
  private(set) var path: String
  private let temporary: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let bufferSize = 1 << 20

  /// - Throws: `ONNXError.file` when nothing can be created there.
  init(_ path: String) throws(ONNXError) {
    self.path = path
    let name = path.split(separator: "/", omittingEmptySubsequences: true).last.map(String.init) ?? ""
    guard !name.isEmpty, !path.hasSuffix("/") else { throw .file(path: path, problem: "names no file") }
    var status = stat()
    // Renaming over a device such as /dev/null would put a file in its place.
    guard stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
      throw .file(path: path, problem: "can't be written: is a directory, a device or a pipe; name a regular file")
    }
    temporary = "\(directory(of: path))/.\(name).\(UInt64.random(in: 0...UInt64.max)).tmp"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system(path, "can't be written") }
    buffer.reserveCapacity(Self.bufferSize)
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(ONNXError) {
    if buffer.count + bytes.count > Self.bufferSize { try flush() }
    if bytes.count >= Self.bufferSize {
      try write(bytes)
    } else {
      buffer.append(contentsOf: bytes)
    }
  }

  private func flush() throws(ONNXError) {
    let pending = buffer
    buffer.removeAll(keepingCapacity: true)
    try withContiguousBytes(of: pending) { (bytes) throws(ONNXError) in try write(bytes) }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(ONNXError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system(path, "can't be written") }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Puts the file in place, on the disk before its name is.
  /// - Parameter path: the final name, in the same directory, where it is known only now.
  func commit(as path: String? = nil) throws(ONNXError) {
    if let path { self.path = path }
    try flush()
    guard fsync(descriptor) == 0 else { throw .system(self.path, "can't be written") }
    guard rename(temporary, self.path) == 0 else { throw .system(self.path, "can't be written") }
    close(descriptor)
    descriptor = -1
    let directory = open(directory(of: self.path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return }
    fsync(directory)
    close(directory)
  }
}
