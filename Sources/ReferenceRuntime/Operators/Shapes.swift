// Shapes of values, and the same elements under other shapes.

import Tensors

enum Shapes {
  static let operators: OperatorTable = [
    "Shape": .one(shape),
    "Size": .one { Operand(indices: [try $0.operand(0).count], .scalar) },
    "Reshape": .one(reshape),
    "Flatten": .one(flatten),
    "Squeeze": .one(squeeze),
    "Unsqueeze": .one(unsqueeze),
    "Identity": .many { [try $0.value(0)] },
    "Dropout": .many(dropout),
  ]

  /// The extents as integers; since opset 15 those from `start` up to `end`.
  private static func shape(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    func bound(_ value: Int) -> Int { min(max(value < 0 ? value + x.rank : value, 0), x.rank) }
    let start = bound(try call.int("start", default: 0))
    let end = max(bound(try call.int("end", default: x.rank)), start)
    return Operand(indices: Array(x.shape.dimensions[start..<end]), [end - start])
  }

  /// In the wanted shape, -1 stands for what is left, and 0 for the input's extent (unless `allowzero`).
  private static func reshape(_ call: Call) throws -> Operand {
    let (x, wanted) = (try call.operand(0), try call.operand(1))
    guard wanted.rank == 1 else { throw call.failure("a shape with one axis, not \(wanted.summary)") }
    var extents = try call.indices(wanted, "the shape")
    if try !call.flag("allowzero") {
      for axis in extents.indices where extents[axis] == 0 {
        guard axis < x.rank else {
          throw call.failure("no 0 in the shape past the input's axes, not \(Shape(extents))")
        }
        extents[axis] = x.shape[axis]
      }
    }
    if let open = extents.firstIndex(of: -1) {
      let others = Shape(extents.enumerated().filter { $0.offset != open }.map(\.element))
      guard let known = others.checkedElementCount, known > 0 ? x.count % known == 0 : x.count == 0 else {
        throw call.failure("a shape that \(x.count) elements fill, not \(Shape(extents))")
      }
      extents[open] = known > 0 ? x.count / known : 0
    }
    let shape = try call.checked(extents)
    guard shape.elementCount == x.count else {
      throw call.failure("a shape of \(x.count) elements, not \(shape)")
    }
    return x.reshaped(shape)
  }

  /// A matrix: the axes before `axis` are its rows.
  private static func flatten(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let axis = try call.int("axis", default: 1)
    guard axis >= -x.rank, axis <= x.rank else { throw call.failure("an axis within the rank, not \(axis)") }
    let split = axis < 0 ? axis + x.rank : axis
    return x.reshaped(
      try call.checked([x.shape.dimensions[..<split].reduce(1, *), x.shape.dimensions[split...].reduce(1, *)]))
  }

  private static func squeeze(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard let given = try call.ints("axes", inputSince: 13, at: 1) else {
      return x.reshaped(Shape(x.shape.filter { $0 != 1 }))
    }
    let axes = try call.axes(given, rank: x.rank)
    guard axes.allSatisfy({ x.shape[$0] == 1 }) else { throw call.failure("extents of 1 along the axes \(given)") }
    return x.reshaped(Shape(x.shape.dimensions.indices.filter { !axes.contains($0) }.map { x.shape[$0] }))
  }

  private static func unsqueeze(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard let given = try call.ints("axes", inputSince: 13, at: 1) else { throw call.failure("axes") }
    let rank = x.rank + given.count
    let axes = try call.axes(given, rank: rank)
    var rest = x.shape.makeIterator()
    return x.reshaped(Shape((0..<rank).map { axes.contains($0) ? 1 : rest.next() ?? 1 }))
  }

  /// The input as it is. In training mode with a ratio above 0 the result is random, and there is no reference for it.
  private static func dropout(_ call: Call) throws -> [Value] {
    let x = try call.operand(0)
    _ = try call.floats(x)
    var ratio = try call.float("ratio", default: 0.5)
    var training = false
    if call.version >= 12 {
      ratio = try call.optional(1).map { try call.scalarDouble($0, "the ratio") } ?? 0.5
      if let mode = try call.optional(2) {
        guard let value = try call.booleans(mode, "training_mode").first, mode.count == 1 else {
          throw call.failure("one boolean as training_mode")
        }
        training = value
      }
    }
    guard !training || ratio == 0 else {
      throw call.failure("dropout switched off: with training_mode true and ratio \(ratio) its output is random")
    }
    // The mask says what is kept: all. Before opset 10 it had the data's type.
    let mask =
      call.version < 10
      ? Operand([Double](repeating: 1, count: x.count), x.shape, x.elementType)
      : Operand(booleans: [Bool](repeating: true, count: x.count), x.shape)
    return [.tensor(x), .tensor(mask)]
  }
}
