// The shape of each operator's outputs: one table, a rule an operator or family.

import Tensors

/// How output shapes (and the content of small integer tensors) follow from a node's inputs and attributes.
/// A rule leaves unknown what does not follow and throws what can't be.
enum ShapeRules {
  typealias Rule = @Sendable (inout NodeTypes) throws(ONNXError) -> Void

  static let rules: [String: Rule] = {
    var rules: [String: Rule] = [:]
    for (names, rule) in families { for name in names.split(separator: " ") { rules[String(name)] = rule } }
    return rules
  }()

  private static let families: [(String, Rule)] = [
    // One input, one output of its shape.
    (
      """
      Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Celu Clip Cos Cosh CumSum Elu Erf Exp Floor Gelu HardSigmoid \
      HardSwish Hardmax InstanceNormalization IsInf IsNaN LRN LeakyRelu Log LpNormalization MeanVarianceNormalization \
      Mish Neg Not PRelu Reciprocal Relu ReverseSequence Round ScatterElements ScatterND Selu Shrink Sigmoid Sign Sin \
      Sinh Softplus Softsign Sqrt Tan Tanh ThresholdedRelu Trilu GroupNormalization DequantizeLinear
      """, sameShape
    ),
    ("Softmax LogSoftmax", softmax), ("QuantizeLinear", quantize),
    ("NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss", loss),
    ("Identity", identity), ("Cast", cast), ("CastLike", castLike), ("Dropout", dropout),
    ("BatchNormalization", batchNormalization), ("LayerNormalization", layerNormalization),
    ("Bernoulli RandomNormalLike RandomUniformLike EyeLike", likeInput),
    // Broadcasting.
    (
      """
      And BitwiseAnd BitwiseOr BitwiseXor BitShift Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Or Pow \
      Sum Where Xor
      """, broadcast
    ),
    ("Add", { node throws(ONNXError) in try arithmetic(&node, +) }),
    ("Sub", { node throws(ONNXError) in try arithmetic(&node, -) }),
    ("Mul", { node throws(ONNXError) in try arithmetic(&node, *) }),
    ("Div", { node throws(ONNXError) in try arithmetic(&node, /) }),
    // Products.
    ("MatMul MatMulInteger", matMul), ("Gemm", gemm),
    // Choosing.
    ("Gather", gather), ("GatherElements", gatherElements), ("GatherND", gatherND), ("OneHot", oneHot), ("TopK", topK),
    ("NonZero", nonZero), ("Compress", compress),
    // Joining and cutting.
    ("Concat", concat), ("Split", split), ("Slice", slice), ("Tile", tile), ("Pad", pad),
    // New shapes for the same elements.
    ("Reshape", reshape), ("Flatten", flatten), ("Transpose", transpose), ("Squeeze", squeeze),
    ("Unsqueeze", unsqueeze), ("Expand", expand), ("DepthToSpace", depthToSpace), ("SpaceToDepth", spaceToDepth),
    // Reductions.
    (
      """
      ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
      """, reduce
    ),
    ("ArgMax ArgMin", argMax),
    // Constants and shapes as values.
    ("Constant", constant), ("ConstantOfShape", constantOfShape), ("Shape", shape), ("Size", size),
    ("SequenceLength", scalar), ("Range", range),
    ("RandomNormal RandomUniform", random),
    // Images.
    ("Conv", conv), ("MaxPool AveragePool LpPool", pool), ("GlobalAveragePool GlobalMaxPool GlobalLpPool", globalPool),
    // Control flow and recurrence.
    ("If", branches), ("Loop", loop), ("LSTM GRU RNN", recurrent),
  ]

  // MARK: The same shape

  static func sameShape(_ node: inout NodeTypes) throws(ONNXError) { node.set(shape: node.shape(0)) }

  static func softmax(_ node: inout NodeTypes) throws(ONNXError) {
    try sameShape(&node)
    guard let shape = node.shape(0) else { return }
    // A scalar has no axis; onnx still allows the default there.
    guard !shape.isEmpty else { return }
    _ = try node.axis(node.int("axis", default: -1), rank: shape.count)
  }

  static func identity(_ node: inout NodeTypes) throws(ONNXError) {
    guard !node.outputs.isEmpty, let input = node.input(0) else { return }
    node.outputs[0] = input
  }

  static func cast(_ node: inout NodeTypes) throws(ONNXError) {
    let number = node.int("to", default: 0)
    guard let type = Int32(exactly: number).flatMap(ElementType.init(rawValue:)), type != .undefined else {
      throw node.failure("its attribute 'to' is \(number), which is no element type")
    }
    node.set(elementType: type)
    node.set(shape: node.shape(0))
    if type.isInteger { node.set(content: node.input(0)?.content) }
  }

  static func castLike(_ node: inout NodeTypes) throws(ONNXError) {
    node.set(shape: node.shape(0))
  }

  static func dropout(_ node: inout NodeTypes) throws(ONNXError) {
    node.set(0, shape: node.shape(0))
    node.set(1, elementType: .bool)
    node.set(1, shape: node.shape(0))
  }

  static func quantize(_ node: inout NodeTypes) throws(ONNXError) {
    node.set(shape: node.shape(0))
    let stated = Int32(exactly: node.int("output_dtype", default: 0)).flatMap(ElementType.init(rawValue:)) ?? .undefined
    if stated != .undefined {
      node.set(elementType: stated)
    } else if !node.has(2) {
      node.set(elementType: .uint8)
    }
  }

  /// A loss of scores `[batch, classes, …]` and targets `[batch, …]`: one number, or one a target with no reduction.
  static func loss(_ node: inout NodeTypes) throws(ONNXError) {
    let isReduced = node.node.string("reduction") != "none"
    node.set(0, shape: isReduced ? [] : node.shape(1))
    if node.node.operatorType == "SoftmaxCrossEntropyLoss" {
      if let type = node.elementType(0) { node.set(1, elementType: type) }
      node.set(1, shape: node.shape(0))
    }
  }

  static func likeInput(_ node: inout NodeTypes) throws(ONNXError) {
    if case .int(let number)? = node.node.attribute("dtype") {
      guard let type = Int32(exactly: number).flatMap(ElementType.init(rawValue:)), type != .undefined else {
        throw node.failure("its attribute 'dtype' is \(number), which is no element type")
      }
      node.set(elementType: type)
    } else if let type = node.elementType(0) {
      node.set(elementType: type)
    }
    node.set(shape: node.shape(0))
  }

  static func batchNormalization(_ node: inout NodeTypes) throws(ONNXError) {
    try node.require(0, 1...Int.max)
    guard node.version < 14 || node.outputs.count == 1 || node.int("training_mode", default: 0) != 0 else {
      throw node.failure("it has \(node.outputs.count) outputs; outside of training_mode 1 is expected")
    }
    var channels: Dimension.Extent = .unknown
    if let shape = node.shape(0) { channels = shape.count > 1 ? shape[1] : .fixed(1) }
    for index in 1..<5 {
      guard let parameter = node.shape(index) else { continue }
      try node.require(index, 1...1)
      channels = try node.same(channels, parameter[0], "the channels of its inputs")
    }
    node.set(0, shape: node.shape(0))
    for output in 1..<5 { node.set(output, shape: [channels]) }
  }

  static func layerNormalization(_ node: inout NodeTypes) throws(ONNXError) {
    // The statistics are computed, and given, in the type of `stash_type`: float unless it says otherwise.
    let stash = Int32(exactly: node.int("stash_type", default: 1)).flatMap(ElementType.init(rawValue:)) ?? .float
    for output in 1..<3 { node.set(output, elementType: stash) }
    node.set(0, shape: node.shape(0))
    guard let shape = node.shape(0) else { return }
    let axis = try node.axis(node.int("axis", default: -1), rank: shape.count)
    for index in 1..<3 {
      guard let parameter = node.shape(index) else { continue }
      guard let joined = parameter.broadcast(with: shape), joined.count == shape.count,
        zip(joined, shape).allSatisfy({ $0.merged(with: $1) != nil })
      else { throw node.failure("input \(index) does not broadcast to the normalised axes from \(axis) on") }
    }
    let statistics = Array(shape[..<axis]) + shape[axis...].map { _ in .fixed(1) }
    for output in 1..<3 { node.set(output, shape: statistics) }
  }

  // MARK: Broadcasting

  static func broadcast(_ node: inout NodeTypes) throws(ONNXError) {
    var result: Extents = []
    for index in node.inputs.indices {
      guard let shape = node.shape(index) else { return node.set(shape: nil) }
      guard let joined = result.broadcast(with: shape) else { throw node.failure("its inputs do not broadcast") }
      result = joined
    }
    node.set(shape: result)
  }

  static func arithmetic(
    _ node: inout NodeTypes, _ operation: (Dimension.Extent, Dimension.Extent) -> Dimension.Extent
  ) throws(ONNXError) {
    try broadcast(&node)
    guard let a = node.input(0)?.content, let b = node.input(1)?.content else { return }
    guard a.count == b.count || a.count == 1 || b.count == 1 else { return }
    let count = min(a.count, b.count) == 0 ? 0 : max(a.count, b.count)
    node.set(content: (0..<count).map { operation(a[a.count == 1 ? 0 : $0], b[b.count == 1 ? 0 : $0]) })
  }

  // MARK: Products

  static func matMul(_ node: inout NodeTypes) throws(ONNXError) {
    try node.require(0, 1...Int.max)
    try node.require(1, 1...Int.max)
    guard let a = node.shape(0), let b = node.shape(1) else { return }
    let rows = a.count > 1 ? [a[a.count - 2]] : []
    let columns = b.count > 1 ? [b[b.count - 1]] : []
    _ = try node.same(a[a.count - 1], b[max(b.count - 2, 0)], "the inner extents")
    guard let batch = Array(a.dropLast(2)).broadcast(with: Array(b.dropLast(2))) else {
      throw node.failure("the batches do not broadcast")
    }
    node.set(shape: batch + rows + columns)
  }

  static func gemm(_ node: inout NodeTypes) throws(ONNXError) {
    try node.require(0, 2...2)
    try node.require(1, 2...2)
    guard let a = node.shape(0), let b = node.shape(1) else { return }
    let (rows, innerA) = node.int("transA", default: 0) != 0 ? (a[1], a[0]) : (a[0], a[1])
    let (innerB, columns) = node.int("transB", default: 0) != 0 ? (b[1], b[0]) : (b[0], b[1])
    _ = try node.same(innerA, innerB, "the inner extents")
    let result = [rows, columns]
    if let c = node.shape(2) {
      guard let joined = c.broadcast(with: result), joined.count == 2,
        zip(joined, result).allSatisfy({ $0.merged(with: $1) != nil })
      else { throw node.failure("C does not broadcast to \(result.text)") }
    }
    node.set(shape: result)
  }

  // MARK: Choosing

  static func gather(_ node: inout NodeTypes) throws(ONNXError) {
    guard let data = node.shape(0) else { return }
    try node.require(0, 1...Int.max)
    let axis = try node.axis(node.int("axis", default: 0), rank: data.count)
    guard let indices = node.shape(1) else { return }
    node.set(shape: Array(data[..<axis]) + indices + Array(data[(axis + 1)...]))
    if let content = node.input(0)?.content, let positions = node.integers(1), data.count == 1 {
      let chosen = positions.map { $0 < 0 ? $0 &+ Int64(content.count) : $0 }
      guard chosen.allSatisfy({ $0 >= 0 && $0 < content.count }) else {
        throw node.failure("an index is out of the \(content.count) elements")
      }
      node.set(content: chosen.map { content[Int($0)] })
    }
  }

  static func gatherElements(_ node: inout NodeTypes) throws(ONNXError) {
    if let data = node.shape(0), let indices = node.shape(1) {
      guard data.count == indices.count else { throw node.failure("data and indices differ in rank") }
      _ = try node.axis(node.int("axis", default: 0), rank: data.count)
    }
    node.set(shape: node.shape(1))
  }

  static func gatherND(_ node: inout NodeTypes) throws(ONNXError) {
    guard let data = node.shape(0), let indices = node.shape(1), let last = indices.last else { return }
    let batch = node.int("batch_dims", default: 0)
    guard let length = last.fixedValue else { return }
    guard batch >= 0, length >= 1, let used = Int(exactly: batch.addingReportingOverflow(length).partialValue),
      used >= 1, used <= data.count
    else { throw node.failure("indices of \(length) axes behind \(batch) batch axes do not fit the data") }
    node.set(shape: Array(indices.dropLast()) + Array(data[used...]))
  }

  static func oneHot(_ node: inout NodeTypes) throws(ONNXError) {
    if let type = node.elementType(2) { node.set(elementType: type) }
    guard let indices = node.shape(0) else { return }
    let axis = try node.axis(node.int("axis", default: -1), rank: indices.count + 1)
    var result = indices
    result.insert(node.input(1)?.content?.first ?? .unknown, at: axis)
    node.set(shape: result)
  }

  static func topK(_ node: inout NodeTypes) throws(ONNXError) {
    guard var shape = node.shape(0) else { return }
    let axis = try node.axis(node.int("axis", default: -1), rank: shape.count)
    let count = node.input(1)?.content?.first ?? .unknown
    if let count = count.fixedValue, let extent = shape[axis].fixedValue, count > extent || count < 0 {
      throw node.failure("k is \(count) and the axis has \(extent) elements")
    }
    shape[axis] = count
    node.set(0, shape: shape)
    node.set(1, shape: shape)
  }

  static func nonZero(_ node: inout NodeTypes) throws(ONNXError) {
    guard let shape = node.shape(0) else { return }
    node.set(shape: [.fixed(Int64(shape.count)), .unknown])
  }

  static func compress(_ node: inout NodeTypes) throws(ONNXError) {
    guard node.node.attribute("axis") != nil else { return node.set(shape: [.unknown]) }
    guard var shape = node.shape(0) else { return }
    shape[try node.axis(node.int("axis", default: 0), rank: shape.count)] = .unknown
    node.set(shape: shape)
  }
}
