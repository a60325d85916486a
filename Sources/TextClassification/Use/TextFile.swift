// Texts of a file that are to be classified, whatever its form.

import Datasets

/// The texts of a file, with what tells them apart.
public struct TextFile: Sendable {
  public let path: String
  public let texts: [String]
  /// The line on which each begins, counted from 1.
  public let lines: [Int]
  /// The column `id`, as it is written; nil where no row has one.
  public let ids: [String?]?
  /// Rows that were left out, with reasons.
  public let skipped: SkippedLines

  /// Reads the column `text` (or another that usually has a text, or the one that `options.columns` names) and `id`.
  ///
  /// - Parameter path: JSON lines, an array, an object with `samples`, or separated fields; `-` for standard input.
  /// - Throws: `DatasetError` where the file can't be read; ``TextUseError/noTexts(path:skipped:)``; with
  ///   `options.isStrict` for the first row without a text.
  public init(path: String, options: ClassificationReadOptions = ClassificationReadOptions()) throws {
    var columns = [
      ClassificationColumns.textColumn,
      TableColumn("id", synonyms: ["item_id", "itemId", "key", "uid"], content: .carried),
    ]
    let fieldNames: [String]
    do throws(ColumnNameProblem) { fieldNames = try columns.take(names: options.columns) } catch {
      throw ClassificationDataError.badColumns(error.description)
    }
    let file = try DataFile(path: path)
    let table: Table
    switch file.kind {
    case .directory: throw DatasetError.isDirectory(path: path)
    case .parquet:
      let read = try ParquetTableFile(path: path, columns: columns, options: options.reading)
      (table, skipped) = (read.table, read.skipped)
    case .json:
      let read = try JSONTableFile(file, sections: [("samples", .rows(columns))], options: options.reading)
      (table, skipped) = (read.tables[0], read.skipped)
    case .text:
      let read = try DelimitedFile(
        file, columns: columns,
        delimited: DelimitedOptions(
          separator: options.separator, fieldNames: fieldNames, hasHeader: options.hasHeader),
        options: options.reading)
      (table, skipped) = (read.table, read.skipped)
    case .empty: throw TextUseError.noTexts(path: file.path, skipped: SkippedLines())
    }
    guard case .ids(let places, let texts) = table.columns[0], !places.isEmpty else {
      throw TextUseError.noTexts(path: file.path, skipped: skipped)
    }
    self.path = file.path
    self.texts = places.map { texts[Int($0)] }
    lines = table.lines
    if case .ids(let places, let texts) = table.columns[1] {
      ids = places.map { $0 < 0 ? nil : texts[Int($0)] }
    } else {
      ids = nil
    }
  }
}
