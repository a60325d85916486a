// Writes a graph of standard ONNX operators node by node, each in the form that the chosen opset has.

import ONNX
import Tensors

/// Builds an ONNX graph: every layer and loss of the toolkit is written with it, once, for training and export alike.
///
/// ```swift
/// let builder = GraphBuilder(name: "scorer", opset: 17)
/// let input = builder.input("input", .float, ["batch", 3])
/// let hidden = Linear("shared_layer.0", inputs: 3, outputs: 8, in: builder, generator: &generator)(input).relu()
/// let score = Linear("score_layer", inputs: 8, outputs: 1, in: builder, generator: &generator)(hidden)
/// builder.output(score, "score", .float, ["batch", 1])
/// let model = builder.model()
/// ```
public final class GraphBuilder {
  /// Opsets that the toolkit writes and reads.
  public static let supportedOpsets = 13...21

  public let opset: Int
  private var graph: Graph
  private var parameterNames: [String] = []
  private var taken: Set<String> = []
  private var counters: [String: Int] = [:]

  /// - Precondition: `opset` is one of `supportedOpsets`.
  public init(name: String, opset: Int = 17) {
    precondition(Self.supportedOpsets.contains(opset), "opset \(opset) is not in \(Self.supportedOpsets)")
    self.opset = opset
    graph = Graph(name: name)
  }

  /// A value of the graph that is being built.
  public struct Value {
    public let name: String
    public let builder: GraphBuilder
  }

  /// Declares an input.
  public func input(_ name: String, _ elementType: ElementType, _ shape: [Dimension]) -> Value {
    claim(name)
    graph.inputs.append(ValueInfo(name, elementType, shape))
    return Value(name: name, builder: self)
  }

  /// Adds a trained initializer under its state-dict name.
  public func parameter(_ name: String, _ tensor: Tensor) -> Value {
    claim(name)
    parameterNames.append(name)
    graph.initializers.append(Initializer(name, tensor))
    return Value(name: name, builder: self)
  }

  /// Adds an initializer that no training changes.
  public func constant(_ tensor: Tensor, name: String? = nil) -> Value {
    let name = name.map { claim($0) } ?? fresh("constant")
    graph.initializers.append(Initializer(name, tensor))
    return Value(name: name, builder: self)
  }

  /// Names a value as an output of the graph.
  /// - Returns: the value under its new name.
  @discardableResult
  public func output(_ value: Value, _ name: String, _ elementType: ElementType, _ shape: [Dimension]) -> Value {
    claim(name)
    rename(value.name, to: name)
    graph.outputs.append(ValueInfo(name, elementType, shape))
    return Value(name: name, builder: self)
  }

  /// Appends a node and returns its first output.
  public func node(_ operatorType: String, _ inputs: [Value?], _ attributes: [Attribute] = []) -> Value {
    nodes(operatorType, inputs, attributes, outputs: 1)[0]
  }

  /// Appends a node and returns its outputs.
  public func nodes(_ operatorType: String, _ inputs: [Value?], _ attributes: [Attribute] = [], outputs: Int) -> [Value]
  {
    let name = fresh(operatorType)
    let names =
      outputs == 1 ? [fresh(operatorType, "output")] : (0..<outputs).map { _ in fresh(operatorType, "output") }
    graph.nodes.append(
      Node(operatorType, name: name, inputs: inputs.map { $0?.name ?? "" }, outputs: names, attributes: attributes))
    return names.map { Value(name: $0, builder: self) }
  }

  /// The names of the parameters in the order in which they were added.
  public var parameters: [String] { parameterNames }

  /// The model as built so far: the IR version is the oldest that has the opset.
  public func model() -> Model {
    Model(irVersion: Self.irVersion(for: opset), operatorSets: [OperatorSet(version: Int64(opset))], graph: graph)
  }

  /// The IR version that came with an opset (ONNX's table of versions).
  static func irVersion(for opset: Int) -> Int64 {
    switch opset {
    case ...14: 7
    case ...18: 8
    case ...20: 9
    default: 10
    }
  }

  @discardableResult
  private func claim(_ name: String) -> String {
    precondition(taken.insert(name).inserted, "the graph has a value '\(name)' already")
    return name
  }

  private func fresh(_ operatorType: String, _ suffix: String? = nil) -> String {
    let stem = operatorType.lowercased() + (suffix.map { "_" + $0 } ?? "")
    while true {
      let count = counters[stem, default: 0]
      counters[stem] = count + 1
      let name = count == 0 ? stem : "\(stem)_\(count)"
      if taken.insert(name).inserted { return name }
    }
  }

  private func rename(_ old: String, to new: String) {
    precondition(
      graph.nodes.contains { $0.outputs.contains(old) }, "'\(old)' is no node's output; pass it through Identity")
    for index in graph.nodes.indices {
      graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0 == old ? new : $0 }
      graph.nodes[index].outputs = graph.nodes[index].outputs.map { $0 == old ? new : $0 }
    }
  }
}

extension Model {
  /// The model as it is used once trained: only what `outputs` need, with dropout taken out.
  /// - Parameters:
  ///   - outputs: names of the graph's outputs to keep, in this order.
  /// - Precondition: each is an output of the graph.
  public func forInference(outputs names: [String]) -> Model {
    var model = self
    let outputs = names.map { name in graph.outputs.first { $0.name == name }! }
    var bypass: [String: String] = [:]
    var nodes: [Node] = []
    for node in graph.nodes {
      var node = node
      node.inputs = node.inputs.map { bypass[$0] ?? $0 }
      if node.operatorType == "Dropout", node.domain.isEmpty, !names.contains(node.outputs[0]) {
        bypass[node.outputs[0]] = node.inputs[0]
      } else {
        nodes.append(node)
      }
    }
    var needed = Set(names)
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: needed.contains) {
      needed.formUnion(node.inputs)
      needed.formUnion(node.namesOfSubgraphs)
      kept.append(node)
    }
    model.graph.nodes = kept.reversed()
    model.graph.initializers = graph.initializers.filter { needed.contains($0.name) }
    model.graph.inputs = graph.inputs.filter { needed.contains($0.name) }
    model.graph.valueInfo = graph.valueInfo.filter { needed.contains($0.name) }
    model.graph.outputs = outputs
    return model
  }

  /// The model with other values for initializers of the same names.
  public func replacing(_ values: [String: Tensor]) -> Model {
    var model = self
    for index in model.graph.initializers.indices {
      if let value = values[model.graph.initializers[index].name] { model.graph.initializers[index].tensor = value }
    }
    return model
  }
}
