// Element-wise comparisons with broadcasting, of numbers rounded to their declared type.

import Tensors

enum Comparisons {
  static let operators: OperatorTable = [
    "Equal": .one(equal),
    "Greater": .one { try compare($0, floats: >, integers: >) },
    "GreaterOrEqual": .one { try compare($0, floats: >=, integers: >=) },
    "Less": .one { try compare($0, floats: <, integers: <) },
    "LessOrEqual": .one { try compare($0, floats: <=, integers: <=) },
  ]

  private static func compare(
    _ call: Call, floats: (Double, Double) -> Bool, integers: (Int128, Int128) -> Bool
  ) throws -> Operand {
    let (a, b) = try Arithmetic.pair(call)
    switch (a.rounded.elements, b.rounded.elements) {
    case (.floats(let left), .floats(let right)):
      return Operand(booleans: zip(left, right).map(floats), a.shape)
    case (.integers(let left), .integers(let right)):
      return Operand(booleans: zip(left, right).map(integers), a.shape)
    default: throw call.failure("numbers, not \(a.summary)")
    }
  }

  /// Equality also takes booleans and, since opset 19, strings.
  private static func equal(_ call: Call) throws -> Operand {
    let (a, b) = try Arithmetic.pair(call)
    if case (.strings(let left), .strings(let right)) = (a.elements, b.elements) {
      return Operand(booleans: zip(left, right).map(==), a.shape)
    }
    return try compare(call, floats: ==, integers: ==)
  }
}
