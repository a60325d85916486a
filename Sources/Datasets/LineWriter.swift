// Writes a file of lines so that nobody ever sees half of it.

import Glibc

/// Writes lines to a file under a temporary name in the same directory, and gives it its name when all are written and
/// on the disk. Where `finish()` is not called, nothing is left behind.
public final class LineWriter {
  private let path: String
  private let temporaryPath: String?
  private var descriptor: Int32
  private var buffer: [UInt8] = []

  private static let bufferSize = 1 << 20

  /// - Parameter path: where the lines go; `-` for standard output.
  public init(path: String) throws(WriteError) {
    self.path = path
    buffer.reserveCapacity(Self.bufferSize + (64 << 10))
    if path == "-" {
      temporaryPath = nil
      descriptor = dup(STDOUT_FILENO)
    } else {
      var status = stat()
      // Renaming over a device such as /dev/null would put a file in its place.
      if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        throw WriteError(
          path: path,
          reason: isDirectory ? "it is a directory; name a file" : "it is no regular file; - is standard output")
      }
      let temporary = "\(path).\(getpid()).partial"
      temporaryPath = temporary
      descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    }
    if descriptor < 0 { throw WriteError(path: path, code: errno) }
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      if let temporaryPath { unlink(temporaryPath) }
    }
  }

  /// Writes what `body` appends, and a line break.
  public func writeLine(_ body: (inout [UInt8]) -> Void) throws(WriteError) {
    body(&buffer)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.bufferSize { try flush() }
  }

  /// Writes what is left, makes sure that it is on the disk, and gives the file its name.
  public func finish() throws(WriteError) {
    try flush()
    if let temporaryPath {
      guard fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else { throw WriteError(path: path, code: errno) }
    }
    close(descriptor)
    descriptor = -1
  }

  private func flush() throws(WriteError) {
    var written = 0
    while written < buffer.count {
      let count = buffer.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
      if count < 0 {
        if errno == EINTR { continue }
        throw WriteError(path: path, code: errno)
      }
      written += count
    }
    buffer.removeAll(keepingCapacity: true)
  }
}

/// Why a file can't be written.
public struct WriteError: Error, Sendable, Hashable, CustomStringConvertible {
  public let path: String
  public let reason: String

  init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  init(path: String, code: Int32) {
    self.init(path: path, reason: SystemError(code: code).description)
  }

  public var description: String { "can't write \(path == "-" ? "to standard output" : path): \(reason)" }
}
