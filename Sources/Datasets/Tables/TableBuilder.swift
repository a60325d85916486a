// Collects rows into columns: each value is judged first, and a row is kept whole or not at all.

import Glibc

/// Rows of one range of a file, as columns.
final class TableBuilder {
  let columns: [ColumnBuilder]
  private(set) var rowCount = 0

  init(_ columns: [TableColumn]) { self.columns = columns.map(ColumnBuilder.init) }

  /// Takes the values that were staged as a row.
  func commit() throws(RecordProblem) {
    for column in columns where !column.isStaged && column.column.isRequired {
      throw RecordProblem(message: "\"\(column.column.name)\" is missing")
    }
    for column in columns { try column.checkText() }
    for column in columns { column.commit(row: rowCount) }
    rowCount += 1
  }

  /// Forgets what was staged.
  func discard() {
    for column in columns { column.discard() }
  }

  /// The rows of several ranges, one after the other. Takes their memory away as it goes.
  static func joined(_ builders: [TableBuilder]) -> Table {
    let rowCount = builders.reduce(0) { $0 + $1.rowCount }
    let columns = builders[0].columns.indices.map { index in
      ColumnBuilder.joined(builders.map { ($0.columns[index], $0.rowCount) }, rowCount: rowCount)
    }
    return Table(rowCount: rowCount, columns: columns)
  }
}

/// The values of one column, and the one that the row being read has for it.
final class ColumnBuilder {
  let column: TableColumn
  /// Whether the row being read has a value.
  private(set) var isStaged = false
  /// Valid until the record ends.
  private var text = UnsafeRawBufferPointer(start: nil, count: 0)
  private var number: Float = 0
  private var time: Int64 = 0
  private var list: [Int32] = []

  // Rows before the first value are written down only when one comes.
  private var texts = ByteDictionary()
  private var places: [Int32] = []
  private var offsets: [Int] = []
  private var numbers: [Float] = []
  private var times: [Int64] = []
  private var isAbsent = true

  init(_ column: TableColumn) { self.column = column }

  func discard() {
    isStaged = false
    list.removeAll(keepingCapacity: true)
  }

  /// Stages a text: an id as it is, a number or a time from its digits. Empty is missing.
  func stage(text: UnsafeRawBufferPointer) throws(RecordProblem) {
    guard !text.isEmpty else {
      if column.isRequired { throw RecordProblem(message: "\"\(column.name)\" is empty") }
      return
    }
    switch column.content {
    case .ids: self.text = text
    case .idLists: throw wrongKind("text", expected: "a list of strings")
    case .numbers(let minimum):
      guard let number = DecimalText.double(text) else {
        throw RecordProblem(message: "\"\(column.name)\" is \(Self.quoted(text)), not a number")
      }
      try stage(checked: number, above: minimum)
    case .times:
      if let number = DecimalText.double(text) {
        time = try Self.seconds(number, whole: DecimalText.integer(text), name: column.name)
      } else if let timestamp = Timestamp(utf8: text) {
        time = Self.floored(timestamp.microseconds, by: 1_000_000)
      } else {
        throw RecordProblem(
          message:
            "\"\(column.name)\" is \(Self.quoted(text)), neither seconds (or milliseconds) since 1970 nor a date "
            + "such as 2026-01-31T08:30:00Z")
      }
    }
    isStaged = true
  }

  /// Stages a number of a form that has numbers.
  func stage(number: Double, whole: Int64?) throws(RecordProblem) {
    switch column.content {
    case .ids:
      throw RecordProblem(
        message: "\"\(column.name)\" must be a string, found a number; write it in quotes, "
          + "\"\(whole.map(String.init) ?? "\(number)")\"")
    case .idLists: throw wrongKind("a number", expected: "a list of strings")
    case .numbers(let minimum): try stage(checked: number, above: minimum)
    case .times: time = try Self.seconds(number, whole: whole, name: column.name)
    }
    isStaged = true
  }

  /// Stages one more element of a list.
  func stage(element: UnsafeRawBufferPointer) throws(RecordProblem) {
    guard case .idLists = column.content else { throw wrongKind("an array", expected: expectedKind) }
    guard !element.isEmpty else {
      throw RecordProblem(message: "\"\(column.name)[\(list.count)]\" is an empty string")
    }
    guard UTF8Check.isValid(element) else { throw UTF8Check.problem(column.name) }
    // A row that is refused later leaves its ids behind; nothing refers to them.
    list.append(texts.insert(element))
  }

  /// Stages a list, its elements staged before.
  func stageList() { isStaged = true }

  func wrongKind(_ found: String, expected: String? = nil) -> RecordProblem {
    RecordProblem(message: "\"\(column.name)\" must be \(expected ?? expectedKind), found \(found)")
  }

  private var expectedKind: String {
    switch column.content {
    case .ids: "a string"
    case .idLists: "an array of strings"
    case .numbers: "a number"
    case .times: "a number or a date"
    }
  }

  private func stage(checked number: Double, above minimum: Float?) throws(RecordProblem) {
    let narrow = Float(number)
    guard narrow.isFinite else {
      throw RecordProblem(message: "\"\(column.name)\" is \(number), which is beyond a 32-bit float's range")
    }
    if let minimum, narrow <= minimum {
      throw RecordProblem(
        message: "\"\(column.name)\" is \(Self.plain(number)); it must be above \(Self.plain(Double(minimum)))")
    }
    self.number = narrow
  }

  private static func plain(_ number: Double) -> String { Int64(exactly: number).map(String.init) ?? "\(number)" }

  /// - Parameter whole: the number where it is whole, with all its digits.
  private static func seconds(_ number: Double, whole: Int64?, name: String) throws(RecordProblem) -> Int64 {
    let magnitude = number.magnitude
    let unit: Int64 = magnitude < 1e11 ? 1 : magnitude < 1e14 ? 1_000 : magnitude < 1e17 ? 1_000_000 : 1_000_000_000
    guard magnitude < 9.2e18 else {
      throw RecordProblem(message: "\"\(name)\" is \(number), which is no time: too large even for nanoseconds")
    }
    return floored(whole ?? Int64(number.rounded(.down)), by: unit)
  }

  private static func floored(_ number: Int64, by divisor: Int64) -> Int64 {
    number >= 0 ? number / divisor : -((divisor - 1 - number) / divisor)
  }

  private static func quoted(_ text: UnsafeRawBufferPointer) -> String {
    "\"\(String(decoding: text, as: UTF8.self).shortened)\""
  }

  /// Before anything of the row is kept: an id that is new must be text.
  func checkText() throws(RecordProblem) {
    guard isStaged, case .ids = column.content, texts.number(of: text) == nil else { return }
    guard UTF8Check.isValid(text) else { throw UTF8Check.problem(column.name) }
  }

  /// Takes what is staged as the value of `row`, the next one.
  func commit(row: Int) {
    if isAbsent {
      guard isStaged else { return }
      isAbsent = false
      switch column.content {
      case .ids: places = Array(repeating: -1, count: row)
      case .idLists: offsets = Array(repeating: 0, count: row + 1)
      case .numbers: numbers = Array(repeating: .nan, count: row)
      case .times: times = Array(repeating: .min, count: row)
      }
    }
    switch column.content {
    case .ids: places.append(isStaged ? texts.insert(text) : -1)
    case .idLists:
      places.append(contentsOf: list)
      offsets.append(places.count)
      list.removeAll(keepingCapacity: true)
    case .numbers: numbers.append(isStaged ? number : .nan)
    case .times: times.append(isStaged ? time : .min)
    }
    isStaged = false
  }

  static func joined(_ parts: [(builder: ColumnBuilder, rowCount: Int)], rowCount: Int) -> Table.Values {
    if parts.allSatisfy(\.builder.isAbsent) { return .absent }
    if parts.count == 1 { return parts[0].builder.takeValues() }
    switch parts[0].builder.column.content {
    case .ids:
      let (places, texts) = joinedPlaces(parts, count: rowCount)
      return .ids(places: places, texts: texts)
    case .idLists:
      let (places, texts) = joinedPlaces(parts, count: parts.reduce(0) { $0 + $1.builder.places.count })
      var offsets = [0]
      offsets.reserveCapacity(rowCount + 1)
      for (builder, rows) in parts {
        let start = offsets.last!
        if builder.isAbsent {
          offsets.append(contentsOf: repeatElement(start, count: rows))
        } else {
          offsets.append(contentsOf: builder.offsets.dropFirst().lazy.map { start + $0 })
        }
      }
      return .idLists(offsets: offsets, places: places, texts: texts)
    case .numbers:
      return .numbers(joinedValues(parts, count: rowCount, missing: .nan) { builder in take(&builder.numbers) })
    case .times:
      return .times(joinedValues(parts, count: rowCount, missing: .min) { builder in take(&builder.times) })
    }
  }

  private func takeValues() -> Table.Values {
    switch column.content {
    case .ids: .ids(places: take(&places), texts: texts.strings)
    case .idLists: .idLists(offsets: take(&offsets), places: take(&places), texts: texts.strings)
    case .numbers: .numbers(take(&numbers))
    case .times: .times(take(&times))
    }
  }

  /// The places of all parts, in one numbering of texts.
  private static func joinedPlaces(
    _ parts: [(builder: ColumnBuilder, rowCount: Int)], count: Int
  ) -> (places: [Int32], texts: [String]) {
    var texts = ByteDictionary()
    var joined: [Int32] = []
    joined.reserveCapacity(count)
    for (builder, rows) in parts {
      if builder.isAbsent {
        if case .ids = builder.column.content { joined.append(contentsOf: repeatElement(-1, count: rows)) }
        continue
      }
      let places = take(&builder.places)
      if texts.count == 0 {
        texts = builder.texts
        joined.append(contentsOf: places)
        continue
      }
      var placeOf: [Int32] = []
      placeOf.reserveCapacity(builder.texts.count)
      builder.texts.forEachText { placeOf.append(texts.insert($0)) }
      joined.append(contentsOf: places.lazy.map { $0 < 0 ? -1 : placeOf[Int($0)] })
    }
    return (joined, texts.strings)
  }

  private static func joinedValues<Value>(
    _ parts: [(builder: ColumnBuilder, rowCount: Int)], count: Int, missing: Value,
    values: (ColumnBuilder) -> [Value]
  ) -> [Value] {
    var joined: [Value] = []
    joined.reserveCapacity(count)
    for (builder, rows) in parts {
      if builder.isAbsent {
        joined.append(contentsOf: repeatElement(missing, count: rows))
      } else {
        joined.append(contentsOf: values(builder))
      }
    }
    return joined
  }
}

/// The value, an empty array left in its place.
private func take<Element>(_ array: inout [Element]) -> [Element] {
  let value = array
  array = []
  return value
}

/// Whether bytes are text.
enum UTF8Check {
  static func isValid(_ text: UnsafeRawBufferPointer) -> Bool {
    // Most ids are ASCII.
    text.allSatisfy { $0 < 0x80 } || String(validating: text, as: UTF8.self) != nil
  }

  static func problem(_ name: String) -> RecordProblem {
    RecordProblem(message: "\"\(name)\" is not valid UTF-8; convert the file, or write it anew as UTF-8")
  }
}
