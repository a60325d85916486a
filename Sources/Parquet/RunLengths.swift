// The hybrid of runs and bit-packed groups that levels, dictionary indices and booleans are kept in.

/// Goes through the runs of an RLE/bit-packed stream. The bytes must have `Workspace.slack` behind them.
struct RunLengthReader {
  enum Run {
    /// The value as often as said.
    case repeated(UInt32, Int)
    /// Numbers packed at this address.
    case packed(UnsafeRawPointer, Int)
  }

  let part: String
  let width: Int
  private var bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer, width: Int, part: String) throws {
    guard (0...32).contains(width) else {
      throw Fault.malformed(part, found: "numbers of \(width) bits", expected: "0 to 32")
    }
    self.bytes = bytes
    self.width = width
    self.part = part
  }

  /// The next run, or as much of it as is wanted, which is more than none.
  mutating func next(atMost wanted: Int) throws -> Run {
    while true {
      let header = try variable()
      let count = Int(header >> 1)
      if header & 1 == 0 {
        let size = (width + 7) / 8
        guard bytes.count - position >= size else { throw ended(wanted) }
        var value: UInt32 = 0
        for byte in 0..<size { value |= UInt32(bytes[position + byte]) << UInt32(8 * byte) }
        position += size
        guard width == 32 || value < 1 << UInt32(width) else {
          throw Fault.malformed(part, found: "a run of \(value)", expected: "a number of \(width) bits")
        }
        if count > 0 { return .repeated(value, min(count, wanted)) }
      } else if count > 0 {
        // The last group may be cut where its numbers end.
        let size = min(count * width, bytes.count - position)
        let available = width == 0 ? count * 8 : min(count * 8, size * 8 / width)
        let start = bytes.baseAddress! + position
        position += size
        guard available >= min(wanted, count * 8) else { throw ended(wanted) }
        return .packed(start, min(available, wanted))
      }
    }
  }

  /// A number of at most 32 bits, seven a byte.
  private mutating func variable() throws -> UInt32 {
    var result: UInt64 = 0
    for shift in stride(from: 0, to: 35, by: 7) as StrideTo<UInt64> {
      guard position < bytes.count else {
        throw Fault.malformed(part, found: "their end", expected: "another run")
      }
      let byte = bytes[position]
      position += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 {
        guard let narrow = UInt32(exactly: result) else { break }
        return narrow
      }
    }
    throw Fault.malformed(part, found: "a run's length of more than 32 bits", expected: "less")
  }

  private func ended(_ wanted: Int) -> Fault {
    .malformed(part, found: "their end inside a run", expected: "\(wanted) more values")
  }
}

/// The levels of a page.
enum Levels {
  /// All are the greatest: nothing is null.
  case full
  /// One for each value of the page.
  case each(UnsafePointer<UInt8>)
}

/// Decodes levels of at most `maximum`.
func decodeLevels(
  _ bytes: UnsafeRawBufferPointer, maximum: UInt8, count: Int, part: String, into memory: inout Workspace
) throws -> Levels {
  var reader = try RunLengthReader(bytes, width: bitWidth(of: maximum), part: part)
  var run = try reader.next(atMost: count)
  if case .repeated(UInt32(maximum), count) = run { return .full }
  let levels = memory.reserve(count).assumingMemoryBound(to: UInt8.self)
  var done = 0
  while true {
    switch run {
    case .repeated(let value, let length):
      guard value <= maximum else { throw tooGreat(value, maximum, part) }
      (levels + done).initialize(repeating: UInt8(value), count: length)
      done += length
    case .packed(let source, let length):
      let greatest = unpackLevels(source, width: reader.width, count: length, to: levels + done)
      guard greatest <= maximum else { throw tooGreat(UInt32(greatest), maximum, part) }
      done += length
    }
    if done == count { return .each(levels) }
    run = try reader.next(atMost: count - done)
  }
}

/// The deprecated form of levels: packed from the highest bit on, without runs.
func decodePackedLevels(
  _ bytes: UnsafeRawBufferPointer, maximum: UInt8, count: Int, part: String, into memory: inout Workspace
) throws -> Levels {
  let width = bitWidth(of: maximum)
  guard bytes.count >= (count * width + 7) / 8 else {
    throw Fault.malformed(part, found: "\(bytes.count) bytes", expected: "\(count) packed levels of \(width) bits")
  }
  let levels = memory.reserve(count).assumingMemoryBound(to: UInt8.self)
  for index in 0..<count {
    var level: UInt8 = 0
    for bit in index * width..<(index + 1) * width {
      level = level << 1 | (bytes[bit >> 3] >> UInt8(7 - bit & 7)) & 1
    }
    guard level <= maximum else { throw tooGreat(UInt32(level), maximum, part) }
    levels[index] = level
  }
  return .each(levels)
}

/// The bits that a level of at most `maximum` takes.
func bitWidth(of maximum: UInt8) -> Int { 8 - maximum.leadingZeroBitCount }

/// Unpacks levels (of at most 8 bits) and returns the greatest of them.
private func unpackLevels(
  _ source: UnsafeRawPointer, width: Int, count: Int, to target: UnsafeMutablePointer<UInt8>
) -> UInt8 {
  let mask: UInt64 = (1 << UInt64(width)) &- 1
  var source = source
  var greatest: UInt8 = 0
  var index = 0
  while index < count {
    var word = source.loadUnaligned(as: UInt64.self)
    for slot in 0..<min(8, count &- index) {
      let level = UInt8(truncatingIfNeeded: word & mask)
      target[index &+ slot] = level
      greatest = max(greatest, level)
      word = word &>> UInt64(width)
    }
    source += width
    index &+= 8
  }
  return greatest
}

private func tooGreat(_ value: UInt32, _ maximum: UInt8, _ part: String) -> Fault {
  .malformed(part, found: "a level of \(value)", expected: "at most \(maximum)")
}
