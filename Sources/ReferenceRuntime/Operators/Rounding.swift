// Element-wise rounding and bounding.

import Tensors

enum Rounding {
  static let operators: OperatorTable = [
    "Ceil": .one { try round($0, .up) },
    "Floor": .one { try round($0, .down) },
    "Round": .one { try round($0, .toNearestOrEven) },
    "Clip": .one(clip),
  ]

  /// Rounds to integers what the graph's type can hold: 6.9999999 as a float is 7, and its floor too.
  private static func round(_ call: Call, _ rule: FloatingPointRoundingRule) throws -> Operand {
    let x = try call.operand(0).rounded
    return Operand(try call.floats(x).map { $0.rounded(rule) }, x.shape, x.elementType)
  }

  /// `min(max(x, lowest), highest)`: where the bounds cross, the highest wins. Bounds are attributes before opset 11.
  private static func clip(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    if call.version < 11 {
      let (lowest, highest) = (try call.float("min") ?? -.infinity, try call.float("max") ?? .infinity)
      return Operand(
        try call.floats(x).map { Arithmetic.smaller(Arithmetic.larger($0, lowest), highest) }, x.shape, x.elementType)
    }
    guard call.node.attribute("min") == nil, call.node.attribute("max") == nil else {
      throw call.failure("min and max as inputs 1 and 2, as they are since opset 11, not as attributes")
    }
    let bounds = try [call.optional(1), call.optional(2)]
    for case let bound? in bounds {
      try call.requireSameType([x, bound])
      guard bound.count == 1 else { throw call.failure("a bound of one element, not \(bound.summary)") }
    }
    switch x.elements {
    case .floats(var values):
      if let lowest = try bounds[0].map({ try call.floats($0)[0] }) {
        values = values.map { Arithmetic.larger($0, lowest) }
      }
      if let highest = try bounds[1].map({ try call.floats($0)[0] }) {
        values = values.map { Arithmetic.smaller($0, highest) }
      }
      return Operand(values, x.shape, x.elementType)
    case .integers(var values) where x.elementType != .bool:
      if let lowest = try bounds[0].map({ try call.integers($0)[0] }) { values = values.map { max($0, lowest) } }
      if let highest = try bounds[1].map({ try call.integers($0)[0] }) { values = values.map { min($0, highest) } }
      return Operand(integers: values, x.shape, x.elementType)
    default: throw call.failure("numbers, not \(x.summary)")
    }
  }
}
