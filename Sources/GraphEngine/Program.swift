// A model made ready for planning: functions inlined, constants gathered, nodes that nobody asks for left out.

import ONNX
import Tensors

/// A graph reduced to what its outputs need, with every name resolved; shapes are not known yet.
struct Program: Sendable {
  var name: String
  var opset: Int
  var nodes: [Node]
  var inputs: [ValueInfo]
  var outputs: [String]
  /// Initializers that no run changes.
  var constants: [String: Tensor]
  /// Initializers that a run may update.
  var variables: [String: Tensor]

  /// - Parameters:
  ///   - outputs: the values to compute; nil takes the graph's outputs.
  ///   - variables: names of initializers that nodes update.
  init(_ model: Model, outputs: [String]? = nil, variables names: Set<String> = []) throws {
    guard let opset = model.operatorSetVersion() ?? (model.graph.nodes.allSatisfy { !$0.domain.isEmpty } ? 17 : nil)
    else {
      throw EngineError.invalidGraph(problem: "the model imports no version of the default operator set")
    }
    let graph = model.graph
    name = graph.name
    self.opset = opset
    self.outputs = outputs ?? graph.outputs.map(\.name)
    constants = [:]
    variables = [:]
    for initializer in graph.initializers {
      if names.contains(initializer.name) {
        variables[initializer.name] = initializer.tensor
      } else {
        constants[initializer.name] = initializer.tensor
      }
    }
    inputs = graph.inputs.filter { [constants, variables] in constants[$0.name] == nil && variables[$0.name] == nil }
    let bodies = Dictionary(
      model.functions.map { (Operator.key($0.name, domain: $0.domain), $0) }, uniquingKeysWith: { first, _ in first })
    nodes = bodies.isEmpty ? graph.nodes : try FunctionInliner(functions: bodies).inline(graph.nodes)
    for missing in names where variables[missing] == nil {
      throw EngineError.invalidGraph(problem: "the variable '\(missing)' is no initializer of the graph")
    }
    try checkNames(sparse: graph.sparseInitializers.map(\.values.name))
    dropUnused()
  }

  /// Every value is written once, before it is read.
  private func checkNames(sparse: [String]) throws {
    if let name = sparse.first {
      throw EngineError.invalidGraph(problem: "the sparse initializer '\(name)' is not supported; store it dense")
    }
    var written = Set(constants.keys).union(variables.keys).union(inputs.map(\.name))
    for node in nodes {
      for input in node.inputs where !input.isEmpty && !written.contains(input) {
        throw EngineError.invalidGraph(
          problem: "\(node.described()) reads '\(input)', which nothing before it writes")
      }
      for output in node.outputs where !output.isEmpty && !written.insert(output).inserted {
        throw EngineError.invalidGraph(problem: "\(node.described()) writes '\(output)' a second time")
      }
    }
    for output in outputs where !written.contains(output) {
      throw EngineError.invalidGraph(problem: "nothing in the graph '\(name)' writes the output '\(output)'")
    }
  }

  /// Drops nodes on no way to an output, except those that update a variable.
  mutating func dropUnused() {
    var needed = Set(outputs)
    var kept: [Node] = []
    for node in nodes.reversed() {
      let updates: Bool =
        if case .updatesVariable? = Operator.named(node.operatorType, domain: node.domain)?.memory { true } else {
          false
        }
      guard updates || node.outputs.contains(where: needed.contains) else { continue }
      needed.formUnion(node.inputs.filter { !$0.isEmpty })
      needed.formUnion(node.namesOfSubgraphs)
      kept.append(node)
    }
    nodes = kept.reversed()
    constants = constants.filter { needed.contains($0.key) }
  }
}

extension Node {
  /// Names that the node's subgraphs take from outside.
  var namesOfSubgraphs: Set<String> {
    var names: Set<String> = []
    for attribute in attributes {
      guard case .graph(let graph) = attribute.value else { continue }
      var own = Set(graph.inputs.map(\.name)).union(graph.initializers.map(\.name))
      for node in graph.nodes {
        names.formUnion(node.inputs.filter { !own.contains($0) && !$0.isEmpty })
        names.formUnion(node.namesOfSubgraphs.subtracting(own))
        own.formUnion(node.outputs)
      }
      names.formUnion(graph.outputs.map(\.name).filter { !own.contains($0) })
    }
    return names
  }
}

/// Puts the bodies of a model's functions in the place of the nodes that call them.
private struct FunctionInliner {
  let functions: [String: Function]
  /// Deeper than any real model nests its functions; a function that calls itself ends here.
  private static let maximumDepth = 64

  func inline(_ nodes: [Node]) throws -> [Node] {
    var counter = 0
    return try inline(nodes, depth: 0, counter: &counter)
  }

  private func inline(_ nodes: [Node], depth: Int, counter: inout Int) throws -> [Node] {
    var result: [Node] = []
    for node in nodes {
      guard let function = functions[Operator.key(node.operatorType, domain: node.domain)] else {
        result.append(node)
        continue
      }
      guard depth < Self.maximumDepth else {
        throw EngineError.invalidGraph(problem: "\(node.described()): functions call each other without end")
      }
      counter += 1
      let body = call(function, from: node, prefix: "\(function.name)_\(counter)/")
      result += try inline(body, depth: depth + 1, counter: &counter)
    }
    return result
  }

  private func call(_ function: Function, from caller: Node, prefix: String) -> [Node] {
    var names: [String: String] = ["": ""]
    for (index, input) in function.inputs.enumerated() {
      names[input] = index < caller.inputs.count ? caller.inputs[index] : ""
    }
    for (index, output) in function.outputs.enumerated() where index < caller.outputs.count {
      if !caller.outputs[index].isEmpty { names[output] = caller.outputs[index] }
    }
    var given = Dictionary(function.attributeDefaults.map { ($0.name, $0.value) }, uniquingKeysWith: { a, _ in a })
    for attribute in caller.attributes { given[attribute.name] = attribute.value }
    return function.nodes.map { node in
      var copy = node
      copy.name = prefix + node.name
      copy.inputs = node.inputs.map { names[$0] ?? prefix + $0 }
      copy.outputs = node.outputs.map { names[$0] ?? prefix + $0 }
      copy.attributes = node.attributes.compactMap { attribute in
        guard let reference = attribute.reference else { return attribute }
        return given[reference].map { Attribute(attribute.name, $0) }
      }
      return copy
    }
  }
}
