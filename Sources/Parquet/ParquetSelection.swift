// Which column to read, and as what; and the Swift type that is nearest to a column's own.

/// A column to read, and the type of its values.
public struct ParquetSelection<Value: ParquetValue>: Sendable {
  public let name: String
  let wanted: String
  let makeKernel: @Sendable (ParquetField) -> ValueKernel?

  public init(_ name: String, as type: Value.Type) {
    self.name = name
    wanted = "\(type)"
    makeKernel = { ValueKernel(Value.parquetKind, $0) }
  }
}

extension ParquetSelection<Int64> {
  /// Timestamps or dates as whole numbers of a unit since 1970-01-01 00:00.
  ///
  /// - Parameter roundingDown: whether what is finer than the unit is cut off; otherwise it is an error.
  public static func timestamps(
    _ name: String, in unit: ParquetTimeUnit, roundingDown: Bool = false
  ) -> ParquetSelection {
    ParquetSelection(name, unit, roundingDown)
  }

  private init(_ name: String, _ unit: ParquetTimeUnit, _ roundingDown: Bool) {
    self.name = name
    wanted = "a time in \(unit)"
    makeKernel = { ValueKernel(timestamps: $0, in: unit, roundingDown: roundingDown) }
  }
}

extension ParquetField {
  /// The type of the values in a `ParquetTable`: the smallest that holds all that the column's type can.
  public var swiftType: any ParquetValue.Type {
    switch type {
    case .boolean: Bool.self
    case .integer(8, true): Int8.self
    case .integer(16, true): Int16.self
    case .integer(8, _): UInt8.self
    case .integer(16, _): UInt16.self
    case .integer(64, false): UInt64.self
    case .integer(_, false): UInt32.self
    case .integer, .date, .time, .timestamp: physicalType == .int32 ? Int32.self : Int64.self
    case .decimal(let precision, _):
      switch physicalType {
      case .int32: Int32.self
      case .int64: Int64.self
      // 18 digits fit into 64 bits.
      default: precision <= 18 ? Int64.self : [UInt8].self
      }
    case .float16, .float: Float.self
    case .double: Double.self
    case .string: String.self
    case .bytes, .fixedBytes: [UInt8].self
    }
  }
}

extension ReadScope {
  func table(_ names: [String]?) throws -> ParquetTable {
    let fields = try names.map { try $0.map { try file.leaf($0).field } } ?? file.leaves.compactMap(\.field)
    let readings = try fields.map { try anyReading($0, $0.swiftType) }
    try read(readings.map(\.reading))
    return ParquetTable(fields: fields, columns: readings.map { $0.result() })
  }

  private func anyReading<Value: ParquetValue>(
    _ field: ParquetField, _ type: Value.Type
  ) throws -> (reading: any ColumnReading, result: () -> any ParquetColumnData) {
    let selection = ParquetSelection(field.name, as: type)
    if field.isList {
      let reading = try ListReading(self, selection)
      return (reading, { reading.column })
    }
    let reading = try FlatReading(self, selection)
    return (reading, { reading.column })
  }
}
