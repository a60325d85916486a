// The public face of the reference runtime: a model in, outputs out.

import ONNX
import Tensors

/// An operator's full name.
public struct OperatorName: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Empty for ONNX's own operators.
  public let domain: String
  public let operatorType: String

  public init(domain: String = "", operatorType: String) {
    self.domain = Self.normalized(domain)
    self.operatorType = operatorType
  }

  static func normalized(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }

  public static func < (a: OperatorName, b: OperatorName) -> Bool {
    (a.domain, a.operatorType) < (b.domain, b.operatorType)
  }

  public var description: String { domain.isEmpty ? operatorType : "\(domain).\(operatorType)" }
}

/// A model in the reference runtime: every operator as ONNX's specification words it, in plain Swift and double
/// precision, sharing nothing with the engine. Slow and obvious, made to check faster runtimes.
///
/// Floating-point values stay in double precision from the inputs to the outputs, whatever type the graph declares;
/// they are rounded where a Cast says so and when they leave the graph.
///
/// ```swift
/// let session = try ReferenceSession(model)
/// let outputs = try session.run(["input": Tensor([1, 2, 3] as [Float], shape: [1, 3])])
/// ```
public struct ReferenceSession: Sendable {
  /// The operators that the model uses and this runtime does not have. Running a graph that reaches one of them throws.
  public let unsupportedOperators: [OperatorName]

  private let graph: Graph
  private let program: Program

  /// Prepares a model: constants are converted and functions inlined once.
  ///
  /// - Throws: `ReferenceError.invalidGraph` for constants of complex types, sparse constants that do not fit, and
  ///   functions that call themselves, and values that nothing computes.
  public init(_ model: Model) throws {
    var preparation = Preparation(model)
    program = try preparation.program(model.graph)
    if let name = program.captured.sorted().first {
      throw ReferenceError.invalidGraph(
        "nothing before its use computes the value \"\(name)\": nodes must come in topological order")
    }
    graph = model.graph
    unsupportedOperators = preparation.unsupported.sorted()
  }

  /// Every operator that this runtime has.
  public static let supportedOperators: [OperatorName] = OperatorRegistry.operators.keys.sorted()

  /// Runs the graph on tensors.
  ///
  /// - Parameters:
  ///   - inputs: a tensor for every input of the graph that has no initializer of its own.
  ///   - outputs: the names to return, among them any value inside the graph; nil for the graph's outputs.
  /// - Throws: `ReferenceError`; also where a wanted output is not a tensor (see `runValues`).
  public func run(_ inputs: [String: Tensor], outputs: [String]? = nil) throws -> [String: Tensor] {
    try runValues(inputs.mapValues { .tensor($0) }, outputs: outputs).mapValues { value in
      guard let tensor = value.tensor else {
        throw ReferenceError.invalidGraph("an output is no tensor but a sequence, optional or map; use runValues")
      }
      return tensor
    }
  }

  /// Runs the graph on values of any kind: tensors, sequences, optionals.
  public func runValues(_ inputs: [String: RuntimeValue], outputs: [String]? = nil) throws -> [String: RuntimeValue] {
    let given = try InputCheck(graph, constants: program.constants).check(inputs)
    let wanted = outputs ?? program.outputs.map(\.name)
    let known = Set(program.outputs.map(\.name)).union(graph.nodes.flatMap(\.outputs)).union(given.keys)
      .union(program.constants.keys)
    for name in wanted where !known.contains(name) {
      throw ReferenceError.unknownName(name: name, kind: "value", known: program.outputs.map(\.name))
    }
    let scope = try program.run(given, outer: nil, keeping: Set(wanted))
    var result: [String: RuntimeValue] = [:]
    for name in wanted {
      guard let value = scope[name] else {
        throw ReferenceError.invalidGraph("nothing computes the value \"\(name)\"")
      }
      result[name] = value.runtimeValue
    }
    return result
  }
}
