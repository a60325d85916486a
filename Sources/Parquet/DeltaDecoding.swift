// The delta encodings: each number as its difference from the one before, in blocks packed as narrow as they can be.

/// Reads numbers of DELTA_BINARY_PACKED. The bytes must have `Workspace.slack` behind them.
struct DeltaReader {
  /// How many numbers there are.
  let count: Int
  private let bytes: UnsafeRawBufferPointer
  private let part: String
  private let blockSize: Int
  private let miniblockCount: Int
  private let first: Int64
  private(set) var position = 0

  /// More in a block would be a waste; writers have 128 or 256.
  private static let largestBlock: UInt64 = 1 << 16

  /// - Parameter expected: the numbers that the page has, if known; otherwise at most `limit`.
  init(_ bytes: UnsafeRawBufferPointer, expected: Int, part: String) throws {
    self.bytes = bytes
    self.part = part
    var position = 0
    let blockSize = try Self.variable(bytes, &position, part)
    let miniblockCount = try Self.variable(bytes, &position, part)
    let count = try Self.variable(bytes, &position, part)
    first = Self.signed(try Self.variable(bytes, &position, part))
    self.position = position
    guard blockSize > 0, blockSize <= Self.largestBlock, miniblockCount > 0, blockSize % miniblockCount == 0,
      (blockSize / miniblockCount) % 8 == 0
    else {
      throw Fault.malformed(
        part, found: "blocks of \(blockSize) numbers in \(miniblockCount) parts",
        expected: "at most \(Self.largestBlock), in parts of a multiple of 8")
    }
    guard count == UInt64(expected) else {
      throw Fault.malformed(part, found: "\(count) numbers", expected: "\(expected)")
    }
    self.blockSize = Int(blockSize)
    self.miniblockCount = Int(miniblockCount)
    self.count = expected
  }

  /// Writes all the numbers; afterwards `position` is behind the last block.
  mutating func read<Number: FixedWidthInteger>(to target: UnsafeMutablePointer<Number>) throws {
    guard count > 0 else { return }
    var value = first
    target[0] = Number(truncatingIfNeeded: value)
    var done = 1
    let perMiniblock = blockSize / miniblockCount
    while done < count {
      let least = Self.signed(try Self.variable(bytes, &position, part))
      guard bytes.count - position >= miniblockCount else { throw ended(done) }
      let widths = position
      position += miniblockCount
      for miniblock in 0..<miniblockCount where done < count {
        let width = Int(bytes[widths + miniblock])
        guard width <= 64 else {
          throw Fault.malformed(part, found: "differences of \(width) bits", expected: "at most 64")
        }
        let wanted = min(perMiniblock, count - done)
        // Writers pad the last part to its full size; what is needed of it must be there.
        guard bytes.count - position >= (wanted * width + 7) / 8 else { throw ended(done) }
        let source = bytes.baseAddress! + position
        var bit = 0
        for index in done..<done + wanted {
          value = value &+ least &+ Int64(bitPattern: unpackOne(source, width: width, bit: bit))
          target[index] = Number(truncatingIfNeeded: value)
          bit &+= width
        }
        done += wanted
        position = min(position + perMiniblock * width / 8, bytes.count)
      }
    }
  }

  /// What follows the numbers.
  var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[position...]) }

  private func ended(_ done: Int) -> Fault {
    .malformed(part, found: "their end after \(done) numbers", expected: "\(count)")
  }

  private static func variable(
    _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ part: String
  ) throws -> UInt64 {
    var result: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) as StrideTo<UInt64> {
      guard position < bytes.count else {
        throw Fault.malformed(part, found: "their end", expected: "a header of delta encoding")
      }
      let byte = bytes[position]
      position += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return result }
    }
    throw Fault.malformed(part, found: "a number of more than 64 bits", expected: "less")
  }

  private static func signed(_ coded: UInt64) -> Int64 {
    Int64(bitPattern: coded >> 1) ^ -Int64(bitPattern: coded & 1)
  }
}

/// Turns bytes that were split by their place in the value (BYTE_STREAM_SPLIT) back to values of `width` bytes.
func joinByteStreams(_ bytes: UnsafeRawBufferPointer, width: Int, count: Int, to target: UnsafeMutableRawPointer) {
  guard count > 0 else { return }
  switch width {
  case 4: joinWords(bytes.baseAddress!, count, target.assumingMemoryBound(to: UInt32.self))
  case 8: joinWords(bytes.baseAddress!, count, target.assumingMemoryBound(to: UInt64.self))
  default:
    for stream in 0..<width {
      for index in 0..<count {
        target.storeBytes(of: bytes[stream &* count &+ index], toByteOffset: index &* width &+ stream, as: UInt8.self)
      }
    }
  }
}

@inline(__always)
private func joinWords<Word: FixedWidthInteger>(
  _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutablePointer<Word>
) {
  for index in 0..<count {
    var word: Word = 0
    for stream in 0..<MemoryLayout<Word>.size {
      let byte = (source + (stream &* count &+ index)).load(as: UInt8.self)
      word |= Word(truncatingIfNeeded: byte) &<< Word(truncatingIfNeeded: 8 &* stream)
    }
    target[index] = word
  }
}
