// Where a graph rounds to integers, two runtimes may take two sides of a tie: how they are compared nevertheless.

import ONNX
import Tensors

/// The values that a graph quantises while it runs (`DynamicQuantizeLinear`).
///
/// A number that lies halfway between two bytes becomes one of them in one runtime and the other one in the next, since
/// single precision rounds its last bit here and there. The layers behind pass that step on, until outputs differ by as
/// much as 8 bits lose, though each runtime is right. So the reference runtime quantises what it has worked out itself,
/// which must be the engine's bytes to within one step, and then goes on with the engine's bytes. Every node is held
/// against the other runtime, and outputs may differ by no more than those of any other graph.
struct RoundedValues {
  /// The graph with the bytes, scales and zero points as inputs; its own ones are further outputs.
  let model: Model
  /// For each node that quantises: the names of bytes, scale and zero point.
  private let nodes: [[String]]
  /// Bytes that were compared, and those of them that were a step away.
  private var (count, steps) = (0, 0)

  init(_ model: Model) {
    let outputs = Set(model.graph.outputs.map(\.name))
    var (changed, nodes) = (model, [[String]]())
    for (index, node) in model.graph.nodes.enumerated()
    where node.operatorType == "DynamicQuantizeLinear" && node.domain.isEmpty && outputs.isDisjoint(with: node.outputs)
    {
      nodes.append(node.outputs)
      changed.graph.nodes[index].outputs = node.outputs.map(Self.own)
      for (name, type) in zip(node.outputs, [ElementType.uint8, .float, .uint8]) {
        changed.graph.inputs.append(ValueInfo(name, type, nil))
        changed.graph.outputs.append(ValueInfo(Self.own(name), type, nil))
      }
    }
    self.model = changed
    self.nodes = nodes
  }

  var names: [String] { nodes.flatMap(\.self) }

  /// What the other graph would have to quantise too, and does not; nil where nothing is missing.
  func missing(in trained: Graph) -> VerificationReport.Check? {
    let known = Set(trained.nodes.flatMap(\.outputs))
    let missing = names.filter { !known.contains($0) }
    guard !missing.isEmpty else { return nil }
    return .init(
      name: "quantised values", passed: false,
      detail: "not in the model: \(missing.map { "'\($0)'" }.joined(separator: ", "))")
  }

  private static func own(_ name: String) -> String { "\(name)/own" }

  /// Takes the values out of the engine's outputs, to be fed to ``model``.
  func taken(from outputs: inout [String: Tensor]) -> [String: Tensor] {
    var taken: [String: Tensor] = [:]
    for name in names { taken[name] = outputs.removeValue(forKey: name) }
    return taken
  }

  /// Compares what the engine quantised with what the reference runtime did, and takes the latter out of `found`.
  /// - Returns: what is wrong.
  mutating func problems(
    _ found: inout [String: Tensor], with given: [String: Tensor], tolerance: Tolerance
  ) -> [String] {
    // A scale is as small as its values: only what is relative to it counts.
    let nearly = Tolerance(relative: tolerance.relative, absolute: 0)
    var problems: [String] = []
    for names in nodes {
      let own = names.map { found.removeValue(forKey: Self.own($0))!.doubles() }
      let engine = names.map { given[$0]!.doubles() }
      let (scale, zero) = ((own[1][0], engine[1][0]), (own[2][0], engine[2][0]))
      guard nearly.accepts(scale.1, scale.0), abs(zero.0 - zero.1) <= 1 else {
        problems.append(
          "'\(names[0])' has the scale \(scale.1) and the zero point \(Int(zero.1)), expected \(scale.0) "
            + "and \(Int(zero.0))")
        continue
      }
      guard own[0].count == engine[0].count else {
        problems.append("'\(names[0])' has \(engine[0].count) elements, expected \(own[0].count)")
        continue
      }
      // Another zero point moves every byte by a step.
      let allowed = 1 + abs(zero.0 - zero.1)
      let distances = zip(own[0], engine[0]).map { abs($0 - $1) }
      count += distances.count
      steps += distances.count { $0 > 0 }
      let wrong = distances.count { $0 > allowed }
      if wrong > 0 { problems.append("'\(names[0])': \(wrong) of \(distances.count) bytes are more than a step away") }
    }
    return problems
  }

  /// What was found in all samples; nil where the graph quantises nothing.
  var summary: VerificationReport.Check? {
    guard !nodes.isEmpty else { return nil }
    return .init(
      name: "quantised values", passed: true, detail: "\(count) bytes as expected, \(steps) of them a step away")
  }
}
