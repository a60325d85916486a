// JSON objects to rows: the usual flat object in one pass over its bytes, everything else through simdjson.

import CSimdJSON
import Glibc

/// What a section of a JSON document holds.
public enum JSONSection: Sendable, Hashable {
  /// An array of objects.
  case rows([TableColumn])
  /// One object, of which the numbers are wanted; those of an object in it as `key.inner`.
  case numbers
}

/// Takes the records of a JSON file, each by its section.
final class JSONRowDecoder: RecordDecoder {
  /// One a section; of a section of numbers it has no columns.
  let builders: [TableBuilder]
  private(set) var numbers: [[String: Double]]
  private let names: [String]
  private let sections: [JSONSection]
  private let parser: JSONParser
  private let maximumLength: Int
  private let isDocument: Bool
  private let lookups: [KeyLookup]

  /// - Parameter isDocument: whether problems should name the section and the element.
  init(sections: [(name: String, section: JSONSection)], isDocument: Bool, keepsLines: Bool, maximumLength: Int) {
    self.sections = sections.map(\.section)
    names = sections.map(\.name)
    builders = self.sections.map { TableBuilder($0.columns, keepsLines: keepsLines) }
    lookups = self.sections.map { KeyLookup($0.columns) }
    numbers = sections.map { _ in [:] }
    parser = JSONParser(maximumLength: maximumLength)
    self.maximumLength = maximumLength
    self.isDocument = isDocument
  }

  func decode(_ record: UnsafeRawBufferPointer, line: Int) throws(RecordProblem) {
    try decode(record, line: line, place: RecordPlace(section: 0, index: 0))
  }

  func decode(_ record: UnsafeRawBufferPointer, line: Int, place: RecordPlace) throws(RecordProblem) {
    do throws(RecordProblem) {
      guard case .rows = sections[place.section] else { return try decodeNumbers(record, section: place.section) }
      guard !isDocument || place.index != nil else {
        throw RecordProblem(
          message: "must be an array of objects, found \(try parse(record).kindName)", isFatal: true)
      }
      let builder = builders[place.section]
      defer { builder.discard() }
      if try !stageFlat(record, builder: builder, keys: lookups[place.section]) {
        builder.discard()
        try stageAny(record, builder: builder, keys: lookups[place.section])
      }
      try builder.commit(line: line)
    } catch {
      guard isDocument else { throw error }
      let element = place.index.map { "[\($0)]" } ?? ""
      throw RecordProblem(message: "\(names[place.section])\(element): \(error.message)", isFatal: error.isFatal)
    }
  }

  /// Stages the fields of an object that holds only plain strings (ASCII, no escapes), short numbers and literals.
  ///
  /// - Returns: false at anything else, and where it is not JSON: the parser has the word then.
  private func stageFlat(
    _ record: UnsafeRawBufferPointer, builder: TableBuilder, keys: KeyLookup
  ) throws(RecordProblem) -> Bool {
    var scanner = FlatObjectScanner(text: record)
    guard scanner.open() else { return false }
    while true {
      switch scanner.nextField() {
      case .end: return true
      case .other: return false
      case .field(let key, let value):
        let column = keys.column(of: key)
        guard column >= 0 else { continue }
        let target = builder.columns.baseAddress! + column
        // A repeated key is a problem for the slower way to tell.
        if target.pointee.isStaged { return false }
        switch value {
        case .string(let text):
          if text.isEmpty || target.pointee.isList { return false }
          try target.pointee.stage(text: text)
        case .number(let text):
          guard let number = DecimalText.double(text) else { return false }
          try target.pointee.stage(number: number, whole: DecimalText.integer(text))
        case .null: break
        case .literal: return false
        }
      }
    }
  }

  private func stageAny(
    _ record: UnsafeRawBufferPointer, builder: TableBuilder, keys: KeyLookup
  ) throws(RecordProblem) {
    let value = try parse(record)
    guard value.kind == .object else {
      throw RecordProblem(message: "an object was expected, found \(value.kindName)")
    }
    var seen = SeenKeys()
    for (key, field) in value.fields {
      let column = keys.column(of: key.bytes)
      guard column >= 0 else { continue }
      try seen.add(column, key)
      let target = builder.columns.baseAddress! + column
      switch field.kind {
      case .null: break
      case .string:
        guard !target.pointee.isList else { throw target.pointee.wrongKind(field.kindName) }
        guard let text = field.utf8, !text.isEmpty else {
          if target.pointee.column.content == .carried { continue }
          throw RecordProblem(message: "\"\(key)\" is an empty string")
        }
        try target.pointee.stage(text: text)
      case .number:
        let number = try field.finiteNumber(key.description)
        try target.pointee.stage(number: number, whole: field.integer)
      case .array:
        guard target.pointee.isList else { throw target.pointee.wrongKind(field.kindName) }
        for (index, element) in field.elements.enumerated() {
          guard let text = element.utf8 else {
            let advice = element.kind == .number ? "; write it in quotes" : ""
            throw RecordProblem(
              message: "\"\(key)[\(index)]\" must be a string, found \(element.kindName)\(advice)")
          }
          try target.pointee.stage(element: text)
        }
        target.pointee.stageList()
      case .bool, .object: throw target.pointee.wrongKind(field.kindName)
      }
    }
  }

  private func decodeNumbers(_ record: UnsafeRawBufferPointer, section: Int) throws(RecordProblem) {
    let value = try parse(record)
    guard value.kind == .object else {
      throw RecordProblem(message: "an object was expected, found \(value.kindName)")
    }
    for (key, field) in value.fields {
      if field.kind == .object {
        for (inner, number) in field.fields { numbers[section]["\(key).\(inner)"] = number.double }
      } else {
        numbers[section][key.description] = field.double
      }
    }
  }

  private func parse(_ text: UnsafeRawBufferPointer) throws(RecordProblem) -> JSONValue {
    do throws(JSONFailure) { return try parser.parse(text) } catch {
      throw error.problem(in: text, maximumLength: maximumLength)
    }
  }
}

extension JSONSection {
  fileprivate var columns: [TableColumn] {
    if case .rows(let columns) = self { columns } else { [] }
  }
}

extension ColumnBuilder {
  fileprivate var isList: Bool { column.content == .idLists }
}

/// Which column a key stands for.
private struct KeyLookup {
  private var names: [(bytes: [UInt8], column: Int)] = []

  init(_ columns: [TableColumn]) {
    for (index, column) in columns.enumerated() {
      for name in column.source.map({ [$0] }) ?? [column.name] + column.synonyms {
        names.append((Array(name.utf8), index))
      }
    }
  }

  /// The column of a key; -1 where it is not wanted.
  func column(of key: UnsafeRawBufferPointer) -> Int {
    for name in names where name.bytes.count == key.count {
      if name.bytes.withUnsafeBytes({ memcmp($0.baseAddress!, key.baseAddress!, key.count) == 0 }) {
        return name.column
      }
    }
    return -1
  }
}

/// Walks over the fields of one flat JSON object, strictly: what it accepts is JSON.
private struct FlatObjectScanner {
  enum Value {
    case string(UnsafeRawBufferPointer)
    case number(UnsafeRawBufferPointer)
    case null
    case literal
  }

  enum Step {
    case field(key: UnsafeRawBufferPointer, value: Value)
    /// The object was closed, and nothing stands behind it.
    case end
    /// Something that this scanner does not know.
    case other
  }

  private let text: UnsafeRawBufferPointer
  private var position = 0
  private var isFirst = true

  init(text: UnsafeRawBufferPointer) { self.text = text }

  mutating func open() -> Bool {
    guard text.first == UInt8(ascii: "{") else { return false }
    position = 1
    return true
  }

  mutating func nextField() -> Step {
    guard var byte = nextByte() else { return .other }
    if byte == UInt8(ascii: "}") {
      position += 1
      return nextByte() == nil && position == text.count ? .end : .other
    }
    if !isFirst {
      guard byte == UInt8(ascii: ",") else { return .other }
      position += 1
      guard let next = nextByte() else { return .other }
      byte = next
    }
    isFirst = false
    guard byte == UInt8(ascii: "\""), let key = plainString() else { return .other }
    guard nextByte() == UInt8(ascii: ":") else { return .other }
    position += 1
    guard let first = nextByte() else { return .other }
    switch first {
    case UInt8(ascii: "\""):
      guard let string = plainString() else { return .other }
      return .field(key: key, value: .string(string))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      guard let number = plainNumber() else { return .other }
      return .field(key: key, value: .number(number))
    case UInt8(ascii: "n"): return take("null") ? .field(key: key, value: .null) : .other
    case UInt8(ascii: "t"): return take("true") ? .field(key: key, value: .literal) : .other
    case UInt8(ascii: "f"): return take("false") ? .field(key: key, value: .literal) : .other
    default: return .other
    }
  }

  private mutating func nextByte() -> UInt8? {
    while position < text.count {
      let byte = text[position]
      if !byte.isJSONWhitespace { return byte }
      position += 1
    }
    return nil
  }

  private mutating func plainString() -> UnsafeRawBufferPointer? {
    position += 1
    let start = position
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: "\"") {
        defer { position += 1 }
        return UnsafeRawBufferPointer(rebasing: text[start..<position])
      }
      guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return nil }
      position += 1
    }
    return nil
  }

  /// A number without an exponent, in JSON's own form: no leading zeros, digits on both sides of a point.
  private mutating func plainNumber() -> UnsafeRawBufferPointer? {
    let start = position
    if text[position] == UInt8(ascii: "-") { position += 1 }
    let whole = digits()
    guard whole == 1 || whole > 1 && text[position - whole] != UInt8(ascii: "0") else { return nil }
    if position < text.count, text[position] == UInt8(ascii: ".") {
      position += 1
      guard digits() > 0 else { return nil }
    }
    // An exponent, or whatever does not end a number.
    if position < text.count, !text[position].isJSONWhitespace, text[position] != UInt8(ascii: ","),
      text[position] != UInt8(ascii: "}")
    {
      return nil
    }
    return UnsafeRawBufferPointer(rebasing: text[start..<position])
  }

  private mutating func digits() -> Int {
    let start = position
    while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) { position += 1 }
    return position - start
  }

  private mutating func take(_ literal: StaticString) -> Bool {
    guard text.count - position >= literal.utf8CodeUnitCount,
      memcmp(text.baseAddress! + position, literal.utf8Start, literal.utf8CodeUnitCount) == 0
    else { return false }
    position += literal.utf8CodeUnitCount
    return true
  }
}
