// Running a prepared graph: node after node over named values.

import ONNX
import Tensors

/// The values of one run of a graph, with those of the graphs around it.
final class Scope {
  private var values: [String: Value]
  private let outer: Scope?

  init(_ values: [String: Value], outer: Scope?) {
    self.values = values
    self.outer = outer
  }

  subscript(name: String) -> Value? {
    get { values[name] ?? outer?[name] }
    set { values[name] = newValue }
  }
}

extension Program {
  /// Runs the steps in order.
  ///
  /// - Parameters:
  ///   - inputs: values by name; they hide constants of the same name.
  ///   - outer: the values that a subgraph may refer to.
  ///   - kept: names that stay although no step needs them any more.
  /// - Returns: the values of all names that are left.
  func run(_ inputs: [String: Value], outer: Scope?, keeping kept: Set<String> = []) throws -> Scope {
    let scope = Scope(constants.merging(inputs) { _, given in given }, outer: outer)
    for step in steps {
      try step.run(in: scope)
      for name in step.released where !kept.contains(name) { scope[name] = nil }
    }
    return scope
  }

  /// Runs a subgraph with its inputs in order and returns its outputs in order.
  func call(_ arguments: [Value?], from call: Call) throws -> [Value] {
    guard arguments.count == inputs.count else {
      throw call.failure("a subgraph of \(arguments.count) inputs, not \(inputs.count)")
    }
    var given: [String: Value] = [:]
    for (info, value) in zip(inputs, arguments) { given[info.name] = value }
    return try results(of: run(given, outer: call.scope))
  }

  private func results(of scope: Scope) throws -> [Value] {
    try outputs.map { info in
      guard let value = scope[info.name] else {
        throw ReferenceError.invalidGraph("nothing computes the output \"\(info.name)\" of a subgraph")
      }
      return value
    }
  }

  /// Runs a function's body for a node; inputs that the node leaves out are left out in the body.
  fileprivate func callFunction(_ arguments: [Value?], node: Node) throws -> [Value?] {
    guard arguments.count <= inputs.count else {
      throw ReferenceError.invalidNode(
        ReferenceError.NodeReport(node, inputs: arguments),
        expected: "at most \(inputs.count) inputs, as the function takes")
    }
    var given: [String: Value] = [:]
    for (info, value) in zip(inputs, arguments) { given[info.name] = value }
    let scope = try run(given, outer: nil)
    return outputs.map { scope[$0.name] }
  }
}

extension Program.Step {
  fileprivate func run(in scope: Scope) throws {
    let values = node.inputs.map { name -> Value? in
      guard !name.isEmpty else { return nil }
      return scope[name]
    }
    if case .unsupported(let opset) = operation {
      throw ReferenceError.unsupportedOperator(ReferenceError.NodeReport(node, inputs: values), opset: opset)
    }
    let results: [Value?]
    switch operation {
    case .builtIn(let found, let version):
      let call = Call(node: node, version: version, inputs: values, subgraphs: subgraphs, scope: scope)
      results = try found.evaluate(call)
    case .function(let body): results = try body.callFunction(values, node: node)
    case .unsupported: results = []
    }
    for (index, name) in node.outputs.enumerated() where !name.isEmpty {
      guard index < results.count else {
        throw ReferenceError.invalidNode(
          ReferenceError.NodeReport(node, inputs: values),
          expected: "at most \(results.count) outputs for these inputs and attributes, not \(node.outputs.count)")
      }
      scope[name] = results[index]
    }
  }
}
