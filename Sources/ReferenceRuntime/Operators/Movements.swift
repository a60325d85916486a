// The same elements in other places: joined, split, transposed, repeated, padded, mirrored.

import Tensors

enum Movements {
  static let operators: OperatorTable = [
    "Concat": .one(concatenate),
    "Split": .many(split),
    "Transpose": .one(transpose),
    "Expand": .one(expand),
    "Tile": .one(tile),
    "Pad": .one(pad),
    "Trilu": .one(triangle),
    "DepthToSpace": .one(depthToSpace),
    "SpaceToDepth": .one(spaceToDepth),
    "ReverseSequence": .one(reverseSequence),
    "CenterCropPad": .one(centerCropPad),
  ]

  private static func concatenate(_ call: Call) throws -> Operand {
    let operands = try call.operands()
    guard let axis = try call.int("axis") else { throw call.failure("the attribute axis") }
    return try joined(call, operands, axis: call.axis(axis, rank: operands[0].rank))
  }

  /// Operands one after the other along an axis.
  static func joined(_ call: Call, _ operands: [Operand], axis: Int) throws -> Operand {
    try call.requireSameType(operands)
    let first = operands[0].shape
    for operand in operands {
      guard operand.rank == first.rank,
        first.indices.allSatisfy({ $0 == axis || operand.shape[$0] == first[$0] })
      else { throw call.failure("equal extents along every axis but \(axis)") }
    }
    let shape = try call.checked(
      first.replacing(axis: axis, with: operands.reduce(0) { $0 + $1.shape[axis] }).dimensions)
    // One part after the other in memory; then each result's element is picked from its part.
    let all = Operand.joined(operands, [operands.reduce(0) { $0 + $1.count }], operands[0].elementType)
    let inner = first.dimensions[(axis + 1)...].reduce(1, *)
    var picked: [Int] = []
    picked.reserveCapacity(shape.elementCount)
    for outer in 0..<first.dimensions[..<axis].reduce(1, *) {
      var start = 0
      for operand in operands {
        let block = operand.shape[axis] * inner
        picked.append(contentsOf: start + outer * block..<start + (outer + 1) * block)
        start += operand.count
      }
    }
    return all.picking(picked, shape)
  }

  /// The part of an operand between two indices along an axis.
  static func part(_ x: Operand, axis: Int, from start: Int, count: Int) -> Operand {
    let shape = x.shape.replacing(axis: axis, with: count)
    let strides = x.shape.strides
    return x.picking(positions(in: shape, strides: strides, start: start * strides[axis]), shape)
  }

  /// Parts of given lengths, or as many equal ones as outputs (since opset 18 `num_outputs`, the last may be shorter).
  private static func split(_ call: Call) throws -> [Value] {
    let x = try call.operand(0)
    let axis = try call.axis(call.int("axis", default: 0), rank: x.rank)
    let extent = x.shape[axis]
    var lengths = try call.ints("split", inputSince: 13, at: 1)
    if lengths == nil {
      let count = try call.version >= 18 ? call.int("num_outputs") ?? 0 : call.node.outputs.count
      guard count > 0, count <= max(extent, 1) else {
        throw call.failure("split lengths, or a number of outputs that axis \(axis) has elements for")
      }
      guard call.version >= 18 || extent % count == 0 else {
        throw call.failure("an extent along axis \(axis) that \(count) outputs divide")
      }
      let length = (extent + count - 1) / count
      lengths = (0..<count).map { max(0, min(length, extent - $0 * length)) }
    }
    let parts = lengths ?? []
    guard parts.allSatisfy({ $0 >= 0 && $0 <= extent }), parts.reduce(0, +) == extent else {
      throw call.failure("lengths that add up to \(extent), not \(parts)")
    }
    var start = 0
    return parts.map { length in
      defer { start += length }
      return .tensor(part(x, axis: axis, from: start, count: length))
    }
  }

  private static func transpose(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let order = try call.ints("perm") ?? Array((0..<x.rank).reversed())
    guard order.sorted() == Array(0..<x.rank) else {
      throw call.failure("perm to name each of \(x.rank) axes once, not \(order)")
    }
    return transposed(x, order)
  }

  /// Axis `i` of the result is axis `order[i]` of the operand.
  static func transposed(_ x: Operand, _ order: [Int]) -> Operand {
    let strides = x.shape.strides
    let shape = Shape(order.map { x.shape[$0] })
    return x.picking(positions(in: shape, strides: order.map { strides[$0] }), shape)
  }

  /// Broadcasts in both directions: an extent of 1 in the wanted shape keeps the input's.
  private static func expand(_ call: Call) throws -> Operand {
    let (x, wanted) = (try call.operand(0), try call.operand(1))
    guard wanted.rank == 1 else { throw call.failure("a shape with one axis, not \(wanted.summary)") }
    let extents = try call.indices(wanted, "the shape")
    let target = try call.checked(extents)
    guard let shape = x.shape.broadcast(with: target) else {
      throw call.failure("a shape that the input broadcasts with, not \(target)")
    }
    return try call.broadcast(x, to: call.checked(shape.dimensions))
  }

  private static func tile(_ call: Call) throws -> Operand {
    let (x, repeats) = (try call.operand(0), try call.operand(1))
    let counts = try call.indices(repeats, "repeats")
    guard repeats.rank == 1, counts.count == x.rank, counts.allSatisfy({ $0 >= 0 && $0 <= Call.maximumInteger }) else {
      throw call.failure("one repeat count for each of \(x.rank) axes")
    }
    let shape = try call.checked(zip(x.shape, counts).map { $0 * $1 })
    return x.picking(gathered(shape, from: x.shape) { axis, index in index % x.shape[axis] }, shape)
  }

  /// Flat positions in `source` for each index of `shape`, where every axis maps its index on its own;
  /// -1 where some axis gives a negative index.
  static func gathered(_ shape: Shape, from source: Shape, _ map: (_ axis: Int, _ index: Int) -> Int) -> [Int] {
    guard shape.elementCount > 0 else { return [] }
    let strides = source.strides
    var result = [0]
    for axis in 0..<shape.rank {
      let indices = (0..<shape[axis]).map { map(axis, $0) }
      result = result.flatMap { base in
        indices.map { base < 0 || $0 < 0 ? -1 : base + $0 * strides[axis] }
      }
    }
    return result
  }

  private static func pad(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let mode = try call.choice("mode", default: "constant", of: ["constant", "reflect", "edge", "wrap"])
    guard let pads = try call.ints("pads", inputSince: 11, at: 1) else { throw call.failure("pads") }
    var axes = Array(0..<x.rank)
    if call.version >= 18, let given = try call.optional(3) {
      axes = try call.axes(call.indices(given, "axes"), rank: x.rank)
    }
    guard pads.count == 2 * axes.count, pads.allSatisfy({ $0.magnitude <= UInt(Call.maximumInteger) }) else {
      throw call.failure("two pads for each of \(axes.count) axes")
    }
    var filler = Operand.zero(x.elementType)
    if call.version < 11 {
      _ = try call.floats(x)
      filler = Operand([try call.float("value", default: 0)], .scalar, x.elementType)
    } else if let given = try call.optional(2) {
      try call.requireSameType([x, given])
      guard given.count == 1 else { throw call.failure("one element to pad with, not \(given.summary)") }
      filler = given
    }
    var before = [Int](repeating: 0, count: x.rank)
    var extents = x.shape.dimensions
    for (index, axis) in axes.enumerated() {
      before[axis] = pads[index]
      extents[axis] += pads[index] + pads[index + axes.count]
    }
    let shape = try call.checked(extents)
    guard mode == "constant" || shape.elementCount == 0 || x.count > 0 else {
      throw call.failure("elements to repeat in the mode \(mode)")
    }
    let picked = gathered(shape, from: x.shape) { axis, index in
      source(index - before[axis], x.shape[axis], mode)
    }
    return x.picking(picked, shape, filler: filler)
  }

  /// Where an index outside `0..<extent` takes its element from; -1 for the constant.
  private static func source(_ index: Int, _ extent: Int, _ mode: String) -> Int {
    if index >= 0, index < extent { return index }
    switch mode {
    case "edge": return min(max(index, 0), extent - 1)
    case "wrap": return (index % extent + extent) % extent
    case "reflect":
      guard extent > 1 else { return 0 }
      let period = 2 * (extent - 1)
      let offset = (index % period + period) % period
      return offset < extent ? offset : period - offset
    default: return -1
    }
  }

  /// The upper or lower triangle of matrices, from the k-th diagonal on; 0 elsewhere.
  private static func triangle(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank >= 2 else { throw call.failure("matrices") }
    let upper = try call.flag("upper", default: true)
    let diagonal = try call.optional(1).map { try call.scalarIndex($0, "k") } ?? 0
    let bounded = min(max(diagonal, -Call.maximumInteger), Call.maximumInteger)
    let (rows, columns) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
    let picked = (0..<x.count).map { position in
      let (row, column) = (position / columns % rows, position % columns)
      return (upper ? column - row >= bounded : column - row <= bounded) ? position : -1
    }
    return x.picking(picked, x.shape, filler: .zero(x.elementType))
  }

  /// Blocks of channels become blocks of pixels: `[n, c·b², h, w]` to `[n, c, h·b, w·b]`.
  private static func depthToSpace(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank == 4, let block = try call.int("blocksize"), block > 0, block <= 1 << 14,
      x.shape[1] % (block * block) == 0
    else { throw call.failure("four axes and a blocksize whose square divides the channels") }
    let mode = try call.choice("mode", default: "DCR", of: ["DCR", "CRD"])
    let (n, c, h, w) = (x.shape[0], x.shape[1] / (block * block), x.shape[2], x.shape[3])
    let six: Shape = mode == "DCR" ? [n, block, block, c, h, w] : [n, c, block, block, h, w]
    let moved = transposed(x.reshaped(six), mode == "DCR" ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3])
    return moved.reshaped([n, c, h * block, w * block])
  }

  /// Blocks of pixels become blocks of channels: `[n, c, h, w]` to `[n, c·b², h/b, w/b]`.
  private static func spaceToDepth(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank == 4, let block = try call.int("blocksize"), block > 0, x.shape[2] % block == 0,
      x.shape[3] % block == 0
    else { throw call.failure("four axes and a blocksize that divides height and width") }
    let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2] / block, x.shape[3] / block)
    let moved = transposed(x.reshaped([n, c, h, block, w, block]), [0, 3, 5, 1, 2, 4])
    return moved.reshaped(try call.checked([n, c * block * block, h, w]))
  }

  /// Turns round the first `sequence_lens[b]` elements along the time axis, for each index along the batch axis.
  private static func reverseSequence(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let lengths = try call.indices(call.operand(1), "sequence_lens")
    let (time, batch) = (try call.int("time_axis", default: 0), try call.int("batch_axis", default: 1))
    guard x.rank >= 2, Set([time, batch]) == [0, 1], lengths.count == x.shape[batch],
      lengths.allSatisfy({ $0 >= 0 && $0 <= x.shape[time] })
    else { throw call.failure("time_axis and batch_axis 0 and 1, and a length within the time axis for each sample") }
    let strides = x.shape.strides
    let picked = (0..<x.count).map { position in
      let step = position / strides[time] % x.shape[time]
      let length = lengths[position / strides[batch] % x.shape[batch]]
      return step < length ? position + (length - 1 - 2 * step) * strides[time] : position
    }
    return x.picking(picked, x.shape)
  }

  /// Crops or pads with zeros around the middle to given extents; an odd rest goes to the end.
  private static func centerCropPad(_ call: Call) throws -> Operand {
    let (x, wanted) = (try call.operand(0), try call.operand(1))
    let axes = try call.axes(call.ints("axes") ?? Array(0..<x.rank), rank: x.rank)
    let extents = try call.indices(wanted, "the shape")
    guard wanted.rank == 1, extents.count == axes.count else {
      throw call.failure("an extent for each of the axes \(axes)")
    }
    var target = x.shape.dimensions
    for (axis, extent) in zip(axes, extents) { target[axis] = extent }
    let shape = try call.checked(target)
    let picked = gathered(shape, from: x.shape) { axis, index in
      let (from, to) = (x.shape[axis], shape[axis])
      let source = to > from ? index - (to - from) / 2 : index + (from - to) / 2
      return source < from ? source : -1
    }
    return x.picking(picked, shape, filler: .zero(x.elementType))
  }
}
