// Where the largest and smallest elements along an axis are.

import Tensors

enum Extremes {
  static let operators: OperatorTable = [
    "ArgMax": .one { try argument($0, better: >) },
    "ArgMin": .one { try argument($0, better: <) },
  ]

  private static func argument(_ call: Call, better: (Double, Double) -> Bool) throws -> Operand {
    let x = try call.operand(0).rounded
    let axis = try call.axis(call.int("axis", default: 0), rank: x.rank)
    let takesLast = try call.flag("select_last_index")
    guard x.elementType != .bool else { throw call.failure("numbers, not \(x.summary)") }
    guard x.shape[axis] > 0 else { throw call.failure("at least one element along axis \(axis)") }
    let indices: [Int]
    switch x.elements {
    case .floats(let values): indices = best(values, x.shape, axis, takesLast, better)
    case .integers(let values):
      // Order by the exact integers: doubles would merge neighbours past 2^53.
      let ascending = better(0, 1)
      indices = best(values, x.shape, axis, takesLast) { ascending ? $0 < $1 : $0 > $1 }
    case .strings: throw call.failure("numbers, not \(x.summary)")
    }
    let kept = try call.flag("keepdims", default: true)
    var extents = x.shape.dimensions
    if kept { extents[axis] = 1 } else { extents.remove(at: axis) }
    return Operand(indices: indices, Shape(extents))
  }

  private static func best<Element: Equatable>(
    _ values: [Element], _ shape: Shape, _ axis: Int, _ takesLast: Bool, _ better: (Element, Element) -> Bool
  ) -> [Int] {
    lanes(of: shape, axis: axis).map { lane in
      var best = 0
      for index in 1..<max(lane.count, 1) {
        let (candidate, holder) = (values[lane.position(index)], values[lane.position(best)])
        if better(candidate, holder) || takesLast && candidate == holder { best = index }
      }
      return best
    }
  }
}
