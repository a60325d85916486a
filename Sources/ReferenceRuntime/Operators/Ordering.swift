// Order and presence: the largest elements, the distinct ones, those that are not zero.

import Tensors

enum Ordering {
  static let operators: OperatorTable = [
    "TopK": .many(topK),
    "Unique": .many(unique),
    "NonZero": .one(nonZero),
  ]

  /// Elements that can be put in order: integers exactly, numbers with NaN last, strings by bytes.
  private static func precedes(_ call: Call, _ x: Operand) throws -> (Int, Int) -> Bool {
    switch x.elements {
    case .floats(let values):
      return { a, b in !values[a].isNaN && (values[b].isNaN || values[a] < values[b]) }
    case .integers(let values): return { a, b in values[a] < values[b] }
    case .strings(let values): return { a, b in values[a].bytes.lexicographicallyPrecedes(values[b].bytes) }
    }
  }

  /// The `k` largest (or smallest) elements along an axis and their indices; equal ones in order of their index.
  private static func topK(_ call: Call) throws -> [Value] {
    let x = try call.operand(0).rounded
    guard x.elementType != .string, x.elementType != .bool else { throw call.failure("numbers, not \(x.summary)") }
    let axis = try call.axis(call.int("axis", default: -1), rank: x.rank)
    let k = try call.version < 10 ? call.int("k") ?? -1 : call.scalarIndex(call.operand(1), "k")
    guard k >= 0, k <= x.shape[axis] else { throw call.failure("k from 0 to \(x.shape[axis]), not \(k)") }
    let largest = try call.version < 11 || call.flag("largest", default: true)
    let less = try precedes(call, x)
    let shape = x.shape.replacing(axis: axis, with: k)
    var picked = [Int](repeating: 0, count: shape.elementCount)
    var indices = picked
    for (source, target) in zip(lanes(of: x.shape, axis: axis), lanes(of: shape, axis: axis)) {
      let order = (0..<source.count).sorted { a, b in
        let (left, right) = (source.position(a), source.position(b))
        if largest ? less(right, left) : less(left, right) { return true }
        if largest ? less(left, right) : less(right, left) { return false }
        return a < b
      }
      for rank in 0..<k {
        picked[target.position(rank)] = source.position(order[rank])
        indices[target.position(rank)] = order[rank]
      }
    }
    return [.tensor(try call.operand(0).picking(picked, shape)), .tensor(Operand(indices: indices, shape))]
  }

  /// The distinct elements, or slices along an axis, in order or as they come; where each was first, which one each
  /// element is, and how often each occurs.
  private static func unique(_ call: Call) throws -> [Value] {
    var x = try call.operand(0).rounded
    let sorted = try call.flag("sorted", default: true)
    let axis: Int
    if let given = try call.int("axis") {
      axis = try call.axis(given, rank: x.rank)
    } else {
      x = x.reshaped([x.count])
      axis = 0
    }
    let extent = x.shape[axis]
    let strides = x.shape.strides
    let sliceShape = x.shape.replacing(axis: axis, with: 1)
    let offsets = positions(in: sliceShape, strides: strides)
    let less = try precedes(call, x)
    func precedesSlice(_ a: Int, _ b: Int) -> Bool {
      for offset in offsets {
        let (left, right) = (offset + a * strides[axis], offset + b * strides[axis])
        if less(left, right) { return true }
        if less(right, left) { return false }
      }
      return false
    }
    let order = (0..<extent).sorted { precedesSlice($0, $1) || !precedesSlice($1, $0) && $0 < $1 }
    var groups: [[Int]] = []
    for index in order {
      if let first = groups.last?.first, !precedesSlice(first, index) {
        groups[groups.count - 1].append(index)
      } else {
        groups.append([index])
      }
    }
    if !sorted { groups.sort { $0[0] < $1[0] } }
    var inverse = [Int](repeating: 0, count: extent)
    for (rank, group) in groups.enumerated() {
      for index in group { inverse[index] = rank }
    }
    let firsts = groups.map { $0[0] }
    let shape = x.shape.replacing(axis: axis, with: groups.count)
    let y = x.picking(Movements.gathered(shape, from: x.shape) { $0 == axis ? firsts[$1] : $1 }, shape)
    return [
      .tensor(y), .tensor(Operand(indices: firsts, [firsts.count])),
      .tensor(Operand(indices: inverse, [inverse.count])),
      .tensor(Operand(indices: groups.map(\.count), [groups.count])),
    ]
  }

  /// The indices of what is not zero (or not an empty string), `[rank, count]`, in row-major order.
  private static func nonZero(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let present: [Int] =
      switch x.elements {
      case .floats(let values): values.indices.filter { values[$0] != 0 }
      case .integers(let values): values.indices.filter { values[$0] != 0 }
      case .strings(let values): values.indices.filter { !values[$0].bytes.isEmpty }
      }
    let strides = x.shape.strides
    let indices = (0..<x.rank).flatMap { axis in present.map { $0 / strides[axis] % x.shape[axis] } }
    return Operand(indices: indices, [x.rank, present.count])
  }
}
