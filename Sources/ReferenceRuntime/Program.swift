// A graph made ready to run: constants in wide form, operators looked up, functions inlined, lifetimes known.

import ONNX
import Tensors

/// A graph, subgraph or function body, ready to run.
final class Program: Sendable {
  /// One node with all that running it takes.
  struct Step: Sendable {
    let node: Node
    let operation: Operation
    let subgraphs: [String: Program]
    /// Names that no later step and no output needs.
    let released: [String]
  }

  enum Operation: Sendable {
    case builtIn(Operator, version: Int)
    case function(Program)
    /// `opset` is nil where the model does not import the domain.
    case unsupported(opset: Int?)
  }

  let inputs: [ValueInfo]
  let outputs: [ValueInfo]
  let constants: [String: Value]
  let steps: [Step]
  /// Names that come from the graphs around this one.
  let captured: Set<String>

  init(inputs: [ValueInfo], outputs: [ValueInfo], constants: [String: Value], steps: [Step], captured: Set<String>) {
    self.inputs = inputs
    self.outputs = outputs
    self.constants = constants
    self.steps = steps
    self.captured = captured
  }
}

/// Makes programs of a model's graphs, and bounds what a malformed model can ask for.
struct Preparation {
  private let model: Model
  private var stepCount = 0
  /// Every operator that the model uses and this runtime does not have.
  private(set) var unsupported: Set<OperatorName> = []

  /// Nesting of subgraphs and functions. Real models stay below ten; recursive functions have no end.
  private static let maximumDepth = 64
  /// Nodes after inlining: functions that call functions can grow exponentially.
  private static let maximumSteps = 1_000_000

  init(_ model: Model) { self.model = model }

  mutating func program(_ graph: Graph) throws -> Program {
    try program(graph, operatorSets: model.operatorSets, attributes: nil, depth: 0)
  }

  /// - Parameter attributes: in a function's body, the attributes of the calling node with the function's defaults.
  private mutating func program(
    _ graph: Graph, operatorSets: [OperatorSet], attributes: [String: Attribute.Value]?, depth: Int
  ) throws -> Program {
    var constants: [String: Value] = [:]
    for initializer in graph.initializers {
      guard let operand = Operand(initializer.tensor) else {
        throw ReferenceError.invalidGraph(
          "the initializer \"\(initializer.name)\" is \(initializer.tensor.elementType), "
            + "\(initializer.tensor.shape), which the reference runtime does not compute with")
      }
      constants[initializer.name] = .tensor(operand)
    }
    for sparse in graph.sparseInitializers {
      guard let operand = Operand(sparse) else {
        throw ReferenceError.invalidGraph(
          "the sparse initializer \"\(sparse.values.name)\" has indices that do not fit its shape \(sparse.shape)")
      }
      constants[sparse.values.name] = .tensor(operand)
    }
    return try program(
      nodes: graph.nodes, inputs: graph.inputs, outputs: graph.outputs, constants: constants,
      operatorSets: operatorSets, attributes: attributes, depth: depth)
  }

  private mutating func program(
    nodes: [Node], inputs: [ValueInfo], outputs: [ValueInfo], constants: [String: Value], operatorSets: [OperatorSet],
    attributes: [String: Attribute.Value]?, depth: Int
  ) throws -> Program {
    guard depth <= Self.maximumDepth else {
      throw ReferenceError.invalidGraph(
        "subgraphs and functions are nested deeper than \(Self.maximumDepth); a function may not call itself")
    }
    stepCount += nodes.count
    guard stepCount <= Self.maximumSteps else {
      throw ReferenceError.invalidGraph("the model has more than \(Self.maximumSteps) nodes after inlining")
    }
    var steps: [Program.Step] = []
    var needs: [Set<String>] = []
    for node in nodes {
      let node = try resolved(node, attributes)
      let subgraphs = try subgraphs(of: node, operatorSets, attributes, depth)
      let operation = try operation(of: node, operatorSets, depth)
      steps.append(Program.Step(node: node, operation: operation, subgraphs: subgraphs, released: []))
      needs.append(subgraphs.values.reduce(into: Set(node.inputs)) { $0.formUnion($1.captured) })
    }

    var defined = Set(inputs.map(\.name)).union(constants.keys)
    var captured: Set<String> = []
    for (step, names) in zip(steps, needs) {
      captured.formUnion(names.filter { !$0.isEmpty && !defined.contains($0) })
      defined.formUnion(step.node.outputs)
    }
    captured.formUnion(outputs.map(\.name).filter { !defined.contains($0) })

    var seen = Set(outputs.map(\.name))
    for index in steps.indices.reversed() {
      let last = needs[index].union(steps[index].node.outputs).subtracting(seen)
      seen.formUnion(last)
      let released = last.filter { !$0.isEmpty && defined.contains($0) }
      steps[index] = Program.Step(
        node: steps[index].node, operation: steps[index].operation, subgraphs: steps[index].subgraphs,
        released: Array(released))
    }
    return Program(inputs: inputs, outputs: outputs, constants: constants, steps: steps, captured: captured)
  }

  /// The node with attributes that refer to the function's replaced by the caller's values; those that the caller
  /// leaves out and that have no default are left out here too.
  private func resolved(_ node: Node, _ attributes: [String: Attribute.Value]?) throws -> Node {
    guard let attributes, node.attributes.contains(where: { !($0.reference ?? "").isEmpty }) else { return node }
    var copy = node
    copy.attributes = node.attributes.compactMap { attribute in
      guard let reference = attribute.reference, !reference.isEmpty else { return attribute }
      return attributes[reference].map { Attribute(attribute.name, $0) }
    }
    return copy
  }

  private mutating func subgraphs(
    of node: Node, _ operatorSets: [OperatorSet], _ attributes: [String: Attribute.Value]?, _ depth: Int
  ) throws -> [String: Program] {
    var result: [String: Program] = [:]
    for attribute in node.attributes {
      guard case .graph(let graph) = attribute.value else { continue }
      result[attribute.name] = try program(
        graph, operatorSets: operatorSets, attributes: attributes, depth: depth + 1)
    }
    return result
  }

  private mutating func operation(
    of node: Node, _ operatorSets: [OperatorSet], _ depth: Int
  ) throws -> Program.Operation {
    let name = OperatorName(domain: node.domain, operatorType: node.operatorType)
    if let function = model.functions.first(where: {
      OperatorName(domain: $0.domain, operatorType: $0.name) == name && ($0.overload ?? "") == (node.overload ?? "")
    }) {
      var attributes: [String: Attribute.Value] = [:]
      for attribute in function.attributeDefaults { attributes[attribute.name] = attribute.value }
      for attribute in node.attributes { attributes[attribute.name] = attribute.value }
      let body = try program(
        nodes: function.nodes, inputs: function.inputs.map { ValueInfo($0, nil) },
        outputs: function.outputs.map { ValueInfo($0, nil) },
        constants: [:], operatorSets: function.operatorSets, attributes: attributes, depth: depth + 1)
      if let name = body.captured.sorted().first {
        throw ReferenceError.invalidGraph("nothing in the function \(function.name) computes the value \"\(name)\"")
      }
      return .function(body)
    }
    let version = operatorSets.first { OperatorName.normalized($0.domain) == name.domain }?.version
    guard let version, let found = OperatorRegistry.operators[name] else {
      unsupported.insert(name)
      return .unsupported(opset: version.map { Int(clamping: $0) })
    }
    return .builtIn(found, version: Int(clamping: version))
  }
}

extension Operand {
  /// The dense tensor of a sparse one, or nil where indices, values and shape do not fit each other.
  init?(_ sparse: SparseTensor) {
    let shape = Shape(sparse.shape.map { Int(clamping: $0) })
    guard let count = shape.checkedElementCount, count <= Call.maximumElements,
      let values = Operand(sparse.values.tensor), values.rank == 1, sparse.indices.tensor.elementType == .int64
    else { return nil }
    let indices = sparse.indices.tensor.int64s().map { Int($0) }
    let indexShape = sparse.indices.tensor.shape
    var flat: [Int] = []
    if indexShape.rank == 1, indexShape[0] == values.count {
      flat = indices
    } else if indexShape.rank == 2, indexShape[0] == values.count, indexShape[1] == shape.rank {
      for row in 0..<values.count {
        var position = 0
        for axis in 0..<shape.rank {
          let index = indices[row * shape.rank + axis]
          guard index >= 0, index < shape[axis] else { return nil }
          position = position * shape[axis] + index
        }
        flat.append(position)
      }
    } else {
      return nil
    }
    guard flat.allSatisfy({ $0 >= 0 && $0 < count }) else { return nil }
    var positions = [Int](repeating: -1, count: count)
    for (source, target) in flat.enumerated() { positions[target] = source }
    self = values.picking(positions, shape, filler: .zero(values.elementType))
  }
}
