// Sums, means, norms, products and extremes over axes.

import Glibc
import Tensors

enum Reductions {
  static let operators: OperatorTable = [
    "ReduceSum": numeric(axesInputSince: 13, floats: { $0.reduce(0, +) }, integers: { $0.reduce(0, &+) }),
    "ReduceMean": numeric(
      floats: { $0.reduce(0, +) / Double($0.count) },
      integers: { $0.isEmpty ? 0 : $0.reduce(0, &+) / Int128($0.count) }),
    "ReduceProd": numeric(floats: { $0.reduce(1, *) }, integers: { $0.reduce(1, &*) }),
    "ReduceMax": .one { try extreme($0, Arithmetic.larger, max, whenEmpty: -.infinity, \.lowest) },
    "ReduceMin": .one { try extreme($0, Arithmetic.smaller, min, whenEmpty: .infinity, \.highest) },
    "ReduceL1": numeric(
      floats: { $0.reduce(0) { $0 + abs($1) } }, integers: { $0.reduce(0) { $0 &+ abs($1) } }),
    "ReduceSumSquare": numeric(floats: sumOfSquares, integers: { $0.reduce(0) { $0 &+ $1 &* $1 } }),
    "ReduceL2": real { sumOfSquares($0).squareRoot() },
    "ReduceLogSum": real { log($0.reduce(0, +)) },
    "ReduceLogSumExp": real(logSumExp),
  ]

  private static func sumOfSquares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }

  /// `log Σ exp(x)`, taken relative to the largest element so that nothing overflows.
  static func logSumExp(_ values: [Double]) -> Double {
    let largest = values.reduce(-.infinity, Arithmetic.larger)
    guard largest.isFinite else { return largest }
    return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
  }

  /// A reduction of floating-point and integer tensors.
  private static func numeric(
    axesInputSince opset: Int = 18, floats: @escaping @Sendable ([Double]) -> Double,
    integers: @escaping @Sendable ([Int128]) -> Int128
  ) -> Operator {
    .one { call in
      let x = try call.operand(0)
      guard let groups = try Groups(call, x.shape, axesInputSince: opset) else { return x }
      switch x.elements {
      case .floats(let values):
        return Operand(groups.reduce(values, floats), groups.shape, x.elementType)
      case .integers(let values) where x.elementType != .bool:
        return Operand(
          integers: groups.reduce(values) { x.elementType.wrap(integers($0)) }, groups.shape, x.elementType)
      default: throw call.failure("numbers, not \(x.summary)")
      }
    }
  }

  /// A reduction computed in real numbers; integer tensors get the truncated result.
  private static func real(_ body: @escaping @Sendable ([Double]) -> Double) -> Operator {
    .one { call in
      let x = try call.operand(0)
      guard let groups = try Groups(call, x.shape, axesInputSince: 18) else { return x }
      let results = groups.reduce(try call.doubles(x), body)
      if x.elementType.isFloatingPoint { return Operand(results, groups.shape, x.elementType) }
      return Operand(integers: results.map(x.elementType.truncated), groups.shape, x.elementType)
    }
  }

  /// The largest or smallest element; over nothing, the least or greatest value of the type.
  private static func extreme(
    _ call: Call, _ floats: (Double, Double) -> Double, _ integers: (Int128, Int128) -> Int128, whenEmpty: Double,
    _ bound: KeyPath<(lowest: Int128, highest: Int128), Int128>
  ) throws -> Operand {
    let x = try call.operand(0)
    guard let groups = try Groups(call, x.shape, axesInputSince: 18) else { return x }
    let type = x.elementType
    switch x.elements {
    case .floats(let values):
      let results = groups.reduce(values) { $0.dropFirst().reduce($0.first ?? whenEmpty, floats) }
      return Operand(results, groups.shape, type)
    case .integers(let values):
      let fallback = type == .bool ? (whenEmpty < 0 ? 0 : 1) : type.integerBounds[keyPath: bound]
      let results = groups.reduce(values) { $0.dropFirst().reduce($0.first ?? fallback, integers) }
      return Operand(integers: results, groups.shape, type)
    case .strings: throw call.failure("numbers, not \(x.summary)")
    }
  }
}

/// Which elements of a tensor are reduced together.
struct Groups {
  /// The shape of the result.
  let shape: Shape
  private let members: [[Int]]

  /// Groups by a node's `axes`, `keepdims` and `noop_with_empty_axes`; nil where the node leaves its input as it is.
  init?(_ call: Call, _ shape: Shape, axesInputSince opset: Int) throws {
    let given = try call.ints("axes", inputSince: opset, at: 1) ?? []
    if given.isEmpty, try call.flag("noop_with_empty_axes") { return nil }
    let axes = given.isEmpty ? Array(0..<shape.rank) : try call.axes(given, rank: shape.rank)
    self.init(shape, axes: axes, keepingAxes: try call.flag("keepdims", default: true))
    try call.checked(self.shape.dimensions)
  }

  init(_ shape: Shape, axes: [Int], keepingAxes: Bool) {
    var kept = shape.dimensions
    for axis in axes { kept[axis] = 1 }
    var strides = Shape(kept).strides
    for axis in axes { strides[axis] = 0 }
    var members = [[Int]](repeating: [], count: Shape(kept).elementCount)
    for (source, group) in positions(in: shape, strides: strides).enumerated() { members[group].append(source) }
    self.members = members
    self.shape =
      keepingAxes ? Shape(kept) : Shape(shape.dimensions.indices.filter { !axes.contains($0) }.map { shape[$0] })
  }

  func reduce<Element>(_ values: [Element], _ body: ([Element]) throws -> Element) rethrows -> [Element] {
    try members.map { group in try body(group.map { values[$0] }) }
  }
}
