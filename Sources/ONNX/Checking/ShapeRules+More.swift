// Shape rules of reductions, constants, images, control flow and recurrence.

import Tensors

extension ShapeRules {
  // MARK: Reductions

  static func reduce(_ node: inout NodeTypes) throws(ONNXError) {
    guard let shape = node.shape(0) else { return }
    let keeps = node.int("keepdims", default: 1) != 0
    // Axes moved from an attribute to an input, operator by operator, between opsets 13 and 18.
    var given = node.ints("axes")
    if given == nil, node.has(1) {
      guard let axes = node.integers(1) else {
        return node.set(shape: keeps ? shape.map { _ in .unknown } : nil)
      }
      given = axes
    }
    if (given ?? []).isEmpty {
      if node.int("noop_with_empty_axes", default: 0) != 0 { return node.set(shape: shape) }
      return node.set(shape: keeps ? shape.map { _ in .fixed(1) } : [])
    }
    let axes = try node.axes(given ?? [], rank: shape.count)
    node.set(
      shape: shape.indices.compactMap { axes.contains($0) ? (keeps ? .fixed(1) : nil) : shape[$0] })
  }

  static func argMax(_ node: inout NodeTypes) throws(ONNXError) {
    guard var shape = node.shape(0) else { return }
    let axis = try node.axis(node.int("axis", default: 0), rank: shape.count)
    if node.int("keepdims", default: 1) != 0 { shape[axis] = .fixed(1) } else { shape.remove(at: axis) }
    node.set(shape: shape)
  }

  // MARK: Constants

  static func constant(_ node: inout NodeTypes) throws(ONNXError) {
    guard node.node.attributes.count == 1, !node.outputs.isEmpty else {
      throw node.failure("a constant has one attribute; it has \(node.node.attributes.count)")
    }
    switch node.node.attributes[0].value {
    case .tensor(let value): node.outputs[0] = KnownValue(value.tensor)
    case .sparseTensor(let value):
      let type = TensorType(value.values.tensor.elementType, value.shape.map { Dimension(.fixed($0)) })
      node.outputs[0] = KnownValue(type: .tensor(type))
    case .float: node.outputs[0] = KnownValue(type: .tensor(TensorType(.float, [])))
    case .int(let value): node.outputs[0] = KnownValue(type: .tensor(TensorType(.int64, [])), content: [.fixed(value)])
    case .string: node.outputs[0] = KnownValue(type: .tensor(TensorType(.string, [])))
    case .floats(let values): node.outputs[0] = KnownValue(type: .tensor(TensorType(.float, [Dimension(values.count)])))
    case .ints(let values):
      node.outputs[0] = KnownValue(type: .tensor(TensorType(.int64, [Dimension(values.count)])))
      node.set(content: values.map { .fixed($0) })
    case .strings(let values):
      node.outputs[0] = KnownValue(type: .tensor(TensorType(.string, [Dimension(values.count)])))
    default: break
    }
  }

  static func constantOfShape(_ node: inout NodeTypes) throws(ONNXError) {
    if case .tensor(let value)? = node.node.attribute("value") {
      guard value.tensor.elementCount == 1 else {
        throw node.failure("its value has \(value.tensor.elementCount) elements; 1 is expected")
      }
      node.set(elementType: value.tensor.elementType)
    } else {
      node.set(elementType: .float)
    }
    guard let shape = node.input(0)?.content else {
      guard let rank = node.shape(0)?.first?.fixedValue, rank >= 0, rank <= 64 else { return }
      return node.set(shape: (0..<rank).map { _ in .unknown })
    }
    guard shape.allSatisfy({ ($0.fixedValue ?? 0) >= 0 }) else { throw node.failure("the shape \(shape.text)") }
    node.set(shape: shape)
  }

  static func shape(_ node: inout NodeTypes) throws(ONNXError) {
    guard let shape = node.shape(0) else { return node.set(shape: [.unknown]) }
    let rank = Int64(shape.count)
    func position(_ name: String, _ value: Int64) -> Int {
      let given = node.int(name, default: value)
      return Int(min(max(given < 0 ? given.addingReportingOverflow(rank).partialValue : given, 0), rank))
    }
    let start = position("start", 0)
    let end = max(position("end", rank), start)
    node.set(shape: [.fixed(Int64(end - start))])
    node.set(content: Array(shape[start..<end]))
  }

  static func size(_ node: inout NodeTypes) throws(ONNXError) {
    node.set(shape: [])
    if let shape = node.shape(0) { node.set(content: [shape.product]) }
  }

  static func scalar(_ node: inout NodeTypes) throws(ONNXError) { node.set(shape: []) }

  static func range(_ node: inout NodeTypes) throws(ONNXError) {
    guard let start = node.input(0)?.content?.first, let limit = node.input(1)?.content?.first,
      let step = node.integers(2)?.first
    else { return node.set(shape: [.unknown]) }
    guard step != 0 else { throw node.failure("its delta is 0") }
    guard step > 0 else { return node.set(shape: [.unknown]) }
    let length = (limit - start + .fixed(step - 1)) / .fixed(step)
    guard let count = length.fixedValue else { return node.set(shape: [length]) }
    node.set(shape: [.fixed(max(count, 0))])
    if let first = start.fixedValue, count <= TypeInference.largestContent {
      node.set(content: (0..<max(count, 0)).map { .fixed(first) + .fixed($0) * .fixed(step) })
    }
  }

  static func random(_ node: inout NodeTypes) throws(ONNXError) {
    let number = node.int("dtype", default: 1)
    guard let type = Int32(exactly: number).flatMap(ElementType.init(rawValue:)), type.isFloatingPoint else {
      throw node.failure("its attribute 'dtype' is \(number), which is no floating-point type")
    }
    node.set(elementType: type)
    node.set(shape: node.ints("shape")?.map { .fixed($0) })
  }

  // MARK: Images

  static func conv(_ node: inout NodeTypes) throws(ONNXError) {
    try node.require(0, 3...Int.max)
    guard let input = node.shape(0), let weight = node.shape(1) else { return }
    guard input.count == weight.count else { throw node.failure("the input and the weights differ in rank") }
    let groups = node.int("group", default: 1)
    guard groups > 0 else { throw node.failure("its group is \(groups)") }
    _ = try node.same(input[1], weight[1] * .fixed(groups), "the channels of input and weights")
    let kernel = node.ints("kernel_shape")?.map { Dimension.Extent.fixed($0) } ?? Array(weight[2...])
    node.set(shape: [input[0], weight[0]] + (try window(node, Array(input[2...]), kernel)))
  }

  static func pool(_ node: inout NodeTypes) throws(ONNXError) {
    try node.require(0, 3...Int.max)
    guard let input = node.shape(0) else { return }
    let kernel = (node.ints("kernel_shape") ?? []).map { Dimension.Extent.fixed($0) }
    let shape = Array(input[..<2]) + (try window(node, Array(input[2...]), kernel))
    node.set(0, shape: shape)
    node.set(1, shape: shape)
  }

  static func globalPool(_ node: inout NodeTypes) throws(ONNXError) {
    try node.require(0, 2...Int.max)
    guard let input = node.shape(0) else { return }
    node.set(shape: Array(input[..<2]) + input[2...].map { _ in .fixed(1) })
  }

  /// How many places a sliding window has along each axis:
  /// `⌊(extent + pads - dilation·(kernel - 1) - 1) / stride⌋ + 1`, rounded up with `ceil_mode`.
  private static func window(_ node: NodeTypes, _ extents: Extents, _ kernel: Extents) throws(ONNXError) -> Extents {
    let rank = extents.count
    let strides = node.ints("strides") ?? Array(repeating: 1, count: rank)
    let dilations = node.ints("dilations") ?? Array(repeating: 1, count: rank)
    let pads = node.ints("pads") ?? Array(repeating: 0, count: 2 * rank)
    guard kernel.count == rank, strides.count == rank, dilations.count == rank, pads.count == 2 * rank else {
      throw node.failure("kernel, strides, dilations or pads do not fit the \(rank) axes of its window")
    }
    guard (strides + dilations).allSatisfy({ $0 > 0 }) else { throw node.failure("a stride or dilation is below 1") }
    let mode = node.node.string("auto_pad") ?? "NOTSET"
    // With ceil_mode, versions differ in whether a window may start in the padding alone.
    guard node.int("ceil_mode", default: 0) == 0 else { return extents.map { _ in .unknown } }
    return extents.indices.map { axis in
      let stride = Dimension.Extent.fixed(strides[axis])
      if mode.hasPrefix("SAME") { return (extents[axis] + .fixed(strides[axis] - 1)) / stride }
      let span = (kernel[axis] - .fixed(1)) * .fixed(dilations[axis]) + .fixed(1)
      let padding = mode == "VALID" ? Dimension.Extent.fixed(0) : .fixed(pads[axis]) + .fixed(pads[axis + rank])
      return (extents[axis] + padding - span) / stride + .fixed(1)
    }
  }

  // MARK: Control flow and recurrence

  /// What both branches say of an output: where they differ in shape, the rank or nothing.
  static func branches(_ node: inout NodeTypes) throws(ONNXError) {
    guard let then = node.nestedOutputs["then_branch"], let other = node.nestedOutputs["else_branch"] else { return }
    guard then.count == node.outputs.count, other.count == node.outputs.count else {
      throw node.failure("its branches have \(then.count) and \(other.count) outputs and it has \(node.outputs.count)")
    }
    for index in node.outputs.indices {
      guard let a = then[index].type, let b = other[index].type else { continue }
      guard a.agrees(with: b) else { throw node.failure("its branches give \(a) and \(b) for output \(index)") }
      guard let left = a.tensorType, let right = b.tensorType else {
        node.outputs[index].type = a.withoutShape
        continue
      }
      var joined: Extents?
      if let mine = left.extents, let theirs = right.extents, mine.count == theirs.count {
        joined = zip(mine, theirs).map { $0 == $1 ? $0 : .unknown }
      }
      node.outputs[index].type = .tensor(TensorType(left.elementType, extents: joined))
    }
  }

  /// Carried values keep their element types; scanned ones get a further axis of unknown extent.
  static func loop(_ node: inout NodeTypes) throws(ONNXError) {
    guard let body = node.nestedOutputs["body"] else { return }
    let carried = max(node.inputs.count - 2, 0)
    guard body.count == node.outputs.count + 1, carried <= node.outputs.count else {
      throw node.failure("its body has \(body.count) outputs; \(node.outputs.count + 1) are expected")
    }
    for index in node.outputs.indices {
      guard let type = body[index + 1].type else { continue }
      if index < carried {
        node.outputs[index].type = type.withoutShape
      } else if let tensor = type.tensorType {
        node.outputs[index].type = .tensor(
          TensorType(tensor.elementType, extents: tensor.extents.map { [.unknown] + $0 }))
      }
    }
  }

  static func recurrent(_ node: inout NodeTypes) throws(ONNXError) {
    try node.require(0, 3...3)
    guard let input = node.shape(0) else { return }
    let hidden: Dimension.Extent = node.node.int("hidden_size").map { .fixed(Int64($0)) } ?? .unknown
    let directions: Dimension.Extent = .fixed(node.node.string("direction") == "bidirectional" ? 2 : 1)
    let batchFirst = node.int("layout", default: 0) != 0
    let (length, batch) = batchFirst ? (input[1], input[0]) : (input[0], input[1])
    node.set(0, shape: batchFirst ? [batch, length, directions, hidden] : [length, directions, batch, hidden])
    for output in 1..<3 {
      node.set(output, shape: batchFirst ? [batch, directions, hidden] : [directions, batch, hidden])
    }
  }
}
