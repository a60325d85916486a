// The zip container of a .pth, read in place. Own code because a stored record must be found where it lies in the
// mapped file, on its alignment, which libzip does not tell; libdeflate does the CRC-32 and the inflating.

import CDeflate

/// The records of a zip archive in memory. Everything that the headers say is checked before it is used.
struct ZipArchive {
  struct Entry {
    enum Method { case stored, deflated }
    let method: Method
    let crc: UInt32
    /// Bytes of the record once it is inflated.
    let size: Int
    /// Where the record's bytes, stored or deflated, lie in the archive.
    let data: Range<Int>
  }

  /// A record's bytes: in place where it is stored, in memory of its own where it was deflated.
  final class Record {
    let bytes: UnsafeRawBufferPointer
    private let owned: UnsafeMutableRawBufferPointer?

    init(inPlace bytes: UnsafeRawBufferPointer) {
      self.bytes = bytes
      owned = nil
    }

    init(owning memory: UnsafeMutableRawBufferPointer, count: Int) {
      bytes = UnsafeRawBufferPointer(rebasing: memory[0..<count])
      owned = memory
    }

    deinit { owned?.deallocate() }
  }

  let entries: [String: Entry]
  /// The entries' names in the order of the archive's directory.
  let names: [String]
  private let archive: UnsafeRawBufferPointer
  private let path: String

  /// Reads the directory of the archive.
  ///
  /// - Parameters:
  ///   - archive: The whole file; must outlive this value and the records that it gives.
  ///   - path: The file's name, for errors.
  init(_ archive: UnsafeRawBufferPointer, path: String) throws {
    self.archive = archive
    self.path = path
    let directory = try Self.findDirectory(archive, path: path)
    var cursor = ByteCursor(archive, at: directory.range.lowerBound)!
    var entries: [String: Entry] = [:]
    var names: [String] = []
    var count = 0
    var occupied: [Range<Int>] = []
    while cursor.position < directory.range.upperBound {
      let (name, entry, whole) = try Self.readEntry(&cursor, archive, directory: directory.range, path: path)
      count += 1
      if name.hasSuffix("/"), entry.size == 0 { continue }
      guard entries.updateValue(entry, forKey: name) == nil else {
        throw CheckpointError.malformed(
          path: path, place: "zip directory", found: "two records \"\(name)\"", expected: "each name once")
      }
      names.append(name)
      occupied.append(whole)
    }
    guard cursor.position == directory.range.upperBound, count == directory.count else {
      throw CheckpointError.malformed(
        path: path, place: "zip directory", found: "\(count) records ending at byte \(cursor.position)",
        expected: "\(directory.count) records ending at byte \(directory.range.upperBound)")
    }
    // Records that share bytes would let a small archive inflate without bound.
    occupied.sort { $0.lowerBound < $1.lowerBound }
    for (left, right) in zip(occupied, occupied.dropFirst()) where left.upperBound > right.lowerBound {
      throw CheckpointError.malformed(
        path: path, place: "zip record at byte \(right.lowerBound)",
        found: "a record that overlaps the one at byte \(left.lowerBound)", expected: "records apart")
    }
    self.entries = entries
    self.names = names
  }

  /// The bytes of a record, checked against its CRC-32; nil where the archive has no such record.
  func record(_ name: String, budget: MemoryBudget) throws -> Record? {
    guard let entry = entries[name] else { return nil }
    let raw = UnsafeRawBufferPointer(rebasing: archive[entry.data])
    let record: Record
    switch entry.method {
    case .stored:
      record = Record(inPlace: raw)
    case .deflated:
      try budget.spend(entry.size, on: "inflating the record \"\(name)\"")
      record = try inflate(raw, size: entry.size, name: name)
    }
    try check(record, crc: entry.crc, name: name)
    return record
  }

  private func check(_ record: Record, crc expected: UInt32, name: String) throws {
    // A fuzzer's mutations would never get past this.
    #if !FUZZING
      let crc = libdeflate_crc32(0, record.bytes.baseAddress, record.bytes.count)
      guard crc == expected else {
        throw CheckpointError.malformed(
          path: path, place: "record \"\(name)\"", found: "CRC-32 \(hexadecimal(crc))",
          expected: "\(hexadecimal(expected)) as the directory says (a byte of it was changed)")
      }
    #endif
  }

  private func inflate(_ deflated: UnsafeRawBufferPointer, size: Int, name: String) throws -> Record {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Swift.max(size, 1), alignment: 64)
    let decompressor = libdeflate_alloc_decompressor()
    defer { libdeflate_free_decompressor(decompressor) }
    let result = libdeflate_deflate_decompress(
      decompressor, deflated.baseAddress, deflated.count, memory.baseAddress, size, nil)
    guard result == LIBDEFLATE_SUCCESS, decompressor != nil else {
      memory.deallocate()
      let found: String =
        switch result {
        case LIBDEFLATE_SHORT_OUTPUT: "fewer bytes"
        case LIBDEFLATE_INSUFFICIENT_SPACE: "more bytes"
        default: "bytes that do not inflate"
        }
      throw CheckpointError.malformed(
        path: path, place: "record \"\(name)\"", found: found, expected: "\(size) bytes once inflated")
    }
    return Record(owning: memory, count: size)
  }
}

// The directory at the end of the archive.
extension ZipArchive {
  private struct Directory {
    let range: Range<Int>
    let count: UInt64
  }

  private static func findDirectory(_ archive: UnsafeRawBufferPointer, path: String) throws -> Directory {
    func malformed(_ found: String, _ expected: String) -> CheckpointError {
      .malformed(path: path, place: "the end of the zip archive", found: found, expected: expected)
    }
    let endSize = 22
    guard archive.count >= endSize else {
      throw malformed("\(archive.count) bytes", "at least \(endSize)")
    }
    // The end record is the last thing but for a comment of up to 65,535 bytes, whose length it tells.
    let earliest = Swift.max(0, archive.count - endSize - 0xFFFF)
    var end: Int?
    for position in stride(from: archive.count - endSize, through: earliest, by: -1) {
      var cursor = ByteCursor(archive, at: position)!
      guard cursor.read(UInt32.self) == 0x0605_4B50, cursor.read(count: 16) != nil else { continue }
      if cursor.read(UInt16.self).map(Int.init) == cursor.remaining {
        end = position
        break
      }
    }
    guard let end else { throw malformed("no directory", "an end record (the file was cut?)") }
    var cursor = ByteCursor(archive, at: end + 4)!
    guard let disk = cursor.read(UInt16.self), let directoryDisk = cursor.read(UInt16.self),
      cursor.read(UInt16.self) != nil, let shortCount = cursor.read(UInt16.self),
      let shortSize = cursor.read(UInt32.self), let shortOffset = cursor.read(UInt32.self)
    else { throw malformed("a short end record", "22 bytes") }
    var count = UInt64(shortCount)
    var size = UInt64(shortSize)
    var offset = UInt64(shortOffset)
    var limit = end
    if let (position, long) = try readLongEnd(archive, before: end, path: path) {
      (count, size, offset) = long
      limit = position
    } else if disk != 0 || directoryDisk != 0 {
      throw malformed("a part of an archive of several files", "a single file")
    }
    guard let start = Int(exactly: offset), let size = Int(exactly: size), start <= limit, size <= limit - start else {
      throw malformed("a directory of \(size) bytes at byte \(offset)", "one that ends by byte \(limit)")
    }
    return Directory(range: start..<start + size, count: count)
  }

  /// The zip64 end record, where there is one: its position and what it says.
  private static func readLongEnd(
    _ archive: UnsafeRawBufferPointer, before end: Int, path: String
  ) throws -> (position: Int, (count: UInt64, size: UInt64, offset: UInt64))? {
    guard var locator = ByteCursor(archive, at: end - 20), locator.read(UInt32.self) == 0x0706_4B50,
      locator.read(UInt32.self) != nil, let position = locator.read(UInt64.self)
    else { return nil }
    guard let position = Int(exactly: position), position <= end - 20, var cursor = ByteCursor(archive, at: position),
      cursor.read(UInt32.self) == 0x0606_4B50, cursor.read(count: 20) != nil,
      cursor.read(UInt64.self) != nil, let count = cursor.read(UInt64.self), let size = cursor.read(UInt64.self),
      let offset = cursor.read(UInt64.self), cursor.position <= end
    else {
      throw CheckpointError.malformed(
        path: path, place: "the zip64 end of the archive", found: "no end record at byte \(position)",
        expected: "one before byte \(end)")
    }
    return (position, (count, size, offset))
  }

  /// One entry of the directory, with the bytes that it occupies from its local header on.
  private static func readEntry(
    _ cursor: inout ByteCursor, _ archive: UnsafeRawBufferPointer, directory: Range<Int>, path: String
  ) throws -> (name: String, entry: Entry, whole: Range<Int>) {
    let position = cursor.position
    func malformed(_ found: String, _ expected: String) -> CheckpointError {
      .malformed(path: path, place: "zip directory at byte \(position)", found: found, expected: expected)
    }
    guard cursor.read(UInt32.self) == 0x0201_4B50, cursor.read(UInt32.self) != nil,
      let flags = cursor.read(UInt16.self), let method = cursor.read(UInt16.self), cursor.read(UInt32.self) != nil,
      let crc = cursor.read(UInt32.self), let shortPacked = cursor.read(UInt32.self),
      let shortSize = cursor.read(UInt32.self), let nameCount = cursor.read(UInt16.self),
      let extraCount = cursor.read(UInt16.self), let commentCount = cursor.read(UInt16.self),
      cursor.read(count: 8) != nil, let shortOffset = cursor.read(UInt32.self),
      let nameBytes = cursor.read(count: Int(nameCount)), let extra = cursor.read(count: Int(extraCount)),
      cursor.read(count: Int(commentCount)) != nil
    else { throw malformed("a cut or foreign entry", "an entry of the directory") }
    guard let name = String(validating: nameBytes, as: Unicode.UTF8.self) else {
      throw malformed("a name that is not UTF-8", "UTF-8")
    }
    guard flags & 1 == 0 else {
      throw CheckpointError.unsupported(
        path: path, found: "the encrypted record \"\(name)\"", advice: "decrypt the archive first")
    }
    let long = LongFields(extra: extra, size: shortSize, packed: shortPacked, offset: shortOffset)
    guard let size = Int(exactly: long.size), let packed = Int(exactly: long.packed),
      let offset = Int(exactly: long.offset), offset < directory.lowerBound,
      var local = ByteCursor(archive, at: offset), local.read(UInt32.self) == 0x0403_4B50,
      local.read(count: 22) != nil, let localNameCount = local.read(UInt16.self),
      let localExtraCount = local.read(UInt16.self), let localName = local.read(count: Int(localNameCount)),
      local.read(count: Int(localExtraCount)) != nil, localName.elementsEqual(nameBytes),
      local.position <= directory.lowerBound, packed <= directory.lowerBound - local.position
    else {
      throw malformed(
        "\"\(name)\" of \(long.packed) bytes at byte \(long.offset)",
        "a record of that name before byte \(directory.lowerBound)")
    }
    let data = local.position..<local.position + packed
    switch method {
    case 0:
      guard packed == size else { throw malformed("\"\(name)\" stored in \(packed) bytes", "its \(size) bytes") }
      return (name, Entry(method: .stored, crc: crc, size: size, data: data), offset..<data.upperBound)
    case 8:
      return (name, Entry(method: .deflated, crc: crc, size: size, data: data), offset..<data.upperBound)
    default:
      throw CheckpointError.unsupported(
        path: path, found: "the record \"\(name)\", compressed by method \(method),",
        advice: "make the archive again with stored or deflated records")
    }
  }

  /// Sizes and offset of an entry: those of its zip64 extra field where the short ones are all ones.
  private struct LongFields {
    var size: UInt64
    var packed: UInt64
    var offset: UInt64

    init(extra: UnsafeRawBufferPointer, size: UInt32, packed: UInt32, offset: UInt32) {
      self.size = UInt64(size)
      self.packed = UInt64(packed)
      self.offset = UInt64(offset)
      var cursor = ByteCursor(extra)
      while let tag = cursor.read(UInt16.self), let count = cursor.read(UInt16.self),
        let field = cursor.read(count: Int(count))
      {
        guard tag == 1 else { continue }
        var field = ByteCursor(field)
        if size == .max, let long = field.read(UInt64.self) { self.size = long }
        if packed == .max, let long = field.read(UInt64.self) { self.packed = long }
        if offset == .max, let long = field.read(UInt64.self) { self.offset = long }
        return
      }
    }
  }
}

/// `0x` and eight digits.
private func hexadecimal(_ value: UInt32) -> String {
  let digits = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
