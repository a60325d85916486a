// The Swift types that arithmetic kernels compute with, and the arithmetic they share.

import Glibc
import Tensors

/// A type that kernels compute with. Nothing here traps, whatever the values: integers wrap around,
/// and an integer divided by zero is 0.
protocol Number: TensorElement, Comparable {
  static var zero: Self { get }
  static var one: Self { get }
  /// What every number is at least: minus infinity, or the smallest integer.
  static var lowest: Self { get }
  /// What every number is at most: infinity, or the largest integer.
  static var highest: Self { get }
  static func sum(_ a: Self, _ b: Self) -> Self
  static func difference(_ a: Self, _ b: Self) -> Self
  static func product(_ a: Self, _ b: Self) -> Self
  static func quotient(_ a: Self, _ b: Self) -> Self
  /// The remainder with the divisor's sign, as Python's `%`.
  static func modulus(_ a: Self, _ b: Self) -> Self
  /// The remainder with the dividend's sign, as C's `fmod`.
  static func remainder(_ a: Self, _ b: Self) -> Self
  static func power(_ a: Self, _ b: Self) -> Self
  /// The larger one; NaN where either is.
  static func maximum(_ a: Self, _ b: Self) -> Self
  /// The smaller one; NaN where either is.
  static func minimum(_ a: Self, _ b: Self) -> Self
  static func negative(_ a: Self) -> Self
  static func absolute(_ a: Self) -> Self
  /// The nearest number, towards zero for integers, at the bound where it is out of range, 0 for NaN.
  init(converting value: Double)
  /// The nearest double.
  var double: Double { get }
}

extension Number {
  /// -1, 0 or 1; NaN for NaN.
  @inline(__always) static func sign(_ a: Self) -> Self {
    a > zero ? one : a < zero ? negative(one) : a == zero ? zero : a
  }

  @inline(__always) static func square(_ a: Self) -> Self { product(a, a) }
}

/// Integers, wrapping around where they overflow.
protocol IntegerNumber: Number, FixedWidthInteger {}

extension IntegerNumber {
  @inline(__always) static var one: Self { 1 }
  @inline(__always) static var lowest: Self { .min }
  @inline(__always) static var highest: Self { .max }
  @inline(__always) static func sum(_ a: Self, _ b: Self) -> Self { a &+ b }
  @inline(__always) static func difference(_ a: Self, _ b: Self) -> Self { a &- b }
  @inline(__always) static func product(_ a: Self, _ b: Self) -> Self { a &* b }
  @inline(__always) static func quotient(_ a: Self, _ b: Self) -> Self {
    b == 0 ? 0 : a.dividedReportingOverflow(by: b).partialValue
  }
  @inline(__always) static func remainder(_ a: Self, _ b: Self) -> Self {
    b == 0 ? 0 : a.remainderReportingOverflow(dividingBy: b).partialValue
  }
  @inline(__always) static func modulus(_ a: Self, _ b: Self) -> Self {
    let rest = remainder(a, b)
    return rest != 0 && (rest < 0) != (b < 0) ? rest &+ b : rest
  }
  static func power(_ a: Self, _ b: Self) -> Self {
    guard b >= 0 else { return a == 1 ? 1 : a &+ 1 == 0 ? (b & 1 == 0 ? 1 : a) : 0 }
    var (result, base, exponent): (Self, Self, Self) = (1, a, b)
    while exponent > 0 {
      if exponent & 1 == 1 { result = result &* base }
      base = base &* base
      exponent >>= 1
    }
    return result
  }
  @inline(__always) static func maximum(_ a: Self, _ b: Self) -> Self { a > b ? a : b }
  @inline(__always) static func minimum(_ a: Self, _ b: Self) -> Self { a < b ? a : b }
  @inline(__always) static func negative(_ a: Self) -> Self { 0 &- a }
  @inline(__always) static func absolute(_ a: Self) -> Self { a < 0 ? 0 &- a : a }
  @inline(__always) init(converting value: Double) {
    self = Self(exactly: value.rounded(.towardZero)) ?? (value.isNaN ? 0 : value < 0 ? .min : .max)
  }
  @inline(__always) var double: Double { Double(self) }
}

extension Int8: IntegerNumber {}
extension Int16: IntegerNumber {}
extension Int32: IntegerNumber {}
extension Int64: IntegerNumber {}
extension UInt8: IntegerNumber {}
extension UInt16: IntegerNumber {}
extension UInt32: IntegerNumber {}
extension UInt64: IntegerNumber {}

/// Floating-point numbers with the functions of the C library.
protocol FloatingNumber: Number, BinaryFloatingPoint {
  static func exp(_ x: Self) -> Self
  static func expm1(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func log1p(_ x: Self) -> Self
  static func erf(_ x: Self) -> Self
  static func sin(_ x: Self) -> Self
  static func cos(_ x: Self) -> Self
  static func tan(_ x: Self) -> Self
  static func asin(_ x: Self) -> Self
  static func acos(_ x: Self) -> Self
  static func atan(_ x: Self) -> Self
  static func sinh(_ x: Self) -> Self
  static func cosh(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
  static func asinh(_ x: Self) -> Self
  static func acosh(_ x: Self) -> Self
  static func atanh(_ x: Self) -> Self
}

extension FloatingNumber {
  @inline(__always) static var one: Self { 1 }
  @inline(__always) static var lowest: Self { -.infinity }
  @inline(__always) static var highest: Self { .infinity }
  @inline(__always) static func sum(_ a: Self, _ b: Self) -> Self { a + b }
  @inline(__always) static func difference(_ a: Self, _ b: Self) -> Self { a - b }
  @inline(__always) static func product(_ a: Self, _ b: Self) -> Self { a * b }
  @inline(__always) static func quotient(_ a: Self, _ b: Self) -> Self { a / b }
  @inline(__always) static func remainder(_ a: Self, _ b: Self) -> Self { a.truncatingRemainder(dividingBy: b) }
  @inline(__always) static func modulus(_ a: Self, _ b: Self) -> Self {
    let rest = remainder(a, b)
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
  }
  @inline(__always) static func maximum(_ a: Self, _ b: Self) -> Self { a > b || a.isNaN ? a : b }
  @inline(__always) static func minimum(_ a: Self, _ b: Self) -> Self { a < b || a.isNaN ? a : b }
  @inline(__always) static func negative(_ a: Self) -> Self { -a }
  @inline(__always) static func absolute(_ a: Self) -> Self { abs(a) }
  @inline(__always) static func sigmoid(_ x: Self) -> Self {
    // Whichever exponential does not overflow.
    let small = exp(-abs(x))
    return (x >= 0 ? 1 : small) / (1 + small)
  }
  @inline(__always) init(converting value: Double) { self = Self(value) }
  @inline(__always) var double: Double { Double(self) }
}

extension Float: FloatingNumber {
  @inline(__always) static func power(_ a: Float, _ b: Float) -> Float { powf(a, b) }
  @inline(__always) static func exp(_ x: Float) -> Float { expf(x) }
  @inline(__always) static func expm1(_ x: Float) -> Float { expm1f(x) }
  @inline(__always) static func log(_ x: Float) -> Float { logf(x) }
  @inline(__always) static func log1p(_ x: Float) -> Float { log1pf(x) }
  @inline(__always) static func erf(_ x: Float) -> Float { erff(x) }
  @inline(__always) static func sin(_ x: Float) -> Float { sinf(x) }
  @inline(__always) static func cos(_ x: Float) -> Float { cosf(x) }
  @inline(__always) static func tan(_ x: Float) -> Float { tanf(x) }
  @inline(__always) static func asin(_ x: Float) -> Float { asinf(x) }
  @inline(__always) static func acos(_ x: Float) -> Float { acosf(x) }
  @inline(__always) static func atan(_ x: Float) -> Float { atanf(x) }
  @inline(__always) static func sinh(_ x: Float) -> Float { sinhf(x) }
  @inline(__always) static func cosh(_ x: Float) -> Float { coshf(x) }
  @inline(__always) static func tanh(_ x: Float) -> Float { tanhf(x) }
  @inline(__always) static func asinh(_ x: Float) -> Float { asinhf(x) }
  @inline(__always) static func acosh(_ x: Float) -> Float { acoshf(x) }
  @inline(__always) static func atanh(_ x: Float) -> Float { atanhf(x) }
}

extension Double: FloatingNumber {
  @inline(__always) static func power(_ a: Double, _ b: Double) -> Double { pow(a, b) }
  @inline(__always) static func exp(_ x: Double) -> Double { Glibc.exp(x) }
  @inline(__always) static func expm1(_ x: Double) -> Double { Glibc.expm1(x) }
  @inline(__always) static func log(_ x: Double) -> Double { Glibc.log(x) }
  @inline(__always) static func log1p(_ x: Double) -> Double { Glibc.log1p(x) }
  @inline(__always) static func erf(_ x: Double) -> Double { Glibc.erf(x) }
  @inline(__always) static func sin(_ x: Double) -> Double { Glibc.sin(x) }
  @inline(__always) static func cos(_ x: Double) -> Double { Glibc.cos(x) }
  @inline(__always) static func tan(_ x: Double) -> Double { Glibc.tan(x) }
  @inline(__always) static func asin(_ x: Double) -> Double { Glibc.asin(x) }
  @inline(__always) static func acos(_ x: Double) -> Double { Glibc.acos(x) }
  @inline(__always) static func atan(_ x: Double) -> Double { Glibc.atan(x) }
  @inline(__always) static func sinh(_ x: Double) -> Double { Glibc.sinh(x) }
  @inline(__always) static func cosh(_ x: Double) -> Double { Glibc.cosh(x) }
  @inline(__always) static func tanh(_ x: Double) -> Double { Glibc.tanh(x) }
  @inline(__always) static func asinh(_ x: Double) -> Double { Glibc.asinh(x) }
  @inline(__always) static func acosh(_ x: Double) -> Double { Glibc.acosh(x) }
  @inline(__always) static func atanh(_ x: Double) -> Double { Glibc.atanh(x) }
}

extension ElementType {
  /// The Swift type of a number that is rare in graphs. Kernels get it at run time and are not compiled for it:
  /// correct, compact and slow, where `float`, `double`, `int32` and `int64` have code of their own.
  /// - Precondition: the type is one that `Inference.requireNumber` takes.
  var rareNumber: any Number.Type {
    switch self {
    case .float: Float.self
    case .double: Double.self
    case .int8: Int8.self
    case .int16: Int16.self
    case .int32: Int32.self
    case .int64: Int64.self
    case .uint16: UInt16.self
    case .uint32: UInt32.self
    case .uint64: UInt64.self
    default: UInt8.self
    }
  }
}
