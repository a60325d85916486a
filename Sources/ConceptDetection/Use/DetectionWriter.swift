// Detections as files: the name's suffix says the form.

import Datasets
import Parquet

/// Writes what was found in notes, a note a row, so that nobody ever sees half of the file.
///
/// Columns: `line` (of the input), `client_id` and `language` (where the input has them), `text`, `concepts` with their
/// `buckets` and `probabilities`, the most probable first, and the `words` that speak for each, with blanks between. The
/// suffix chooses the form: `.jsonl` (also standard output, `-`), `.csv` and `.tsv` (lists with `|` between), or
/// `.parquet` (lists).
public final class DetectionWriter {
  private enum Form {
    case separated(LineWriter, separator: UInt8)
    case lines(LineWriter)
    case parquet(ParquetWriter)
  }

  private let form: Form
  private var pending: [(note: ReadNote, found: [ConceptDetector.Finding])] = []
  /// Rows written so far.
  public private(set) var rowCount = 0

  /// Rows of a row group: large enough to compress, small enough to hold with their texts.
  private static let groupRows = 1 << 14

  /// - Throws: ``ConceptUseError/unknownForm(path:)`` where the suffix says nothing; `FileError` and `ParquetError` where
  ///   the file can't be written.
  public init(path: String) throws {
    switch OutputForm(path: path) {
    case .delimited(let separator): form = .separated(try LineWriter(path: path), separator: separator)
    case .lines: form = .lines(try LineWriter(path: path))
    case .parquet:
      form = .parquet(
        try ParquetWriter(
          path: path,
          fields: [
            .init("line", .integer(bits: 64, isSigned: true)), .init("client_id", .string, isOptional: true),
            .init("language", .string, isOptional: true), .init("text", .string),
            .init("concepts", .string, isList: true), .init("buckets", .string, isList: true),
            .init("probabilities", .float, isList: true), .init("words", .string, isList: true),
          ]))
    case .document, nil:
      guard path == "-" else { throw ConceptUseError.unknownForm(path: path) }
      form = .lines(try LineWriter(path: path))
    }
    if case .separated(let writer, let separator) = form {
      let names = ["line", "client_id", "language", "text", "concepts", "buckets", "probabilities", "words"]
      try writer.writeLine { $0.append(contentsOf: names.joined(separator: String(UnicodeScalar(separator))).utf8) }
    }
  }

  public func write(_ note: ReadNote, _ detection: ConceptDetector.Detection) throws {
    rowCount += 1
    let found = detection.concepts
    switch form {
    case .separated(let writer, let separator):
      func list(_ value: (ConceptDetector.Finding) -> String) -> String { found.map(value).joined(separator: "|") }
      let fields = [
        "\(note.line)", note.clientID ?? "", note.language ?? "", note.text, list(\.id), list(\.bucket.rawValue),
        list { "\($0.probability)" }, list { $0.words(in: note.text) },
      ]
      try writer.writeLine { line in
        for (index, field) in fields.enumerated() {
          if index > 0 { line.append(separator) }
          DelimitedText.append(field, separator: separator, to: &line)
        }
      }
    case .lines(let writer): try writer.writeLine { Self.append(note, found, to: &$0) }
    case .parquet(let writer):
      pending.append((note, found))
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

  private static func append(_ note: ReadNote, _ found: [ConceptDetector.Finding], to line: inout [UInt8]) {
    func put(_ text: String) { line.append(contentsOf: text.utf8) }
    put("{\"line\": \(note.line)")
    for (name, value) in [("client_id", note.clientID), ("language", note.language)] {
      guard let value else { continue }
      put(", \"\(name)\": ")
      JSONWriter.append(value, to: &line)
    }
    put(", \"text\": ")
    JSONWriter.append(note.text, to: &line)
    put(", \"concepts\": [")
    for (index, finding) in found.enumerated() {
      put(index > 0 ? ", {\"concept\": " : "{\"concept\": ")
      JSONWriter.append(finding.id, to: &line)
      put(", \"bucket\": \"\(finding.bucket.rawValue)\", \"probability\": ")
      JSONWriter.append(finding.probability, to: &line)
      put(", \"words\": ")
      JSONWriter.append(finding.words(in: note.text), to: &line)
      put("}")
    }
    put("]}")
  }

  private func writeGroup(_ writer: ParquetWriter) throws {
    try writer.write([
      ParquetColumn(pending.map { Int64($0.note.line) }), ParquetColumn(optional: pending.map(\.note.clientID)),
      ParquetColumn(optional: pending.map(\.note.language)), ParquetColumn(pending.map(\.note.text)),
      ParquetListColumn(pending.map { $0.found.map(\.id) }),
      ParquetListColumn(pending.map { $0.found.map(\.bucket.rawValue) }),
      ParquetListColumn(pending.map { $0.found.map(\.probability) }),
      ParquetListColumn(pending.map { row in row.found.map { $0.words(in: row.note.text) } }),
    ])
    pending.removeAll(keepingCapacity: true)
  }
}

extension ConceptDetector.Finding {
  /// The words that speak for the concept, with blanks between.
  public func words(in text: String) -> String {
    let utf8 = text.utf8
    return words.map { range in
      let start = utf8.index(utf8.startIndex, offsetBy: range.lowerBound)
      return String(text[start..<utf8.index(start, offsetBy: range.count)])
    }.joined(separator: " ")
  }
}
