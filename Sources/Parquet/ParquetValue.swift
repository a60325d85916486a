// The Swift types that a column can be read as and written from.

/// A Swift type of column values. The conforming types are this module's alone.
public protocol ParquetValue: Sendable, Equatable {
  /// What stands in `values` where a row is null.
  static var placeholder: Self { get }
  /// What kind of value this is to the module.
  static var parquetKind: ParquetValueKind { get }
}

/// A kind of value that the module converts from and to.
public struct ParquetValueKind: Sendable {
  enum Kind: Sendable, Equatable {
    case boolean
    case integer(bits: Int, isSigned: Bool)
    case float, double, string, bytes
  }
  let kind: Kind
  let movement: Movement

  init<Value: ParquetValue>(_ kind: Kind, _ type: Value.Type, isTrivial: Bool = true) {
    self.kind = kind
    movement = isTrivial ? Movement.ofWidth(MemoryLayout<Value>.stride) : Movement(of: type)
  }
}

extension Bool: ParquetValue {
  public static let placeholder = false
  public static let parquetKind = ParquetValueKind(.boolean, Self.self)
}

extension Int: ParquetValue {
  public static let placeholder: Int = 0
  public static let parquetKind = ParquetValueKind(.integer(bits: 64, isSigned: true), Self.self)
}

extension Int8: ParquetValue {
  public static let placeholder: Int8 = 0
  public static let parquetKind = ParquetValueKind(.integer(bits: 8, isSigned: true), Self.self)
}

extension Int16: ParquetValue {
  public static let placeholder: Int16 = 0
  public static let parquetKind = ParquetValueKind(.integer(bits: 16, isSigned: true), Self.self)
}

extension Int32: ParquetValue {
  public static let placeholder: Int32 = 0
  public static let parquetKind = ParquetValueKind(.integer(bits: 32, isSigned: true), Self.self)
}

extension Int64: ParquetValue {
  public static let placeholder: Int64 = 0
  public static let parquetKind = ParquetValueKind(.integer(bits: 64, isSigned: true), Self.self)
}

extension UInt8: ParquetValue {
  public static let placeholder: UInt8 = 0
  public static let parquetKind = ParquetValueKind(.integer(bits: 8, isSigned: false), Self.self)
}

extension UInt16: ParquetValue {
  public static let placeholder: UInt16 = 0
  public static let parquetKind = ParquetValueKind(.integer(bits: 16, isSigned: false), Self.self)
}

extension UInt32: ParquetValue {
  public static let placeholder: UInt32 = 0
  public static let parquetKind = ParquetValueKind(.integer(bits: 32, isSigned: false), Self.self)
}

extension UInt64: ParquetValue {
  public static let placeholder: UInt64 = 0
  public static let parquetKind = ParquetValueKind(.integer(bits: 64, isSigned: false), Self.self)
}

extension Float: ParquetValue {
  public static let placeholder: Float = 0
  public static let parquetKind = ParquetValueKind(.float, Self.self)
}

extension Double: ParquetValue {
  public static let placeholder: Double = 0
  public static let parquetKind = ParquetValueKind(.double, Self.self)
}

extension String: ParquetValue {
  public static let placeholder = ""
  public static let parquetKind = ParquetValueKind(.string, Self.self, isTrivial: false)
}

extension [UInt8]: ParquetValue {
  public static let placeholder: [UInt8] = []
  public static let parquetKind = ParquetValueKind(.bytes, Self.self, isTrivial: false)
}
