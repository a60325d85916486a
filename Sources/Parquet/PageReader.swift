// The pages of one column in one row group: headers, checksums, decompression, levels, the dictionary.

import CDeflate

/// A data page, taken apart. Its memory belongs to the reader and lasts until the next page.
struct DataPage {
  /// Values, nulls and empty lists included: the number of levels.
  let count: Int
  let encoding: Int32
  /// The encoded values, with slack behind them.
  let values: UnsafeRawBufferPointer
  let definitions: Levels
  /// Nil for a flat column.
  let repetitions: UnsafePointer<UInt8>?
}

/// Memory that one thread reads pages with, chunk after chunk.
final class PageMemory {
  fileprivate var window = FileWindow()
  fileprivate var decompressed = Workspace()
  fileprivate var definitions = Workspace()
  fileprivate var repetitions = Workspace()
  fileprivate let decompressor = Decompressor()
  /// Of the decoding of values.
  var indices = Workspace()
  var slices = Workspace()
  var scratch = Workspace()
}

/// Goes through the pages of a chunk.
final class PageReader {
  let field: ParquetField
  let memory: PageMemory
  let kernel: ValueKernel
  /// Bytes that decoding one page may take.
  let memoryLimit: Int
  /// Counted from 0; -1 before the first.
  private(set) var pageIndex = -1
  private(set) var dictionary: DictionaryValues?

  private let file: FileBytes
  private let codec: ParquetCompression
  private let valueCount: Int
  private let end: Int
  private var position: Int
  private var seen = 0

  /// A page header with statistics of long strings can be large, but not without bounds.
  private static let largestHeader = 1 << 24

  init(
    _ file: FileBytes, _ field: ParquetField, _ chunk: CheckedChunk, _ kernel: ValueKernel, _ memory: PageMemory,
    memoryLimit: Int
  ) throws {
    self.file = file
    self.field = field
    self.kernel = kernel
    self.memory = memory
    self.memoryLimit = memoryLimit
    codec = try ParquetCompression(code: chunk.codec)
    valueCount = chunk.valueCount
    position = chunk.start
    end = chunk.end
    memory.window.reset()
  }

  /// The next data page; nil when all values of the chunk have been in one.
  func next() throws -> DataPage? {
    while seen < valueCount {
      guard position < end else {
        throw Fault.malformed("pages", found: "\(seen) values in them", expected: "\(valueCount)")
      }
      pageIndex += 1
      let header = try readHeader()
      let body = try readBody(header)
      switch header.kind {
      case .dictionary: try readDictionary(header, body)
      case .data: return try open(header, body)
      case .dataV2: return try openVersion2(header, body)
      case .other: break
      }
    }
    return nil
  }

  private func readHeader() throws -> PageHeader {
    var wanted = min(256, end - position)
    while true {
      let bytes = try memory.window.bytes(of: file, at: position, atLeast: wanted, end: end)
      var reader = ThriftReader(bytes)
      do {
        let header = try PageHeader(&reader)
        position += reader.position
        guard header.compressedSize >= 0, Int(header.compressedSize) <= end - position else {
          throw Fault.malformed(
            "page header", found: "a page of \(header.compressedSize) bytes", expected: "0 to \(end - position)")
        }
        guard header.uncompressedSize >= 0 else {
          throw Fault.malformed(
            "page header", found: "a page of \(header.uncompressedSize) bytes uncompressed", expected: "0 or more")
        }
        return header
      } catch ThriftFault.ended {
        guard bytes.count < end - position, bytes.count < Self.largestHeader else {
          throw Fault.malformed("page header", found: "its end inside a value", expected: "a whole header")
        }
        wanted = min(end - position, bytes.count * 2)
      } catch ThriftFault.malformed(let found, let expected) {
        throw Fault.malformed("page header", found: found, expected: expected)
      }
    }
  }

  private func readBody(_ header: PageHeader) throws -> UnsafeRawBufferPointer {
    let count = Int(header.compressedSize)
    let bytes = try memory.window.bytes(of: file, at: position, atLeast: count, end: end)
    let body = UnsafeRawBufferPointer(rebasing: bytes.prefix(count))
    position += count
    if let checksum = header.checksum {
      let found = libdeflate_crc32(0, body.baseAddress, body.count)
      guard found == checksum else {
        throw Fault.malformed(
          "page", found: "bytes with the CRC-32 \(String(found, radix: 16))",
          expected: String(checksum, radix: 16))
      }
    }
    return body
  }

  /// Bytes of a page as they were before compression. Those that were not compressed stay where they are.
  private func decompress(_ body: UnsafeRawBufferPointer, to count: Int) throws -> UnsafeRawBufferPointer {
    if codec == .none {
      guard body.count == count else {
        throw Fault.malformed("page", found: "\(body.count) bytes", expected: "\(count), as it is not compressed")
      }
      return body
    }
    if count == 0 { return UnsafeRawBufferPointer(start: body.baseAddress, count: 0) }
    guard count <= body.count.multipliedReportingOverflow(by: codec.largestRatio).partialValue + 64 else {
      throw Fault.malformed(
        "page header", found: "\(count) bytes of \(body.count) compressed by \(codec)",
        expected: "at most \(codec.largestRatio) times as many")
    }
    guard count <= memoryLimit else {
      throw Fault.excessive("page", found: "\(count) bytes", limit: "the \(memoryLimit) that are allowed")
    }
    let target = UnsafeMutableRawBufferPointer(start: memory.decompressed.reserve(count), count: count)
    try memory.decompressor.decompress(body, by: codec, to: target)
    return UnsafeRawBufferPointer(target)
  }

  private func readDictionary(_ header: PageHeader, _ body: UnsafeRawBufferPointer) throws {
    guard dictionary == nil, seen == 0 else {
      throw Fault.malformed("pages", found: "a dictionary after other pages", expected: "one dictionary, first")
    }
    guard header.encoding == Encoding.plain.rawValue || header.encoding == Encoding.plainDictionary.rawValue else {
      throw Fault.malformed("dictionary", found: "encoding \(header.encoding)", expected: "plain")
    }
    let bytes = try decompress(body, to: Int(header.uncompressedSize))
    let count = Int(header.valueCount)
    // A value takes a bit at least; a byte array four bytes.
    let most =
      field.physicalWidth.map { bytes.count / $0 }
      ?? (field.physicalType == .boolean ? 8 * bytes.count : bytes.count / 4)
    guard count >= 0, count <= most else {
      throw Fault.malformed("dictionary", found: "\(count) values in \(bytes.count) bytes", expected: "0 to \(most)")
    }
    let values = DictionaryValues(kernel.movement, count: count)
    try ValueDecoder(self).decodePlain(bytes, count: count, to: values.start)
    dictionary = values
  }

  private func countValues(_ header: PageHeader) throws -> Int {
    let count = Int(header.valueCount)
    guard count >= 0, count <= valueCount - seen else {
      throw Fault.malformed(
        "page header", found: "\(count) values", expected: "at most the \(valueCount - seen) that the chunk has left")
    }
    seen += count
    return count
  }

  private func open(_ header: PageHeader, _ body: UnsafeRawBufferPointer) throws -> DataPage {
    let count = try countValues(header)
    var bytes = try decompress(body, to: Int(header.uncompressedSize))
    let repetitions = try takeLevels(
      &bytes, count, field.maximumRepetition, header.repetitionEncoding, "repetition levels", &memory.repetitions)
    let definitions = try takeLevels(
      &bytes, count, field.maximumDefinition, header.definitionEncoding, "definition levels", &memory.definitions)
    return page(count, header, bytes, definitions, repetitions)
  }

  /// In version 2 the levels lie before the values, uncompressed, and their sizes are in the header.
  private func openVersion2(_ header: PageHeader, _ body: UnsafeRawBufferPointer) throws -> DataPage {
    let count = try countValues(header)
    let (repetitionSize, definitionSize) = (Int(header.repetitionSize), Int(header.definitionSize))
    guard repetitionSize >= 0, definitionSize >= 0, repetitionSize + definitionSize <= body.count,
      repetitionSize + definitionSize <= Int(header.uncompressedSize)
    else {
      throw Fault.malformed(
        "page header", found: "levels of \(repetitionSize) and \(definitionSize) bytes",
        expected: "at most the page's \(body.count)")
    }
    let levels = repetitionSize + definitionSize
    let repetitions = try levelsOf(
      slice(body, 0, repetitionSize), count, field.maximumRepetition, "repetition levels", &memory.repetitions)
    let definitions = try levelsOf(
      slice(body, repetitionSize, definitionSize), count, field.maximumDefinition, "definition levels",
      &memory.definitions)
    var values = slice(body, levels, body.count - levels)
    if header.isCompressed { values = try decompress(values, to: Int(header.uncompressedSize) - levels) }
    return page(count, header, values, definitions, repetitions)
  }

  private func page(
    _ count: Int, _ header: PageHeader, _ values: UnsafeRawBufferPointer, _ definitions: Levels, _ repetitions: Levels
  ) -> DataPage {
    var repetition: UnsafePointer<UInt8>?
    if field.maximumRepetition > 0 {
      switch repetitions {
      case .each(let levels): repetition = levels
      case .full:
        let levels = memory.repetitions.reserve(count).assumingMemoryBound(to: UInt8.self)
        levels.update(repeating: field.maximumRepetition, count: count)
        repetition = UnsafePointer(levels)
      }
    }
    return DataPage(
      count: count, encoding: header.encoding, values: values, definitions: definitions, repetitions: repetition)
  }

  /// Takes the levels off the front of a page of version 1.
  private func takeLevels(
    _ bytes: inout UnsafeRawBufferPointer, _ count: Int, _ maximum: UInt8, _ encoding: Int32, _ part: String,
    _ memory: inout Workspace
  ) throws -> Levels {
    if maximum == 0 { return .full }
    switch Encoding(rawValue: encoding) {
    case .runLength:
      guard bytes.count >= 4 else {
        throw Fault.malformed(part, found: "\(bytes.count) bytes", expected: "a length of 4 bytes")
      }
      let size = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
      guard size <= bytes.count - 4 else {
        throw Fault.malformed(part, found: "a length of \(size) bytes", expected: "at most \(bytes.count - 4)")
      }
      let levels = try levelsOf(slice(bytes, 4, size), count, maximum, part, &memory)
      bytes = slice(bytes, 4 + size, bytes.count - 4 - size)
      return levels
    case .bitPacked:
      let levels = try decodePackedLevels(bytes, maximum: maximum, count: count, part: part, into: &memory)
      let size = (count * bitWidth(of: maximum) + 7) / 8
      bytes = slice(bytes, size, bytes.count - size)
      return levels
    default: throw Fault.malformed(part, found: "encoding \(encoding)", expected: "RLE or BIT_PACKED")
    }
  }

  private func levelsOf(
    _ bytes: UnsafeRawBufferPointer, _ count: Int, _ maximum: UInt8, _ part: String, _ memory: inout Workspace
  ) throws -> Levels {
    if maximum == 0 || count == 0 { return .full }
    return try decodeLevels(bytes, maximum: maximum, count: count, part: part, into: &memory)
  }

  private func slice(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: bytes.baseAddress.map { $0 + start }, count: count)
  }
}

/// The values that a chunk's indices refer to.
final class DictionaryValues {
  let start: UnsafeMutableRawPointer
  let count: Int
  private let movement: Movement

  init(_ movement: Movement, count: Int) {
    self.movement = movement
    self.count = count
    start = .allocate(byteCount: max(1, count) * movement.stride, alignment: 16)
    movement.initialize(start, count)
  }

  deinit {
    movement.deinitialize(start, count)
    start.deallocate()
  }
}
