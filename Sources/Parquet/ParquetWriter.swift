// Writing a file, a row group at a time.

import Files
import Threads

/// How a file is written.
public struct ParquetWriteOptions: Sendable {
  public var compression: ParquetCompression
  /// Whether columns of few different values get a dictionary.
  public var usesDictionaries: Bool
  /// Threads that encode columns at once.
  public var threads: Int
  /// Noted in the footer.
  public var keyValues: [String: String]

  public init(
    compression: ParquetCompression = .snappy, usesDictionaries: Bool = true, threads: Int = 2,
    keyValues: [String: String] = [:]
  ) {
    self.compression = compression
    self.usesDictionaries = usesDictionaries
    self.threads = max(1, threads)
    self.keyValues = keyValues
  }
}

/// Writes a Parquet file. It appears under its name, whole, with `finish()`.
///
/// ```swift
/// let fields: [ParquetField] = [
///   .init("user", .string), .init("item", .integer(bits: 64, isSigned: true)), .init("score", .float, isOptional: true),
/// ]
/// let writer = try ParquetWriter(path: "recommendations.parquet", fields: fields)
/// for part in parts {                                    // a row group each: 100,000 to 1,000,000 rows are good
///   try writer.write([ParquetColumn(part.users), ParquetColumn(part.items), ParquetColumn(optional: part.scores)])
/// }
/// try writer.finish()
/// ```
///
/// For one thread at a time.
public final class ParquetWriter {
  public let path: String
  public let fields: [ParquetField]
  private let options: ParquetWriteOptions
  private let file: AtomicFile?
  private var memory: [UInt8] = []
  private var position = 0
  private var rowGroups: [WrittenRowGroup] = []

  /// Starts a file.
  ///
  /// - Throws: `ParquetError.system` where the folder can't be written to; `.invalidInput` where fields can't be.
  public init(path: String, fields: [ParquetField], options: ParquetWriteOptions = .init()) throws {
    self.path = path
    self.options = options
    self.fields = try Self.checked(fields, path)
    file = try Self.placed { try AtomicFile(path: path) }
    try append(Array("PAR1".utf8))
  }

  private init(inMemory fields: [ParquetField], _ options: ParquetWriteOptions) throws {
    path = "bytes in memory"
    self.options = options
    self.fields = try Self.checked(fields, path)
    file = nil
    try append(Array("PAR1".utf8))
  }

  /// A file's bytes, of row groups of columns in the order of the fields.
  public static func bytes(
    fields: [ParquetField], rowGroups: [[any ParquetColumnData]], options: ParquetWriteOptions = .init()
  ) throws -> [UInt8] {
    let writer = try ParquetWriter(inMemory: fields, options)
    for columns in rowGroups { try writer.write(columns) }
    try writer.finish()
    return writer.memory
  }

  /// Writes a row group.
  ///
  /// - Parameter columns: as many as the fields, in their order, of equal numbers of rows.
  /// - Throws: `ParquetError.conversion` where a column has a type or nulls that its field doesn't allow;
  ///   `.invalidInput` where numbers differ; `.system` where the file can't be written.
  public func write(_ columns: [any ParquetColumnData]) throws {
    let rowCount = try check(columns)
    if rowCount == 0 { return }
    let (fields, options, path) = (fields, options, path)
    let shares = min(options.threads, fields.count)
    let encoded = concurrently(shares) { share in
      stride(from: share, to: fields.count, by: shares).map { index in
        Result { () throws(ParquetError) in
          try Self.encode(columns[index], fields[index], options, path)
        }
      }
    }
    var group = WrittenRowGroup(rowCount: rowCount, chunks: [])
    for index in fields.indices {
      let chunk = try encoded[index % shares][index / shares].get()
      group.chunks.append(
        WrittenChunk(
          field: fields[index], codec: options.compression, valueCount: chunk.valueCount,
          hasDictionary: chunk.hasDictionary, offset: position, dataOffset: chunk.dataOffset,
          compressedSize: chunk.bytes.count, uncompressedSize: chunk.uncompressedSize))
      try append(chunk.bytes)
    }
    rowGroups.append(group)
  }

  /// Writes the footer and gives the file its name. To be called once, after the last row group.
  public func finish() throws {
    let footer = footer(fields, rowGroups, keyValues: options.keyValues)
    var tail = footer
    tail.appendLittleEndian(UInt32(footer.count))
    tail += Array("PAR1".utf8)
    try append(tail)
    if let file { try Self.placed { try file.commit() } }
  }

  private func check(_ columns: [any ParquetColumnData]) throws -> Int {
    func invalid(_ part: String, _ found: String, _ expected: String) -> ParquetError {
      .invalidInput(
        path: path, place: ParquetPlace(rowGroup: rowGroups.count, part: part), found: found, expected: expected)
    }
    guard columns.count == fields.count else {
      throw invalid("columns", "\(columns.count) columns", "\(fields.count), one for each field")
    }
    let rowCount = columns.first?.rowCount ?? 0
    for (column, field) in zip(columns, fields) where column.rowCount != rowCount {
      throw invalid("column \(field.name)", "\(column.rowCount) rows", "\(rowCount), as \(fields[0].name) has")
    }
    return rowCount
  }

  private static func encode(
    _ column: any ParquetColumnData, _ field: ParquetField, _ options: ParquetWriteOptions, _ path: String
  ) throws(ParquetError) -> EncodedChunk {
    do {
      guard let column = column as? any WritableColumn else {
        throw Fault.conversion(
          "values", found: "\(type(of: column))", asked: "a column; give a ParquetColumn or a ParquetListColumn")
      }
      return try column.prepared(for: field).encode(options.compression, useDictionary: options.usesDictionaries)
    } catch let fault as Fault {
      throw fault.placed(path: path, column: field.name)
    } catch {
      fatalError("encoding throws faults only: \(error)")
    }
  }

  private func append(_ bytes: [UInt8]) throws {
    position += bytes.count
    if let file { try Self.placed { try file.write(bytes) } } else { memory += bytes }
  }

  private static func placed<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as FileError {
      throw ParquetError.system(error)
    }
  }

  /// The fields as they are written, whatever they were in a file that they come from.
  private static func checked(_ fields: [ParquetField], _ path: String) throws -> [ParquetField] {
    var names: Set<String> = []
    return try fields.map { field in
      func invalid(_ found: String, _ expected: String) -> ParquetError {
        let place = ParquetPlace(column: field.name, part: "fields")
        return .invalidInput(path: path, place: place, found: found, expected: expected)
      }
      guard names.insert(field.name).inserted else { throw invalid("a second \(field.name)", "names that differ") }
      switch field.type {
      case .integer(let bits, _) where ![8, 16, 32, 64].contains(bits):
        throw invalid("integers of \(bits) bits", "8, 16, 32 or 64")
      case .decimal(let precision, let scale) where !(1...18).contains(precision) || !(0...precision).contains(scale):
        throw invalid("decimal(\(precision), \(scale))", "1 to 18 digits, and a scale of no more than them")
      case .time(.seconds), .timestamp(.seconds, _): throw invalid("a time in seconds", "ms, µs or ns")
      case .fixedBytes(let count) where count < 1: throw invalid("\(count) bytes a value", "1 or more")
      case .float16: throw invalid("float16", "float, which holds all its values")
      default: break
      }
      return ParquetField(
        field.name, field.type, isOptional: field.isOptional, isList: field.isList, isListOptional: field.isListOptional
      )
    }
  }
}

extension ParquetField {
  /// A column to be written.
  ///
  /// - Parameters:
  ///   - isOptional: whether values, or elements of lists, may be null.
  ///   - isListOptional: whether a whole list may be null.
  public init(
    _ name: String, _ type: ParquetType, isOptional: Bool = false, isList: Bool = false, isListOptional: Bool = false
  ) {
    let repeatedDefinition: UInt8 = isList ? (isListOptional ? 2 : 1) : 0
    var length = 0
    let physical: ParquetPhysicalType
    switch type {
    case .boolean: physical = .boolean
    case .integer(let bits, _): physical = bits <= 32 ? .int32 : .int64
    case .float16:
      physical = .fixedLengthByteArray
      length = 2
    case .float: physical = .float
    case .double: physical = .double
    case .string, .bytes: physical = .byteArray
    case .fixedBytes(let count):
      physical = .fixedLengthByteArray
      length = count
    case .date, .time(.milliseconds): physical = .int32
    case .time, .timestamp, .decimal: physical = .int64
    }
    self.init(
      name: name, type: type, physicalType: physical, isOptional: isOptional, isList: isList,
      isListOptional: isList && isListOptional, typeLength: length,
      maximumDefinition: repeatedDefinition + (isOptional ? 1 : 0), repeatedDefinition: repeatedDefinition,
      maximumRepetition: isList ? 1 : 0)
  }
}
