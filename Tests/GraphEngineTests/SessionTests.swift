// What a session promises whatever the operators: shapes, plans, names, errors.

import GraphEngine
import ONNX
import Tensors
import Testing

private func model(
  _ nodes: [Node], inputs: [ValueInfo], outputs: [String], initializers: [Initializer] = [], opset: Int64 = 17
) -> Model {
  Model(
    operatorSets: [OperatorSet(version: opset)],
    graph: Graph(
      name: "test", nodes: nodes, initializers: initializers, inputs: inputs,
      outputs: outputs.map { ValueInfo($0, .float, nil) }))
}

@Suite("A session")
struct SessionTests {
  @Test("plans anew for each shape and gives each its result")
  func shapes() throws {
    let session = try Session(
      model(
        [
          Node("Gemm", inputs: ["x", "w"], outputs: ["h"]), Node("Flatten", inputs: ["h"], outputs: ["y"]),
        ], inputs: [ValueInfo("x", .float, ["batch", 2])], outputs: ["y"],
        initializers: [Initializer("w", Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]))]))
    for rows in [1, 3, 1, 2] {
      let x = (0..<rows * 2).map(Float.init)
      let expected = (0..<rows).flatMap { row in
        let (a, b) = (Float(2 * row), Float(2 * row + 1))
        return [a * 1 + b * 3, a * 2 + b * 4]
      }
      let y = try #require(try session.run(["x": Tensor(x, shape: [rows, 2])])["y"])
      #expect(y == Tensor(expected, shape: [rows, 2]))
    }
  }

  @Test("inlines a model's functions, with their attributes")
  func functions() throws {
    var function = Function(name: "Double", domain: "mine")
    function.inputs = ["a"]
    function.outputs = ["b"]
    function.attributeNames = ["k"]
    var scale = Attribute("alpha", .float(0))
    scale.reference = "k"
    function.nodes = [
      Node(
        "Constant", inputs: [], outputs: ["eye"],
        attributes: [
          Attribute("value", .tensor(Initializer("", Tensor([1, 0, 0, 1] as [Float], shape: [2, 2]))))
        ]),
      Node("Gemm", inputs: ["a", "eye"], outputs: ["b"], attributes: [scale]),
    ]
    function.operatorSets = [OperatorSet(version: 17)]
    var model = model(
      [
        Node("Double", domain: "mine", inputs: ["x"], outputs: ["h"], attributes: [Attribute("k", .float(2))]),
        Node("Double", domain: "mine", inputs: ["h"], outputs: ["y"], attributes: [Attribute("k", .float(3))]),
      ], inputs: [ValueInfo("x", .float, [1, 2])], outputs: ["y"])
    model.operatorSets.append(OperatorSet(domain: "mine", version: 1))
    model.functions = [function]
    let y = try Session(model).run(["x": Tensor([1, -2] as [Float], shape: [1, 2])])["y"]
    #expect(y == Tensor([6, -12] as [Float], shape: [1, 2]))
  }

  @Test("takes the branch of an If, whether its condition is a constant or an input")
  func branches() throws {
    func branch(_ name: String, _ value: Float) -> Graph {
      Graph(
        name: name,
        nodes: [
          Node("Gemm", inputs: ["x", "w"], outputs: ["r"], attributes: [Attribute("alpha", .float(value))])
        ], outputs: [ValueInfo("r", .float, nil)])
    }
    let node = Node(
      "If", inputs: ["c"], outputs: ["y"],
      attributes: [
        Attribute("then_branch", .graph(branch("then", 10))), Attribute("else_branch", .graph(branch("else", 20))),
      ])
    let w = Initializer("w", Tensor([2] as [Float], shape: [1, 1]))
    let x = Tensor([3] as [Float], shape: [1, 1])
    let info = ValueInfo("x", .float, [1, 1])
    for (condition, expected) in [(true, Float(60)), (false, 120)] {
      let fixed = model(
        [node], inputs: [info], outputs: ["y"], initializers: [w, Initializer("c", Tensor(scalar: condition))])
      #expect(try Session(fixed).run(["x": x])["y"]?.elements(as: Float.self) == [expected])
      let free = model([node], inputs: [info, ValueInfo("c", .bool, [])], outputs: ["y"], initializers: [w])
      #expect(
        try Session(free).run(["x": x, "c": Tensor(scalar: condition)])["y"]?.elements(as: Float.self) == [expected])
    }
  }

  @Test("runs a graph whose shapes depend on an input's values")
  func valueDependentShapes() throws {
    let session = try Session(
      model(
        [Node("Reshape", inputs: ["x", "shape"], outputs: ["y"])],
        inputs: [ValueInfo("x", .float, [6]), ValueInfo("shape", .int64, ["rank"])], outputs: ["y"]))
    let x = Tensor((0..<6).map(Float.init))
    for shape in [[2, 3], [3, 2], [6, 1]] as [[Int64]] {
      let y = try #require(try session.run(["x": x, "shape": Tensor(shape)])["y"])
      #expect(y.shape == Shape(shape.map(Int.init)))
    }
  }

  @Test("names an operator that it does not have, with its node and its inputs' shapes")
  func unknownOperator() throws {
    let session = try Session(
      model(
        [Node("Frobnicate", name: "third", inputs: ["x"], outputs: ["y"])],
        inputs: [ValueInfo("x", .float, ["n"])], outputs: ["y"]))
    let error = #expect(throws: EngineError.self) { try session.run(["x": Tensor([1, 2] as [Float])]) }
    #expect("\(error!)".contains("Frobnicate") && "\(error!)".contains("third") && "\(error!)".contains("float[2]"))
  }

  @Test(
    "says which input is missing, unknown, of another type, of another shape, or at odds with another",
    arguments: [
      (["a": Tensor([1, 2] as [Float], shape: [1, 2])], "'b': missing"),
      (
        [
          "a": Tensor([1, 2] as [Float], shape: [1, 2]), "b": Tensor([1, 2] as [Float], shape: [1, 2]),
          "q": Tensor(scalar: Float(0)),
        ], "'q': the graph has no such input"
      ),
      (
        ["a": Tensor([1, 2] as [Double], shape: [1, 2]), "b": Tensor([1, 2] as [Float], shape: [1, 2])],
        "the graph takes float, and double was given"
      ),
      (
        ["a": Tensor([1, 2, 3] as [Float], shape: [1, 3]), "b": Tensor([1, 2] as [Float], shape: [1, 2])],
        "the graph takes [batch, 2], and [1, 3] was given"
      ),
      (
        ["a": Tensor([1, 2] as [Float], shape: [1, 2]), "b": Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])],
        "'b': has 2 for 'batch', and 'a' has 1"
      ),
    ] as [([String: Tensor], String)])
  func wrongInputs(feeds: [String: Tensor], message: String) throws {
    let session = try Session(
      model(
        [Node("Gemm", inputs: ["a", "b"], outputs: ["y"], attributes: [Attribute("transB", .int(1))])],
        inputs: [ValueInfo("a", .float, ["batch", 2]), ValueInfo("b", .float, ["batch", 2])], outputs: ["y"]))
    let error = #expect(throws: EngineError.self) { try session.run(feeds) }
    #expect("\(error!)".contains(message), "\(error!)")
  }

  @Test("refuses a graph that reads what nobody writes, and one that writes a name twice")
  func brokenGraphs() {
    let x = ValueInfo("x", .float, [1])
    #expect(throws: EngineError.self) {
      try Session(model([Node("Identity", inputs: ["z"], outputs: ["y"])], inputs: [x], outputs: ["y"]))
    }
    #expect(throws: EngineError.self) {
      try Session(
        model(
          [Node("Identity", inputs: ["x"], outputs: ["y"]), Node("Identity", inputs: ["x"], outputs: ["y"])],
          inputs: [x], outputs: ["y"]))
    }
    #expect(throws: EngineError.self) { try Session(model([], inputs: [x], outputs: ["y"])) }
  }
}
