// Collects rows into columns: each value is judged first, and a row is kept whole or not at all.

import Glibc

/// Rows of one range of a file, as columns.
final class TableBuilder {
  /// In memory of their own: a row touches every column several times, and through a pointer that needs no counting of
  /// references and no checks of exclusive access.
  let columns: UnsafeMutableBufferPointer<ColumnBuilder>
  private(set) var rowCount = 0
  private let keepsLines: Bool
  private var lines: [Int] = []

  /// - Parameter keepsLines: whether each row's line is to be kept.
  init(_ columns: [TableColumn], keepsLines: Bool) {
    self.keepsLines = keepsLines
    self.columns = .allocate(capacity: columns.count)
    for (index, column) in columns.enumerated() {
      self.columns.initializeElement(at: index, to: ColumnBuilder(column))
    }
  }

  deinit {
    columns.deinitialize()
    columns.deallocate()
  }

  /// Takes the values that were staged as a row, which begins on `line`.
  func commit(line: Int) throws(RecordProblem) {
    for index in 0..<columns.count { try columns[index].checkStaged() }
    for index in 0..<columns.count { columns[index].commit(row: rowCount) }
    rowCount += 1
    if keepsLines { lines.append(line) }
  }

  /// Forgets what was staged.
  func discard() {
    for index in 0..<columns.count { columns[index].discard() }
  }

  /// The rows so far, with the lines before them; what comes next begins anew.
  func takeTable(linesBefore: Int) -> Table {
    let table = Self.joined([(self, linesBefore)])
    for index in 0..<columns.count { columns[index] = ColumnBuilder(columns[index].column) }
    rowCount = 0
    lines.removeAll(keepingCapacity: true)
    return table
  }

  /// The rows of several ranges, one after the other, each with the lines before it. Takes their memory away as it goes.
  static func joined(_ ranges: [(builder: TableBuilder, linesBefore: Int)]) -> Table {
    let rowCount = ranges.reduce(0) { $0 + $1.builder.rowCount }
    let columns = (0..<ranges[0].builder.columns.count).map { index in
      ColumnBuilder.joined(
        ranges.map { (builder: $0.builder.columns.baseAddress! + index, rowCount: $0.builder.rowCount) },
        rowCount: rowCount)
    }
    let lines = ranges.flatMap { range in range.builder.lines.lazy.map { $0 + range.linesBefore } }
    return Table(rowCount: rowCount, columns: columns, lines: lines)
  }
}

/// The values of one column, and the one that the row being read has for it.
struct ColumnBuilder {
  let column: TableColumn
  private let content: TableColumn.Content
  private let isRequired: Bool
  /// Whether the row being read has a value.
  private(set) var isStaged = false
  /// Valid until the record ends.
  private var text = UnsafeRawBufferPointer(start: nil, count: 0)
  private var place = ByteDictionary.Place()
  private var number: Float = 0
  private var time: Int64 = 0
  private var list: [Int32] = []
  /// Where the digits of a number that is carried along are; -1 where it is none.
  private var carriedPlace: Int32 = -1

  // Rows before the first value are written down only when one comes.
  private var texts = ByteDictionary()
  private var places: [Int32] = []
  private var offsets: [Int] = []
  private var numbers: [Float] = []
  private var times: [Int64] = []
  private var isAbsent = true

  init(_ column: TableColumn) {
    self.column = column
    content = column.content
    isRequired = column.isRequired
  }

  mutating func discard() {
    isStaged = false
    carriedPlace = -1
    if !list.isEmpty { list.removeAll(keepingCapacity: true) }
  }

  /// Stages a text: an id as it is, a number or a time from its digits. Empty is missing.
  mutating func stage(text: UnsafeRawBufferPointer) throws(RecordProblem) {
    guard !text.isEmpty else {
      if isRequired { throw RecordProblem(message: "\"\(column.name)\" is empty") }
      return
    }
    switch content {
    case .ids, .texts, .carried: self.text = text
    case .idLists: throw wrongKind("text", expected: "a list of strings")
    case .numbers(let minimum):
      guard let number = DecimalText.double(text) else {
        throw RecordProblem(message: "\"\(column.name)\" is \(Self.quoted(text)), not a number")
      }
      try stage(checked: number, above: minimum)
    case .times:
      if let number = DecimalText.double(text) {
        time = try seconds(number, whole: DecimalText.integer(text))
      } else if let timestamp = Timestamp(utf8: text) {
        time = Moments.floored(timestamp.microseconds, by: 1_000_000)
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
  mutating func stage(number: Double, whole: Int64?) throws(RecordProblem) {
    switch content {
    case .ids, .texts:
      throw RecordProblem(
        message: "\"\(column.name)\" must be a string, found a number; write it in quotes, "
          + "\"\(whole.map(String.init) ?? "\(number)")\"")
    case .idLists: throw wrongKind("a number", expected: "a list of strings")
    case .carried:
      // The digits are nobody's memory, so they are kept at once; a row that is refused later leaves them behind.
      var digits = whole.map(String.init) ?? "\(number)"
      carriedPlace = digits.withUTF8 { texts.insert(UnsafeRawBufferPointer($0)) }
    case .numbers(let minimum): try stage(checked: number, above: minimum)
    case .times: time = try seconds(number, whole: whole)
    }
    isStaged = true
  }

  /// Stages one more element of a list.
  mutating func stage(element: UnsafeRawBufferPointer) throws(RecordProblem) {
    guard case .idLists = content else { throw wrongKind("an array", expected: expectedKind) }
    guard !element.isEmpty else {
      throw RecordProblem(message: "\"\(column.name)[\(list.count)]\" is an empty string")
    }
    guard UTF8Check.isValid(element) else { throw UTF8Check.problem(column.name) }
    // A row that is refused later leaves its ids behind; nothing refers to them.
    list.append(texts.insert(element))
  }

  /// Stages a list, its elements staged before.
  mutating func stageList() { isStaged = true }

  func wrongKind(_ found: String, expected: String? = nil) -> RecordProblem {
    RecordProblem(message: "\"\(column.name)\" must be \(expected ?? expectedKind), found \(found)")
  }

  private var expectedKind: String {
    switch content {
    case .ids, .texts: "a string"
    case .carried: "a string or a number"
    case .idLists: "an array of strings"
    case .numbers: "a number"
    case .times: "a number or a date"
    }
  }

  private mutating func stage(checked number: Double, above minimum: Float?) throws(RecordProblem) {
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
  private func seconds(_ number: Double, whole: Int64?) throws(RecordProblem) -> Int64 {
    guard number.magnitude < 9.2e18 else {
      throw RecordProblem(message: "\"\(column.name)\" is \(number), which is no time: too large even for nanoseconds")
    }
    return Moments.seconds(ofWhole: whole ?? Int64(number.rounded(.down)))
  }

  private static func quoted(_ text: UnsafeRawBufferPointer) -> String {
    "\"\(String(decoding: text, as: UTF8.self).shortened)\""
  }

  /// Before anything of the row is kept: what is required must be there, and an id that is new must be text.
  mutating func checkStaged() throws(RecordProblem) {
    guard isStaged else {
      if isRequired { throw RecordProblem(message: "\"\(column.name)\" is missing") }
      return
    }
    switch content {
    case .ids, .texts: break
    case .carried: if carriedPlace >= 0 { return }
    case .idLists, .numbers, .times: return
    }
    place = texts.find(text)
    guard place.isNew else { return }
    guard UTF8Check.isValid(text) else { throw UTF8Check.problem(column.name) }
    if content == .texts, UTF8Check.isBlank(text) {
      throw RecordProblem(message: UTF8Check.blankProblem(column.name))
    }
  }

  /// Takes what is staged as the value of `row`, the next one.
  mutating func commit(row: Int) {
    if isAbsent {
      guard isStaged else { return }
      isAbsent = false
      switch content {
      case .ids, .texts, .carried: places = Array(repeating: -1, count: row)
      case .idLists: offsets = Array(repeating: 0, count: row + 1)
      case .numbers: numbers = Array(repeating: .nan, count: row)
      case .times: times = Array(repeating: .min, count: row)
      }
    }
    switch content {
    case .ids, .texts: places.append(isStaged ? texts.insert(text, at: place) : -1)
    case .carried:
      places.append(!isStaged ? -1 : carriedPlace >= 0 ? carriedPlace : texts.insert(text, at: place))
      carriedPlace = -1
    case .idLists:
      places.append(contentsOf: list)
      offsets.append(places.count)
      list.removeAll(keepingCapacity: true)
    case .numbers: numbers.append(isStaged ? number : .nan)
    case .times: times.append(isStaged ? time : .min)
    }
    isStaged = false
  }

  static func joined(_ parts: [(builder: UnsafeMutablePointer<ColumnBuilder>, rowCount: Int)], rowCount: Int)
    -> Table.Values
  {
    if parts.allSatisfy(\.builder.pointee.isAbsent) { return .absent }
    if parts.count == 1 { return parts[0].builder.pointee.takeValues() }
    switch parts[0].builder.pointee.content {
    case .ids, .texts, .carried:
      let (places, texts) = joinedPlaces(parts, count: rowCount)
      return .ids(places: places, texts: texts)
    case .idLists:
      let (places, texts) = joinedPlaces(parts, count: parts.reduce(0) { $0 + $1.builder.pointee.places.count })
      var offsets = [0]
      offsets.reserveCapacity(rowCount + 1)
      for (builder, rows) in parts {
        let start = offsets.last!
        if builder.pointee.isAbsent {
          offsets.append(contentsOf: repeatElement(start, count: rows))
        } else {
          offsets.append(contentsOf: builder.pointee.offsets.dropFirst().lazy.map { start + $0 })
        }
      }
      return .idLists(offsets: offsets, places: places, texts: texts)
    case .numbers:
      return .numbers(joinedValues(parts, count: rowCount, missing: .nan) { builder in take(&builder.pointee.numbers) })
    case .times:
      return .times(joinedValues(parts, count: rowCount, missing: .min) { builder in take(&builder.pointee.times) })
    }
  }

  private mutating func takeValues() -> Table.Values {
    switch content {
    case .ids, .texts, .carried: .ids(places: take(&places), texts: texts.strings)
    case .idLists: .idLists(offsets: take(&offsets), places: take(&places), texts: texts.strings)
    case .numbers: .numbers(take(&numbers))
    case .times: .times(take(&times))
    }
  }

  /// The places of all parts, in one numbering of texts.
  private static func joinedPlaces(
    _ parts: [(builder: UnsafeMutablePointer<ColumnBuilder>, rowCount: Int)], count: Int
  ) -> (places: [Int32], texts: [String]) {
    var texts = ByteDictionary()
    var joined: [Int32] = []
    joined.reserveCapacity(count)
    for (builder, rows) in parts {
      if builder.pointee.isAbsent {
        if builder.pointee.content != .idLists { joined.append(contentsOf: repeatElement(-1, count: rows)) }
        continue
      }
      let places = take(&builder.pointee.places)
      if texts.count == 0 {
        texts = builder.pointee.texts
        joined.append(contentsOf: places)
        continue
      }
      var placeOf: [Int32] = []
      placeOf.reserveCapacity(builder.pointee.texts.count)
      builder.pointee.texts.visitAll { placeOf.append(texts.insert($0)) }
      joined.append(contentsOf: places.lazy.map { $0 < 0 ? -1 : placeOf[Int($0)] })
    }
    return (joined, texts.strings)
  }

  private static func joinedValues<Value>(
    _ parts: [(builder: UnsafeMutablePointer<ColumnBuilder>, rowCount: Int)], count: Int, missing: Value,
    values: (UnsafeMutablePointer<ColumnBuilder>) -> [Value]
  ) -> [Value] {
    var joined: [Value] = []
    joined.reserveCapacity(count)
    for (builder, rows) in parts {
      if builder.pointee.isAbsent {
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
package enum UTF8Check {
  static func isValid(_ text: UnsafeRawBufferPointer) -> Bool {
    // Most ids are ASCII.
    text.allSatisfy { $0 < 0x80 } || String(validating: text, as: UTF8.self) != nil
  }

  /// Whether a text, known to be UTF-8, shows nothing.
  package static func isBlank(_ text: UnsafeRawBufferPointer) -> Bool {
    if text.contains(where: { (0x21...0x7E).contains($0) }) { return false }
    return String(decoding: text, as: UTF8.self).unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format: true
      default: scalar.properties.isWhitespace
      }
    }
  }

  static func blankProblem(_ name: String) -> String {
    "\"\(name)\" is blank: white space and control characters alone"
  }

  static func problem(_ name: String) -> RecordProblem {
    RecordProblem(message: "\"\(name)\" is not valid UTF-8; convert the file, or write it anew as UTF-8")
  }
}
