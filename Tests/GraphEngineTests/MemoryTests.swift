// What a plan does with memory must not show: parts written where they are joined, inputs overwritten, passes fused.

import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors
import Testing

private func join(_ inputs: [String], _ output: String, axis: Int64 = 0) -> Node {
  Node("Concat", inputs: inputs, outputs: [output], attributes: [Attribute("axis", .int(axis))])
}

private func apply(_ operatorType: String, _ inputs: String..., output: String) -> Node {
  Node(operatorType, inputs: inputs, outputs: [output])
}

/// Rows of 16 floats: a part's bytes are whole cache lines, as the planner wants them to be for writing in place.
private func model(_ nodes: [Node], outputs: [String], initializers: [Initializer] = [], columns: Int = 16) -> Model {
  Model(
    operatorSets: [OperatorSet(version: 17)],
    graph: Graph(
      name: "memory", nodes: nodes, initializers: initializers,
      inputs: ["a", "b"].map { ValueInfo($0, .float, [Dimension(.named("rows of \($0)")), Dimension(columns)]) },
      outputs: outputs.map { ValueInfo($0, .float, nil) }))
}

private func feeds(columns: Int = 16) -> [String: Tensor] {
  var random = TestNumbers(seed: 5)
  return [
    "a": Tensor(random.floats(2 * columns), shape: [2, columns]),
    "b": Tensor(random.floats(3 * columns), shape: [3, columns]),
  ]
}

@Suite("A plan's memory")
struct MemoryTests {
  static let graphs: [(name: String, nodes: [Node], outputs: [String])] = [
    ("inputs joined", [join(["a", "b"], "c"), apply("Relu", "c", output: "y")], ["y"]),
    ("inputs joined, the whole an output", [join(["a", "b"], "c"), apply("Neg", "c", output: "y")], ["c", "y"]),
    (
      "a part read after the whole was made",
      [
        apply("Neg", "a", output: "n"), join(["n", "b"], "c"), apply("Exp", "n", output: "e"),
        apply("Relu", "c", output: "r"), apply("Add", "r", "c", output: "y"),
      ], ["e", "y"]
    ),
    (
      "the whole overwritten while a part is still to be read",
      [
        apply("Neg", "a", output: "n"), join(["n", "b"], "c"), apply("Relu", "c", output: "r"),
        apply("Exp", "n", output: "e"), apply("Abs", "r", output: "y"),
      ], ["e", "y"]
    ),
    ("the same part twice", [apply("Neg", "a", output: "n"), join(["n", "n", "b", "b"], "y")], ["y"]),
    (
      "a whole joined again",
      [
        apply("Neg", "a", output: "n"), join(["n", "b"], "c"), apply("Exp", "b", output: "e"),
        join(["e", "c", "a"], "d"), apply("Tanh", "d", output: "t"), join(["c", "t"], "y"),
      ], ["y", "c"]
    ),
    (
      "parts that overwrote their inputs",
      [
        apply("Neg", "a", output: "n"), apply("Exp", "n", output: "m"), apply("Neg", "b", output: "o"),
        apply("Abs", "o", output: "p"), join(["m", "p"], "c"), apply("Sqrt", "c", output: "y"),
      ], ["y"]
    ),
    ("columns joined", [join(["a", "a"], "c", axis: 1), apply("Relu", "c", output: "y")], ["y"]),
  ]

  @Test("gives what each value is, however values share it", arguments: graphs.indices)
  func joined(_ index: Int) throws {
    let (name, nodes, outputs) = Self.graphs[index]
    let model = model(nodes, outputs: outputs)
    let expected = try ReferenceSession(model).run(feeds())
    let session = try Session(model)
    for _ in 0..<2 {
      let found = try session.run(feeds())
      for output in outputs { #expect(isClose(found[output]!, expected[output]!), "\(name): \(output)") }
    }
  }

  @Test("keeps inputs that were written once for a second run")
  func kept() throws {
    let session = try Session(model([join(["a", "b"], "c"), apply("Neg", "c", output: "y")], outputs: ["y"]))
    let plan = try #require(try session.plan(for: feeds().mapValues(\.spec)))
    for (name, tensor) in feeds() {
      plan.write(Array(0..<tensor.shape[0]), of: tensor, to: name)
    }
    try session.execute(plan)
    let first = plan.read("y")
    try session.execute(plan)
    #expect(plan.read("y") == first)
    #expect(first?.shape == [5, 16])
  }

  @Test("gathers rows of a table into an input")
  func gathered() throws {
    let session = try Session(model([join(["a", "b"], "y")], outputs: ["y"]))
    let table = Tensor((0..<160).map(Float.init), shape: [10, 16])
    let plan = try #require(
      try session.plan(for: ["a": TensorSpec(.float, [2, 16]), "b": TensorSpec(.float, [3, 16])]))
    plan.write([9, 0], of: table, to: "a")
    plan.write([1, 1, 5], of: table, to: "b")
    try session.execute(plan)
    let firsts = try #require(plan.withUnsafeOutput("y", as: Float.self) { y in (0..<5).map { y[$0 * 16] } })
    #expect(firsts == [144, 0, 16, 16, 80])
  }

  @Test("standardises columns in one pass as the nodes say, also where shapes broadcast", arguments: [16, 1])
  func standardized(_ columns: Int) throws {
    for width in [16, 1] {
      var random = TestNumbers(seed: 9)
      let vectors = [
        Initializer("mean", Tensor(random.floats(width))),
        Initializer("std", Tensor(random.floats(width, in: 0.5...2))),
      ]
      let model = model(
        [
          apply("IsNaN", "a", output: "gap"), apply("Where", "gap", "mean", "a", output: "full"),
          apply("Sub", "full", "mean", output: "centered"), apply("Div", "centered", "std", output: "y"),
        ], outputs: ["y"], initializers: vectors, columns: columns)
      var a = random.floats(3 * columns)
      a[1] = .nan
      a[a.count - 1] = .infinity
      let feeds = ["a": Tensor(a, shape: [3, columns]), "b": Tensor(random.floats(columns), shape: [1, columns])]
      let found = try #require(try Session(model).run(feeds)["y"])
      let expected = try #require(try ReferenceSession(model).run(feeds)["y"])
      #expect(isClose(found, expected), "\(columns) columns, \(width) means")
    }
  }
}

private func isClose(_ a: Tensor, _ b: Tensor) -> Bool {
  func numbers(_ tensor: Tensor) -> [Double] { tensor.elements(as: Float.self).map(Double.init) }
  return a.shape == b.shape && difference(numbers(a), numbers(b)) <= 1e-6
}
