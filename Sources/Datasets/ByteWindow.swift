// A window that slides over a file: big reads into one buffer, from which records are cut without copying.

import Glibc

/// The bytes of a file from some offset on, a bounded stretch of them at a time.
///
/// Reads with `pread` rather than mapping the file: a file that shrinks while it is read then ends early instead of
/// killing the process.
final class ByteWindow {
  private let descriptor: Int32
  /// The offset of the next byte to read from the file; nil for a pipe, which has no offsets.
  private var fileOffset: Int?
  private var buffer: UnsafeMutableRawPointer
  private var capacity: Int
  private var start = 0
  private var end = 0
  private(set) var isAtEndOfFile = false

  /// Half a mebibyte stays in the second-level cache between reading it and parsing it.
  private static let initialCapacity = 512 << 10

  init(descriptor: Int32, from offset: Int?) {
    self.descriptor = descriptor
    fileOffset = offset
    capacity = Self.initialCapacity
    buffer = .allocate(byteCount: capacity, alignment: 64)
  }

  deinit { buffer.deallocate() }

  /// What the window shows; valid until the next `extend`.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer + start, count: end - start) }

  /// The offset in the file of the first byte that the window shows; nil for a pipe.
  var offset: Int? { fileOffset.map { $0 - (end - start) } }

  /// Moves the front of the window on by `count` bytes that it shows.
  func drop(_ count: Int) { start += count }

  /// Reads more of the file behind what the window shows; false at the end of the file.
  func extend() throws(SystemError) -> Bool {
    guard !isAtEndOfFile else { return false }
    if start > 0 {
      memmove(buffer, buffer + start, end - start)
      end -= start
      start = 0
    }
    if end == capacity {
      let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity * 2, alignment: 64)
      memcpy(larger, buffer, end)
      buffer.deallocate()
      buffer = larger
      capacity *= 2
    }
    while true {
      let count =
        if let fileOffset { pread(descriptor, buffer + end, capacity - end, fileOffset) } else {
          read(descriptor, buffer + end, capacity - end)
        }
      if count < 0 {
        if errno == EINTR { continue }
        throw SystemError(code: errno)
      }
      if count == 0 {
        isAtEndOfFile = true
        return false
      }
      if let offset = fileOffset { fileOffset = offset + count }
      end += count
      return true
    }
  }
}

/// A system call's failure.
struct SystemError: Error, CustomStringConvertible {
  let code: Int32

  var description: String { String(cString: strerror(code)) }
}
