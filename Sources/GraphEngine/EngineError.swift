// What the engine says when it cannot do what a graph asks.

import ONNX
import Tensors

/// An error of the engine. Where a node is at fault it is named with its operator and its inputs' types and shapes.
public enum EngineError: Error, Sendable, CustomStringConvertible {
  /// No kernel for the operator of a node.
  case unsupportedOperator(node: String)
  /// No gradient for the operator of a node on the way from a parameter to the loss.
  case noGradient(node: String)
  /// A node's inputs or attributes are not what its operator takes.
  case invalidNode(node: String, problem: String)
  /// The graph as a whole is wrong: a value nobody writes, a name written twice, a cycle.
  case invalidGraph(problem: String)
  /// A value given to `run` is missing, unknown, or of another type or shape than the graph declares.
  case invalidInput(name: String, problem: String)

  public var description: String {
    switch self {
    case .unsupportedOperator(let node):
      "the engine has no kernel for \(node); see Session.supportedOperators for those it has"
    case .noGradient(let node):
      "no gradient for \(node); train only parameters that reach the loss by other operators, or replace the node"
    case .invalidNode(let node, let problem): "\(node): \(problem)"
    case .invalidGraph(let problem): problem
    case .invalidInput(let name, let problem): "input '\(name)': \(problem)"
    }
  }
}

/// The element type and shape of a value in a plan, where every extent is known.
public struct TensorSpec: Sendable, Hashable, CustomStringConvertible {
  public var elementType: ElementType
  public var shape: Shape

  public init(_ elementType: ElementType, _ shape: Shape) {
    self.elementType = elementType
    self.shape = shape
  }

  public var byteCount: Int { elementType.byteCount(shape.elementCount) ?? 0 }

  public var description: String { "\(elementType)\(shape)" }
}

extension Tensor {
  /// The tensor's element type and shape.
  public var spec: TensorSpec { TensorSpec(elementType, shape) }
}

extension Node {
  /// The node as messages name it: its operator, its name or first output, and its inputs' types where known.
  func described(_ inputs: [TensorSpec?] = []) -> String {
    let title = domain.isEmpty ? operatorType : "\(domain).\(operatorType)"
    let identity = name.isEmpty ? "writing '\(outputs.first ?? "")'" : "'\(name)'"
    guard !inputs.isEmpty else { return "node \(identity) (\(title))" }
    let types = zip(self.inputs, inputs).map { name, spec in
      name.isEmpty ? "-" : "\(name) \(spec?.description ?? "unknown")"
    }
    return "node \(identity) (\(title) of \(types.joined(separator: ", ")))"
  }
}
