// Reading and writing numbers whose type only a node knows, one by one: for the rare places where types mix.

import Tensors

/// The numbers of a buffer as doubles or integers, whatever type they are stored in.
struct NumberReader {
  let double: (Int) -> Double
  let integer: (Int) -> Int64

  /// - Precondition: the buffer holds numbers of a type that `Inference.requireNumber` takes, or booleans.
  init(_ buffer: Buffer) {
    switch buffer.spec.elementType {
    case .float: self.init(buffer.elements(as: Float.self))
    case .double: self.init(buffer.elements(as: Double.self))
    case .int8: self.init(buffer.elements(as: Int8.self))
    case .int16: self.init(buffer.elements(as: Int16.self))
    case .int32: self.init(buffer.elements(as: Int32.self))
    case .int64: self.init(buffer.elements(as: Int64.self))
    case .uint16: self.init(buffer.elements(as: UInt16.self))
    case .uint32: self.init(buffer.elements(as: UInt32.self))
    case .uint64: self.init(buffer.elements(as: UInt64.self))
    default: self.init(buffer.elements(as: UInt8.self))
    }
  }

  private init<T: IntegerNumber>(_ pointer: UnsafeMutablePointer<T>) {
    double = { Double(pointer[$0]) }
    integer = { Int64(truncatingIfNeeded: pointer[$0]) }
  }

  private init<T: FloatingNumber>(_ pointer: UnsafeMutablePointer<T>) {
    double = { Double(pointer[$0]) }
    integer = { Int64(converting: Double(pointer[$0])) }
  }

  /// Writes a place of a buffer: the double where there is one, else the integer.
  static func writer(_ buffer: Buffer) -> (_ index: Int, _ double: Double?, _ integer: Int64) -> Void {
    switch buffer.spec.elementType {
    case .float: writer(buffer.elements(as: Float.self))
    case .double: writer(buffer.elements(as: Double.self))
    case .int8: writer(buffer.elements(as: Int8.self))
    case .int16: writer(buffer.elements(as: Int16.self))
    case .int32: writer(buffer.elements(as: Int32.self))
    case .int64: writer(buffer.elements(as: Int64.self))
    case .uint16: writer(buffer.elements(as: UInt16.self))
    case .uint32: writer(buffer.elements(as: UInt32.self))
    case .uint64: writer(buffer.elements(as: UInt64.self))
    default: writer(buffer.elements(as: UInt8.self))
    }
  }

  private static func writer<T: IntegerNumber>(_ pointer: UnsafeMutablePointer<T>) -> (Int, Double?, Int64) -> Void {
    { index, double, integer in
      pointer[index] = double.map { T(converting: $0) } ?? T(truncatingIfNeeded: integer)
    }
  }

  private static func writer<T: FloatingNumber>(_ pointer: UnsafeMutablePointer<T>) -> (Int, Double?, Int64) -> Void {
    { index, double, integer in pointer[index] = double.map { T($0) } ?? T(integer) }
  }
}
