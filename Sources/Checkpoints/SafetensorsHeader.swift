// The JSON header of safetensors. A parser for just its shape: two levels deep, names twice refused, order kept.

import Tensors

/// What the header says, not yet compared with the data.
struct SafetensorsHeader {
  struct Entry {
    let name: String
    let elementType: ElementType
    let shape: Shape
    /// Bytes of the data, from the end of the header on.
    let start: Int
    let end: Int
  }

  private(set) var entries: [Entry] = []
  private(set) var metadata: [String: String] = [:]

  /// PyTorch's own tensors have at most 64 dimensions.
  private static let maximumRank = 64

  /// - Parameter path: The file's name, for errors.
  init(_ json: UnsafeRawBufferPointer, path: String) throws {
    var scanner = JSONScanner(json, path: path)
    var names: Set<ExactText> = []
    try scanner.readObject { scanner, name in
      guard names.insert(ExactText(name)).inserted else {
        throw scanner.malformed("\"\(name)\" twice", "each name once")
      }
      if name == "__metadata__" {
        metadata = try Self.readMetadata(&scanner)
      } else {
        entries.append(try Self.readEntry(&scanner, name: name))
      }
    }
    try scanner.expectEnd()
  }

  private static func readMetadata(_ scanner: inout JSONScanner) throws -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.readObject { scanner, name in
      let text = try scanner.readString()
      guard metadata.updateValue(text, forKey: name) == nil else {
        throw scanner.malformed("\"\(name)\" twice in __metadata__", "each name once")
      }
    }
    return metadata
  }

  private static func readEntry(_ scanner: inout JSONScanner, name: String) throws -> Entry {
    var elementType: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.readObject { scanner, field in
      switch field {
      case "dtype" where elementType == nil:
        let typeName = try scanner.readString()
        guard let type = SafetensorsTypes.type(named: typeName) else {
          throw CheckpointError.unsupported(
            path: scanner.path, found: "tensor \"\(name)\" of dtype \"\(typeName)\"",
            advice: "convert it to one of \(SafetensorsTypes.all.map(\.name).joined(separator: ", "))")
        }
        elementType = type
      case "shape" where shape == nil: shape = try scanner.readIntegers(atMost: maximumRank)
      case "data_offsets" where offsets == nil: offsets = try scanner.readIntegers(atMost: 2)
      default:
        throw scanner.malformed("\"\(field)\" of tensor \"\(name)\"", "dtype, shape and data_offsets, each once")
      }
    }
    guard let elementType, let shape, let offsets, offsets.count == 2 else {
      throw scanner.malformed("an incomplete tensor \"\(name)\"", "dtype, shape and two data_offsets")
    }
    return Entry(name: name, elementType: elementType, shape: Shape(shape), start: offsets[0], end: offsets[1])
  }
}

/// Reads JSON piece by piece, each piece of a kind that the caller names. Nothing nests that the caller does not ask for.
private struct JSONScanner {
  let path: String
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  func malformed(_ found: String, _ expected: String) -> CheckpointError {
    .malformed(path: path, place: "safetensors header at byte \(position)", found: found, expected: expected)
  }

  private func unexpected(_ expected: String) -> CheckpointError {
    guard position < bytes.count else { return malformed("the end of the header", expected) }
    let byte = bytes[position]
    let found = (0x20..<0x7F).contains(byte) ? "\"\(Character(Unicode.Scalar(byte)))\"" : "the byte \(byte)"
    return malformed(found, expected)
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard skip(character) else { throw unexpected("\"\(character)\"") }
  }

  mutating func expectEnd() throws {
    skipSpace()
    guard position == bytes.count else { throw unexpected("nothing but spaces after the object") }
  }

  /// `{"name": …, …}`; `body` reads each value.
  mutating func readObject(_ body: (inout JSONScanner, String) throws -> Void) throws {
    try expect("{")
    if skip("}") { return }
    repeat {
      let name = try readString()
      try expect(":")
      try body(&self, name)
    } while skip(",")
    try expect("}")
  }

  /// `[1, 2, …]`: numbers of at least 0.
  mutating func readIntegers(atMost limit: Int) throws -> [Int] {
    try expect("[")
    var values: [Int] = []
    if skip("]") { return values }
    repeat {
      guard values.count < limit else { throw malformed("a longer list", "at most \(limit) numbers") }
      values.append(try readInteger())
    } while skip(",")
    try expect("]")
    return values
  }

  private mutating func readInteger() throws -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowingSum) = tens.addingReportingOverflow(Int(digit))
      guard !overflow, !overflowingSum, position == start || value != 0 else {
        throw malformed("a number of another form", "a number of at least 0, below 2^63")
      }
      value = sum
      position += 1
    }
    guard position > start else { throw unexpected("a number of at least 0") }
    return value
  }

  mutating func readString() throws -> String {
    try expect("\"")
    var text: [UInt8] = []
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      let byte = bytes[position]
      guard byte >= 0x20 else { throw unexpected("a string without control characters") }
      position += 1
      if byte == UInt8(ascii: "\\") {
        try readEscape(into: &text)
      } else {
        text.append(byte)
      }
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw malformed("a string that is not UTF-8", "UTF-8")
    }
    try expect("\"")
    return string
  }

  /// What follows a backslash.
  private mutating func readEscape(into text: inout [UInt8]) throws {
    guard position < bytes.count else { throw unexpected("an escape") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var units = [try readHexadecimal()]
      if UTF16.isLeadSurrogate(units[0]), bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
        position += 2
        units.append(try readHexadecimal())
      }
      guard let character = String(validating: units, as: UTF16.self) else {
        throw malformed("half a surrogate pair", "a character")
      }
      text.append(contentsOf: character.utf8)
    default: throw malformed("an unknown escape", "one of JSON's")
    }
  }

  private mutating func readHexadecimal() throws -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard position < bytes.count, bytes[position] < 0x80,
        let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
      else { throw unexpected("four hexadecimal digits") }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }
}
