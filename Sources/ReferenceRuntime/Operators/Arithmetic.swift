// Element-wise arithmetic with broadcasting: sums, products, powers, remainders, extremes, means.

import Glibc
import Tensors

enum Arithmetic {
  static let operators: OperatorTable = [
    "Add": .one { try binary($0, floats: +) { a, b in a &+ b } },
    "Sub": .one { try binary($0, floats: -) { a, b in a &- b } },
    "Mul": .one { try binary($0, floats: *) { a, b in a &* b } },
    "Div": .one(divide),
    "Mod": .one(remainder),
    "Pow": .one(power),
    "Neg": .one { try unary($0, floats: -) { -$0 } },
    "Abs": .one { try unary($0, floats: abs) { abs($0) } },
    "Sign": .one { try unary($0, floats: sign) { $0.signum() } },
    "Sum": .one { try fold($0, +) },
    "Mean": .one(mean),
    "Max": .one { try extreme($0, floats: larger) { a, b in max(a, b) } },
    "Min": .one { try extreme($0, floats: smaller) { a, b in min(a, b) } },
    "Where": .one(select),
    "PRelu": .one(parametricRelu),
  ]

  /// Applies a function to each element, by kind of element; integers are wrapped into their type.
  static func unary(
    _ call: Call, floats: (Double) -> Double, integers: (Int128) -> Int128
  ) throws -> Operand {
    let x = try call.operand(0)
    switch x.elements {
    case .floats(let values): return Operand(values.map(floats), x.shape, x.elementType)
    case .integers(let values) where x.elementType != .bool:
      return Operand(integers: values.map { x.elementType.wrap(integers($0)) }, x.shape, x.elementType)
    default: throw call.failure("numbers, not \(x.summary)")
    }
  }

  /// Applies a function to the elements of both inputs, broadcast to one shape; integers are wrapped into their type.
  static func binary(
    _ call: Call, floats: (Double, Double) -> Double, integers: (Int128, Int128) throws -> Int128
  ) throws -> Operand {
    let (a, b) = try pair(call)
    switch (a.elements, b.elements) {
    case (.floats(let left), .floats(let right)):
      return Operand(zip(left, right).map(floats), a.shape, a.elementType)
    case (.integers(let left), .integers(let right)) where a.elementType != .bool:
      let type = a.elementType
      return Operand(integers: try zip(left, right).map { type.wrap(try integers($0, $1)) }, a.shape, type)
    default: throw call.failure("numbers, not \(a.summary)")
    }
  }

  /// The first two inputs, of one type, broadcast to one shape.
  static func pair(_ call: Call) throws -> (Operand, Operand) {
    let (a, b) = (try call.operand(0), try call.operand(1))
    try call.requireSameType([a, b])
    let shape = try call.broadcastShape([a, b])
    return (try call.broadcast(a, to: shape), try call.broadcast(b, to: shape))
  }

  /// `slope · x` for negative numbers, else `x`.
  private static func parametricRelu(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let slope = try call.broadcast(call.operand(1), to: x.shape)
    return try binary(
      call.with(inputs: [.tensor(x), .tensor(slope)]), floats: { x, slope in x < 0 ? slope * x : x },
      integers: { x, slope in x < 0 ? slope &* x : x })
  }

  /// The quotient; of integers, rounded towards zero.
  private static func divide(_ call: Call) throws -> Operand {
    try binary(call, floats: /) { a, b in
      guard b != 0 else { throw call.failure("no integer division by zero") }
      return a / b
    }
  }

  /// With `fmod` 1 the remainder has the dividend's sign, as C's; with 0 the divisor's, as Python's.
  private static func remainder(_ call: Call) throws -> Operand {
    let truncating = try call.flag("fmod")
    let a = try call.operand(0)
    guard truncating || !a.elementType.isFloatingPoint else {
      throw call.failure("fmod = 1 for floating-point inputs")
    }
    return try binary(call, floats: fmod) { a, b in
      guard b != 0 else { throw call.failure("no integer remainder of a division by zero") }
      let rest = a % b
      return !truncating && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
    }
  }

  /// The base's type is the result's; the exponent may have another.
  private static func power(_ call: Call) throws -> Operand {
    let (base, exponent) = (try call.operand(0), try call.operand(1))
    let shape = try call.broadcastShape([base, exponent])
    let (x, y) = (try call.broadcast(base, to: shape), try call.broadcast(exponent, to: shape))
    guard x.elementType != .bool, y.elementType != .bool else { throw call.failure("numbers") }
    switch (x.elements, y.elements) {
    case (.integers(let bases), .integers(let exponents)):
      let type = x.elementType
      return Operand(integers: zip(bases, exponents).map { type.wrap(integerPower($0, $1)) }, shape, type)
    case (.integers(let bases), .floats(let exponents)):
      let type = x.elementType
      return Operand(integers: zip(bases, exponents).map { type.truncated(pow(Double($0), $1)) }, shape, type)
    default:
      let exponents = try call.doubles(y)
      return Operand(zip(try call.floats(x), exponents).map { pow($0, $1) }, shape, x.elementType)
    }
  }

  /// Repeated squaring modulo 2^128, which wraps into every narrower type afterwards; negative exponents truncate.
  private static func integerPower(_ base: Int128, _ exponent: Int128) -> Int128 {
    guard exponent >= 0 else {
      switch base {
      case 1: return 1
      case -1: return exponent % 2 == 0 ? 1 : -1
      default: return 0
      }
    }
    var (result, square, rest): (Int128, Int128, Int128) = (1, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result = result &* square }
      square = square &* square
      rest >>= 1
    }
    return result
  }

  private static func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : x.isNaN ? .nan : 0 }

  /// NaN where either is NaN.
  static func larger(_ a: Double, _ b: Double) -> Double { a.isNaN || b.isNaN ? .nan : max(a, b) }
  static func smaller(_ a: Double, _ b: Double) -> Double { a.isNaN || b.isNaN ? .nan : min(a, b) }

  /// Floating-point inputs of any number, folded from the first.
  private static func fold(_ call: Call, _ combine: (Double, Double) -> Double) throws -> Operand {
    let operands = try call.operands()
    try call.requireSameType(operands)
    let shape = try call.broadcastShape(operands)
    let values = try operands.map { try call.floats(call.broadcast($0, to: shape)) }
    let result = values.dropFirst().reduce(values[0]) { zip($0, $1).map(combine) }
    return Operand(result, shape, operands[0].elementType)
  }

  private static func mean(_ call: Call) throws -> Operand {
    let sum = try fold(call, +)
    return Operand(try call.floats(sum).map { $0 / Double(call.inputs.count) }, sum.shape, sum.elementType)
  }

  private static func extreme(
    _ call: Call, floats: (Double, Double) -> Double, integers: (Int128, Int128) -> Int128
  ) throws -> Operand {
    let operands = try call.operands()
    try call.requireSameType(operands)
    if operands[0].elementType.isFloatingPoint { return try fold(call, floats) }
    let shape = try call.broadcastShape(operands)
    let values = try operands.map { operand in
      guard operand.elementType != .bool else { throw call.failure("numbers, not \(operand.summary)") }
      return try call.integers(call.broadcast(operand, to: shape))
    }
    let result = values.dropFirst().reduce(values[0]) { zip($0, $1).map(integers) }
    return Operand(integers: result, shape, operands[0].elementType)
  }

  /// The second input where the first is true, else the third.
  private static func select(_ call: Call) throws -> Operand {
    let operands = [try call.operand(0), try call.operand(1), try call.operand(2)]
    try call.requireSameType(Array(operands[1...]))
    let shape = try call.broadcastShape(operands)
    let condition = try call.booleans(call.broadcast(operands[0], to: shape), "the condition")
    let (yes, no) = (try call.broadcast(operands[1], to: shape), try call.broadcast(operands[2], to: shape))
    let count = condition.count
    let positions = condition.enumerated().map { $0.element ? $0.offset : count + $0.offset }
    return Operand.joined([yes, no], [2 * count], yes.elementType).picking(positions, shape)
  }
}
