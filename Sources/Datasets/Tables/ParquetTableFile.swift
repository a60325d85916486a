// Rows from a Parquet table: the wanted columns alone are read, and each becomes compact before the next one comes.

import Parquet

/// The rows of a Parquet file, as those of any other form.
public struct ParquetTableFile: Sendable {
  public var table: Table
  /// Rows that were left out; a row's number, from 1, stands for its line.
  public var skipped: SkippedLines

  /// Reads the wanted columns. Ids may be texts or whole numbers, times may be timestamps, dates, numbers or texts.
  ///
  /// - Throws: `ParquetError` where the file is damaged; `DatasetError` where a required column is not there or of a type
  ///   that can't stand for it, and, with `options.isStrict`, for the first bad row.
  public init(path: String, columns: [TableColumn], options: ReadOptions = ReadOptions()) throws {
    let file = try ParquetFile(
      path: path, options: ParquetReadOptions(threads: options.threadCount ?? ParquetReadOptions().threads))
    (table, skipped) = try Self.rows(of: file, in: file, columns: columns, options: options)
  }

  /// Calls `body` with the rows of each row group, numbered through the file; rows that are left out are counted in
  /// `skipped`.
  static func pieces(
    path: String, columns: [TableColumn], options: ReadOptions, skipped: inout SkippedLines,
    body: (Table) throws -> Void
  ) throws {
    let file = try ParquetFile(
      path: path, options: ParquetReadOptions(threads: options.threadCount ?? ParquetReadOptions().threads))
    var rowsBefore = 0
    for group in file.rowGroups {
      var (table, left) = try rows(of: group, in: file, columns: columns, options: options)
      table.lines = table.lines.map { $0 + rowsBefore }
      for problem in left.examples {
        skipped.add(
          LineProblem(line: problem.line + rowsBefore, message: problem.message), keeping: options.keptProblems)
      }
      skipped.count += left.count - left.examples.count
      rowsBefore += group.rowCount
      try body(table)
    }
  }

  /// The rows of a file, or of one row group of it.
  private static func rows(
    of source: some ParquetColumns, in file: ParquetFile, columns: [TableColumn], options: ReadOptions
  ) throws -> (table: Table, skipped: SkippedLines) {
    let path = file.path
    let fields = file.schema.columns
    var parts: [ParquetPart?] = []
    var missing: [String] = []
    for column in columns {
      let field =
        if let source = column.source { fields.first { $0.name == source } } else {
          ([column.name] + column.synonyms).lazy.compactMap { name in
            fields.first { $0.name.comparedInHeader == name.comparedInHeader && !$0.isList }
          }.first
        }
      guard let field else {
        if column.isRequired { missing.append(column.source ?? column.name) }
        parts.append(nil)
        continue
      }
      parts.append(try ParquetPart(column, field: field, of: source, path: path))
    }
    guard missing.isEmpty else {
      throw DatasetError.badForm(
        path: path,
        problem: "has no column \(missing.map { "\"\($0)\"" }.joined(separator: " and ")) (it has: "
          + "\(fields.map(\.name).joined(separator: ", "))); say what its columns are called, as in \(missing[0])=name")
    }

    // Bad rows of any column leave every column.
    var skipped = SkippedLines()
    var lines = options.keepsLines ? (0..<source.rowCount).map { $0 + 1 } : []
    let problems = parts.compactMap { $0?.problems }.flatMap(\.self)
    if !problems.isEmpty {
      var isBad = [Bool](repeating: false, count: source.rowCount)
      for problem in problems.sorted(by: { $0.line < $1.line }) where !isBad[problem.line - 1] {
        if options.isStrict { throw DatasetError.badLine(path: path, problem: problem) }
        isBad[problem.line - 1] = true
        skipped.add(problem, keeping: options.keptProblems)
      }
      for index in parts.indices { parts[index]?.values.keepRows { !isBad[$0] } }
      lines = lines.filter { !isBad[$0 - 1] }
    }
    let table = Table(
      rowCount: source.rowCount - skipped.count, columns: parts.map { $0?.values ?? .absent }, lines: lines)
    return (table, skipped)
  }
}

/// What columns are read from: a file, or one row group of it.
private protocol ParquetColumns {
  var rowCount: Int { get }
  func column<Value: ParquetValue>(_ name: String, as type: Value.Type) throws -> ParquetColumn<Value>
  func timestamps(_ name: String, in unit: ParquetTimeUnit, roundingDown: Bool) throws -> ParquetColumn<Int64>
}

extension ParquetFile: ParquetColumns {}
extension ParquetRowGroup: ParquetColumns {}

/// One column as it was found, and the rows that have no usable value in it.
private struct ParquetPart {
  var values: Table.Values
  private(set) var problems: [LineProblem] = []

  init(
    _ column: TableColumn, field: ParquetField, of file: some ParquetColumns, path: String
  ) throws {
    func wrongType() -> DatasetError {
      let expected =
        switch column.content {
        case .ids, .texts, .carried, .idLists: "text or whole numbers"
        case .numbers: "numbers"
        case .times: "timestamps, dates, whole numbers or text"
        }
      return .badForm(path: path, problem: "has \(field) where \(expected) were expected")
    }
    values = .absent
    switch (column.content, field.type) {
    case (.ids, .string), (.texts, .string), (.carried, .string):
      let texts = try file.column(field.name, as: String.self)
      takeTexts(texts, column: column)
    case (.ids, .integer(let bits, let isSigned)), (.carried, .integer(let bits, let isSigned)):
      if bits == 64, !isSigned {
        let numbers = try file.column(field.name, as: UInt64.self)
        takeNumbers(numbers, column: column) {
          Int64(bitPattern: $0)
        } text: {
          "\(UInt64(bitPattern: $0))"
        }
      } else if bits == 32, !isSigned {
        // Half the memory of 64 bits while the column is held.
        takeNumbers(try file.column(field.name, as: UInt32.self), column: column) {
          Int64($0)
        } text: {
          "\($0)"
        }
      } else {
        takeNumbers(try file.column(field.name, as: Int64.self), column: column) {
          $0
        } text: {
          "\($0)"
        }
      }
    case (.numbers(let minimum), .integer(let bits, let isSigned)):
      if bits == 64, !isSigned {
        takeStrengths(try file.column(field.name, as: UInt64.self), column: column, above: minimum) { Float($0) }
      } else {
        takeStrengths(try file.column(field.name, as: Int64.self), column: column, above: minimum) { Float($0) }
      }
    case (.numbers(let minimum), .float), (.numbers(let minimum), .float16):
      takeStrengths(try file.column(field.name, as: Float.self), column: column, above: minimum) { $0 }
    case (.numbers(let minimum), .double):
      takeStrengths(try file.column(field.name, as: Double.self), column: column, above: minimum) { Float($0) }
    case (.times, .timestamp), (.times, .date):
      let times = try file.timestamps(field.name, in: .seconds, roundingDown: true)
      takeTimes(times, column: column) { value, _ in value }
    case (.times, .integer(let bits, let isSigned)) where bits < 64 || isSigned:
      takeTimes(try file.column(field.name, as: Int64.self), column: column) { value, _ in
        Moments.seconds(ofWhole: value)
      }
    case (.times, .string):
      takeTimes(try file.column(field.name, as: String.self), column: column) { value, _ in Moments.seconds(of: value) }
    default: throw wrongType()
    }
  }

  private mutating func miss(_ row: Int, _ column: TableColumn) {
    if column.isRequired {
      problems.append(LineProblem(line: row + 1, message: "\"\(column.name)\" is missing"))
    }
  }

  private mutating func takeTexts(_ texts: ParquetColumn<String>, column: TableColumn) {
    var dictionary = ByteDictionary()
    var places: [Int32] = []
    places.reserveCapacity(texts.rowCount)
    for row in 0..<texts.rowCount {
      guard texts.validity?[row] != false else {
        miss(row, column)
        places.append(-1)
        continue
      }
      var text = texts.values[row]
      let place = text.withUTF8 { $0.isEmpty ? -1 : dictionary.insert(UnsafeRawBufferPointer($0)) }
      if place < 0, column.isRequired {
        problems.append(LineProblem(line: row + 1, message: "\"\(column.name)\" is empty"))
      } else if column.content == .texts,
        text.withUTF8({ UTF8Check.isBlank(UnsafeRawBufferPointer($0)) })
      {
        problems.append(LineProblem(line: row + 1, message: UTF8Check.blankProblem(column.name)))
      }
      places.append(place)
    }
    values = .ids(places: places, texts: dictionary.strings)
  }

  private mutating func takeNumbers<Value: ParquetValue>(
    _ numbers: ParquetColumn<Value>, column: TableColumn, key: (Value) -> Int64, text: (Int64) -> String
  ) {
    var dictionary = NumberDictionary()
    let places = [Int32](unsafeUninitializedCapacity: numbers.rowCount) { places, count in
      for row in 0..<numbers.rowCount {
        if let validity = numbers.validity, !validity[row] {
          miss(row, column)
          places[row] = -1
        } else {
          places[row] = dictionary.insert(key(numbers.values[row]))
        }
      }
      count = numbers.rowCount
    }
    values = .ids(places: places, texts: dictionary.numbers.map(text))
  }

  private mutating func takeStrengths<Value: ParquetValue>(
    _ numbers: ParquetColumn<Value>, column: TableColumn, above minimum: Float?, number: (Value) -> Float
  ) {
    let strengths = [Float](unsafeUninitializedCapacity: numbers.rowCount) { strengths, count in
      for row in 0..<numbers.rowCount {
        strengths[row] = .nan
        if let validity = numbers.validity, !validity[row] {
          miss(row, column)
          continue
        }
        let value = number(numbers.values[row])
        if !value.isFinite {
          problems.append(
            LineProblem(line: row + 1, message: "\"\(column.name)\" is \(value), not a finite number of 32 bits"))
        } else if let minimum, value <= minimum {
          problems.append(
            LineProblem(line: row + 1, message: "\"\(column.name)\" is \(value); it must be above \(minimum)"))
        } else {
          strengths[row] = value
        }
      }
      count = numbers.rowCount
    }
    values = .numbers(strengths)
  }

  /// - Parameter seconds: of a value; nil where it is no time.
  private mutating func takeTimes<Value: ParquetValue>(
    _ times: ParquetColumn<Value>, column: TableColumn, seconds: (Value, Int) -> Int64?
  ) {
    let moments = [Int64](unsafeUninitializedCapacity: times.rowCount) { moments, count in
      for row in 0..<times.rowCount {
        moments[row] = .min
        if let validity = times.validity, !validity[row] {
          miss(row, column)
        } else if let value = seconds(times.values[row], row) {
          moments[row] = value
        } else {
          problems.append(
            LineProblem(
              line: row + 1,
              message:
                "\"\(column.name)\" is \"\("\(times.values[row])".shortened)\", neither seconds (or milliseconds) "
                + "since 1970 nor a date such as 2026-01-31T08:30:00Z"))
        }
      }
      count = times.rowCount
    }
    values = .times(moments)
  }
}

extension Table.Values {
  /// Leaves out rows, and ids that only they have.
  fileprivate mutating func keepRows(_ isKept: (Int) -> Bool) {
    func kept<Value>(_ values: [Value]) -> [Value] { values.indices.filter(isKept).map { values[$0] } }
    switch self {
    case .absent, .idLists: break
    case .ids(let places, let texts):
      var newPlace = [Int32](repeating: -1, count: texts.count)
      var used: [String] = []
      let renumbered = kept(places).map { place -> Int32 in
        guard place >= 0 else { return -1 }
        if newPlace[Int(place)] < 0 {
          newPlace[Int(place)] = Int32(used.count)
          used.append(texts[Int(place)])
        }
        return newPlace[Int(place)]
      }
      self = .ids(places: renumbered, texts: used)
    case .numbers(let numbers): self = .numbers(kept(numbers))
    case .times(let times): self = .times(kept(times))
    }
  }
}

/// Distinct whole numbers, numbered in the order in which they first come.
struct NumberDictionary {
  private(set) var numbers: [Int64] = []
  /// The place of a number plus one, 0 for an empty slot; a power of two of them, at most half full.
  private var slots = [Int32](repeating: 0, count: 64)

  /// Not the same in every process, so that no file can be made whose numbers collide.
  private let seed = Self.seed
  private static let seed: UInt64 = .random(in: .min ... .max)

  mutating func insert(_ number: Int64) -> Int32 {
    var slot = find(number)
    if slots[slot] > 0 { return slots[slot] - 1 }
    numbers.append(number)
    if numbers.count * 2 > slots.count {
      slots = [Int32](repeating: 0, count: slots.count * 2)
      for place in 0..<numbers.count - 1 { slots[find(numbers[place])] = Int32(place) + 1 }
      slot = find(number)
    }
    slots[slot] = Int32(numbers.count)
    return Int32(numbers.count) - 1
  }

  private func find(_ number: Int64) -> Int {
    let product = (UInt64(bitPattern: number) ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: product.high ^ product.low) & mask
    while slots[slot] > 0, numbers[Int(slots[slot]) - 1] != number { slot = (slot + 1) & mask }
    return slot
  }
}
