// The columns of a file: names, types, and where nulls and lists come from.

/// A unit of time.
public enum ParquetTimeUnit: Sendable, Equatable {
  case seconds, milliseconds, microseconds, nanoseconds

  /// How many of the unit make a second.
  public var perSecond: Int64 {
    switch self {
    case .seconds: 1
    case .milliseconds: 1000
    case .microseconds: 1_000_000
    case .nanoseconds: 1_000_000_000
    }
  }
}

/// What the values of a column mean.
public enum ParquetType: Sendable, Equatable {
  case boolean
  case integer(bits: Int, isSigned: Bool)
  case float16, float, double
  /// UTF-8 text, also JSON and enumerations.
  case string
  /// Bytes of any length.
  case bytes
  /// Bytes of one length.
  case fixedBytes(Int)
  /// Days since 1970-01-01.
  case date
  /// Time of day.
  case time(ParquetTimeUnit)
  /// Time since 1970-01-01 00:00, in UTC or in an unnamed local time. The old 96-bit timestamps have nanoseconds.
  case timestamp(ParquetTimeUnit, isUTC: Bool)
  /// An integer that stands for itself divided by 10 to the `scale`.
  case decimal(precision: Int, scale: Int)
}

/// One column of a file.
public struct ParquetField: Sendable, Equatable {
  /// The field's name; inside a group the names from the root on, joined by dots. The levels that a list is made of
  /// (`list.element`) are left out.
  public let name: String
  public let type: ParquetType
  public let physicalType: ParquetPhysicalType
  /// Whether a value may be null; of a list, whether an element may be.
  public let isOptional: Bool
  /// Whether each row holds a list of values.
  public let isList: Bool
  /// Whether a whole list may be null.
  public let isListOptional: Bool

  /// Bytes of a value of a fixed-length array.
  let typeLength: Int
  /// The definition level of a value that is there, and that of an element of a list, null or not.
  let maximumDefinition: UInt8
  let repeatedDefinition: UInt8
  let maximumRepetition: UInt8

  /// Bytes of a value in the plain encoding; nil for what varies, and for booleans, which take a bit.
  var physicalWidth: Int? {
    switch physicalType {
    case .boolean, .byteArray: nil
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    case .fixedLengthByteArray: typeLength
    }
  }
}

/// The columns of a file, in its order.
public struct ParquetSchema: Sendable, Equatable {
  public let columns: [ParquetField]

  /// The first column of that name.
  public subscript(name: String) -> ParquetField? { columns.first { $0.name == name } }

  public var names: [String] { columns.map(\.name) }
}

extension ParquetSchema: CustomStringConvertible {
  /// A column a line.
  public var description: String { columns.map(\.description).joined(separator: "\n") }
}

extension ParquetField: CustomStringConvertible {
  /// Such as `cookie: integer(64 bits, signed), nulls`.
  public var description: String {
    let value = "\(type)\(isOptional ? ", nulls" : "")"
    return "\(name): \(isList ? "list of \(value)\(isListOptional ? "; null lists" : "")" : value)"
  }
}

extension ParquetType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .boolean: "boolean"
    case .integer(let bits, let isSigned): "\(isSigned ? "int" : "uint")\(bits)"
    case .float16: "float16"
    case .float: "float"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .fixedBytes(let count): "\(count) bytes"
    case .date: "date"
    case .time(let unit): "time in \(unit)"
    case .timestamp(let unit, let isUTC): "timestamp in \(unit)\(isUTC ? ", UTC" : "")"
    case .decimal(let precision, let scale): "decimal(\(precision), \(scale))"
    }
  }
}
