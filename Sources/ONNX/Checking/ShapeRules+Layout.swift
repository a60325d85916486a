// Shape rules of operators that join, cut and rearrange.

import Tensors

extension ShapeRules {
  static func concat(_ node: inout NodeTypes) throws(ONNXError) {
    let contents = node.inputs.map { $0?.content }
    var result: Extents?
    for index in node.inputs.indices {
      guard let shape = node.shape(index) else { return }
      let axis = try node.axis(node.int("axis", default: 0), rank: shape.count)
      guard var joined = result else {
        result = shape
        continue
      }
      guard joined.count == shape.count else { throw node.failure("its inputs differ in rank") }
      for other in shape.indices {
        joined[other] =
          other == axis
          ? joined[other] + shape[other] : try node.same(joined[other], shape[other], "extents along axis \(other)")
      }
      result = joined
    }
    node.set(shape: result)
    if result?.count == 1, contents.allSatisfy({ $0 != nil }) { node.set(content: contents.flatMap { $0 ?? [] }) }
  }

  static func split(_ node: inout NodeTypes) throws(ONNXError) {
    guard let shape = node.shape(0) else { return }
    let axis = try node.axis(node.int("axis", default: 0), rank: shape.count)
    let extent = shape[axis]
    let parts = node.outputs.count
    var sizes = node.integers(1)
    if !node.has(1) {
      let count = node.int("num_outputs", default: Int64(parts))
      guard count >= 1, count == parts else { throw node.failure("\(count) parts are asked for and \(parts) named") }
      if let extent = extent.fixedValue {
        guard node.version >= 18 || extent % count == 0 else {
          throw node.failure("\(extent) does not split into \(count) equal parts")
        }
        let each = extent / count + (extent % count == 0 ? 0 : 1)
        let last = (Dimension.Extent.fixed(extent) - .fixed(each) * .fixed(count - 1)).fixedValue
        // Where even the part before the last would be cut short, runtimes differ in what they do.
        if let last, last >= 0 { sizes = Array(repeating: each, count: parts - 1) + [last] }
      }
    }
    if let sizes {
      guard sizes.count == parts, sizes.allSatisfy({ $0 >= 0 }) else {
        throw node.failure("the sizes \(sizes) do not fit its \(parts) outputs")
      }
      let sum = sizes.map { Dimension.Extent.fixed($0) }.reduce(.fixed(0), +)
      _ = try node.same(sum, extent, "the sum of the parts and the extent")
    }
    for index in 0..<parts {
      var part = shape
      part[axis] = sizes.map { .fixed($0[index]) } ?? .unknown
      node.set(index, shape: part)
    }
  }

  static func slice(_ node: inout NodeTypes) throws(ONNXError) {
    guard var shape = node.shape(0) else { return }
    let starts = node.integers(1)
    let ends = node.integers(2)
    let count = starts?.count ?? ends?.count ?? node.shape(1)?.first?.fixedValue.flatMap { Int(exactly: $0) }
    let given = node.has(3) ? node.integers(3) : count.flatMap { $0 <= shape.count ? (0..<Int64($0)).map { $0 } : nil }
    guard let axes = given else { return node.set(shape: shape.map { _ in .unknown }) }
    let steps = node.has(4) ? node.integers(4) : axes.map { _ in 1 }
    for (position, axis) in axes.enumerated() {
      let axis = try node.axis(axis, rank: shape.count)
      let extent = shape[axis]
      shape[axis] = .unknown
      guard let steps, position < steps.count else { continue }
      let step = steps[position]
      guard step != 0 else { throw node.failure("a step is 0") }
      guard let starts, let ends, position < starts.count, position < ends.count else { continue }
      if starts[position] == 0, step == 1, ends[position] >= Int64(Int32.max) { shape[axis] = extent }
      guard let extent = extent.fixedValue else { continue }
      shape[axis] = .fixed(sliceCount(starts[position], ends[position], step, extent))
    }
    node.set(shape: shape)
    if shape.count == 1, let content = node.input(0)?.content, let starts, let ends, let steps, starts.count == 1,
      ends.count == 1, steps.count == 1, content.count == node.shape(0)?.first?.fixedValue.map(Int.init)
    {
      let extent = Int64(content.count)
      let step = steps[0]
      let first = start(starts[0], step, extent)
      let length = sliceCount(starts[0], ends[0], step, extent)
      node.set(content: (0..<length).map { content[Int(first + $0 * step)] })
    }
  }

  /// Where a slice starts, by the format's clamping.
  private static func start(_ start: Int64, _ step: Int64, _ extent: Int64) -> Int64 {
    let position = start < 0 ? start.addingReportingOverflow(extent).partialValue : start
    return step > 0 ? min(max(position, 0), extent) : min(max(position, 0), extent - 1)
  }

  /// How many elements a slice has, by the format's clamping.
  private static func sliceCount(_ from: Int64, _ to: Int64, _ step: Int64, _ extent: Int64) -> Int64 {
    guard extent > 0 else { return 0 }
    let first = start(from, step, extent)
    let position = to < 0 && to >= -extent ? to + extent : to
    if step > 0 {
      let last = min(max(position, 0), extent)
      return last <= first ? 0 : (last - first - 1) / step + 1
    }
    let last = min(max(position, -1), extent - 1)
    guard first > last else { return 0 }
    return step == .min ? 1 : (first - last - 1) / -step + 1
  }

  static func tile(_ node: inout NodeTypes) throws(ONNXError) {
    guard let shape = node.shape(0) else { return }
    guard let repeats = node.input(1)?.content else { return node.set(shape: shape.map { _ in .unknown }) }
    guard repeats.count == shape.count else {
      throw node.failure("\(repeats.count) repeats for the rank \(shape.count)")
    }
    node.set(shape: zip(shape, repeats).map { $0 * $1 })
  }

  static func pad(_ node: inout NodeTypes) throws(ONNXError) {
    guard var shape = node.shape(0) else { return }
    guard let pads = node.integers(1), !node.has(3) || node.integers(3) != nil else {
      return node.set(shape: shape.map { _ in .unknown })
    }
    let axes = node.has(3) ? node.integers(3) ?? [] : (0..<Int64(shape.count)).map { $0 }
    guard pads.count == 2 * axes.count else { throw node.failure("\(pads.count) pads for \(axes.count) axes") }
    for (position, axis) in axes.enumerated() {
      let axis = try node.axis(axis, rank: shape.count)
      guard pads[position] != 0 || pads[position + axes.count] != 0 else { continue }
      shape[axis] = shape[axis] + .fixed(pads[position]) + .fixed(pads[position + axes.count])
      if let extent = shape[axis].fixedValue, extent < 0 { throw node.failure("the pads cut more than there is") }
    }
    node.set(shape: shape)
  }

  // MARK: The same elements

  static func reshape(_ node: inout NodeTypes) throws(ONNXError) {
    guard let wanted = node.input(1)?.content else {
      guard let rank = node.shape(1)?.first?.fixedValue, rank >= 0, rank <= 64 else { return }
      return node.set(shape: (0..<rank).map { _ in .unknown })
    }
    if wanted.count <= 1 { node.set(content: node.input(0)?.content) }
    let input = node.shape(0)
    let allowsZero = node.int("allowzero", default: 0) != 0
    var result: Extents = []
    var free: Int?
    for (axis, extent) in wanted.enumerated() {
      switch extent {
      case .fixed(-1):
        guard free == nil else { throw node.failure("its shape has -1 more than once") }
        free = axis
        result.append(.fixed(1))
      case .fixed(0) where !allowsZero:
        guard let input else {
          result.append(.unknown)
          continue
        }
        guard axis < input.count else { throw node.failure("its shape copies axis \(axis), which the input lacks") }
        result.append(input[axis])
      case .fixed(let value) where value < 0: throw node.failure("its shape has the extent \(value)")
      default: result.append(extent)
      }
    }
    guard let input else {
      if let free { result[free] = .unknown }
      return node.set(shape: result)
    }
    if let free {
      result[free] = try quotient(of: input, by: result, node)
    } else if let from = input.product.fixedValue, let to = result.product.fixedValue, from != to {
      throw node.failure("\(from) elements do not take the shape \(result.text)")
    }
    node.set(shape: result)
  }

  /// The extent that is left of `input` when `others` are given: names that stand on both sides cancel.
  private static func quotient(of input: Extents, by others: Extents, _ node: NodeTypes) throws(ONNXError)
    -> Dimension.Extent
  {
    var rest = input.filter { $0.fixedValue == nil }
    for extent in others where extent.fixedValue == nil {
      guard case .named = extent, let match = rest.firstIndex(of: extent) else { return .unknown }
      rest.remove(at: match)
    }
    let above = input.filter { $0.fixedValue != nil }.product
    let below = others.filter { $0.fixedValue != nil }.product
    guard let above = above.fixedValue, let below = below.fixedValue else { return .unknown }
    if rest.isEmpty {
      guard below != 0 else { return above == 0 ? .unknown : .fixed(0) }
      guard above % below == 0 else { throw node.failure("\(above) elements do not divide by \(below)") }
      return .fixed(above / below)
    }
    return rest.count == 1 && above == below && above != 0 ? rest[0] : .unknown
  }

  static func flatten(_ node: inout NodeTypes) throws(ONNXError) {
    guard let shape = node.shape(0) else { return node.set(shape: [.unknown, .unknown]) }
    let axis = node.int("axis", default: 1)
    guard axis >= -Int64(shape.count), axis <= Int64(shape.count) else {
      throw node.failure("axis \(axis) is out of the rank \(shape.count)")
    }
    let cut = Int(axis < 0 ? axis + Int64(shape.count) : axis)
    node.set(shape: [Array(shape[..<cut]).product, Array(shape[cut...]).product])
  }

  static func transpose(_ node: inout NodeTypes) throws(ONNXError) {
    guard let shape = node.shape(0) else { return }
    guard let permutation = node.ints("perm") else { return node.set(shape: shape.reversed()) }
    guard permutation.count == shape.count, Set(permutation) == Set(0..<Int64(shape.count)) else {
      throw node.failure("perm \(permutation) is no permutation of the rank \(shape.count)")
    }
    node.set(shape: permutation.map { shape[Int($0)] })
  }

  static func squeeze(_ node: inout NodeTypes) throws(ONNXError) {
    node.set(content: node.input(0)?.content)
    guard let shape = node.shape(0) else { return }
    guard node.has(1) else {
      guard shape.allSatisfy({ $0.fixedValue != nil }) else { return }
      return node.set(shape: shape.filter { $0 != .fixed(1) })
    }
    guard let given = node.integers(1) else { return }
    let axes = try node.axes(given, rank: shape.count)
    for axis in axes { _ = try node.same(shape[axis], .fixed(1), "the squeezed extent and 1") }
    node.set(shape: shape.indices.filter { !axes.contains($0) }.map { shape[$0] })
  }

  static func unsqueeze(_ node: inout NodeTypes) throws(ONNXError) {
    guard let shape = node.shape(0), let given = node.integers(1) else { return }
    if shape.isEmpty, given.count == 1 { node.set(content: node.input(0)?.content) }
    let rank = shape.count + given.count
    let axes = try node.axes(given, rank: rank)
    var rest = shape[...]
    node.set(shape: (0..<rank).map { axes.contains($0) ? .fixed(1) : rest.popFirst() ?? .unknown })
  }

  static func expand(_ node: inout NodeTypes) throws(ONNXError) {
    guard let shape = node.shape(0), let target = node.input(1)?.content else { return }
    guard let result = shape.broadcast(with: target) else { throw node.failure("it does not expand to \(target.text)") }
    node.set(shape: result)
  }

  static func depthToSpace(_ node: inout NodeTypes) throws(ONNXError) { try blocks(&node, toSpace: true) }
  static func spaceToDepth(_ node: inout NodeTypes) throws(ONNXError) { try blocks(&node, toSpace: false) }

  private static func blocks(_ node: inout NodeTypes, toSpace: Bool) throws(ONNXError) {
    try node.require(0, 4...4)
    let size = node.int("blocksize", default: 0)
    guard size > 0 else { throw node.failure("its blocksize is \(size)") }
    guard let shape = node.shape(0) else { return }
    let block = Dimension.Extent.fixed(size)
    node.set(
      shape: toSpace
        ? [shape[0], shape[1] / (block * block), shape[2] * block, shape[3] * block]
        : [shape[0], shape[1] * block * block, shape[2] / block, shape[3] / block])
  }
}
