// A file's bytes as memory, read by the system page by page when they are touched.

import Glibc

/// A whole file mapped for reading. The mapping lives as long as the object and costs no memory of its own.
///
/// Files are replaced by renaming (`AtomicFile`), never rewritten in place, so a mapping keeps the content that it was
/// opened on.
public final class MappedFile: Sendable {
  public let path: String
  private nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  /// - Throws: `FileError` where the file is missing, not a regular file (a folder is `EISDIR`, anything else `EINVAL`),
  ///   or can't be opened or mapped.
  public init(path: String) throws(FileError) {
    self.path = path
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError(path: path, action: "open for reading", code: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path: path, action: "read the size", code: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileError(
        path: path, action: "read as a regular file", code: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw FileError(path: path, action: "map into memory", code: errno)
    }
    // Readers go from the front to the back.
    madvise(address, size, MADV_SEQUENTIAL)
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  /// The file's size in bytes.
  public var count: Int { bytes.count }

  /// Runs `body` with the file's bytes, which must not be used after it: an object may go with its last use, and its
  /// mapping goes with it. An empty file has no bytes and no address.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withExtendedLifetime(self) { () throws(Failure) in try body(bytes) }
  }

  deinit {
    if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
  }
}
