// The zip container of a .pth, written as torch.save lays it out: stored records, each on a 64-byte boundary.

import CDeflate

/// Writes stored records one after another, and the directory at the end.
///
/// The layout is that of PyTorch's own writer, so that its readers that compute offsets (`mmap=True`) agree: local
/// headers without sizes, an `FB` extra field that fills up to the boundary, a data descriptor after each record, and
/// zip64 records at the end. Dates are those of the format's beginning: the same records give the same bytes.
struct ZipWriter<Sink: ByteSink> {
  /// PyTorch aligns records to 64 bytes.
  static var alignment: Int { 64 }

  private var sink: Sink
  private var position = 0
  private var directory: [UInt8] = []
  private var count = 0

  init(to sink: Sink) { self.sink = sink }

  /// Writes a record. The bytes go to the sink as they are, without a copy.
  mutating func write(_ name: String, bytes: UnsafeRawBufferPointer) throws {
    let record = Record(name: Array(name.utf8), offset: position, size: bytes.count, crc: Self.checksum(bytes))
    try put(localHeader(record))
    try sink.write(bytes)
    position += bytes.count
    // PyTorch's writer leaves the descriptor of an empty record out, and its readers count on that.
    if !bytes.isEmpty { try put(record.descriptor) }
    addToDirectory(record)
  }

  /// Writes a small record.
  mutating func write(_ name: String, bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try write(name, bytes: $0) }
  }

  /// Writes the directory and gives the sink back.
  consuming func finish() throws -> Sink {
    let directoryOffset = position
    let directorySize = directory.count
    try put(directory)
    let longEnd = position
    var end: [UInt8] = []
    end.append(littleEndian: 0x0606_4B50 as UInt32)
    end.append(littleEndian: 44 as UInt64)
    end.append(littleEndian: 45 as UInt16)
    end.append(littleEndian: 45 as UInt16)
    end.append(littleEndian: 0 as UInt64)
    end.append(littleEndian: UInt64(count))
    end.append(littleEndian: UInt64(count))
    end.append(littleEndian: UInt64(directorySize))
    end.append(littleEndian: UInt64(directoryOffset))
    end.append(littleEndian: 0x0706_4B50 as UInt32)
    end.append(littleEndian: 0 as UInt32)
    end.append(littleEndian: UInt64(longEnd))
    end.append(littleEndian: 1 as UInt32)
    end.append(littleEndian: 0x0605_4B50 as UInt32)
    end.append(littleEndian: 0 as UInt32)
    end.append(littleEndian: UInt16(clamping: count))
    end.append(littleEndian: UInt16(clamping: count))
    end.append(littleEndian: UInt32(clamping: directorySize))
    end.append(littleEndian: UInt32(clamping: directoryOffset))
    end.append(littleEndian: 0 as UInt16)
    try put(end)
    return sink
  }

  private struct Record {
    let name: [UInt8]
    let offset: Int
    let size: Int
    let crc: UInt32

    var hasLongSize: Bool { size >= Int(UInt32.max) }
    var hasLongOffset: Bool { offset >= Int(UInt32.max) }
    var isLong: Bool { hasLongSize || hasLongOffset }

    /// The zip64 extra field: what does not fit into 32 bits.
    var longFields: [UInt8] {
      var extra: [UInt8] = []
      guard isLong else { return extra }
      extra.append(littleEndian: 1 as UInt16)
      extra.append(littleEndian: UInt16((hasLongSize ? 16 : 0) + (hasLongOffset ? 8 : 0)))
      if hasLongSize {
        extra.append(littleEndian: UInt64(size))
        extra.append(littleEndian: UInt64(size))
      }
      if hasLongOffset { extra.append(littleEndian: UInt64(offset)) }
      return extra
    }

    /// What follows the data: its checksum and sizes.
    var descriptor: [UInt8] {
      var descriptor: [UInt8] = []
      descriptor.append(littleEndian: 0x0807_4B50 as UInt32)
      descriptor.append(littleEndian: crc)
      for _ in ["packed", "unpacked"] {
        if isLong {
          descriptor.append(littleEndian: UInt64(size))
        } else {
          descriptor.append(littleEndian: UInt32(size))
        }
      }
      return descriptor
    }
  }

  private func localHeader(_ record: Record) -> [UInt8] {
    var header: [UInt8] = []
    header.append(littleEndian: 0x0403_4B50 as UInt32)
    header.append(contentsOf: Self.fixedFields(record))
    // CRC-32 and sizes come after the data. Where the sizes are in a zip64 field, these are all ones.
    header.append(littleEndian: 0 as UInt32)
    header.append(littleEndian: (record.hasLongSize ? .max : 0) as UInt32)
    header.append(littleEndian: (record.hasLongSize ? .max : 0) as UInt32)
    header.append(littleEndian: UInt16(record.name.count))
    var extra = record.longFields
    let end = record.offset + header.count + 2 + record.name.count + extra.count + 4
    let padding = (Self.alignment - end % Self.alignment) % Self.alignment
    extra.append(contentsOf: "FB".utf8)
    extra.append(littleEndian: UInt16(padding))
    extra.append(contentsOf: repeatElement(UInt8(ascii: "Z"), count: padding))
    header.append(littleEndian: UInt16(extra.count))
    header.append(contentsOf: record.name)
    header.append(contentsOf: extra)
    return header
  }

  private mutating func addToDirectory(_ record: Record) {
    directory.append(littleEndian: 0x0201_4B50 as UInt32)
    directory.append(littleEndian: 0 as UInt16)
    directory.append(contentsOf: Self.fixedFields(record))
    directory.append(littleEndian: record.crc)
    directory.append(littleEndian: record.hasLongSize ? .max : UInt32(record.size))
    directory.append(littleEndian: record.hasLongSize ? .max : UInt32(record.size))
    directory.append(littleEndian: UInt16(record.name.count))
    directory.append(littleEndian: UInt16(record.longFields.count))
    // Comment, disk and attributes.
    directory.append(contentsOf: repeatElement(0, count: 10))
    directory.append(littleEndian: record.hasLongOffset ? .max : UInt32(record.offset))
    directory.append(contentsOf: record.name)
    directory.append(contentsOf: record.longFields)
    count += 1
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    libdeflate_crc32(0, bytes.baseAddress, bytes.count)
  }

  /// What local headers and the directory have in common: version needed, flags, method, time, date.
  private static func fixedFields(_ record: Record) -> [UInt8] {
    var fields: [UInt8] = []
    fields.append(littleEndian: (record.isLong ? 45 : 0) as UInt16)
    // Bit 3: sizes follow the data; bit 11: names are UTF-8.
    fields.append(littleEndian: (record.size > 0 ? 0x0808 : 0x0800) as UInt16)
    fields.append(littleEndian: 0 as UInt16)
    fields.append(littleEndian: 0 as UInt16)
    // 1 January 1980, the first day of the format.
    fields.append(littleEndian: 0x0021 as UInt16)
    return fields
  }

  private mutating func put(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try sink.write($0) }
    position += bytes.count
  }
}

extension [UInt8] {
  /// Appends an integer's bytes, lowest first.
  mutating func append<Integer: FixedWidthInteger>(littleEndian value: Integer) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
