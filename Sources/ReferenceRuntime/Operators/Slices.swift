// Slice: ranges with steps along axes.

import Tensors

enum Slices {
  static let operators: OperatorTable = ["Slice": .one(slice)]

  /// From `starts` up to but without `ends` in `steps`, along `axes`. Bounds past an end are taken as the end;
  /// negative ones count from the back. Attributes before opset 10, inputs since then.
  private static func slice(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let bounds = try bounds(call)
    let axes = try call.axes(bounds.axes ?? Array(0..<bounds.starts.count), rank: x.rank)
    let steps = bounds.steps ?? [Int](repeating: 1, count: axes.count)
    guard bounds.starts.count == axes.count, bounds.ends.count == axes.count, steps.count == axes.count else {
      throw call.failure("as many starts, ends and steps as axes (\(axes.count))")
    }
    guard !steps.contains(0) else { throw call.failure("steps other than 0") }
    var extents = x.shape.dimensions
    var strides = x.shape.strides
    var origin = 0
    for (index, axis) in axes.enumerated() {
      let extent = x.shape[axis]
      // A step past the extent takes one element; bounding it keeps the products below in range.
      let step = min(max(steps[index], -max(extent, 1)), max(extent, 1))
      func absolute(_ bound: Int) -> Int { bound < 0 ? bound + extent : bound }
      let range = step > 0 ? 0...extent : -1...max(extent - 1, -1)
      let start = min(max(absolute(bounds.starts[index]), max(range.lowerBound, 0)), range.upperBound)
      let end = min(max(absolute(bounds.ends[index]), range.lowerBound), range.upperBound)
      let distance = step > 0 ? end - start : start - end
      extents[axis] = distance > 0 ? (distance - 1) / abs(step) + 1 : 0
      origin += start * strides[axis]
      strides[axis] *= step
    }
    let shape = Shape(extents)
    return x.picking(positions(in: shape, strides: strides, start: origin), shape)
  }

  private static func bounds(_ call: Call) throws -> (starts: [Int], ends: [Int], axes: [Int]?, steps: [Int]?) {
    if call.version < 10 {
      func attribute(_ name: String) throws -> [Int]? {
        guard let value = call.node.attribute(name) else { return nil }
        guard case .ints(let numbers) = value else { throw call.failure("integers as the attribute \(name)") }
        return numbers.map { Int($0) }
      }
      guard let starts = try attribute("starts"), let ends = try attribute("ends") else {
        throw call.failure("the attributes starts and ends")
      }
      return (starts, ends, try attribute("axes"), nil)
    }
    func input(_ index: Int, _ name: String) throws -> [Int]? {
      guard let operand = try call.optional(index) else { return nil }
      guard operand.rank == 1 else { throw call.failure("\(name) with one axis, not \(operand.summary)") }
      return try call.indices(operand, name)
    }
    guard let starts = try input(1, "starts"), let ends = try input(2, "ends") else {
      throw call.failure("starts and ends as inputs 1 and 2, as they are since opset 10")
    }
    return (starts, ends, try input(3, "axes"), try input(4, "steps"))
  }
}
