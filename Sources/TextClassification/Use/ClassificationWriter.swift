// Classifications as files: the name's suffix says the form.

import Datasets
import Parquet

/// Writes classifications, a text a row, so that nobody ever sees half of the file.
///
/// Columns: `line` (of the input), `id` (where the input has one), `text`, `labels` and their `probabilities`, the most
/// probable first, and `is_truncated`, where the text goes on behind what was read. The suffix chooses the form: `.jsonl`
/// (also standard output, `-`), `.csv` and `.tsv` (labels and probabilities separated by `;`), or `.parquet` (lists).
public final class ClassificationWriter {
  private enum Form {
    case separated(LineWriter, separator: UInt8)
    case lines(LineWriter)
    case parquet(ParquetWriter)
  }

  /// One row.
  public struct Row: Sendable {
    public var line: Int
    public var id: String?
    public var text: String
    /// What is told of it, the most probable first.
    public var labels: [TextClassifier.Label]
    public var isTruncated: Bool

    public init(line: Int, id: String? = nil, text: String, labels: [TextClassifier.Label], isTruncated: Bool) {
      self.line = line
      self.id = id
      self.text = text
      self.labels = labels
      self.isTruncated = isTruncated
    }
  }

  private let form: Form
  private let hasIDs: Bool
  private var pending: [Row] = []
  /// Rows written so far.
  public private(set) var rowCount = 0

  /// Rows of a row group: large enough to compress, small enough to hold with their texts.
  private static let groupRows = 1 << 14

  /// - Parameter hasIDs: whether there is a column for them.
  /// - Throws: ``TextUseError/unknownForm(path:)`` where the suffix says nothing; `FileError` and `ParquetError` where the
  ///   file can't be written.
  public init(path: String, hasIDs: Bool) throws {
    self.hasIDs = hasIDs
    switch OutputForm(path: path) {
    case .delimited(let separator): form = .separated(try LineWriter(path: path), separator: separator)
    case .lines: form = .lines(try LineWriter(path: path))
    case .parquet:
      form = .parquet(
        try ParquetWriter(
          path: path,
          fields: [.init("line", .integer(bits: 64, isSigned: true))]
            + (hasIDs ? [.init("id", .string, isOptional: true)] : [])
            + [
              .init("text", .string), .init("labels", .string, isList: true),
              .init("probabilities", .float, isList: true),
              .init("is_truncated", .boolean),
            ]))
    case .document, nil:
      guard path == "-" else { throw TextUseError.unknownForm(path: path) }
      form = .lines(try LineWriter(path: path))
    }
    if case .separated(let writer, let separator) = form {
      let names = ["line"] + (hasIDs ? ["id"] : []) + ["text", "labels", "probabilities", "is_truncated"]
      try writer.writeLine { $0.append(contentsOf: names.joined(separator: String(UnicodeScalar(separator))).utf8) }
    }
  }

  public func write(_ row: Row) throws {
    rowCount += 1
    switch form {
    case .separated(let writer, let separator):
      let fields =
        ["\(row.line)"] + (hasIDs ? [row.id ?? ""] : [])
        + [
          row.text, row.labels.map(\.name).joined(separator: ";"),
          row.labels.map { "\($0.probability)" }.joined(separator: ";"), "\(row.isTruncated)",
        ]
      try writer.writeLine { line in
        for (index, field) in fields.enumerated() {
          if index > 0 { line.append(separator) }
          DelimitedText.append(field, separator: separator, to: &line)
        }
      }
    case .lines(let writer): try writer.writeLine { Self.append(row, to: &$0) }
    case .parquet(let writer):
      pending.append(row)
      if pending.count == Self.groupRows { try writeGroup(writer) }
    }
  }

  /// Writes what is left and gives the file its name.
  public func finish() throws {
    switch form {
    case .separated(let writer, _), .lines(let writer): try writer.finish()
    case .parquet(let writer):
      if !pending.isEmpty { try writeGroup(writer) }
      try writer.finish()
    }
  }

  private static func append(_ row: Row, to line: inout [UInt8]) {
    line.append(contentsOf: "{\"line\": \(row.line)".utf8)
    if let id = row.id {
      line.append(contentsOf: ", \"id\": ".utf8)
      JSONWriter.append(id, to: &line)
    }
    line.append(contentsOf: ", \"text\": ".utf8)
    JSONWriter.append(row.text, to: &line)
    line.append(contentsOf: ", \"labels\": [".utf8)
    for (index, label) in row.labels.enumerated() {
      if index > 0 { line.append(contentsOf: ", ".utf8) }
      JSONWriter.append(label.name, to: &line)
    }
    line.append(contentsOf: "], \"probabilities\": [".utf8)
    for (index, label) in row.labels.enumerated() {
      if index > 0 { line.append(contentsOf: ", ".utf8) }
      JSONWriter.append(label.probability, to: &line)
    }
    line.append(contentsOf: "], \"is_truncated\": \(row.isTruncated)}".utf8)
  }

  private func writeGroup(_ writer: ParquetWriter) throws {
    var columns: [any ParquetColumnData] = [ParquetColumn(pending.map { Int64($0.line) })]
    if hasIDs { columns.append(ParquetColumn(optional: pending.map(\.id))) }
    columns.append(ParquetColumn(pending.map(\.text)))
    columns.append(ParquetListColumn(pending.map { $0.labels.map(\.name) }))
    columns.append(ParquetListColumn(pending.map { $0.labels.map(\.probability) }))
    columns.append(ParquetColumn(pending.map(\.isTruncated)))
    try writer.write(columns)
    pending.removeAll(keepingCapacity: true)
  }
}
