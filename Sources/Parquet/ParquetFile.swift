// The way in: a Parquet file, its schema, and its columns.

/// A Parquet file, open for reading. Its columns are read when they are asked for, and nothing else is.
///
/// ```swift
/// let file = try ParquetFile(path: "clickstream.pq")
/// let nodes = try file.column("node", as: Int64.self)           // also from uint32: nothing is lost
/// let days = try file.timestamps("event_date", in: .seconds, roundingDown: true)
/// for row in 0..<file.rowCount where nodes[row] != nil { … }
///
/// for rowGroup in file.rowGroups {                              // or a part at a time
///   let (cookies, nodes) = try rowGroup.columns(.init("cookie", as: Int64.self), .init("node", as: Int64.self))
/// }
/// ```
///
/// Safe to use from many threads at once.
public struct ParquetFile: Sendable {
  private let file: OpenFile
  private let scope: ReadScope

  /// Opens a file and reads its footer.
  ///
  /// - Throws: `ParquetError`.
  public init(path: String, options: ParquetReadOptions = .init()) throws {
    try self.init(FileBytes(path: path), options)
  }

  /// Reads a file that is in memory. Errors call it `name`.
  public init(bytes: [UInt8], name: String = "bytes in memory", options: ParquetReadOptions = .init()) throws {
    try self.init(FileBytes(memory: bytes, name: name), options)
  }

  private init(_ bytes: FileBytes, _ options: ParquetReadOptions) throws {
    file = try OpenFile(bytes, options)
    scope = ReadScope(file: file, rowGroups: file.rowGroups.indices)
  }

  public var path: String { file.path }
  public var rowCount: Int { file.rowCount }
  /// What other programs noted in the file, such as pandas' index.
  public var keyValues: [String: String] { file.keyValues }
  /// The program that wrote the file.
  public var createdBy: String? { file.createdBy }

  /// The columns that can be read.
  public var schema: ParquetSchema { ParquetSchema(columns: file.leaves.compactMap(\.field)) }

  /// The names of columns that can't be read: lists inside lists. Asking for one is an error that tells why.
  public var unsupportedColumns: [String] { file.leaves.filter { $0.field == nil }.map(\.name) }

  /// The parts that the file was written in. Reading them one after another takes the memory of one.
  public var rowGroups: [ParquetRowGroup] {
    file.rowGroups.indices.map { ParquetRowGroup(scope: ReadScope(file: file, rowGroups: $0..<$0 + 1)) }
  }

  /// Reads a column.
  ///
  /// - Throws: `ParquetError.missingColumn`; `.conversion` where the type can't hold all that the column's type can;
  ///   another `ParquetError` where the file is damaged.
  public func column<Value: ParquetValue>(_ name: String, as type: Value.Type) throws -> ParquetColumn<Value> {
    try scope.columns(ParquetSelection(name, as: type))
  }

  /// Reads several columns together, which keeps all threads busy also where there are few row groups.
  public func columns<each Value: ParquetValue>(
    _ selections: repeat ParquetSelection<each Value>
  ) throws -> (repeat ParquetColumn<each Value>) {
    try scope.columns(repeat each selections)
  }

  /// Reads a column of timestamps or dates as whole numbers of a unit since 1970-01-01 00:00.
  ///
  /// - Parameter roundingDown: whether what is finer than the unit is cut off; otherwise it is an error.
  public func timestamps(
    _ name: String, in unit: ParquetTimeUnit, roundingDown: Bool = false
  ) throws -> ParquetColumn<Int64> {
    try scope.columns(.timestamps(name, in: unit, roundingDown: roundingDown))
  }

  /// Reads a column of lists.
  public func listColumn<Value: ParquetValue>(_ name: String, as type: Value.Type) throws -> ParquetListColumn<Value> {
    try scope.listColumn(ParquetSelection(name, as: type))
  }

  /// Reads columns as the Swift types that are nearest to their own.
  ///
  /// - Parameter names: nil for all that can be read.
  public func table(_ names: [String]? = nil) throws -> ParquetTable { try scope.table(names) }
}

/// A part of a file's rows. Its columns are read as the file's are.
public struct ParquetRowGroup: Sendable {
  let scope: ReadScope

  public var rowCount: Int { scope.rowCounts[0] }

  /// As `ParquetFile.column`.
  public func column<Value: ParquetValue>(_ name: String, as type: Value.Type) throws -> ParquetColumn<Value> {
    try scope.columns(ParquetSelection(name, as: type))
  }

  /// As `ParquetFile.columns`.
  public func columns<each Value: ParquetValue>(
    _ selections: repeat ParquetSelection<each Value>
  ) throws -> (repeat ParquetColumn<each Value>) {
    try scope.columns(repeat each selections)
  }

  /// As `ParquetFile.timestamps`.
  public func timestamps(
    _ name: String, in unit: ParquetTimeUnit, roundingDown: Bool = false
  ) throws -> ParquetColumn<Int64> {
    try scope.columns(.timestamps(name, in: unit, roundingDown: roundingDown))
  }

  /// As `ParquetFile.listColumn`.
  public func listColumn<Value: ParquetValue>(_ name: String, as type: Value.Type) throws -> ParquetListColumn<Value> {
    try scope.listColumn(ParquetSelection(name, as: type))
  }

  /// As `ParquetFile.table`.
  public func table(_ names: [String]? = nil) throws -> ParquetTable { try scope.table(names) }
}

extension ReadScope {
  func columns<each Value: ParquetValue>(
    _ selections: repeat ParquetSelection<each Value>
  ) throws -> (repeat ParquetColumn<each Value>) {
    let readings = (repeat try FlatReading(self, each selections))
    var all: [any ColumnReading] = []
    repeat all.append(each readings)
    try read(all)
    return (repeat (each readings).column)
  }

  func listColumn<Value: ParquetValue>(_ selection: ParquetSelection<Value>) throws -> ParquetListColumn<Value> {
    let reading = try ListReading(self, selection)
    try read([reading])
    return reading.column
  }
}
