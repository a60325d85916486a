// Values that come from attributes, shapes or bounds.

import Glibc
import ONNX
import Tensors

enum Constants {
  static let operators: OperatorTable = [
    "Constant": .one(constant),
    "ConstantOfShape": .one(constantOfShape),
    "Range": .one(range),
    "EyeLike": .one(eyeLike),
    "OneHot": .one(oneHot),
  ]

  private static func constant(_ call: Call) throws -> Operand {
    if let tensor = try call.tensor(attribute: "value") { return tensor }
    if case .sparseTensor(let sparse)? = call.node.attribute("sparse_value") {
      guard let operand = Operand(sparse) else { throw call.failure("a sparse_value whose indices fit its shape") }
      return operand
    }
    if let number = try call.float("value_float") { return Operand([number], .scalar, .float) }
    if let numbers = try call.floats(attribute: "value_floats") { return Operand(numbers, [numbers.count], .float) }
    switch (call.node.attribute("value_int"), call.node.attribute("value_ints")) {
    case (.int(let number)?, _): return Operand(integers: [Int128(number)], .scalar, .int64)
    case (_, .ints(let numbers)?): return Operand(integers: numbers.map { Int128($0) }, [numbers.count], .int64)
    default: break
    }
    if case .string(let text)? = call.node.attribute("value_string") { return Operand(strings: [text], .scalar) }
    if let texts = try call.strings(attribute: "value_strings") { return Operand(strings: texts, [texts.count]) }
    throw call.failure("one of value, sparse_value, value_float(s), value_int(s), value_string(s)")
  }

  private static func constantOfShape(_ call: Call) throws -> Operand {
    let wanted = try call.operand(0)
    guard wanted.rank == 1 else { throw call.failure("a shape with one axis, not \(wanted.summary)") }
    let shape = try call.checked(call.indices(wanted, "the shape"))
    let value = try call.tensor(attribute: "value") ?? Operand([0], [1], .float)
    guard value.count == 1 else { throw call.failure("one element as value, not \(value.summary)") }
    return value.picking([Int](repeating: 0, count: shape.elementCount), shape)
  }

  /// `start, start + delta, …` up to but without `limit`: `max(⌈(limit - start) / delta⌉, 0)` numbers.
  private static func range(_ call: Call) throws -> Operand {
    let bounds = [try call.operand(0), try call.operand(1), try call.operand(2)]
    try call.requireSameType(bounds)
    guard bounds.allSatisfy({ $0.count == 1 }) else { throw call.failure("start, limit and delta of one element each") }
    let type = bounds[0].elementType
    if type.isFloatingPoint {
      let (start, limit, delta) = (
        try call.floats(bounds[0])[0], try call.floats(bounds[1])[0], try call.floats(bounds[2])[0]
      )
      let count = max(((limit - start) / delta).rounded(.up), 0)
      guard count <= Double(Call.maximumElements) else {
        throw call.failure("start, limit and delta that give a finite range, not \(start), \(limit), \(delta)")
      }
      return Operand((0..<Int(count)).map { start + Double($0) * delta }, [Int(count)], type)
    }
    let (start, limit, delta) = (
      try call.integers(bounds[0])[0], try call.integers(bounds[1])[0], try call.integers(bounds[2])[0]
    )
    guard delta != 0 else { throw call.failure("a delta other than 0") }
    let distance = delta > 0 ? limit - start : start - limit
    let count = distance > 0 ? (distance - 1) / abs(delta) + 1 : 0
    let shape = try call.checked([Int(clamping: count)])
    return Operand(integers: (0..<shape[0]).map { start + Int128($0) * delta }, shape, type)
  }

  /// A matrix of the input's shape with ones on the k-th diagonal.
  private static func eyeLike(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank == 2 else { throw call.failure("a matrix, not \(x.summary)") }
    let type = try call.elementType(attribute: "dtype") ?? x.elementType
    guard type != .string else { throw call.failure("a numeric dtype") }
    let diagonal = try call.int("k", default: 0)
    let ones = (0..<x.count).map { $0 % x.shape[1] - $0 / x.shape[1] == diagonal }
    return type.isFloatingPoint
      ? Operand(ones.map { $0 ? 1 : 0 }, x.shape, type)
      : Operand(integers: ones.map { $0 ? 1 : 0 }, x.shape, type)
  }

  /// A new axis of `depth` elements: `values[1]` at the index, `values[0]` elsewhere, and everywhere where the index is
  /// outside `-depth..<depth`.
  private static func oneHot(_ call: Call) throws -> Operand {
    let (indices, values) = (try call.operand(0), try call.operand(2))
    let depthOperand = try call.operand(1)
    let depthNumber = try call.scalarDouble(depthOperand, "depth")
    guard depthNumber >= 0, depthNumber <= Double(Call.maximumElements) else {
      throw call.failure("a depth of at least 0, not \(depthNumber)")
    }
    let depth = Int(depthNumber)
    guard values.shape == [2] else { throw call.failure("values of shape [2], off and on") }
    let axis = try call.axis(call.int("axis", default: -1), rank: indices.rank + 1)
    let shape = try call.checked(indices.shape.dimensions[..<axis] + [depth] + indices.shape.dimensions[axis...])
    let hot = try call.doubles(indices, "the indices").map { index -> Int in
      guard index >= -Double(depth), index < Double(depth) else { return -1 }
      let whole = Int(index.rounded(.towardZero))
      return whole < 0 ? whole + depth : whole
    }
    let inner = indices.shape.dimensions[axis...].reduce(1, *)
    let picked = (0..<shape.elementCount).map { position in
      let (outer, level, rest) = (position / inner / depth, position / inner % depth, position % inner)
      return hot[outer * inner + rest] == level ? 1 : 0
    }
    return values.picking(picked, shape)
  }
}
