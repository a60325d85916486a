// The session: what it asks of inputs, what it gives, how functions and subgraphs see their names.

import ONNX
import ReferenceRuntime
import Tensors
import Testing

/// `relu(x · W + b)` with `W` `[3, 2]`, and the sum of its rows.
private let small: Model = {
  let graph = Graph(
    name: "small",
    nodes: [
      Node("MatMul", name: "product", inputs: ["x", "w"], outputs: ["xw"]),
      Node("Add", name: "bias", inputs: ["xw", "b"], outputs: ["h"]),
      Node("Relu", name: "relu", inputs: ["h"], outputs: ["y"]),
      Node(
        "ReduceSum", name: "total", inputs: ["y", "axes"], outputs: ["s"], attributes: [Attribute("keepdims", .int(0))]),
    ],
    initializers: [
      Initializer("w", floats([1, 2, 3, 4, 5, 6], [3, 2])), Initializer("b", floats([-10, 0.5])),
      Initializer("axes", ints([1])),
    ],
    inputs: [ValueInfo("x", .float, ["batch", 3])],
    outputs: [ValueInfo("y", .float, ["batch", 2]), ValueInfo("s", .float, ["batch"])])
  return Model(operatorSets: [OperatorSet(version: 17)], graph: graph)
}()

@Suite("Session")
struct SessionTests {
  @Test("a small network gives the numbers of a hand computation, and inner values on request")
  func smallNetwork() throws {
    let session = try ReferenceSession(small)
    let outputs = try session.run(["x": floats([1, 0, -1, 1, 1, 1], [2, 3])])
    // Row 0: [1 - 5, 2 - 6] + b = [-14, -3.5]; row 1: [9, 12] + b = [-1, 12.5].
    #expect(outputs["y"] == floats([0, 0, 0, 12.5], [2, 2]))
    #expect(outputs["s"] == floats([0, 12.5]))
    let inner = try session.run(["x": floats([1, 0, -1], [1, 3])], outputs: ["h"])
    #expect(inner == ["h": floats([-14, -3.5], [1, 2])])
  }

  @Test("values stay in double precision between nodes and are rounded when they leave")
  func wideValues() throws {
    let graph = Graph(
      name: "cancel",
      nodes: [
        Node("Add", inputs: ["x", "tiny"], outputs: ["sum"]), Node("Sub", inputs: ["sum", "x"], outputs: ["rest"]),
        Node("Cast", inputs: ["sum"], outputs: ["cast"], attributes: [Attribute("to", .int(11))]),
        Node("Cast", inputs: ["sum"], outputs: ["half"], attributes: [Attribute("to", .int(10))]),
        Node("Cast", inputs: ["half"], outputs: ["rounded"], attributes: [Attribute("to", .int(1))]),
      ],
      initializers: [Initializer("tiny", Tensor(scalar: 0x1p-30 as Float))], inputs: [ValueInfo("x", .float, [])],
      outputs: [ValueInfo("rest", .float, []), ValueInfo("sum", .float, []), ValueInfo("rounded", .float, [])])
    let session = try ReferenceSession(Model(operatorSets: [OperatorSet(version: 17)], graph: graph))
    let outputs = try session.run(["x": Tensor(scalar: 1 as Float)])
    #expect(outputs["rest"] == Tensor(scalar: 0x1p-30 as Float))
    #expect(outputs["sum"] == Tensor(scalar: 1 as Float))
    #expect(outputs["rounded"] == Tensor(scalar: 1 as Float))
  }

  @Test("an input of a wrong shape or type is named with what the graph declares")
  func wrongInputs() throws {
    let session = try ReferenceSession(small)
    #expect(
      throws: ReferenceError.wrongInput(name: "x", found: "float[2, 4]", expected: "float[batch, 3] (with batch = 2)")
    ) {
      try session.run(["x": floats([Float](repeating: 0, count: 8), [2, 4])])
    }
    #expect(throws: ReferenceError.wrongInput(name: "x", found: "int64[1, 3]", expected: "float[batch, 3]")) {
      try session.run(["x": ints([1, 2, 3], [1, 3])])
    }
    #expect(throws: ReferenceError.missingInput(name: "x", expected: "float[batch, 3]")) { try session.run([:]) }
    #expect(throws: ReferenceError.unknownName(name: "z", kind: "input", known: ["x"])) {
      try session.run(["x": floats([1, 0, -1], [1, 3]), "z": floats([1])])
    }
    #expect(throws: ReferenceError.unknownName(name: "z", kind: "value", known: ["y", "s"])) {
      try session.run(["x": floats([1, 0, -1], [1, 3])], outputs: ["z"])
    }
  }

  @Test("an operator that is not there is named with domain, opset, node and input shapes")
  func unsupported() throws {
    let unknown = model("Frobnicate", domain: "com.example", [floats([1, 2])], opset: 3)
    let session = try ReferenceSession(unknown)
    #expect(session.unsupportedOperators == [OperatorName(domain: "com.example", operatorType: "Frobnicate")])
    let error = #expect(throws: ReferenceError.self) { try session.run(["x0": floats([1, 2])]) }
    let text = error?.description ?? ""
    for part in ["Frobnicate", "com.example", "opset 3", "\"tested\"", "x0: float[2]"] {
      #expect(text.contains(part), "\(part) in: \(text)")
    }
  }

  @Test("a node that reads what nothing computes is refused at once")
  func undefinedName() {
    let graph = Graph(
      name: "g",
      nodes: [Node("Relu", inputs: ["later"], outputs: ["y"]), Node("Relu", inputs: ["x"], outputs: ["later"])],
      inputs: [ValueInfo("x", .float, [])], outputs: [ValueInfo("y", .float, [])])
    let error = #expect(throws: ReferenceError.self) {
      try ReferenceSession(Model(operatorSets: [OperatorSet(version: 17)], graph: graph))
    }
    #expect(error?.description.contains("\"later\"") == true)
  }

  @Test("a function of the model stands for its body, with the caller's attributes and the function's defaults")
  func functions() throws {
    var function = Function(name: "Leaky", domain: "custom")
    function.inputs = ["a"]
    function.outputs = ["c"]
    function.attributeNames = ["slope"]
    function.operatorSets = [OperatorSet(version: 17)]
    var slope = Attribute("alpha", .float(0))
    slope.reference = "slope"
    function.nodes = [
      Node("LeakyRelu", inputs: ["a"], outputs: ["b"], attributes: [slope]), Node("Neg", inputs: ["b"], outputs: ["c"]),
    ]
    let graph = Graph(
      name: "g",
      nodes: [
        Node("Leaky", domain: "custom", inputs: ["x"], outputs: ["y"], attributes: [Attribute("slope", .float(0.5))]),
        Node("Leaky", domain: "custom", inputs: ["x"], outputs: ["z"]),
      ], inputs: [ValueInfo("x", .float, [2])],
      outputs: [ValueInfo("y", .float, [2]), ValueInfo("z", .float, [2])])
    var model = Model(
      operatorSets: [OperatorSet(version: 17), OperatorSet(domain: "custom", version: 1)], graph: graph)
    model.functions = [function]
    let outputs = try ReferenceSession(model).run(["x": floats([-2, 3])])
    #expect(outputs["y"] == floats([1, -3]))
    // Without a value the attribute is left out, and LeakyRelu's own default of 0.01 holds.
    #expect(outputs["z"] == floats([0.02, -3]))

    model.functions[0].attributeDefaults = [Attribute("slope", .float(0.25))]
    #expect(try ReferenceSession(model).run(["x": floats([-2, 3])])["z"] == floats([0.5, -3]))
  }

  @Test("a function that calls itself is refused, not followed")
  func recursion() {
    var function = Function(name: "Again", domain: "custom")
    function.inputs = ["a"]
    function.outputs = ["b"]
    function.operatorSets = [OperatorSet(domain: "custom", version: 1)]
    function.nodes = [Node("Again", domain: "custom", inputs: ["a"], outputs: ["b"])]
    let graph = Graph(
      name: "g", nodes: [Node("Again", domain: "custom", inputs: ["x"], outputs: ["y"])],
      inputs: [ValueInfo("x", .float, [])], outputs: [ValueInfo("y", .float, [])])
    var model = Model(operatorSets: [OperatorSet(domain: "custom", version: 1)], graph: graph)
    model.functions = [function]
    #expect(throws: ReferenceError.self) { try ReferenceSession(model) }
  }

  @Test("a branch reads values of the graph around it; only the taken one runs")
  func branches() throws {
    func branch(_ nodes: [Node]) -> Attribute.Value {
      .graph(Graph(name: "branch", nodes: nodes, outputs: [ValueInfo("r", .float, nil)]))
    }
    let graph = Graph(
      name: "g",
      nodes: [
        Node("Neg", inputs: ["x"], outputs: ["negative"]),
        Node(
          "If", inputs: ["condition"], outputs: ["y"],
          attributes: [
            Attribute("then_branch", branch([Node("Add", inputs: ["x", "x"], outputs: ["r"])])),
            Attribute("else_branch", branch([Node("Nonsense", inputs: ["negative"], outputs: ["r"])])),
          ]),
      ], inputs: [ValueInfo("condition", .bool, []), ValueInfo("x", .float, [2])],
      outputs: [ValueInfo("y", .float, [2])])
    let session = try ReferenceSession(Model(operatorSets: [OperatorSet(version: 17)], graph: graph))
    #expect(try session.run(["condition": Tensor(scalar: true), "x": floats([1, 2])])["y"] == floats([2, 4]))
    #expect(throws: ReferenceError.self) {
      try session.run(["condition": Tensor(scalar: false), "x": floats([1, 2])])
    }
    #expect(session.unsupportedOperators == [OperatorName(operatorType: "Nonsense")])
  }

  @Test("a loop carries values, stops at its condition and stacks its scan outputs")
  func loops() throws {
    // v doubles while it is below 20: 3, 6, 12, 24; the scan output is v at the start of each round.
    let body = Graph(
      name: "body",
      nodes: [
        Node("Add", inputs: ["v", "v"], outputs: ["next"]), Node("Less", inputs: ["next", "limit"], outputs: ["on"]),
        Node("Identity", inputs: ["v"], outputs: ["seen"]),
      ],
      inputs: [ValueInfo("round", .int64, []), ValueInfo("before", .bool, []), ValueInfo("v", .float, [])],
      outputs: [ValueInfo("on", .bool, []), ValueInfo("next", .float, []), ValueInfo("seen", .float, [])])
    let graph = Graph(
      name: "g",
      nodes: [
        Node("Loop", inputs: ["", "", "x"], outputs: ["y", "all"], attributes: [Attribute("body", .graph(body))])
      ],
      initializers: [Initializer("limit", Tensor(scalar: 20 as Float))], inputs: [ValueInfo("x", .float, [])],
      outputs: [ValueInfo("y", .float, []), ValueInfo("all", .float, nil)])
    let session = try ReferenceSession(Model(operatorSets: [OperatorSet(version: 17)], graph: graph))
    let outputs = try session.run(["x": Tensor(scalar: 3 as Float)])
    #expect(outputs["y"] == Tensor(scalar: 24 as Float))
    #expect(outputs["all"] == floats([3, 6, 12]))
  }
}
