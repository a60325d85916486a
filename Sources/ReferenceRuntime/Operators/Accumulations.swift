// Running sums and products along an axis.

import Tensors

enum Accumulations {
  static let operators: OperatorTable = [
    "CumSum": .one { try accumulate($0, start: 0, floats: +) { a, b in a &+ b } },
    "CumProd": .one { try accumulate($0, start: 1, floats: *) { a, b in a &* b } },
  ]

  /// `exclusive` leaves each element's own value out; `reverse` runs from the end.
  private static func accumulate(
    _ call: Call, start: Int, floats: (Double, Double) -> Double, integers: (Int128, Int128) -> Int128
  ) throws -> Operand {
    let x = try call.operand(0)
    let axis = try call.axis(call.scalarIndex(call.operand(1), "the axis"), rank: x.rank)
    let (exclusive, reverse) = (try call.flag("exclusive"), try call.flag("reverse"))
    func run<Element>(_ values: [Element], _ start: Element, _ combine: (Element, Element) -> Element) -> [Element] {
      var result = values
      for lane in lanes(of: x.shape, axis: axis) {
        var total = start
        for position in reverse ? lane.positions.reversed() : lane.positions {
          let next = combine(total, values[position])
          result[position] = exclusive ? total : next
          total = next
        }
      }
      return result
    }
    switch x.elements {
    case .floats(let values): return Operand(run(values, Double(start), floats), x.shape, x.elementType)
    case .integers(let values) where x.elementType != .bool:
      let type = x.elementType
      return Operand(integers: run(values, Int128(start)) { type.wrap(integers($0, $1)) }, x.shape, type)
    default: throw call.failure("numbers, not \(x.summary)")
    }
  }
}
