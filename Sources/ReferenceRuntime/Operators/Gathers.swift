// Elements picked by index.

import Tensors

enum Gathers {
  static let operators: OperatorTable = [
    "Gather": .one(gather),
    "GatherElements": .one(gatherElements),
    "GatherND": .one(gatherND),
    "Compress": .one(compress),
  ]

  /// An index along an axis, counted from the front; a negative one counts from the back.
  static func index(_ call: Call, _ index: Int, extent: Int) throws -> Int {
    guard index >= -extent, index < extent else {
      throw call.failure("indices from \(-extent) to \(extent - 1), not \(index)")
    }
    return index < 0 ? index + extent : index
  }

  /// `result[…, i…, …] = x[…, indices[i…], …]` along an axis.
  private static func gather(_ call: Call) throws -> Operand {
    let (x, indices) = (try call.operand(0), try call.operand(1))
    let axis = try call.axis(call.int("axis", default: 0), rank: x.rank)
    let picks = try call.indices(indices, "the indices").map { try index(call, $0, extent: x.shape[axis]) }
    let shape = try call.checked(
      x.shape.dimensions[..<axis] + indices.shape.dimensions + x.shape.dimensions[(axis + 1)...])
    let inner = x.shape.dimensions[(axis + 1)...].reduce(1, *)
    var picked: [Int] = []
    picked.reserveCapacity(shape.elementCount)
    for outer in 0..<x.shape.dimensions[..<axis].reduce(1, *) {
      for pick in picks {
        let start = (outer * x.shape[axis] + pick) * inner
        picked.append(contentsOf: start..<start + inner)
      }
    }
    return x.picking(picked, shape)
  }

  /// The result has the indices' shape: each element takes its place in `x`, but for the axis, where its index says.
  private static func gatherElements(_ call: Call) throws -> Operand {
    let (x, indices) = (try call.operand(0), try call.operand(1))
    let axis = try call.axis(call.int("axis", default: 0), rank: x.rank)
    let targets = try elementPositions(call, x.shape, indices, axis: axis)
    return x.picking(targets, indices.shape)
  }

  /// The flat position in a shape that each element of `indices` means (see `gatherElements`).
  static func elementPositions(_ call: Call, _ shape: Shape, _ indices: Operand, axis: Int) throws -> [Int] {
    guard indices.rank == shape.rank,
      shape.indices.allSatisfy({ $0 == axis || indices.shape[$0] <= shape[$0] })
    else { throw call.failure("indices of rank \(shape.rank), within the data's extents along all axes but \(axis)") }
    let strides = shape.strides
    let places = positions(in: indices.shape, strides: strides.enumerated().map { $0.offset == axis ? 0 : $0.element })
    return try zip(places, call.indices(indices, "the indices")).map { place, index in
      place + (try self.index(call, index, extent: shape[axis])) * strides[axis]
    }
  }

  /// The last axis of the indices holds coordinates into the axes after `batch_dims`.
  private static func gatherND(_ call: Call) throws -> Operand {
    let (x, indices) = (try call.operand(0), try call.operand(1))
    let batch = try call.int("batch_dims", default: 0)
    guard batch >= 0, batch < min(x.rank, indices.rank),
      x.shape.dimensions[..<batch] == indices.shape.dimensions[..<batch]
    else {
      throw call.failure("batch_dims (\(batch)) equal leading axes and at least one more in both inputs")
    }
    let batchCount = x.shape.dimensions[..<batch].reduce(1, *)
    let width = indices.shape[indices.rank - 1]
    guard width <= x.rank - batch else {
      throw call.failure("at most \(x.rank - batch) coordinates an index, not \(width)")
    }
    let shape = try call.checked(indices.shape.dimensions.dropLast() + x.shape.dimensions[(batch + width)...])
    let starts = try coordinates(call, x.shape, indices, skipping: batch)
    let block = x.shape.dimensions[(batch + width)...].reduce(1, *)
    let perBatch = x.shape.dimensions[batch...].reduce(1, *)
    let indicesPerBatch = batchCount == 0 ? 0 : starts.count / batchCount
    let picked = starts.enumerated().flatMap { offset, start in
      let origin = offset / max(indicesPerBatch, 1) * perBatch + start
      return origin..<origin + block
    }
    return x.picking(picked, shape)
  }

  /// The flat position, within the axes after `skipping`, of each coordinate tuple along the last axis of `indices`.
  static func coordinates(_ call: Call, _ shape: Shape, _ indices: Operand, skipping: Int) throws -> [Int] {
    let width = indices.shape[indices.rank - 1]
    let strides = shape.strides
    let values = try call.indices(indices, "the indices")
    return try (0..<indices.shape.dimensions.dropLast().reduce(1, *)).map { tuple in
      try (0..<width).reduce(0) { position, axis in
        let coordinate = try index(call, values[tuple * width + axis], extent: shape[skipping + axis])
        return position + coordinate * strides[skipping + axis]
      }
    }
  }

  /// The slices along an axis, or the elements of the flattened input, where a condition is true.
  private static func compress(_ call: Call) throws -> Operand {
    var x = try call.operand(0)
    let condition = try call.booleans(call.operand(1), "the condition")
    let axis: Int
    if let given = try call.int("axis") {
      axis = try call.axis(given, rank: x.rank)
    } else {
      x = x.reshaped([x.count])
      axis = 0
    }
    guard condition.count <= x.shape[axis] else {
      throw call.failure("a condition of at most \(x.shape[axis]) elements, not \(condition.count)")
    }
    let kept = condition.indices.filter { condition[$0] }
    let shape = x.shape.replacing(axis: axis, with: kept.count)
    return x.picking(Movements.gathered(shape, from: x.shape) { $0 == axis ? kept[$1] : $1 }, shape)
  }
}
