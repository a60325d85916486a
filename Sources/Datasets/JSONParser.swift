// simdjson, as the readers of this module use it: parse one record, walk its values, copy what is kept.

import CSimdJSON
import Glibc

/// Parses one JSON text at a time. Values are handles into the last text parsed and die with it.
final class JSONParser {
  private let parser: OpaquePointer

  /// - Parameter maximumDepth: how deep arrays and objects may nest; a pair needs four levels.
  init(maximumLength: Int, maximumDepth: Int = 64) {
    guard let parser = csimdjson_parser_create(maximumLength, maximumDepth) else {
      fatalError("no memory for a JSON parser")
    }
    self.parser = parser
  }

  deinit { csimdjson_parser_destroy(parser) }

  /// Parses `text` with each of the `cuts` (ascending, apart) replaced by the number 0, as one JSON value.
  func parse(_ text: UnsafeRawBufferPointer, without cuts: [Range<Int>] = []) throws(JSONFailure) -> JSONValue {
    guard let base = text.baseAddress, let room = csimdjson_reserve(parser, text.count) else {
      throw text.isEmpty ? .empty : .tooLong
    }
    var length = 0
    var position = 0
    for cut in cuts {
      memcpy(room + length, base + position, cut.lowerBound - position)
      length += cut.lowerBound - position
      room[length] = CChar(bitPattern: UInt8(ascii: "0"))
      length += 1
      position = cut.upperBound
    }
    memcpy(room + length, base + position, text.count - position)
    length += text.count - position

    var root = csimdjson_value()
    switch csimdjson_parse(parser, length, &root) {
    case CSIMDJSON_OK: return JSONValue(handle: root)
    case CSIMDJSON_EMPTY: throw .empty
    case CSIMDJSON_TOO_LONG, CSIMDJSON_NO_MEMORY: throw .tooLong
    case CSIMDJSON_TOO_DEEP: throw .tooDeep
    case CSIMDJSON_BAD_STRING: throw .badString
    case CSIMDJSON_BAD_LITERAL: throw .badLiteral
    case CSIMDJSON_BAD_NUMBER: throw .badNumber
    case CSIMDJSON_NOT_UTF8: throw .notUTF8
    default: throw .syntax
    }
  }
}

/// Why a text is not one JSON value.
enum JSONFailure: Error {
  case empty, tooLong, tooDeep, badString, badLiteral, badNumber, notUTF8, syntax
}

/// A value of the text last parsed.
struct JSONValue {
  let handle: csimdjson_value

  enum Kind { case null, bool, number, string, array, object }

  var kind: Kind {
    switch csimdjson_value_kind(handle) {
    case CSIMDJSON_NULL: .null
    case CSIMDJSON_BOOL: .bool
    case CSIMDJSON_NUMBER: .number
    case CSIMDJSON_STRING: .string
    case CSIMDJSON_ARRAY: .array
    default: .object
    }
  }

  /// What the value is, in a message: `a string`, `null`.
  var kindName: String {
    switch kind {
    case .null: "null"
    case .bool: "true or false"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  var double: Double? {
    var number = 0.0
    return csimdjson_value_double(handle, &number) ? number : nil
  }

  /// A number that is whole and fits, with all its digits.
  var integer: Int64? {
    var number: Int64 = 0
    return csimdjson_value_integer(handle, &number) ? number : nil
  }

  var bool: Bool? {
    var truth = false
    return csimdjson_value_bool(handle, &truth) ? truth : nil
  }

  var string: String? { utf8.map { String(decoding: $0, as: UTF8.self) } }

  /// The bytes of a string; they die with the text last parsed.
  var utf8: UnsafeRawBufferPointer? {
    var bytes: UnsafePointer<CChar>?
    var length = 0
    guard csimdjson_value_string(handle, &bytes, &length) else { return nil }
    return UnsafeRawBufferPointer(start: bytes, count: length)
  }

  /// The number of elements of an array; 0 for other kinds.
  var elementCount: Int { csimdjson_element_count(handle) }

  /// The numbers of an array, or how many precede the first element that is not a finite 32-bit float.
  var floats: (numbers: [Float], isWhole: Bool) {
    let count = elementCount
    let numbers = [Float](unsafeUninitializedCapacity: count) { buffer, written in
      written = count == 0 ? 0 : csimdjson_floats(handle, buffer.baseAddress)
    }
    return (numbers, numbers.count == count)
  }

  var elements: Elements { Elements(self) }
  var fields: Fields { Fields(self) }

  /// The elements of an array, in order.
  struct Elements: Sequence, IteratorProtocol {
    private var cursor = csimdjson_cursor()
    private let isOpen: Bool

    init(_ value: JSONValue) { isOpen = csimdjson_open(value.handle, &cursor) }

    mutating func next() -> JSONValue? {
      var value = csimdjson_value()
      guard isOpen, csimdjson_next_element(&cursor, &value) else { return nil }
      return JSONValue(handle: value)
    }
  }

  /// The fields of an object, in the order of the text, repeated keys included.
  struct Fields: Sequence, IteratorProtocol {
    private var cursor = csimdjson_cursor()
    private let isOpen: Bool

    init(_ value: JSONValue) { isOpen = csimdjson_open(value.handle, &cursor) }

    mutating func next() -> (key: JSONKey, value: JSONValue)? {
      var key: UnsafePointer<CChar>?
      var length = 0
      var value = csimdjson_value()
      guard isOpen, csimdjson_next_field(&cursor, &key, &length, &value) else { return nil }
      return (JSONKey(bytes: UnsafeRawBufferPointer(start: key, count: length)), JSONValue(handle: value))
    }
  }
}

/// A key, as bytes of the text last parsed: comparing it to a known name makes no string.
struct JSONKey: CustomStringConvertible {
  let bytes: UnsafeRawBufferPointer

  var description: String { String(decoding: bytes, as: UTF8.self) }

  static func ~= (name: StaticString, key: JSONKey) -> Bool {
    name.utf8CodeUnitCount == key.bytes.count
      && (key.bytes.isEmpty || memcmp(name.utf8Start, key.bytes.baseAddress!, key.bytes.count) == 0)
  }
}
