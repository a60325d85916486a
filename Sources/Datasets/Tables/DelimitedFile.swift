// Files of separated fields: CSV, TSV, and what else has one record a line.

import Synchronization

/// How a delimited file is to be understood where it does not say so itself.
public struct DelimitedOptions: Sendable {
  /// Between two fields, one byte or more; nil tries a tab, `::`, a comma, a semicolon and a bar on the first line.
  public var separator: String?
  /// What the fields of a line hold, in order: names or synonyms of wanted columns; others are passed over.
  public var fieldNames: [String]
  /// Whether the first line holds names; nil looks whether it names wanted columns.
  public var hasHeader: Bool?
  /// What to take the fields for where neither a header nor `fieldNames` says it: names for the fields of the first
  /// line, or nil.
  public var guess: @Sendable ([String]) -> [String]?

  public init(
    separator: String? = nil, fieldNames: [String] = [], hasHeader: Bool? = nil,
    guess: @escaping @Sendable ([String]) -> [String]? = { _ in nil }
  ) {
    self.separator = separator
    self.fieldNames = fieldNames
    self.hasHeader = hasHeader
    self.guess = guess
  }
}

/// A delimited file, read: the wanted columns of its rows.
public struct DelimitedFile: Sendable {
  public var table: Table
  public var skipped: SkippedLines
  public let separator: String
  /// The names of the fields where they were guessed from the first line, nil where the file or the caller named them.
  public let guessedNames: [String]?

  /// Reads the wanted columns, on several threads.
  ///
  /// - Throws: where the file can't be read, has no such columns or, with `options.isStrict`, for the first bad line.
  public init(
    _ file: DataFile, columns: [TableColumn], delimited: DelimitedOptions = DelimitedOptions(),
    options: ReadOptions = ReadOptions()
  ) throws(DatasetError) {
    let text = try file.text()
    let heading = try DelimitedHeading(text, columns: columns, options: delimited)
    separator = String(decoding: heading.layout.separator, as: UTF8.self)
    guessedNames = heading.guessedNames

    let needsQuotedLines = Flag()
    let layout = heading.layout
    func read(_ form: RecordForm, quoted: Bool) throws(DatasetError) -> (table: Table, skipped: SkippedLines) {
      let read = try text.decode(options: options, form: form, heading: heading.skipped, isEmptyAllowed: true) {
        DelimitedDecoder(
          columns: columns, layout: layout, keepsLines: options.keepsLines, hasQuotedLines: quoted,
          needsQuotedLines: needsQuotedLines)
      }
      return (TableBuilder.joined(read.ranges.map { ($0.decoder.builder, $0.linesBefore) }), read.skipped)
    }
    let quotedForm = RecordForm.quotedLines(separator: layout.separator)
    if text.isPipe {
      (table, skipped) = try read(quotedForm, quoted: true)
      return
    }
    // Line breaks within quotes are rare. Without them lines can be read from anywhere, on several threads; the first
    // line with one is a record's beginning and tells, and the file is read again from its start.
    do throws(DatasetError) {
      (table, skipped) = try read(.untrimmedLines, quoted: false)
    } catch {
      guard needsQuotedLines.isSet.load(ordering: .relaxed) else { throw error }
      (table, skipped) = try read(quotedForm, quoted: true)
    }
  }
}

/// Set by any thread, looked at when all are done.
final class Flag: Sendable {
  let isSet = Atomic(false)
}

/// What the first line of a delimited file tells.
struct DelimitedHeading {
  let layout: DelimitedLayout
  /// What stands before the first record.
  let skipped: (bytes: Int, lines: Int)
  let guessedNames: [String]?

  private static let separators = ["\t", "::", ",", ";", "|"]

  init(_ file: RecordFile, columns: [TableColumn], options: DelimitedOptions) throws(DatasetError) {
    func problem(_ text: String) -> DatasetError { .badForm(path: file.path, problem: text) }
    if options.separator == "" { throw problem("can't be split at an empty separator") }
    let candidates = options.separator.map { [$0] } ?? Self.separators
    let splits = candidates.map { FirstLine(file.head, separator: Array($0.utf8)) }
    guard let first = splits.first, !first.fields.isEmpty else { throw .empty(path: file.path) }
    guard first.isWhole(of: file.head) else {
      throw problem(
        "has a first line of more than \(RecordFile.headSize) bytes; a line of separated fields was expected")
    }

    if options.hasHeader != false, options.fieldNames.isEmpty {
      let assignments = splits.map { Self.assign(columns, to: $0.fields) }
      let best = assignments.indices.max { assignments[$0].found < assignments[$1].found }!
      if assignments[best].missing.isEmpty {
        layout = DelimitedLayout(separator: splits[best].separator, columnOfField: assignments[best].columnOfField)
        skipped = splits[best].skipped
        guessedNames = nil
        return
      }
      if options.hasHeader == true || assignments[best].found > 0 {
        throw problem(
          "names no column \(Self.list(assignments[best].missing)) in its first line (it has: "
            + "\(splits[best].fields.map(\.shortened).joined(separator: ", "))); say what its columns hold, in order "
            + "or as \(assignments[best].missing[0])=name")
      }
    }

    var names = options.fieldNames
    var split: FirstLine
    var guessed: [String]?
    if names.isEmpty {
      split = splits.first { $0.fields.count > 1 } ?? first
      guard let guess = options.guess(split.fields) else {
        throw problem(
          "does not say what its columns hold: its first line is "
            + "\(split.fields.prefix(8).map { "\"\($0.shortened)\"" }.joined(separator: ", ")); name its columns in order, "
            + "such as --columns \(columns.filter(\.isRequired).map(\.name).joined(separator: ","))")
      }
      names = guess
      guessed = guess
    } else {
      guard let fitting = splits.first(where: { $0.fields.count == names.count }) else {
        split = splits.first { $0.fields.count > 1 } ?? first
        throw problem(
          "has \(split.fields.count) field\(split.fields.count == 1 ? "" : "s") in its first line (separated by "
            + "\(DelimitedLayout.name(of: split.separator))), but \(names.count) columns were named")
      }
      split = fitting
    }
    let assignment = Self.assign(columns, to: names)
    guard assignment.missing.isEmpty else {
      throw problem("needs a column \(Self.list(assignment.missing)); named were: \(names.joined(separator: ", "))")
    }
    let isHeader = options.hasHeader ?? (Self.assign(columns, to: split.fields).found > 0)
    layout = DelimitedLayout(separator: split.separator, columnOfField: assignment.columnOfField)
    skipped = isHeader ? split.skipped : (0, 0)
    guessedNames = guessed
  }

  /// Which wanted column each field holds: for each column the field with its first name, then with its synonyms.
  private static func assign(
    _ columns: [TableColumn], to names: [String]
  ) -> (columnOfField: [Int], found: Int, missing: [String]) {
    var columnOfField = [Int](repeating: -1, count: names.count)
    var found = 0
    var missing: [String] = []
    for (index, column) in columns.enumerated() {
      let field =
        if let source = column.source { names.firstIndex(of: source) } else {
          ([column.name] + column.synonyms).lazy.compactMap { name in
            names.firstIndex { $0.comparedInHeader == name.comparedInHeader }
          }.first
        }
      if let field, columnOfField[field] < 0 {
        columnOfField[field] = index
        found += 1
      } else if column.isRequired {
        missing.append(column.source ?? column.name)
      }
    }
    return (columnOfField, found, missing)
  }

  private static func list(_ names: [String]) -> String {
    names.map { "\"\($0)\"" }.joined(separator: " and ")
  }
}

extension String {
  /// As names in a header are compared: letters' case, `_`, `-` and spaces aside.
  package var comparedInHeader: String { String(lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }) }
}

/// The first line of a file that is not blank, taken apart at one separator.
private struct FirstLine {
  let separator: [UInt8]
  private(set) var fields: [String] = []
  /// Up to the end of the line, its line break included.
  private(set) var skipped = (bytes: 0, lines: 0)
  private var isClosed = false

  init(_ head: [UInt8], separator: [UInt8]) {
    self.separator = separator
    head.withUnsafeBytes { head in
      while skipped.bytes < head.count {
        let rest = UnsafeRawBufferPointer(rebasing: head[skipped.bytes...])
        var scan = QuotedLineScan(separator: separator)
        let end = scan.lineEnd(in: rest)
        isClosed = end != nil
        skipped.bytes += end.map { $0 + 1 } ?? rest.count
        skipped.lines += scan.breakCount + 1
        let line = UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.count)]).droppingCarriageReturn()
        if line.isEmpty { continue }
        separator.withUnsafeBufferPointer { separator in
          for field in DelimitedFields(line, separator: separator) {
            switch field {
            case .text(let text), .quoted(let text, _): fields.append(String(decoding: text, as: UTF8.self))
            case .unclosed, .textBehindQuote: fields.append("\"")
            }
          }
        }
        return
      }
    }
  }

  /// Whether the line ends within what was looked at.
  func isWhole(of head: [UInt8]) -> Bool { isClosed || head.count < RecordFile.headSize }
}
