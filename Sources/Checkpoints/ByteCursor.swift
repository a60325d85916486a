// Checked reading of bytes that come from a file: nothing here reads past the end.

/// A position in a buffer. Every read checks the bounds and answers nil past the end.
struct ByteCursor {
  let bytes: UnsafeRawBufferPointer
  /// Between 0 and `bytes.count`.
  private(set) var position: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    position = 0
  }

  /// Nil where `position` is outside the buffer.
  init?(_ bytes: UnsafeRawBufferPointer, at position: Int) {
    guard position >= 0, position <= bytes.count else { return nil }
    self.bytes = bytes
    self.position = position
  }

  var remaining: Int { bytes.count - position }

  mutating func readByte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  /// A little-endian integer.
  mutating func read<Integer: FixedWidthInteger & BitwiseCopyable>(_ type: Integer.Type) -> Integer? {
    guard remaining >= MemoryLayout<Integer>.size else { return nil }
    defer { position += MemoryLayout<Integer>.size }
    return Integer(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: type))
  }

  /// The next `count` bytes, in place.
  mutating func read(count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, count <= remaining else { return nil }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  /// The bytes before the next newline, which is passed over.
  mutating func readLine() -> UnsafeRawBufferPointer? {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    defer { position = end + 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
  }
}
