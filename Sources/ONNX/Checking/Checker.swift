// The rules of the format that a readable file can still break.

import Tensors

extension Model {
  /// The IR versions that are accepted: 3 brought operator sets, 13 is the newest known.
  public static let acceptedIRVersions: ClosedRange<Int64> = 3...13
  /// The versions of the default operator set that are accepted.
  public static let acceptedOperatorSets: ClosedRange<Int64> = 13...21

  /// Checks the model by the rules that the format states: versions, names written once, nodes in topological order,
  /// operators with the inputs, outputs and attributes of their version, functions and nested graphs included.
  ///
  /// - Parameter fullCheck: also infers every type and shape and compares them with those that the model declares.
  /// - Throws: `ONNXError.unsupportedVersion` or `.invalid`, which names the node or value, for the first rule broken.
  public func check(fullCheck: Bool = false) throws(ONNXError) {
    var checker = Checker(self)
    try checker.run()
    if fullCheck { _ = try inferredTypes() }
  }
}

/// One check of one model.
struct Checker {
  private let model: Model
  private var schemas = SchemaCache()
  /// The operator sets in force: the model's, or those of the function whose body is checked.
  private var operatorSets: [String: Int] = [:]
  /// What a function's body may refer to; nil outside of functions.
  private var functionAttributes: Set<String>?

  private let functions: Set<FunctionIdentifier>

  init(_ model: Model) {
    self.model = model
    functions = Set(model.functions.map(\.identifier))
  }

  // MARK: Model

  mutating func run() throws(ONNXError) {
    guard Model.acceptedIRVersions.contains(model.irVersion) else {
      throw .unsupportedVersion(
        what: "IR version", found: "\(model.irVersion)", accepted: Self.words(Model.acceptedIRVersions))
    }
    try unique(model.metadata.map(\.key), "metadata key", in: "the model")
    operatorSets = try versions(model.operatorSets, of: "the model")
    guard !operatorSets.isEmpty else { throw .invalid(location: "the model", problem: "it imports no operator set") }
    try checkBody()
  }

  private mutating func checkBody() throws(ONNXError) {
    guard model.functions.isEmpty || model.irVersion >= 8 else {
      throw .invalid(location: "the model", problem: "functions need IR version 8 or later; it has \(model.irVersion)")
    }
    guard !model.graph.name.isEmpty else { throw .invalid(location: "the main graph", problem: "it has no name") }
    try graph(model.graph, "graph '\(model.graph.name)'", outer: nil)
    try unique(model.functions.map { $0.identifier.description }, "function", in: "the model")
    for function in model.functions { try self.function(function) }
    for info in model.trainingInfo {
      for graph in [info.initialization, info.algorithm].compactMap({ $0 }) {
        let names = Set(model.graph.initializers.map(\.name) + model.graph.inputs.map(\.name))
        try self.graph(graph, "training graph '\(graph.name)'", outer: NameScope(names, outer: nil))
      }
    }
  }

  /// The versions by domain, each given once and, for the standard domains, known.
  private func versions(_ sets: [OperatorSet], of owner: String) throws(ONNXError) -> [String: Int] {
    var versions: [String: Int] = [:]
    for set in sets {
      let domain = OperatorSchema.normalized(set.domain)
      if let other = versions[domain], other != set.version {
        throw .invalid(
          location: owner,
          problem: "the operator set '\(set.domain)' is imported as version \(other) and as version \(set.version)")
      }
      guard let version = Int(exactly: set.version), version >= 1 else {
        throw .invalid(location: owner, problem: "the operator set '\(set.domain)' has the version \(set.version)")
      }
      if domain.isEmpty, !Model.acceptedOperatorSets.contains(set.version) {
        throw .unsupportedVersion(
          what: "opset", found: "\(version)", accepted: Self.words(Model.acceptedOperatorSets))
      }
      if !domain.isEmpty, let newest = OperatorSchema.newestVersions[domain], version > newest {
        throw .unsupportedVersion(what: "operator set '\(domain)'", found: "\(version)", accepted: "1 to \(newest)")
      }
      versions[domain] = version
    }
    return versions
  }

  private static func words(_ range: ClosedRange<Int64>) -> String { "\(range.lowerBound) to \(range.upperBound)" }

  // MARK: Functions

  private mutating func function(_ function: Function) throws(ONNXError) {
    let place = "function '\(function.identifier)'"
    guard !function.name.isEmpty, !function.domain.isEmpty else {
      throw .invalid(location: place, problem: "a function needs a name and a domain")
    }
    try unique(function.inputs, "input", in: place)
    try unique(function.outputs, "output", in: place)
    let attributes = function.attributeNames + function.attributeDefaults.map(\.name)
    try unique(attributes, "attribute", in: place)

    let modelSets = operatorSets
    operatorSets = try versions(function.operatorSets, of: place)
    functionAttributes = Set(attributes)
    defer { (operatorSets, functionAttributes) = (modelSets, nil) }
    let scope = NameScope(Set(function.inputs), outer: nil)
    for (index, node) in function.nodes.enumerated() { try self.node(node, index, place, scope) }
    for output in function.outputs where !scope.has(output) {
      throw .invalid(location: place, problem: "nothing computes its output '\(output)'")
    }
  }

  // MARK: Graphs

  private mutating func graph(_ graph: Graph, _ place: String, outer: NameScope?) throws(ONNXError) {
    let isMain = outer == nil
    let scope = NameScope([], outer: outer)
    for input in graph.inputs {
      guard !input.name.isEmpty else { throw .invalid(location: place, problem: "an input has no name") }
      guard scope.insert(input.name) else {
        throw .invalid(location: place, problem: "two inputs have the name '\(input.name)'")
      }
      try typed(input, "input", place, isMain)
    }
    var initialized: Set<String> = []
    for initializer in graph.initializers {
      guard initializer.tensor.elementType != .undefined else {
        throw .invalid(location: place, problem: "the initializer '\(initializer.name)' has no element type")
      }
      try initialize(initializer.name, &initialized, scope, place)
    }
    for sparse in graph.sparseInitializers {
      try initialize(sparse.values.name, &initialized, scope, place)
      try self.sparse(sparse, place)
    }
    for (index, node) in graph.nodes.enumerated() { try self.node(node, index, place, scope) }
    for output in graph.outputs {
      guard !output.name.isEmpty else { throw .invalid(location: place, problem: "an output has no name") }
      try typed(output, "output", place, isMain)
      guard isMain ? scope.hasHere(output.name) : scope.has(output.name) else {
        throw .invalid(location: place, problem: "nothing computes its output '\(output.name)'")
      }
    }
    try unique(graph.outputs.map(\.name), "output", in: place)
    for info in graph.valueInfo where info.name.isEmpty {
      throw .invalid(location: place, problem: "a value_info has no name")
    }
  }

  private func initialize(
    _ name: String, _ initialized: inout Set<String>, _ scope: NameScope, _ place: String
  ) throws(ONNXError) {
    guard !name.isEmpty else { throw .invalid(location: place, problem: "an initializer has no name") }
    guard initialized.insert(name).inserted else {
      throw .invalid(location: place, problem: "two initializers have the name '\(name)'")
    }
    guard model.irVersion >= 4 || scope.hasHere(name) else {
      throw .invalid(
        location: place, problem: "the initializer '\(name)' is no input, which IR versions before 4 demand")
    }
    _ = scope.insert(name)
  }

  private func sparse(_ sparse: SparseTensor, _ place: String) throws(ONNXError) {
    func fail(_ problem: String) -> ONNXError {
      .invalid(location: place, problem: "the sparse tensor '\(sparse.values.name)' \(problem)")
    }
    let (values, indices) = (sparse.values.tensor, sparse.indices.tensor)
    guard values.shape.rank == 1 else { throw fail("has values of rank \(values.shape.rank); 1 is expected") }
    guard indices.elementType == .int64 else { throw fail("has indices of type \(indices.elementType)") }
    guard let count = Shape(sparse.shape.map { Int($0) }).checkedElementCount, !sparse.shape.isEmpty else {
      throw fail("has the shape \(sparse.shape)")
    }
    let positions: [Int64] = indices.elements()
    switch indices.shape.dimensions {
    case [values.shape[0]]:
      guard positions.allSatisfy({ $0 >= 0 && $0 < count }), zip(positions, positions.dropFirst()).allSatisfy(<) else {
        throw fail("has indices that are not ascending or out of its \(count) elements")
      }
    case [values.shape[0], sparse.shape.count]:
      let rank = sparse.shape.count
      let rows = stride(from: 0, to: positions.count, by: rank).map { Array(positions[$0..<($0 + rank)]) }
      guard rows.allSatisfy({ row in zip(row, sparse.shape).allSatisfy { $0 >= 0 && $0 < $1 } }),
        zip(rows, rows.dropFirst()).allSatisfy({ $0.lexicographicallyPrecedes($1) })
      else { throw fail("has indices that are not ascending or out of its shape \(sparse.shape)") }
    default:
      throw fail("has indices \(indices.shape) for \(values.shape[0]) values of rank \(sparse.shape.count)")
    }
  }

  /// Inputs and outputs of the main graph say their types; those of nested graphs may leave them open.
  private func typed(_ info: ValueInfo, _ role: String, _ place: String, _ isMain: Bool) throws(ONNXError) {
    guard isMain else { return }
    func fail(_ problem: String) -> ONNXError {
      .invalid(location: place, problem: "the \(role) '\(info.name)' \(problem)")
    }
    guard let type = info.type else { throw fail("has no type") }
    switch type {
    case .tensor(let tensor, _), .sparseTensor(let tensor, _):
      guard tensor.elementType != .undefined else { throw fail("has no element type") }
    case .sequence(let element, _): guard element != nil else { throw fail("is a sequence of nothing said") }
    case .optional(let element, _): guard element != nil else { throw fail("is an optional of nothing said") }
    case .map(let key, let value, _):
      guard key == .string || key.isInteger, value != nil else { throw fail("is a map of \(key) to nothing said") }
    case .opaque: break
    case .undetermined: throw fail("has a type of no known kind")
    }
  }

  // MARK: Nodes

  private mutating func node(_ node: Node, _ index: Int, _ owner: String, _ scope: NameScope) throws(ONNXError) {
    let place = node.place(index, in: owner)
    for input in node.inputs where !input.isEmpty && !scope.has(input) {
      throw .invalid(
        location: place,
        problem: "its input '\(input)' is no input, initializer or output of an earlier node (nodes must be in "
          + "topological order)")
    }
    try signature(node, place)
    try unique(node.attributes.map(\.name), "attribute", in: place)
    for attribute in node.attributes {
      guard !attribute.name.isEmpty else { throw .invalid(location: place, problem: "an attribute has no name") }
      if let reference = attribute.reference {
        guard let known = functionAttributes else {
          throw .invalid(
            location: place, problem: "the attribute '\(attribute.name)' is a reference, outside of a function")
        }
        guard known.contains(reference) else {
          throw .invalid(
            location: place, problem: "the attribute '\(attribute.name)' refers to '\(reference)', which is none")
        }
      }
      for graph in attribute.value.graphs where attribute.reference == nil {
        try self.graph(graph, "\(place), graph '\(attribute.name)'", outer: scope)
      }
    }
    for output in node.outputs where !output.isEmpty {
      guard scope.isNew(output) else {
        throw .invalid(location: place, problem: "its output '\(output)' is the name of another value already")
      }
      _ = scope.insert(output)
    }
  }

  /// The operator is known, and the node has the inputs, outputs and attributes that its version takes.
  private mutating func signature(_ node: Node, _ place: String) throws(ONNXError) {
    func fail(_ problem: String) -> ONNXError { .invalid(location: place, problem: problem) }
    guard !node.operatorType.isEmpty else { throw fail("it has no operator type") }
    guard !node.inputs.isEmpty || !node.outputs.isEmpty else { throw fail("it has no input and no output") }
    let domain = OperatorSchema.normalized(node.domain)
    guard let version = operatorSets[domain] else {
      throw fail("the operator set '\(node.domain)' is not imported")
    }
    if functions.contains(node.function) { return }
    guard OperatorSchema.newestVersions[domain] != nil else { return }
    guard let schema = schemas.find(node.operatorType, domain, version) else {
      let later = OperatorSchema.versions(of: node.operatorType, domain: domain).first
      throw fail(
        "there is no operator '\(node.operatorType)' in opset \(version) of \(domain.isEmpty ? "ai.onnx" : domain)"
          + (later.map { "; it exists from opset \($0) on" } ?? ""))
    }
    guard !schema.isDeprecated else {
      throw fail("'\(node.operatorType)' is no longer part of opset \(version)")
    }
    try count(node.inputs, schema.inputs, schema.inputCount, "input", place)
    try count(node.outputs, schema.outputs, schema.outputCount, "output", place)
    for attribute in node.attributes {
      guard let rule = schema.attributes.first(where: { $0.name == attribute.name }) else {
        let known = schema.attributes.map(\.name).joined(separator: ", ")
        throw fail(
          "'\(schema.name)' has no attribute '\(attribute.name)' in opset \(version) "
            + (known.isEmpty ? "(it has none)" : "(it has \(known))"))
      }
      guard rule.kind == attribute.value.kind else {
        throw fail("the attribute '\(attribute.name)' is of kind \(attribute.value.kind); \(rule.kind) is expected")
      }
    }
    for rule in schema.attributes where rule.isRequired && !node.attributes.contains(where: { $0.name == rule.name }) {
      throw fail("the attribute '\(rule.name)' is missing, which '\(schema.name)' requires")
    }
  }

  private func count(
    _ names: [String], _ parameters: [OperatorSchema.Parameter], _ accepted: ClosedRange<Int>, _ role: String,
    _ place: String
  ) throws(ONNXError) {
    guard accepted.contains(names.count) else {
      let most = accepted.upperBound
      let expected =
        most == .max
        ? "\(accepted.lowerBound) or more" : accepted.count == 1 ? "\(most)" : "\(accepted.lowerBound) to \(most)"
      throw .invalid(location: place, problem: "it has \(names.count) \(role)s; \(expected) are expected")
    }
    for (name, parameter) in zip(names, parameters) where name.isEmpty && parameter.arity == .single {
      throw .invalid(location: place, problem: "its \(role) '\(parameter.name)' is left out, which is not optional")
    }
  }

  private func unique(_ names: [String], _ what: String, in place: String) throws(ONNXError) {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      throw .invalid(location: place, problem: "the \(what) '\(name)' occurs twice")
    }
  }
}

/// The names of a graph, and through `outer` those of the graphs around it.
final class NameScope {
  private var names: Set<String>
  private let outer: NameScope?

  init(_ names: Set<String>, outer: NameScope?) {
    self.names = names
    self.outer = outer
  }

  /// False where the name was there.
  func insert(_ name: String) -> Bool { names.insert(name).inserted }
  func hasHere(_ name: String) -> Bool { names.contains(name) }
  func has(_ name: String) -> Bool { hasHere(name) || outer?.has(name) ?? false }
  func isNew(_ name: String) -> Bool { !has(name) }
}

/// Schemas that were looked up; reading a line of the table takes microseconds, and models repeat operators.
final class SchemaCache {
  private struct Key: Hashable {
    var name: String
    var domain: String
    var version: Int
  }

  private var found: [Key: OperatorSchema?] = [:]

  func find(_ name: String, _ domain: String, _ version: Int) -> OperatorSchema? {
    let key = Key(name: name, domain: domain, version: version)
    if let schema = found[key] { return schema }
    let schema = OperatorSchema.find(name, domain: domain, version: version)
    found[key] = .some(schema)
    return schema
  }
}

extension Node {
  /// How errors name the node: by its name, or by its position and outputs where it has none.
  func place(_ index: Int, in owner: String) -> String {
    let call = domain.isEmpty ? operatorType : "\(domain).\(operatorType)"
    return name.isEmpty ? "\(owner), node \(index) (\(call))" : "\(owner), node '\(name)' (\(call))"
  }
}

extension Attribute.Value {
  /// The graphs of a graph attribute; none for every other kind.
  var graphs: [Graph] {
    switch self {
    case .graph(let graph): [graph]
    case .graphs(let graphs): graphs
    default: []
    }
  }

  /// The name of the case, as the operator table has it.
  var kind: String {
    switch self {
    case .float: "float"
    case .int: "int"
    case .string: "string"
    case .tensor: "tensor"
    case .graph: "graph"
    case .sparseTensor: "sparseTensor"
    case .type: "type"
    case .floats: "floats"
    case .ints: "ints"
    case .strings: "strings"
    case .tensors: "tensors"
    case .graphs: "graphs"
    case .sparseTensors: "sparseTensors"
    case .types: "types"
    }
  }
}

/// What a node names a function by.
struct FunctionIdentifier: Hashable, CustomStringConvertible {
  var domain: String
  var name: String
  var overload: String

  var description: String { "\(domain).\(name)" + (overload.isEmpty ? "" : ":\(overload)") }
}

extension Node {
  /// The function that the node calls, if the model has one of that identifier.
  var function: FunctionIdentifier {
    FunctionIdentifier(
      domain: OperatorSchema.normalized(domain), name: operatorType, overload: overload ?? "")
  }
}

extension Function {
  var identifier: FunctionIdentifier {
    FunctionIdentifier(domain: OperatorSchema.normalized(domain), name: name, overload: overload ?? "")
  }
}

extension Model {
  /// The function of the model that the node calls, or nil where it applies an operator.
  public func function(for node: Node) -> Function? {
    guard !functions.isEmpty else { return nil }
    let wanted = node.function
    return functions.first { $0.identifier == wanted }
  }
}
