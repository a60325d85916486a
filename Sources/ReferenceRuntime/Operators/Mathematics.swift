// Functions of one floating-point number, element by element: exponentials, trigonometry, tests for specials.

import Glibc
import Tensors

enum Mathematics {
  static let operators: OperatorTable = [
    "Acos": map(acos), "Acosh": map(acosh), "Asin": map(asin), "Asinh": map(asinh), "Atan": map(atan),
    "Atanh": map(atanh), "Cos": map(cos), "Cosh": map(cosh), "Sin": map(sin), "Sinh": map(sinh), "Tan": map(tan),
    "Tanh": map(tanh), "Erf": .one(errorFunction), "Exp": map(exp), "Log": map(log), "Sqrt": map { $0.squareRoot() },
    "Reciprocal": map { 1 / $0 }, "IsNaN": .one(isNaN), "IsInf": .one(isInfinite),
  ]

  /// An operator that applies a function to each element of a floating-point tensor.
  static func map(_ function: @escaping @Sendable (Double) -> Double) -> Operator {
    .one { call in
      let x = try call.operand(0)
      return Operand(try call.floats(x).map(function), x.shape, x.elementType)
    }
  }

  /// Erf takes integers too, and gives integers back.
  private static func errorFunction(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    if x.elementType.isInteger {
      let type = x.elementType
      return Operand(integers: try call.integers(x).map { type.truncated(erf(Double($0))) }, x.shape, type)
    }
    return Operand(try call.floats(x).map(erf), x.shape, x.elementType)
  }

  private static func isNaN(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    return Operand(booleans: try call.floats(x).map(\.isNaN), x.shape)
  }

  private static func isInfinite(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let negative = try call.flag("detect_negative", default: true)
    let positive = try call.flag("detect_positive", default: true)
    return Operand(
      booleans: try call.floats(x).map { $0.isInfinite && ($0 < 0 ? negative : positive) }, x.shape)
  }
}
