// Rows from JSON: an object of sections, an array of objects, or an object a line.

/// The rows of a JSON file.
public struct JSONTableFile: Sendable {
  /// How the file holds its rows.
  public enum Form: Sendable, Hashable {
    /// One object with a section under each key.
    case document
    /// One array of the first section's objects.
    case array
    /// One of the first section's objects a line.
    case lines
  }

  public let form: Form
  /// For each section its rows; none for a section of numbers, or where the file does not have it.
  public var tables: [Table]
  /// For each section of numbers those that its object holds.
  public var numbers: [[String: Double]]
  public var skipped: SkippedLines

  /// Reads the wanted sections; of a file that is an array or lines, the first one. The file is never held as a whole.
  ///
  /// - Throws: where the file can't be read, is cut short or, with `options.isStrict`, for the first bad element.
  public init(
    _ file: DataFile, sections: [(name: String, section: JSONSection)], options: ReadOptions = ReadOptions()
  ) throws(DatasetError) {
    let text = try file.text()
    form = Self.form(of: text.head, sections: sections)
    let recordForm: RecordForm =
      switch form {
      // An array is cut as a document's section is, so that its elements have numbers.
      case .document, .array: .document(sections.map(\.name))
      case .lines: .lines
      }
    let isDocument = form != .lines
    let read = try text.decode(options: options, form: recordForm, isEmptyAllowed: true) {
      JSONRowDecoder(
        sections: sections, isDocument: isDocument, keepsLines: options.keepsLines,
        maximumLength: options.maximumLineLength)
    }
    tables = sections.indices.map { index in
      TableBuilder.joined(read.ranges.map { ($0.decoder.builders[index], $0.linesBefore) })
    }
    numbers = sections.indices.map { index in read.ranges[0].decoder.numbers[index] }
    skipped = read.skipped
  }

  /// Lines, unless the file is an array or the first object of it has a section's key. An object that goes on behind
  /// what was looked at is a line where it has a column's key: one text may be that long.
  static func form(of head: [UInt8], sections: [(name: String, section: JSONSection)]) -> Form {
    let names = Set(sections.map(\.name))
    var columns: Set<String> = []
    for case .rows(let wanted) in sections.map(\.section) {
      for column in wanted { columns.formUnion([column.source ?? column.name] + column.synonyms) }
    }
    var hasColumn = false
    guard let start = head.firstIndex(where: { !$0.isJSONWhitespace }) else { return .lines }
    if head[start] == UInt8(ascii: "[") { return .array }
    // Strings at depth one that a colon follows are keys.
    var depth = 0
    var position = start
    while position < head.count {
      switch head[position] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return .lines }
      case UInt8(ascii: "\""):
        let textStart = position + 1
        position += 1
        while position < head.count, head[position] != UInt8(ascii: "\"") {
          position += head[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < head.count else { return hasColumn ? .lines : .document }
        let behind = head[(position + 1)...].first { !$0.isJSONWhitespace }
        if depth == 1, behind == UInt8(ascii: ":") {
          let key = String(decoding: head[textStart..<position], as: UTF8.self)
          if names.contains(key) { return .document }
          hasColumn = hasColumn || columns.contains(key)
        }
      default: break
      }
      position += 1
    }
    return head.count < RecordFile.headSize || hasColumn ? .lines : .document
  }
}
