// Conversion between element types.

import Tensors

enum Casts {
  static let operators: OperatorTable = [
    "Cast": .one { call in
      guard let target = try call.elementType(attribute: "to") else { throw call.failure("the attribute to") }
      return try cast(call, call.operand(0), to: target)
    },
    "CastLike": .one { call in try cast(call, call.operand(0), to: call.operand(1).elementType) },
  ]

  /// The conversion by the rules of `Tensor.converted`. To floating point, the double is rounded once to the target;
  /// to anything else it is rounded to its declared type first, because those conversions jump.
  private static func cast(_ call: Call, _ x: Operand, to target: ElementType) throws -> Operand {
    let saturate = try call.flag("saturate", default: true)
    if case .floats(let values) = x.elements, target.isFloatingPoint {
      if target == x.elementType { return x }
      let tensor = Tensor(doubles: values, shape: x.shape, elementType: target, saturate: saturate)
      return Operand(tensor.doubles(), x.shape, target)
    }
    do {
      guard let result = Operand(try x.tensor().converted(to: target, saturate: saturate)) else {
        throw call.failure("a type to convert to, not \(target)")
      }
      return result
    } catch let error as ConversionError {
      throw call.failure("elements that convert to \(target): \(error)")
    }
  }
}
