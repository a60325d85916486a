// One node while its types are inferred: what a shape rule reads and writes.

import Tensors

/// A node, what is known of its inputs, and what follows for its outputs.
struct NodeTypes {
  let node: Node
  /// The version of the node's operator set.
  let version: Int
  let place: String
  /// nil for an input that is left out.
  let inputs: [KnownValue?]
  var outputs: [KnownValue]
  /// What is known of the outputs of the node's graphs, by attribute name.
  var nestedOutputs: [String: [KnownValue]] = [:]

  init(node: Node, version: Int, place: String, inputs: [KnownValue?]) {
    self.node = node
    self.version = version
    self.place = place
    self.inputs = inputs
    outputs = node.outputs.map { _ in KnownValue() }
  }

  // MARK: Reading

  func input(_ index: Int) -> KnownValue? { index < inputs.count ? inputs[index] : nil }
  func has(_ index: Int) -> Bool { input(index) != nil }
  func elementType(_ index: Int) -> ElementType? { input(index)?.type?.tensorType?.elementType }
  func shape(_ index: Int) -> Extents? { input(index)?.type?.tensorType?.extents }

  /// The elements of an integer input, where each is a known number.
  func integers(_ index: Int) -> [Int64]? {
    guard let content = input(index)?.content else { return nil }
    let numbers = content.compactMap(\.fixedValue)
    return numbers.count == content.count ? numbers : nil
  }

  func int(_ name: String, default value: Int64) -> Int64 {
    if case .int(let given)? = node.attribute(name) { given } else { value }
  }

  func ints(_ name: String) -> [Int64]? {
    if case .ints(let given)? = node.attribute(name) { given } else { nil }
  }

  func failure(_ problem: String) -> ONNXError {
    let types = inputs.map { $0.map { $0.type?.description ?? "?" } ?? "none" }.joined(separator: ", ")
    return .invalid(location: place, problem: "\(problem); its inputs are (\(types))")
  }

  /// An axis counted from the front, of a tensor of that rank.
  func axis(_ axis: Int64, rank: Int, _ name: String = "axis") throws(ONNXError) -> Int {
    guard axis >= -Int64(rank), axis < Int64(rank) else {
      throw failure("\(name) \(axis) is out of the rank \(rank)")
    }
    return Int(axis < 0 ? axis + Int64(rank) : axis)
  }

  /// Several axes, each once.
  func axes(_ axes: [Int64], rank: Int) throws(ONNXError) -> Set<Int> {
    var result: Set<Int> = []
    for axis in axes {
      guard result.insert(try self.axis(axis, rank: rank)).inserted else { throw failure("axis \(axis) occurs twice") }
    }
    return result
  }

  /// Demands a rank of an input whose shape is known.
  func require(_ index: Int, _ ranks: ClosedRange<Int>) throws(ONNXError) {
    guard let shape = shape(index), !ranks.contains(shape.count) else { return }
    let expected =
      ranks.upperBound == .max
      ? "at least \(ranks.lowerBound)"
      : ranks.count == 1 ? "\(ranks.lowerBound)" : "\(ranks.lowerBound) to \(ranks.upperBound)"
    throw failure("input \(index) has the rank \(shape.count); \(expected) is expected")
  }

  /// What two extents that must be equal are.
  func same(
    _ a: Dimension.Extent, _ b: Dimension.Extent, _ what: String
  ) throws(ONNXError) -> Dimension.Extent {
    guard let merged = a.merged(with: b) else { throw failure("\(what) differ: \(a.text) and \(b.text)") }
    return merged
  }

  // MARK: Writing

  mutating func set(_ index: Int = 0, shape: Extents?) {
    guard index < outputs.count,
      case .tensor(let type, _)? = outputs[index].type ?? .tensor(TensorType(.undefined, nil))
    else { return }
    outputs[index].type = .tensor(TensorType(type.elementType, extents: shape))
  }

  mutating func set(_ index: Int = 0, elementType: ElementType) {
    guard index < outputs.count else { return }
    outputs[index].type = .tensor(TensorType(elementType, extents: outputs[index].type?.tensorType?.extents))
  }

  mutating func set(_ index: Int = 0, content: Extents?) {
    guard index < outputs.count, (content?.count ?? 0) <= TypeInference.largestContent else { return }
    outputs[index].content = content
  }

  // MARK: The operator's type variables

  /// Checks the inputs' types against the schema, and gives each output the type that its variable was bound to.
  mutating func bind(_ schema: OperatorSchema) throws(ONNXError) {
    var bound: [String: ValueType] = [:]
    for (index, input) in inputs.enumerated() {
      guard let type = input?.type, let parameter = OperatorSchema.parameter(index, of: schema.inputs) else { continue }
      let allowed = schema.typeSets[parameter.type] ?? TypeSet(parameter.type)
      guard allowed.contains(type) else {
        throw failure("its input '\(parameter.name)' is \(type); allowed is \(allowed.description)")
      }
      if case .variadic(_, isHomogeneous: false) = parameter.arity { continue }
      guard schema.typeSets[parameter.type] != nil else { continue }
      if let other = bound[parameter.type], !other.agrees(with: type) {
        throw failure(
          "its inputs of the type '\(parameter.type)' must have one type, and are \(other) and \(type.withoutShape)")
      }
      if bound[parameter.type] == nil { bound[parameter.type] = type.withoutShape }
    }
    for index in outputs.indices {
      guard let parameter = OperatorSchema.parameter(index, of: schema.outputs) else { continue }
      if case .variadic(_, isHomogeneous: false) = parameter.arity { continue }
      if let type = bound[parameter.type] {
        outputs[index].type = type
      } else if let only = (schema.typeSets[parameter.type] ?? TypeSet(parameter.type)).onlyTensor {
        outputs[index].type = .tensor(TensorType(only, nil))
      }
    }
  }
}
