// Small zip archives put together by hand, from the format's description, to have records that no writer would write.

struct ZipBuilder {
  struct Record {
    var name: String
    var bytes: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    /// Nil for the true one.
    var crc: UInt32?
    /// The size once inflated; nil for the stored size.
    var size: UInt32?
    /// Where the directory says that the record is; nil for the true place.
    var offset: UInt32?
  }

  var records: [Record] = []
  /// Added to the number of records at the end.
  var extraCount: UInt16 = 0

  /// A checkpoint with this pickle and storages "0", "1", ….
  init(pickle: [UInt8], storages: [[UInt8]] = []) {
    records = [Record(name: "archive/data.pkl", bytes: pickle)]
    for (key, bytes) in storages.enumerated() { records.append(Record(name: "archive/data/\(key)", bytes: bytes)) }
  }

  func build() -> [UInt8] {
    var archive: [UInt8] = []
    var directory: [UInt8] = []
    for record in records {
      let name = Array(record.name.utf8)
      var common = word(record.flags) + word(record.method) + word(0 as UInt32)
      common += word(record.crc ?? crc32(record.bytes)) + word(UInt32(record.bytes.count))
      common += word(record.size ?? UInt32(record.bytes.count)) + word(UInt16(name.count)) + word(0 as UInt16)
      directory += word(0x0201_4B50 as UInt32) + word(20 as UInt16) + word(20 as UInt16) + common
      directory += [UInt8](repeating: 0, count: 10) + word(record.offset ?? UInt32(archive.count)) + name
      archive += word(0x0403_4B50 as UInt32) + word(20 as UInt16) + common + name + record.bytes
    }
    let count = UInt16(records.count) + extraCount
    let end = word(0x0605_4B50 as UInt32) + word(0 as UInt32) + word(count) + word(count)
    return archive + directory + end + word(UInt32(directory.count)) + word(UInt32(archive.count)) + word(0 as UInt16)
  }
}

/// Little-endian bytes.
func word<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// The CRC-32 of zip, bit by bit.
func crc32(_ bytes: [UInt8]) -> UInt32 {
  var crc = UInt32.max
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
  return ~crc
}
