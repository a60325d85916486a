// Lines of separated fields (CSV, TSV) to rows.

import Glibc

/// How the lines of a delimited file are to be read.
struct DelimitedLayout: Sendable {
  var separator: [UInt8]
  /// For each field of a line the wanted column that it holds; -1 for none.
  var columnOfField: [Int]
}

/// Takes lines apart (RFC 4180; a quote counts only at the beginning of a field) and stages the wanted fields.
final class DelimitedDecoder: RecordDecoder {
  let builder: TableBuilder
  /// Set where a field holds a line break: lines are not records in this file then.
  private let needsQuotedLines: Flag
  private let layout: DelimitedLayout
  private let separator: UnsafeMutableBufferPointer<UInt8>
  private let columnOfField: UnsafeMutableBufferPointer<Int>
  /// Whether records come with the line breaks of their quoted fields.
  private let hasQuotedLines: Bool
  /// Fields with doubled quotes, undoubled; they live until the row is committed.
  private var unescaped: [UnsafeMutableRawBufferPointer] = []

  init(
    columns: [TableColumn], layout: DelimitedLayout, keepsLines: Bool, hasQuotedLines: Bool, needsQuotedLines: Flag
  ) {
    self.needsQuotedLines = needsQuotedLines
    builder = TableBuilder(columns, keepsLines: keepsLines)
    self.layout = layout
    self.hasQuotedLines = hasQuotedLines
    separator = .allocate(capacity: layout.separator.count)
    _ = separator.initialize(from: layout.separator)
    columnOfField = .allocate(capacity: layout.columnOfField.count)
    _ = columnOfField.initialize(from: layout.columnOfField)
  }

  deinit {
    separator.deallocate()
    columnOfField.deallocate()
  }

  func decode(_ record: UnsafeRawBufferPointer, line: Int) throws(RecordProblem) {
    defer {
      if !unescaped.isEmpty {
        for buffer in unescaped { buffer.deallocate() }
        unescaped.removeAll()
      }
    }
    do throws(RecordProblem) { try take(record, line: line) } catch {
      builder.discard()
      throw error
    }
  }

  private func take(_ record: UnsafeRawBufferPointer, line: Int) throws(RecordProblem) {
    let columns = builder.columns
    var fields = DelimitedFields(record, separator: UnsafeBufferPointer(separator))
    var count = 0
    while let field = fields.next() {
      if count < columnOfField.count, case let column = columnOfField[count], column >= 0 {
        switch field {
        case .text(let text): try columns[column].stage(text: text)
        case .quoted(let text, let hasDoubledQuotes):
          try columns[column].stage(text: hasDoubledQuotes ? undoubled(text) : text)
        case .unclosed, .textBehindQuote: break
        }
      }
      switch field {
      case .text, .quoted: break
      case .unclosed:
        if !hasQuotedLines {
          needsQuotedLines.isSet.store(true, ordering: .relaxed)
          throw RecordProblem(message: "a quoted field goes on behind the end of the line", isFatal: true)
        }
        throw RecordProblem(message: "a quotation mark is opened and never closed")
      case .textBehindQuote: throw RecordProblem(message: "text behind the closing quotation mark of a field")
      }
      count += 1
    }
    guard count == columnOfField.count else {
      throw RecordProblem(
        message: "has \(count) field\(count == 1 ? "" : "s"), expected \(columnOfField.count) "
          + "(separated by \(DelimitedLayout.name(of: layout.separator)))")
    }
    try builder.commit(line: line)
  }

  private func undoubled(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
    unescaped.append(buffer)
    var length = 0
    var position = 0
    while position < text.count {
      buffer[length] = text[position]
      position += text[position] == UInt8(ascii: "\"") ? 2 : 1
      length += 1
    }
    return UnsafeRawBufferPointer(rebasing: buffer[..<length])
  }
}

extension DelimitedLayout {
  /// A separator in a message.
  static func name(of separator: [UInt8]) -> String {
    switch separator {
    case [UInt8(ascii: "\t")]: "a tab"
    case [UInt8(ascii: ",")]: "a comma"
    case [UInt8(ascii: ";")]: "a semicolon"
    case [UInt8(ascii: " ")]: "a space"
    default: "\"\(String(decoding: separator, as: UTF8.self))\""
    }
  }
}

/// The fields of one line.
struct DelimitedFields: Sequence, IteratorProtocol {
  enum Field {
    /// Spaces around it taken off.
    case text(UnsafeRawBufferPointer)
    /// What stands between the quotes.
    case quoted(UnsafeRawBufferPointer, hasDoubledQuotes: Bool)
    case unclosed
    case textBehindQuote
  }

  private let line: UnsafeRawBufferPointer
  private let separator: UnsafeBufferPointer<UInt8>
  private let firstByte: UInt8
  private var position = 0
  private var isAtEnd = false

  /// - Parameter separator: at least one byte; kept by the caller.
  init(_ line: UnsafeRawBufferPointer, separator: UnsafeBufferPointer<UInt8>) {
    self.line = line
    self.separator = separator
    firstByte = separator[0]
  }

  mutating func next() -> Field? {
    if isAtEnd { return nil }
    if position < line.count, line[position] == UInt8(ascii: "\"") { return nextQuoted() }
    let start = position
    while position < line.count {
      if line[position] == firstByte, isAtSeparator() { break }
      position += 1
    }
    let text = trimmed(start, position)
    passSeparator()
    return .text(text)
  }

  private mutating func nextQuoted() -> Field {
    let start = position + 1
    var hasDoubledQuotes = false
    var end = start
    while true {
      guard end < line.count else {
        isAtEnd = true
        return .unclosed
      }
      if line[end] == UInt8(ascii: "\"") {
        guard end + 1 < line.count, line[end + 1] == UInt8(ascii: "\"") else { break }
        hasDoubledQuotes = true
        end += 1
      }
      end += 1
    }
    let text = UnsafeRawBufferPointer(rebasing: line[start..<end])
    position = end + 1
    while position < line.count, line[position] == UInt8(ascii: " "), firstByte != UInt8(ascii: " ") { position += 1 }
    guard position == line.count || isAtSeparator() else {
      isAtEnd = true
      return .textBehindQuote
    }
    passSeparator()
    return .quoted(text, hasDoubledQuotes: hasDoubledQuotes)
  }

  private func isAtSeparator() -> Bool {
    guard position + separator.count <= line.count, line[position] == firstByte else { return false }
    if separator.count == 1 { return true }
    for offset in 1..<separator.count where line[position + offset] != separator[offset] { return false }
    return true
  }

  private mutating func passSeparator() {
    if position >= line.count { isAtEnd = true } else { position += separator.count }
  }

  private func trimmed(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
    var (start, end) = (start, end)
    while start < end, line[start] == UInt8(ascii: " ") { start += 1 }
    while start < end, line[end - 1] == UInt8(ascii: " ") { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: line[start..<end])
  }
}
