// Types and shapes of every value, from those of the inputs on. Element types follow from the operator table alone;
// shapes from a rule an operator (`ShapeRules`).

import Tensors

extension Model {
  /// The type of each value of the main graph, by name: declared, inferred, or both merged. A value of which nothing
  /// is known is absent.
  ///
  /// - Throws: `ONNXError.invalid` for a node whose operator does not take its inputs' types or shapes, and where an
  ///   inferred type contradicts the declared one; it names the node and both types.
  public func inferredTypes() throws(ONNXError) -> [String: ValueType] {
    var inference = TypeInference(self)
    return try inference.run()
  }
}

/// What is known of a value: its type, and the content of small integer tensors, from which shapes are made.
struct KnownValue {
  var type: ValueType?
  /// The elements of a scalar or one-dimensional integer tensor, where they are known, as extents.
  var content: Extents?
}

/// The values of a graph, and through `outer` those of the graphs around it.
final class ValueScope {
  var values: [String: KnownValue] = [:]
  private let outer: ValueScope?

  init(outer: ValueScope?) { self.outer = outer }

  func find(_ name: String) -> KnownValue? { values[name] ?? outer?.find(name) }
}

struct TypeInference {
  /// Contents are followed up to this many elements: shapes and axes are far shorter.
  static let largestContent = 256
  /// How deep functions may call each other.
  private static let deepestCall = 32

  private let model: Model
  private let functions: [FunctionIdentifier: Function]
  private let schemas = SchemaCache()
  private var operatorSets: [String: Int]
  private var calls = 0

  init(_ model: Model) {
    self.model = model
    functions = Dictionary(model.functions.map { ($0.identifier, $0) }) { first, _ in first }
    operatorSets = Self.versions(model.operatorSets)
  }

  private static func versions(_ sets: [OperatorSet]) -> [String: Int] {
    Dictionary(sets.map { (OperatorSchema.normalized($0.domain), Int($0.version)) }) { first, _ in first }
  }

  mutating func run() throws(ONNXError) -> [String: ValueType] {
    let scope = ValueScope(outer: nil)
    _ = try graph(model.graph, "graph '\(model.graph.name)'", scope)
    return scope.values.compactMapValues(\.type)
  }

  // MARK: Graphs

  /// Fills `scope` with the graph's values and returns what is known of its outputs.
  mutating func graph(_ graph: Graph, _ place: String, _ scope: ValueScope) throws(ONNXError) -> [KnownValue] {
    for initializer in graph.initializers {
      scope.values[initializer.name] = KnownValue(initializer.tensor)
    }
    for sparse in graph.sparseInitializers {
      let type = TensorType(sparse.values.tensor.elementType, sparse.shape.map { Dimension(.fixed($0)) })
      scope.values[sparse.values.name] = KnownValue(type: .tensor(type))
    }
    for input in graph.inputs {
      try declare(input, place, scope)
    }
    let declared = Dictionary((graph.valueInfo + graph.outputs).map { ($0.name, $0) }) { first, second in
      first.type == nil ? second : first
    }
    for (index, node) in graph.nodes.enumerated() {
      let nodePlace = node.place(index, in: place)
      let outputs = try self.node(node, nodePlace, scope)
      for (name, output) in zip(node.outputs, outputs) where !name.isEmpty {
        scope.values[name] = output
        if let info = declared[name] { try declare(info, nodePlace, scope) }
      }
    }
    var outputs: [KnownValue] = []
    for output in graph.outputs {
      if scope.values[output.name] == nil, let outer = scope.find(output.name) { scope.values[output.name] = outer }
      try declare(output, place, scope)
      outputs.append(scope.values[output.name] ?? KnownValue())
    }
    return outputs
  }

  /// Merges what the model declares of a value with what is known.
  private func declare(_ info: ValueInfo, _ place: String, _ scope: ValueScope) throws(ONNXError) {
    guard let declared = info.type else { return }
    guard let inferred = scope.values[info.name]?.type else {
      scope.values[info.name, default: KnownValue()].type = declared
      return
    }
    guard let merged = declared.merged(with: inferred) else {
      throw .invalid(
        location: place, problem: "'\(info.name)' is declared as \(declared) and follows as \(inferred)")
    }
    scope.values[info.name]?.type = merged
  }

  // MARK: Nodes

  private mutating func node(_ node: Node, _ place: String, _ scope: ValueScope) throws(ONNXError) -> [KnownValue] {
    let inputs = node.inputs.map { $0.isEmpty ? nil : scope.find($0) ?? KnownValue() }
    if let function = functions[node.function] { return try call(function, node, inputs, place) }
    let domain = OperatorSchema.normalized(node.domain)
    let unknown = node.outputs.map { _ in KnownValue() }
    guard let version = operatorSets[domain], let schema = schemas.find(node.operatorType, domain, version) else {
      return unknown
    }
    var types = NodeTypes(node: node, version: version, place: place, inputs: inputs)
    try types.bind(schema)
    if let graphs = try nestedOutputs(node, place, scope, types) { types.nestedOutputs = graphs }
    if domain.isEmpty, let rule = ShapeRules.rules[node.operatorType] { try rule(&types) }
    for (index, output) in types.outputs.enumerated() {
      guard let parameter = OperatorSchema.parameter(index, of: schema.outputs), let type = output.type else {
        continue
      }
      let allowed = schema.typeSets[parameter.type] ?? TypeSet(parameter.type)
      guard allowed.contains(type) else {
        throw types.failure("its output '\(parameter.name)' follows as \(type); allowed is \(allowed.description)")
      }
    }
    return types.outputs
  }

  /// The outputs of a node's graphs, by attribute name. Bodies of loops have inputs that only the loop knows; they
  /// count as declared.
  private mutating func nestedOutputs(
    _ node: Node, _ place: String, _ scope: ValueScope, _ types: NodeTypes
  ) throws(ONNXError) -> [String: [KnownValue]]? {
    var results: [String: [KnownValue]] = [:]
    for attribute in node.attributes {
      guard case .graph(let graph) = attribute.value, attribute.reference == nil else { continue }
      results[attribute.name] = try self.graph(
        graph, "\(place), graph '\(attribute.name)'", ValueScope(outer: scope))
    }
    return results.isEmpty ? nil : results
  }

  /// The outputs of a function for these inputs: its body with the call's attributes in place of the references.
  private mutating func call(
    _ function: Function, _ node: Node, _ inputs: [KnownValue?], _ place: String
  ) throws(ONNXError) -> [KnownValue] {
    guard calls < Self.deepestCall else {
      throw .invalid(location: place, problem: "functions call each other more than \(Self.deepestCall) deep")
    }
    guard node.inputs.count <= function.inputs.count, node.outputs.count <= function.outputs.count else {
      throw .invalid(
        location: place,
        problem: "it has \(node.inputs.count) inputs and \(node.outputs.count) outputs; the function '"
          + "\(function.identifier)' has \(function.inputs.count) and \(function.outputs.count)")
    }
    calls += 1
    let outerSets = operatorSets
    operatorSets = Self.versions(function.operatorSets)
    defer {
      calls -= 1
      operatorSets = outerSets
    }
    var given = Dictionary(function.attributeDefaults.map { ($0.name, $0.value) }) { first, _ in first }
    for attribute in node.attributes { given[attribute.name] = attribute.value }
    let scope = ValueScope(outer: nil)
    for (name, value) in zip(function.inputs, inputs) { scope.values[name] = value ?? KnownValue() }
    for (index, node) in function.nodes.enumerated() {
      let bound = node.binding(given)
      let outputs = try self.node(
        bound, "\(place), \(node.place(index, in: "function '\(function.identifier)'"))", scope)
      for (name, output) in zip(node.outputs, outputs) where !name.isEmpty { scope.values[name] = output }
    }
    return node.outputs.indices.map { scope.values[function.outputs[$0]] ?? KnownValue() }
  }
}

extension Node {
  /// The node with the values of a function's attributes in place of references to them, in nested graphs too.
  fileprivate func binding(_ values: [String: Attribute.Value]) -> Node {
    var bound = self
    bound.attributes = attributes.compactMap { attribute in
      var attribute = attribute
      if let reference = attribute.reference {
        guard let value = values[reference] else { return nil }
        attribute.value = value
        attribute.reference = nil
      } else if case .graph(var graph) = attribute.value {
        graph.nodes = graph.nodes.map { $0.binding(values) }
        attribute.value = .graph(graph)
      }
      return attribute
    }
    return bound
  }
}

extension KnownValue {
  /// All of a constant's type, and its content where it can be a shape.
  init(_ tensor: Tensor) {
    self.init(
      type: .tensor(TensorType(tensor.elementType, extents: tensor.shape.map { .fixed(Int64($0)) })), content: nil)
    guard tensor.shape.rank <= 1, tensor.elementCount <= TypeInference.largestContent else { return }
    switch tensor.elementType {
    case .int64: content = tensor.elements(as: Int64.self).map { .fixed($0) }
    case .int32: content = tensor.elements(as: Int32.self).map { .fixed(Int64($0)) }
    default: break
    }
  }
}
