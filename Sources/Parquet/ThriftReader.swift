// Thrift's compact protocol, as far as Parquet's metadata needs it. Nothing here reads past the end.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

/// The bytes ended inside a value, or are not Thrift.
enum ThriftFault: Error {
  case ended
  case malformed(found: String, expected: String)
}

/// The wire types of the compact protocol. A boolean field has its value in its type.
enum ThriftType: UInt8 {
  case yes = 1
  case no, byte, int16, int32, int64, double, binary, list, set, map, structure
}

/// A position in bytes of Thrift.
struct ThriftReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  /// Containers inside containers that are passed over. Parquet's own metadata nests 6 deep.
  private static let deepest = 24

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  mutating func byte() throws -> UInt8 {
    guard position < bytes.count else { throw ThriftFault.ended }
    defer { position += 1 }
    return bytes[position]
  }

  /// An unsigned number of seven bits a byte, the lowest first.
  mutating func variable() throws -> UInt64 {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      let byte = try byte()
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return result }
      shift += 7
    }
    throw ThriftFault.malformed(found: "a number of more than 10 bytes", expected: "a 64-bit number")
  }

  private mutating func signed() throws -> Int64 {
    let coded = try variable()
    return Int64(bitPattern: coded >> 1) ^ -Int64(bitPattern: coded & 1)
  }

  private mutating func length() throws -> Int {
    let length = try variable()
    guard length <= UInt64(remaining) else {
      if length > UInt64(Int32.max) { throw ThriftFault.malformed(found: "a length of \(length)", expected: "less") }
      throw ThriftFault.ended
    }
    return Int(length)
  }

  mutating func int32(_ type: ThriftType) throws -> Int32 {
    try expect(.int32, type)
    let value = try signed()
    guard let narrow = Int32(exactly: value) else {
      throw ThriftFault.malformed(found: "\(value)", expected: "a 32-bit number")
    }
    return narrow
  }

  mutating func int64(_ type: ThriftType) throws -> Int64 {
    try expect(.int64, type)
    return try signed()
  }

  mutating func int8(_ type: ThriftType) throws -> Int8 {
    try expect(.byte, type)
    return Int8(bitPattern: try byte())
  }

  func boolean(_ type: ThriftType) throws -> Bool {
    guard type == .yes || type == .no else {
      throw ThriftFault.malformed(found: "a field of type \(type)", expected: "a boolean")
    }
    return type == .yes
  }

  mutating func string(_ type: ThriftType) throws -> String {
    try expect(.binary, type)
    let count = try length()
    defer { position += count }
    return String(decoding: bytes[position..<position + count], as: UTF8.self)
  }

  /// Calls `field` with the number and type of every field. It reads the value, or returns false to pass over it.
  mutating func structure(_ field: (inout ThriftReader, Int16, ThriftType) throws -> Bool) throws {
    try fields { reader, number, type in
      if try !field(&reader, number, type) { try reader.skip(type, depth: 0) }
    }
  }

  mutating func structure(
    _ type: ThriftType, _ field: (inout ThriftReader, Int16, ThriftType) throws -> Bool
  ) throws {
    try expect(.structure, type)
    try structure(field)
  }

  /// Calls `item` once for each item of a list.
  mutating func list(_ type: ThriftType, of wanted: ThriftType, _ item: (inout ThriftReader) throws -> Void) throws {
    try expect(.list, type)
    let (count, itemType) = try listHeader()
    guard count == 0 || itemType == wanted else {
      throw ThriftFault.malformed(found: "a list of \(itemType)", expected: "a list of \(wanted)")
    }
    for _ in 0..<count { try item(&self) }
  }

  private func expect(_ expected: ThriftType, _ found: ThriftType) throws {
    guard found == expected else {
      throw ThriftFault.malformed(found: "a field of type \(found)", expected: "\(expected)")
    }
  }

  private mutating func fields(_ field: (inout ThriftReader, Int16, ThriftType) throws -> Void) throws {
    var number: Int16 = 0
    while true {
      let header = try byte()
      if header == 0 { return }
      let type = try type(header & 0x0F)
      if header >> 4 == 0 {
        let coded = try signed()
        guard let given = Int16(exactly: coded) else {
          throw ThriftFault.malformed(found: "field \(coded)", expected: "a 16-bit field number")
        }
        number = given
      } else {
        let (next, overflow) = number.addingReportingOverflow(Int16(header >> 4))
        guard !overflow else {
          throw ThriftFault.malformed(found: "a field after \(number)", expected: "a 16-bit field number")
        }
        number = next
      }
      try field(&self, number, type)
    }
  }

  private func type(_ code: UInt8) throws -> ThriftType {
    guard let type = ThriftType(rawValue: code) else {
      throw ThriftFault.malformed(found: "Thrift type \(code)", expected: "1 to 12")
    }
    return type
  }

  /// Every item takes at least a byte, so that a list can't have more items than there are bytes.
  private mutating func listHeader() throws -> (count: Int, type: ThriftType) {
    let header = try byte()
    let type = try type(header & 0x0F)
    var count = Int(header >> 4)
    if count == 15 { count = try length() }
    guard count <= remaining else { throw ThriftFault.ended }
    return (count, type)
  }

  private mutating func skip(_ type: ThriftType, depth: Int) throws {
    guard depth < Self.deepest else {
      throw ThriftFault.malformed(found: "more than \(Self.deepest) levels of nesting", expected: "Parquet's metadata")
    }
    switch type {
    case .yes, .no: break
    case .byte: _ = try byte()
    case .int16, .int32, .int64: _ = try variable()
    case .double: try pass(8)
    case .binary: try pass(length())
    case .structure: try fields { reader, _, type in try reader.skip(type, depth: depth + 1) }
    case .list, .set:
      let (count, item) = try listHeader()
      for _ in 0..<count { try skipItem(item, depth: depth + 1) }
    case .map:
      let count = try length()
      if count == 0 { return }
      let types = try byte()
      let (key, value) = (try self.type(types >> 4), try self.type(types & 0x0F))
      for _ in 0..<count {
        try skipItem(key, depth: depth + 1)
        try skipItem(value, depth: depth + 1)
      }
    }
  }

  /// In a container a boolean is a byte of its own.
  private mutating func skipItem(_ type: ThriftType, depth: Int) throws {
    if type == .yes || type == .no {
      _ = try byte()
    } else {
      try skip(type, depth: depth)
    }
  }

  private mutating func pass(_ count: Int) throws {
    guard count <= remaining else { throw ThriftFault.ended }
    position += count
  }
}
