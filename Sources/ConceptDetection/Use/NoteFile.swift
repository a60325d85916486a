// Notes of a file in which concepts are looked for, some thousand at a time: the file may be larger than the memory.

import Datasets

/// A note as it is read for detection.
public struct ReadNote: Sendable, Hashable {
  /// Counted from 1; of Parquet the row.
  public var line: Int
  public var text: String
  public var language: String?
  public var clientID: String?

  public init(line: Int, text: String, language: String? = nil, clientID: String? = nil) {
    self.line = line
    self.text = text
    self.language = language
    self.clientID = clientID
  }
}

/// Reads the notes of Parquet, JSON or separated fields piece by piece.
public struct NoteFile {
  public let path: String
  private let file: DataFile
  private let pieces: TablePieces

  /// Notes of a piece: enough to have some of about one length on each thread, a few mebibytes with all that is made of
  /// them.
  private static let pieceLength = 8192

  /// - Parameter path: `-` for standard input.
  /// - Throws: where it can't be opened or is no table.
  public init(path: String, options: NoteReadOptions = NoteReadOptions()) throws {
    var options = options
    options.isLabelled = false
    let columns = try NoteColumns(options)
    try ConceptSample.check(path)
    file = try DataFile(path: path)
    self.path = file.path
    pieces = TablePieces(
      columns: columns.columns(for: .csv), section: "notes", rowCount: Self.pieceLength,
      delimited: DelimitedOptions(fieldNames: columns.fieldNames), options: options.reading)
  }

  /// Calls `body` with the notes of each piece, in the order of the file.
  ///
  /// - Returns: the rows that were left out.
  /// - Throws: ``ConceptUseError/noTexts(path:)`` where there is none; what the reading and `body` throw.
  public func read(_ body: ([ReadNote]) throws -> Void) throws -> SkippedLines {
    var isEmpty = true
    let skipped = try pieces.read(file) { table in
      guard case .ids(let places, let texts) = table.columns[NoteColumns.text] else { return }
      func optional(_ column: Int) -> (Int) -> String? {
        guard case .ids(let places, let texts) = table.columns[column] else { return { _ in nil } }
        return { places[$0] < 0 ? nil : texts[Int(places[$0])] }
      }
      let (language, client) = (optional(NoteColumns.language), optional(NoteColumns.client))
      isEmpty = isEmpty && places.isEmpty
      try body(
        places.indices.map { row in
          ReadNote(
            line: table.lines[row], text: texts[Int(places[row])], language: language(row), clientID: client(row))
        })
    }
    guard !isEmpty else { throw ConceptUseError.noTexts(path: path) }
    return skipped
  }
}
