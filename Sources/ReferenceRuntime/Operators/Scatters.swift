// Elements written by index.

import Tensors

enum Scatters {
  static let operators: OperatorTable = [
    "Scatter": .one(scatterElements),
    "ScatterElements": .one(scatterElements),
    "ScatterND": .one(scatterND),
  ]

  private static func scatterElements(_ call: Call) throws -> Operand {
    let (x, indices, updates) = (try call.operand(0), try call.operand(1), try call.operand(2))
    let axis = try call.axis(call.int("axis", default: 0), rank: x.rank)
    guard updates.shape == indices.shape else { throw call.failure("updates of the indices' shape") }
    let targets = try Gathers.elementPositions(call, x.shape, indices, axis: axis)
    return try written(call, x, targets, updates)
  }

  /// The last axis of the indices holds coordinates of slices that the updates replace.
  private static func scatterND(_ call: Call) throws -> Operand {
    let (x, indices, updates) = (try call.operand(0), try call.operand(1), try call.operand(2))
    guard indices.rank >= 1, let width = indices.shape.last, width <= x.rank else {
      throw call.failure("indices whose last axis holds at most \(x.rank) coordinates")
    }
    let slice = x.shape.dimensions[width...]
    let expected = Shape(indices.shape.dimensions.dropLast() + slice)
    guard updates.shape == expected else { throw call.failure("updates of shape \(expected)") }
    let block = slice.reduce(1, *)
    let targets = try Gathers.coordinates(call, x.shape, indices, skipping: 0).flatMap { $0..<$0 + block }
    return try written(call, x, targets, updates)
  }

  /// Writes or combines the updates, in order, into the elements at flat positions.
  private static func written(_ call: Call, _ x: Operand, _ targets: [Int], _ updates: Operand) throws -> Operand {
    try call.requireSameType([x, updates])
    let reduction = try call.choice("reduction", default: "none", of: ["none", "add", "mul", "max", "min"])
    func write<Element>(
      _ values: [Element], _ updates: [Element], _ combine: (Element, Element) -> Element
    ) -> [Element] {
      var result = values
      for (target, update) in zip(targets, updates) { result[target] = combine(result[target], update) }
      return result
    }
    switch (x.elements, updates.elements) {
    case (.floats(let values), .floats(let new)):
      let combine: (Double, Double) -> Double =
        switch reduction {
        case "add": { $0 + $1 }
        case "mul": { $0 * $1 }
        case "max": Arithmetic.larger
        case "min": Arithmetic.smaller
        default: { $1 }
        }
      return Operand(write(values, new, combine), x.shape, x.elementType)
    case (.integers(let values), .integers(let new)):
      let type = x.elementType
      let combine: (Int128, Int128) -> Int128 =
        switch reduction {
        case "add": { type.wrap($0 &+ $1) }
        case "mul": { type.wrap($0 &* $1) }
        case "max": { max($0, $1) }
        case "min": { min($0, $1) }
        default: { $1 }
        }
      return Operand(integers: write(values, new, combine), x.shape, type)
    case (.strings(let values), .strings(let new)) where reduction == "none":
      return Operand(strings: write(values, new) { $1 }, x.shape)
    default: throw call.failure("elements that the reduction \(reduction) can combine")
    }
  }
}
