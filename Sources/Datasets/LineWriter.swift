// Writes a file of lines so that nobody ever sees half of it.

import Files
import Glibc

/// Writes lines to a file that appears when all are written and on the disk (`AtomicFile`), or to standard output.
/// Where `finish()` is not called, nothing is left behind.
public final class LineWriter {
  private enum Target {
    case file(AtomicFile)
    case standardOutput
  }

  private let target: Target
  private var buffer: [UInt8] = []

  private static let bufferSize = 1 << 20

  /// - Parameter path: where the lines go; `-` for standard output.
  public init(path: String) throws(FileError) {
    target = path == "-" ? .standardOutput : .file(try AtomicFile(path: path))
    buffer.reserveCapacity(Self.bufferSize + (64 << 10))
  }

  /// Writes what `body` appends, and a line break.
  public func writeLine(_ body: (inout [UInt8]) -> Void) throws(FileError) {
    body(&buffer)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.bufferSize { try flush() }
  }

  /// Writes what is left, makes sure that it is on the disk, and gives the file its name.
  public func finish() throws(FileError) {
    try flush()
    if case .file(let file) = target { try file.commit() }
  }

  private func flush() throws(FileError) {
    switch target {
    case .file(let file): try file.write(buffer)
    case .standardOutput: try writeToStandardOutput()
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeToStandardOutput() throws(FileError) {
    var written = 0
    while written < buffer.count {
      let count = buffer.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress! + written, $0.count - written) }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileError(path: "standard output", action: "write", code: errno)
      }
      written += count
    }
  }
}
