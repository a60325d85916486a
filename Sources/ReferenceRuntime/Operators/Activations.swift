// Activation functions, element by element.

import Glibc
import Tensors

enum Activations {
  static let operators: OperatorTable = [
    "Relu": .one { try Arithmetic.unary($0, floats: { $0.isNaN ? .nan : max($0, 0) }) { max($0, 0) } },
    "LeakyRelu": parametric("alpha", 0.01) { alpha, x in x < 0 ? alpha * x : x },
    "ThresholdedRelu": parametric("alpha", 1) { alpha, x in x > alpha ? x : 0 },
    "Elu": parametric("alpha", 1) { alpha, x in x < 0 ? alpha * expm1(x) : x },
    "Celu": parametric("alpha", 1) { alpha, x in max(0, x) + min(0, alpha * expm1(x / alpha)) },
    "Selu": .one(selu),
    "Sigmoid": Mathematics.map(sigmoid),
    "HardSigmoid": .one(hardSigmoid),
    "HardSwish": Mathematics.map { x in x * max(0, min(1, x / 6 + 0.5)) },
    "Softplus": Mathematics.map(softplus),
    "Softsign": Mathematics.map { x in x / (1 + abs(x)) },
    "Mish": Mathematics.map { x in x * tanh(softplus(x)) },
    "Gelu": .one(gelu),
    "Shrink": .one(shrink),
  ]

  static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// `log(1 + exp(x))`, written so that large numbers do not overflow.
  static func softplus(_ x: Double) -> Double { x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)) }

  /// An operator with one number as an attribute.
  private static func parametric(
    _ name: String, _ fallback: Float, _ function: @escaping @Sendable (Double, Double) -> Double
  ) -> Operator {
    .one { call in
      let x = try call.operand(0)
      let parameter = try call.float(name, default: fallback)
      return Operand(try call.floats(x).map { function(parameter, $0) }, x.shape, x.elementType)
    }
  }

  /// `γ · x` for positive numbers, `γ · α · (exp(x) - 1)` for others.
  private static func selu(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let alpha = try call.float("alpha", default: 1.67326319217681884765625)
    let gamma = try call.float("gamma", default: 1.05070102214813232421875)
    return Operand(
      try call.floats(x).map { $0 > 0 ? gamma * $0 : gamma * alpha * expm1($0) }, x.shape, x.elementType)
  }

  /// `max(0, min(1, α · x + β))`
  private static func hardSigmoid(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let (alpha, beta) = (try call.float("alpha", default: 0.2), try call.float("beta", default: 0.5))
    return Operand(try call.floats(x).map { max(0, min(1, alpha * $0 + beta)) }, x.shape, x.elementType)
  }

  /// `x · Φ(x)`, or its approximation `0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
  private static func gelu(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let values = try call.floats(x)
    if try call.choice("approximate", default: "none", of: ["none", "tanh"]) == "none" {
      return Operand(values.map { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }, x.shape, x.elementType)
    }
    let scale = (2 / Double.pi).squareRoot()
    return Operand(
      values.map { 0.5 * $0 * (1 + tanh(scale * ($0 + 0.044715 * $0 * $0 * $0))) }, x.shape, x.elementType)
  }

  /// Numbers within ±lambd become 0, others move towards 0 by `bias`.
  private static func shrink(_ call: Call) throws -> Operand {
    let (bias, limit) = (try call.float("bias", default: 0), try call.float("lambd", default: 0.5))
    func shrunk(_ x: Double) -> Double { x < -limit ? x + bias : x > limit ? x - bias : 0 }
    let x = try call.operand(0)
    if x.elementType.isInteger {
      let type = x.elementType
      return Operand(integers: try call.integers(x).map { type.truncated(shrunk(Double($0))) }, x.shape, type)
    }
    return Operand(try call.floats(x).map(shrunk), x.shape, x.elementType)
  }
}
