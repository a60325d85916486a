// What goes wrong with a Parquet file: which file, column, row group and page; what was found; what to do.

import Files

/// Where in a Parquet file something is wrong. Row groups and pages are counted from 0.
public struct ParquetPlace: Equatable, Sendable, CustomStringConvertible {
  public var column: String?
  public var rowGroup: Int?
  /// The page in the column's part of the row group; a dictionary page counts.
  public var page: Int?
  /// What was being read there, such as "page header" or "definition levels".
  public var part: String

  public init(column: String? = nil, rowGroup: Int? = nil, page: Int? = nil, part: String) {
    self.column = column
    self.rowGroup = rowGroup
    self.page = page
    self.part = part
  }

  public var description: String {
    var words: [String] = []
    if let column { words.append("column \(column)") }
    if let rowGroup { words.append("row group \(rowGroup)") }
    if let page { words.append("page \(page)") }
    words.append(part)
    return words.joined(separator: ", ")
  }
}

/// An error of reading or writing a Parquet file.
public enum ParquetError: Error, Equatable, Sendable {
  /// The system refused an operation on the file.
  case system(FileError)

  /// The bytes are not what the format asks for at this place.
  case malformed(path: String, place: ParquetPlace, found: String, expected: String)

  /// The file may be good, but uses something that is not read here.
  case unsupported(path: String, place: ParquetPlace, found: String, advice: String)

  /// Reading on would take more memory than was allowed.
  case excessive(path: String, place: ParquetPlace, found: String, limit: String)

  /// No column has this name.
  case missingColumn(path: String, name: String, columns: [String])

  /// A column can't be had as the asked type without losing something.
  case conversion(path: String, place: ParquetPlace, found: String, asked: String)

  /// What was given to the writer doesn't fit its columns.
  case invalidInput(path: String, place: ParquetPlace, found: String, expected: String)
}

extension ParquetError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .system(let error):
      return error.description
    case .malformed(let path, let place, let found, let expected):
      return "\(path): damaged or not a Parquet file: \(place): found \(found), expected \(expected)"
    case .unsupported(let path, let place, let found, let advice):
      return "\(path): \(place): \(found) is not supported; \(advice)"
    case .excessive(let path, let place, let found, let limit):
      return """
        \(path): \(place): \(found), more than \(limit); the file is damaged or hostile. \
        If you trust it, raise memoryLimit in ParquetReadOptions, or read it by row groups
        """
    case .missingColumn(let path, let name, let columns):
      let shown = columns.prefix(20).joined(separator: ", ") + (columns.count > 20 ? ", …" : "")
      return "\(path): no column \(name); the file has \(columns.isEmpty ? "no columns" : shown)"
    case .conversion(let path, let place, let found, let asked):
      return "\(path): \(place): found \(found), which can't be read as \(asked)"
    case .invalidInput(let path, let place, let found, let expected):
      return "\(path): can't be written: \(place): got \(found), expected \(expected)"
    }
  }
}

/// An error without its place: what decodes bytes doesn't know which file and page they are from.
enum Fault: Error {
  case malformed(_ part: String, found: String, expected: String)
  case unsupported(_ part: String, found: String, advice: String)
  case excessive(_ part: String, found: String, limit: String)
  case conversion(_ part: String, found: String, asked: String)

  func placed(path: String, column: String? = nil, rowGroup: Int? = nil, page: Int? = nil) -> ParquetError {
    func place(_ part: String) -> ParquetPlace {
      ParquetPlace(column: column, rowGroup: rowGroup, page: page, part: part)
    }
    switch self {
    case .malformed(let part, let found, let expected):
      return .malformed(path: path, place: place(part), found: found, expected: expected)
    case .unsupported(let part, let found, let advice):
      return .unsupported(path: path, place: place(part), found: found, advice: advice)
    case .excessive(let part, let found, let limit):
      return .excessive(path: path, place: place(part), found: found, limit: limit)
    case .conversion(let part, let found, let asked):
      return .conversion(path: path, place: place(part), found: found, asked: asked)
    }
  }
}
