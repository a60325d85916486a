// The rows of a file some thousand at a time: for files that are larger than the memory.

/// Reads a file piece by piece, on one thread, in the order of its rows.
public struct TablePieces {
  /// How a file that is text is understood where it does not say so itself.
  public var delimited: DelimitedOptions
  public var options: ReadOptions
  /// Rows of a piece; of Parquet a row group is one.
  public var rowCount: Int
  private let columns: [TableColumn]
  /// The key under which a JSON document has its rows.
  private let section: String

  public init(
    columns: [TableColumn], section: String, rowCount: Int = 4096, delimited: DelimitedOptions = DelimitedOptions(),
    options: ReadOptions = ReadOptions()
  ) {
    self.columns = columns
    self.section = section
    self.rowCount = rowCount
    self.delimited = delimited
    self.options = options
  }

  /// Calls `body` with the rows of each piece; without a row it is never called.
  ///
  /// - Returns: the rows that were left out.
  /// - Throws: as the readers of whole files do, and what `body` throws.
  public func read(_ file: DataFile, _ body: (Table) throws -> Void) throws -> SkippedLines {
    switch file.kind {
    case .directory: throw DatasetError.isDirectory(path: file.path)
    case .empty: return SkippedLines()
    case .parquet:
      var skipped = SkippedLines()
      try ParquetTableFile.pieces(
        path: file.path, columns: columns, options: options, skipped: &skipped, body: body)
      return skipped
    case .json:
      let text = try file.text()
      let form = JSONTableFile.form(of: text.head, sections: [(section, .rows(columns))])
      let isDocument = form != .lines
      let rows = JSONRowDecoder(
        sections: [(section, .rows(columns))], isDocument: isDocument, keepsLines: options.keepsLines,
        maximumLength: options.maximumLineLength)
      return try read(
        text, form: isDocument ? .document([section]) : .lines, heading: (0, 0), rows, rows.builders[0], body)
    case .text:
      let text = try file.text()
      let heading = try DelimitedHeading(text, columns: columns, options: delimited)
      let rows = DelimitedDecoder(
        columns: columns, layout: heading.layout, keepsLines: options.keepsLines, hasQuotedLines: true,
        needsQuotedLines: Flag())
      return try read(
        text, form: .quotedLines(separator: heading.layout.separator), heading: heading.skipped, rows, rows.builder,
        body)
    }
  }

  private func read(
    _ text: RecordFile, form: RecordForm, heading: (bytes: Int, lines: Int), _ rows: some RecordDecoder,
    _ builder: TableBuilder, _ body: (Table) throws -> Void
  ) throws -> SkippedLines {
    var options = options
    options.threadCount = 1
    return try withoutActuallyEscaping(body) { body in
      // One range, decoded on this thread: the decoder is handed to nobody else.
      nonisolated(unsafe) let decoder = PieceDecoder(
        rows, builder: builder, rowCount: rowCount, linesBefore: heading.lines, body: body)
      let skipped: SkippedLines
      do {
        skipped = try text.decode(options: options, form: form, heading: heading, isEmptyAllowed: true) { decoder }
          .skipped
      } catch {
        throw decoder.failure ?? error
      }
      try decoder.finish()
      decoder.forget()
      return skipped
    }
  }
}

/// Decodes rows and hands them on whenever there are enough.
private final class PieceDecoder: RecordDecoder {
  private let rows: any RecordDecoder
  private let builder: TableBuilder
  private let rowCount: Int
  private let linesBefore: Int
  private var body: ((Table) throws -> Void)?
  /// What the receiver of the rows threw.
  private(set) var failure: (any Error)?

  init(
    _ rows: any RecordDecoder, builder: TableBuilder, rowCount: Int, linesBefore: Int,
    body: @escaping (Table) throws -> Void
  ) {
    self.rows = rows
    self.builder = builder
    self.rowCount = rowCount
    self.linesBefore = linesBefore
    self.body = body
  }

  func decode(_ record: UnsafeRawBufferPointer, line: Int) throws(RecordProblem) {
    try rows.decode(record, line: line)
    try handOn()
  }

  func decode(_ record: UnsafeRawBufferPointer, line: Int, place: RecordPlace) throws(RecordProblem) {
    try rows.decode(record, line: line, place: place)
    try handOn()
  }

  private func handOn() throws(RecordProblem) {
    guard builder.rowCount >= rowCount else { return }
    do { try finish() } catch {
      failure = error
      throw RecordProblem(message: "the rows were not taken", isFatal: true)
    }
  }

  /// Hands the last rows on.
  func finish() throws {
    guard builder.rowCount > 0 else { return }
    try body?(builder.takeTable(linesBefore: linesBefore))
  }

  /// Lets go of the receiver, which lives no longer than the reading.
  func forget() { body = nil }
}
