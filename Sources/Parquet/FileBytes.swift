// The bytes of a file, asked for piece by piece, so that what is not read costs no memory.

import Files
import Glibc

/// A file that is open for reading, or bytes in memory.
final class FileBytes: Sendable {
  let path: String
  let count: Int
  private let storage: Storage

  private enum Storage {
    case descriptor(Int32)
    case memory([UInt8])
  }

  /// - Throws: `ParquetError.system` when the file is missing, not a regular file or can't be opened.
  init(path: String) throws {
    self.path = path
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Self.failure(path, "open for reading", errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw Self.failure(path, "read the size", code)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let code = status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
      throw Self.failure(path, "read as a regular file", code)
    }
    storage = .descriptor(descriptor)
    count = Int(status.st_size)
  }

  init(memory: [UInt8], name: String) {
    path = name
    count = memory.count
    storage = .memory(memory)
  }

  private static func failure(_ path: String, _ action: String, _ code: Int32) -> ParquetError {
    .system(FileError(path: path, action: action, code: code))
  }

  deinit {
    if case .descriptor(let descriptor) = storage { close(descriptor) }
  }

  /// Fills `target` with the bytes from `offset` on; the caller has checked that the file has them.
  ///
  /// - Throws: `ParquetError` when the file can't be read or has become shorter since it was opened.
  func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws {
    switch storage {
    case .memory(let bytes):
      bytes.withUnsafeBytes {
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + target.count]))
      }
    case .descriptor(let descriptor):
      var done = 0
      while done < target.count {
        let got = pread(descriptor, target.baseAddress! + done, target.count - done, offset + done)
        if got < 0 {
          if errno == EINTR { continue }
          throw Self.failure(path, "read", errno)
        }
        guard got > 0 else {
          throw ParquetError.malformed(
            path: path, place: ParquetPlace(part: "byte \(offset + done)"), found: "the end of the file",
            expected: "\(count) bytes as when it was opened")
        }
        done += got
      }
    }
  }
}

/// Memory that grows and is used again and again. Its contents are lost when it grows.
struct Workspace: ~Copyable {
  private(set) var start: UnsafeMutableRawPointer
  private(set) var capacity: Int

  /// Bytes that may be read behind every buffer that is decoded, so that decoding can load whole words.
  static let slack = 64

  init() {
    capacity = 0
    start = .allocate(byteCount: Self.slack, alignment: 64)
    start.initializeMemory(as: UInt8.self, repeating: 0, count: Self.slack)
  }

  deinit { start.deallocate() }

  /// At least `count` bytes, with slack behind them. The first `keeping` bytes stay.
  mutating func reserve(_ count: Int, keeping: Int = 0) -> UnsafeMutableRawPointer {
    if count > capacity {
      let larger = max(count, capacity + capacity / 2)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: larger + Self.slack, alignment: 64)
      memory.copyMemory(from: start, byteCount: keeping)
      (memory + larger).initializeMemory(as: UInt8.self, repeating: 0, count: Self.slack)
      start.deallocate()
      (start, capacity) = (memory, larger)
    }
    return start
  }
}

/// A stretch of a file in memory, moved forward as it is read.
struct FileWindow: ~Copyable {
  private var memory = Workspace()
  /// The stretch of the file that `memory` holds.
  private var held = 0..<0

  /// What is read at once at least: page headers are small, and a call to the system is not free.
  private static let step = 1 << 16

  /// Forgets what it holds: another chunk is read.
  mutating func reset() { held = 0..<0 }

  /// The bytes from `offset` on, `count` of them at least, as many as are at hand up to `end`. They stay until the next
  /// call.
  mutating func bytes(
    of file: FileBytes, at offset: Int, atLeast count: Int, end: Int
  ) throws -> UnsafeRawBufferPointer {
    let wanted = offset + count
    if offset < held.lowerBound || offset > held.upperBound { held = offset..<offset }
    if wanted > held.upperBound {
      let kept = held.upperBound - offset
      let until = min(end, max(wanted, offset + Self.step))
      memory.start.copyMemory(from: memory.start + (offset - held.lowerBound), byteCount: kept)
      let start = memory.reserve(until - offset, keeping: kept)
      held = offset..<offset
      try file.read(
        at: offset + kept, into: UnsafeMutableRawBufferPointer(start: start + kept, count: until - offset - kept))
      held = offset..<until
    }
    return UnsafeRawBufferPointer(
      start: memory.start + (offset - held.lowerBound), count: min(end, held.upperBound) - offset)
  }
}
