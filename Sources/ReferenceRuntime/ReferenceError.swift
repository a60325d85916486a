// Everything that can go wrong while a graph is prepared or run, with what a person needs to find it.

import ONNX

/// Why the reference runtime can't prepare or run a graph.
public enum ReferenceError: Error, Equatable, CustomStringConvertible {
  /// No operator of that name here, and no function of the model either. `opset` is nil where the model does not
  /// import the domain at all.
  case unsupportedOperator(NodeReport, opset: Int?)
  /// A node's inputs or attributes are not what its operator takes.
  case invalidNode(NodeReport, expected: String)
  /// The graph as a whole can't be run.
  case invalidGraph(String)
  /// An input of the graph was not given.
  case missingInput(name: String, expected: String)
  /// A given input has another type or shape than the graph declares.
  case wrongInput(name: String, found: String, expected: String)
  /// A name that the graph does not have.
  case unknownName(name: String, kind: String, known: [String])

  /// A node as messages show it.
  public struct NodeReport: Sendable, Equatable {
    public let name: String
    public let operatorType: String
    public let domain: String
    /// Each input's name, type and shape, for example `x: float[2, 3]`.
    public let inputs: [String]
    public let outputs: [String]

    /// `Gather node "embed"`, or by its first output where the node has no name.
    var subject: String {
      let place = name.isEmpty ? "that writes \"\(outputs.first ?? "")\"" : "\"\(name)\""
      return "\(domain.isEmpty ? "" : domain + ".")\(operatorType) node \(place)"
    }
  }

  public var description: String {
    switch self {
    case .unsupportedOperator(let node, let opset?):
      "the reference runtime has no operator \(node.operatorType) (domain \"\(node.domain)\", opset \(opset)), "
        + "needed by the \(node.subject) with inputs (\(node.inputs.joined(separator: ", "))); "
        + "ReferenceSession.supportedOperators lists what it has"
    case .unsupportedOperator(let node, nil):
      "the model imports no operator set of the domain \"\(node.domain)\", which gives the \(node.subject) its meaning"
    case .invalidNode(let node, let expected):
      "\(node.subject): expected \(expected); inputs are (\(node.inputs.joined(separator: ", ")))"
    case .invalidGraph(let reason): reason
    case .missingInput(let name, let expected): "the input \"\(name)\" (\(expected)) is missing"
    case .wrongInput(let name, let found, let expected):
      "the input \"\(name)\" is \(found), and the graph declares \(expected)"
    case .unknownName(let name, let kind, let known):
      "the graph has no \(kind) \"\(name)\"; it has \(known.map { "\"\($0)\"" }.joined(separator: ", "))"
    }
  }
}

extension ReferenceError.NodeReport {
  init(_ node: Node, inputs: [Value?]) {
    name = node.name
    operatorType = node.operatorType
    domain = node.domain
    outputs = node.outputs
    self.inputs = node.inputs.enumerated().map { index, name in
      let value = index < inputs.count ? inputs[index] : nil
      return name.isEmpty ? "none" : "\(name): \(value?.summary ?? "unknown")"
    }
  }
}
