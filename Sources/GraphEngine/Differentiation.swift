// Reverse-mode differentiation, graph in and graph out: the gradients are nodes like any other.

import ONNX
import Tensors

/// The gradient of the loss with respect to one parameter, as values of the differentiated graph.
public enum Gradient: Sendable, Hashable {
  /// A tensor of the parameter's shape.
  case dense(String)
  /// Rows of an embedding table: `indices` `[n]` (int64, each once, ascending; unused places hold the table's height)
  /// and `rows` `[n, width]`. What is not named is zero.
  case rows(indices: String, rows: String)
}

/// A graph with the nodes that compute gradients, and the names of those.
public struct DifferentiatedGraph: Sendable {
  public var graph: Graph
  public var gradients: [String: Gradient]
}

extension Graph {
  /// Appends to a graph the nodes that compute the gradient of `loss` with respect to each of `parameters`,
  /// by reverse accumulation over the nodes between them.
  ///
  /// The nodes appended are standard operators and internal ones of the domain `rankerkit.gradient`,
  /// which the engine runs and no export holds. A parameter that does not reach the loss has no entry in `gradients`.
  ///
  /// - Parameters:
  ///   - loss: the name of a value with one element.
  ///   - parameters: names of initializers or inputs.
  ///   - kept: further values that are read: nodes between values that nobody asks for may be joined to one.
  ///   - opset: the version of the default operator set by which the graph's nodes are read.
  /// - Throws: `EngineError.noGradient`, naming the first node on the way that cannot be differentiated.
  public func differentiated(
    of loss: String, withRespectTo parameters: [String], opset: Int, keeping kept: [String] = []
  ) throws -> DifferentiatedGraph {
    try Differentiator(graph: self, opset: opset).run(loss: loss, parameters: parameters, kept: kept)
  }
}

/// The domain of the operators that only gradients use.
let gradientDomain = "rankerkit.gradient"

/// What an operator's gradient rule works with: the node, the gradients of its outputs,
/// and the means to append nodes and hand gradients on.
struct GradientRule {
  let node: Node
  let opset: Int
  fileprivate let differentiator: Differentiator

  /// The gradient of an output, or nil where the loss does not depend on it.
  func outputGradient(_ index: Int = 0) -> String? {
    index < node.outputs.count ? differentiator.denseGradient(of: node.outputs[index]) : nil
  }

  /// Whether anything asks for the gradient of an input.
  func needs(_ index: Int) -> Bool {
    index < node.inputs.count && differentiator.active.contains(node.inputs[index])
  }

  func input(_ index: Int) -> String { node.inputs[index] }

  func output(_ index: Int = 0) -> String { node.outputs[index] }

  /// The name of an optional output that the gradient wants: the forward node computes it from then on.
  func requestedOutput(_ index: Int) -> String { differentiator.requestOutput(index, of: node) }

  /// Appends a node and returns the name of its first output.
  func emit(
    _ operatorType: String, domain: String = "", _ inputs: [String], _ attributes: [Attribute] = [], outputs: Int = 1
  ) -> String {
    emitAll(operatorType, domain: domain, inputs, attributes, outputs: outputs)[0]
  }

  /// Appends a node and returns the names of its outputs.
  func emitAll(
    _ operatorType: String, domain: String = "", _ inputs: [String], _ attributes: [Attribute] = [], outputs: Int
  ) -> [String] {
    differentiator.append(operatorType, domain: domain, inputs: inputs, attributes: attributes, outputs: outputs)
  }

  /// Appends an internal node of the gradient domain.
  func emitInternal(_ operatorType: String, _ inputs: [String], _ attributes: [Attribute] = []) -> String {
    emit(operatorType, domain: gradientDomain, inputs, attributes)
  }

  /// A constant of the graph.
  func constant(_ tensor: Tensor) -> String { differentiator.constant(tensor) }

  /// Adds to the gradient of an input, whose shape `gradient` has.
  func contribute(_ index: Int, _ gradient: String) {
    differentiator.contribute(to: node.inputs[index], .dense(gradient))
  }

  /// Adds to the gradient of an input that was broadcast: `gradient` has the broadcast shape and is summed back.
  func contributeBroadcast(_ index: Int, _ gradient: String) {
    contribute(index, emitInternal("SumTo", [gradient, input(index)]))
  }

  /// Adds rows to the gradient of an input: `rows[i]` belongs to row `indices[i]` of it.
  /// - Parameter isShared: there may be fewer rows than indices, each for as many indices in their order.
  func contributeRows(_ index: Int, indices: String, rows: String, isShared: Bool = false) {
    differentiator.contribute(to: node.inputs[index], .rows(indices: indices, rows: rows), isShared: isShared)
  }

  func failure(_ problem: String) -> EngineError { .invalidNode(node: node.described(), problem: problem) }
}

/// One run of reverse accumulation.
private final class Differentiator {
  private var graph: Graph
  private let opset: Int
  private(set) var active: Set<String> = []
  private var contributions: [String: [Gradient]] = [:]
  private var accumulated: [String: String] = [:]
  /// Rows that belong to several indices each.
  private var sharedRows: Set<String> = []
  private var taken: Set<String> = []
  private var counter = 0

  init(graph: Graph, opset: Int) {
    self.graph = graph
    self.opset = opset
    for node in graph.nodes { taken.formUnion(node.outputs) }
    taken.formUnion(graph.initializers.map(\.name))
    taken.formUnion(graph.inputs.map(\.name))
  }

  func run(loss: String, parameters: [String], kept: [String]) throws -> DifferentiatedGraph {
    guard taken.contains(loss) else { throw EngineError.invalidGraph(problem: "no value '\(loss)' to differentiate") }
    for parameter in parameters where !taken.contains(parameter) {
      throw EngineError.invalidGraph(problem: "no parameter '\(parameter)' in the graph '\(graph.name)'")
    }
    joinPatterns(parameters: parameters, kept: [loss] + parameters + kept)
    writeDropoutMasks()
    let forward = graph.nodes
    try markActive(forward, parameters: parameters, loss: loss)
    if active.contains(loss) {
      let seed = append("OnesLike", domain: gradientDomain, inputs: [loss], attributes: [], outputs: 1)[0]
      contribute(to: loss, .dense(seed))
    }
    for node in forward.reversed() where node.outputs.contains(where: { contributions[$0] != nil }) {
      guard node.inputs.contains(where: active.contains) else { continue }
      guard let found = Operator.named(node.operatorType, domain: node.domain) else {
        throw EngineError.unsupportedOperator(node: node.described())
      }
      switch found.gradient {
      case .rule(let rule): try rule(GradientRule(node: node, opset: opset, differentiator: self))
      case .zero: continue
      case .missing: throw EngineError.noGradient(node: node.described())
      }
    }
    var gradients: [String: Gradient] = [:]
    for parameter in parameters { gradients[parameter] = gradient(of: parameter) }
    return DifferentiatedGraph(graph: graph, gradients: gradients)
  }

  private func joinPatterns(parameters: [String], kept: [String]) {
    let trained = reached(from: parameters)
    let constants = graph.initializers.filter { !trained.contains($0.name) }.map { ($0.name, $0.tensor) }
    let specs = Dictionary(
      graph.initializers.map { ($0.name, $0.tensor.spec) }, uniquingKeysWith: { first, _ in first })
    graph.nodes = Patterns.joined(
      graph.nodes, inputs: graph.inputs, constants: Dictionary(constants, uniquingKeysWith: { first, _ in first }),
      initializer: { specs[$0] }, kept: Set(graph.outputs.map(\.name) + kept), trained: trained)
  }

  /// The parameters and the values that move with them.
  private func reached(from parameters: [String]) -> Set<String> {
    var reached = Set(parameters)
    for node in graph.nodes where node.inputs.contains(where: reached.contains) {
      if let known = Operator.named(node.operatorType, domain: node.domain), case .zero = known.gradient { continue }
      reached.formUnion(node.outputs.filter { !$0.isEmpty })
    }
    return reached
  }

  /// Gives every dropout its second output, the mask, which its gradient reads.
  private func writeDropoutMasks() {
    for (index, node) in graph.nodes.enumerated() where node.operatorType == "Dropout" && node.domain.isEmpty {
      if node.outputs.count > 1, !node.outputs[1].isEmpty { continue }
      graph.nodes[index].outputs = [node.outputs[0], fresh("mask")]
    }
  }

  /// Marks the values on a way from a parameter to the loss.
  private func markActive(_ nodes: [Node], parameters: [String], loss: String) throws {
    let fromParameters = reached(from: parameters)
    var toLoss: Set<String> = [loss]
    for node in nodes.reversed() where node.outputs.contains(where: toLoss.contains) {
      toLoss.formUnion(node.inputs.filter { !$0.isEmpty })
    }
    active = fromParameters.intersection(toLoss)
  }

  func append(_ operatorType: String, domain: String, inputs: [String], attributes: [Attribute], outputs: Int)
    -> [String]
  {
    let names = (0..<outputs).map { _ in fresh(operatorType) }
    graph.nodes.append(
      Node(
        operatorType, domain: domain, name: names[0], inputs: inputs, outputs: names, attributes: attributes))
    return names
  }

  /// Gives a node of the graph another of its outputs, unless it has it already.
  func requestOutput(_ index: Int, of node: Node) -> String {
    if index < node.outputs.count, !node.outputs[index].isEmpty { return node.outputs[index] }
    guard let position = graph.nodes.firstIndex(where: { $0.outputs.first == node.outputs.first }) else { return "" }
    let outputs = graph.nodes[position].outputs
    if index < outputs.count, !outputs[index].isEmpty { return outputs[index] }
    graph.nodes[position].outputs += [String](repeating: "", count: max(0, index + 1 - outputs.count))
    graph.nodes[position].outputs[index] = fresh(node.operatorType)
    return graph.nodes[position].outputs[index]
  }

  func constant(_ tensor: Tensor) -> String {
    let name = fresh("constant")
    graph.initializers.append(Initializer(name, tensor))
    return name
  }

  private func fresh(_ stem: String) -> String {
    while true {
      counter += 1
      let name = "gradient/\(stem)_\(counter)"
      if taken.insert(name).inserted { return name }
    }
  }

  func contribute(to value: String, _ gradient: Gradient, isShared: Bool = false) {
    contributions[value, default: []].append(gradient)
    if isShared, case .rows(_, let rows) = gradient { sharedRows.insert(rows) }
  }

  /// The gradient of a value between parameters and loss, always dense.
  func denseGradient(of value: String) -> String? {
    if let known = accumulated[value] { return known }
    guard let parts = contributions[value], !parts.isEmpty else { return nil }
    let dense = parts.map { part in
      switch part {
      case .dense(let name): name
      case .rows(let indices, let rows):
        append("ScatterRows", domain: gradientDomain, inputs: [value, indices, rows], attributes: [], outputs: 1)[0]
      }
    }
    var sum = dense[0]
    for part in dense.dropFirst() {
      sum = append("Add", domain: "", inputs: [sum, part], attributes: [], outputs: 1)[0]
    }
    accumulated[value] = sum
    return sum
  }

  /// The gradient of a parameter: rows where all its contributions are rows.
  private func gradient(of parameter: String) -> Gradient? {
    guard let parts = contributions[parameter], !parts.isEmpty else { return nil }
    var indices: [String] = []
    var rows: [String] = []
    for part in parts {
      // Shared rows can't be joined with others: how many indices each serves is told by the counts alone.
      guard case .rows(let partIndices, let partRows) = part, parts.count == 1 || !sharedRows.contains(partRows) else {
        return denseGradient(of: parameter).map(Gradient.dense)
      }
      indices.append(partIndices)
      rows.append(partRows)
    }
    let axis = [Attribute("axis", .int(0))]
    let allIndices =
      indices.count == 1 ? indices[0] : append("Concat", domain: "", inputs: indices, attributes: axis, outputs: 1)[0]
    let allRows =
      rows.count == 1 ? rows[0] : append("Concat", domain: "", inputs: rows, attributes: axis, outputs: 1)[0]
    let coalesced = append(
      "CoalesceRows", domain: gradientDomain, inputs: [parameter, allIndices, allRows], attributes: [], outputs: 2)
    return .rows(indices: coalesced[0], rows: coalesced[1])
  }
}
