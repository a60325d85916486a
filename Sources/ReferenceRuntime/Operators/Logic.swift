// Boolean and bitwise operators with broadcasting.

import Tensors

enum Logic {
  static let operators: OperatorTable = [
    "And": .one { try logical($0) { a, b in a && b } },
    "Or": .one { try logical($0) { a, b in a || b } },
    "Xor": .one { try logical($0) { a, b in a != b } },
    "Not": .one(not),
    "BitwiseAnd": .one { try bitwise($0, &) },
    "BitwiseOr": .one { try bitwise($0, |) },
    "BitwiseXor": .one { try bitwise($0, ^) },
    "BitwiseNot": .one(bitwiseNot),
    "BitShift": .one(shift),
  ]

  private static func logical(_ call: Call, _ combine: (Bool, Bool) -> Bool) throws -> Operand {
    let (a, b) = try Arithmetic.pair(call)
    return Operand(booleans: zip(try call.booleans(a), try call.booleans(b)).map(combine), a.shape)
  }

  private static func not(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    return Operand(booleans: try call.booleans(x).map(!), x.shape)
  }

  /// Exact integers extend their sign for ever, so that the bits of any width come out right.
  private static func bitwise(_ call: Call, _ combine: (Int128, Int128) -> Int128) throws -> Operand {
    let (a, b) = try Arithmetic.pair(call)
    guard a.elementType.isInteger else { throw call.failure("integers, not \(a.summary)") }
    let type = a.elementType
    let values = zip(try call.integers(a), try call.integers(b)).map { type.wrap(combine($0, $1)) }
    return Operand(integers: values, a.shape, type)
  }

  private static func bitwiseNot(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.elementType.isInteger else { throw call.failure("integers, not \(x.summary)") }
    return Operand(integers: try call.integers(x).map { x.elementType.wrap(~$0) }, x.shape, x.elementType)
  }

  /// Shifts unsigned integers by as many bits as the second input says; 64 bits and more leave nothing.
  private static func shift(_ call: Call) throws -> Operand {
    let direction = try call.choice("direction", default: "", of: ["LEFT", "RIGHT"])
    let (a, b) = try Arithmetic.pair(call)
    guard a.elementType.isInteger, a.elementType.integerBounds.lowest == 0 else {
      throw call.failure("unsigned integers, not \(a.summary)")
    }
    let type = a.elementType
    let values = zip(try call.integers(a), try call.integers(b)).map { value, amount in
      let bits = min(amount, 64)
      return type.wrap(direction == "LEFT" ? value << bits : value >> bits)
    }
    return Operand(integers: values, a.shape, type)
  }
}
