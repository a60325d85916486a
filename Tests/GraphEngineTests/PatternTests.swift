// Functions that standard nodes spell out run as one node, and give what the standard nodes say: values against the
// reference runtime, gradients against central differences in double precision, dropout against the separate nodes.

import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors
import Testing

/// A graph of standard nodes over inputs of random numbers, whose first output is `y`.
struct PatternCase: Sendable, CustomStringConvertible {
  let description: String
  var inputs: [String: Shape]
  var nodes: [Node]
  var numbers: [String: Double] = [:]
  /// Nodes that must run as this one; nil: nothing may be joined.
  var joined: String?

  func node(_ type: String, _ inputs: [String], _ output: String, _ attributes: [String: Attribute.Value] = [:]) -> Node
  {
    Node(
      type, name: output, inputs: inputs, outputs: [output], attributes: attributes.map { Attribute($0.key, $0.value) })
  }

  func model(_ type: ElementType, loss: Bool = false, extra: [Initializer] = []) -> Model {
    var nodes = nodes
    if loss {
      // A weight of each element tells them apart.
      nodes += [
        Node("Mul", inputs: ["y", "told"], outputs: ["weighted"]),
        Node(
          "ReduceSum", inputs: ["weighted"], outputs: ["loss"], attributes: [Attribute("keepdims", .int(0))]),
      ]
    }
    let constants = numbers.map { Initializer($0.key, Tensor(doubles: [$0.value], shape: [], elementType: type)) }
    return Model(
      operatorSets: [OperatorSet(version: 17)],
      graph: Graph(
        name: "pattern", nodes: nodes, initializers: constants + extra,
        inputs: inputs.sorted { $0.key < $1.key }.map { ValueInfo($0.key, type, $0.value.map { Dimension($0) }) },
        outputs: [ValueInfo(loss ? "loss" : "y", nil)]))
  }

  func values() -> [String: [Double]] {
    var random = TestNumbers(seed: 11)
    var values: [String: [Double]] = [:]
    for (name, shape) in inputs.sorted(by: { $0.key < $1.key }) {
      values[name] = random.floats(shape.elementCount).map(Double.init)
    }
    return values
  }

  func feeds(_ values: [String: [Double]], _ type: ElementType) -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: inputs.map { name, shape in
        (name, Tensor(doubles: values[name]!, shape: shape, elementType: type))
      })
  }
}

extension PatternCase {
  /// Attention over `[batch, tokens, heads, width]`, spelled out in one of the ways that exporters do.
  static func attention(
    _ description: String, batch: Int = 2, queries: Int = 5, keys: Int = 7, heads: Int = 3, width: Int = 4,
    valueWidth: Int = 4, bias: Shape? = nil, biasFirst: Bool = false, scaling: String = "Mul scores",
    keyTurns: Int = 1, headsFirst: Bool = false, dropout: Bool = false
  ) -> PatternCase {
    func shape(_ tokens: Int, _ width: Int) -> Shape {
      headsFirst ? [batch, heads, tokens, width] : [batch, tokens, heads, width]
    }
    var test = PatternCase(
      description: description,
      inputs: ["q": shape(queries, width), "k": shape(keys, width), "v": shape(keys, valueWidth)], nodes: [],
      numbers: ["scale": scaling.hasPrefix("Div") ? 1.7 : 0.6, "half": 0.4], joined: "Attention")
    if let bias { test.inputs["bias"] = bias }
    func add(_ type: String, _ inputs: [String], _ output: String, _ perm: [Int64]? = nil) {
      test.nodes.append(test.node(type, inputs, output, perm.map { ["perm": .ints($0)] } ?? [:]))
    }
    if headsFirst {
      add("Identity", ["q"], "qh")
      add("Transpose", ["k"], "kt", [0, 1, 3, 2])
      add("Identity", ["v"], "vh")
    } else {
      add("Transpose", ["q"], "qh", [0, 2, 1, 3])
      if keyTurns == 1 {
        add("Transpose", ["k"], "kt", [0, 2, 3, 1])
      } else {
        add("Transpose", ["k"], "kh", [0, 2, 1, 3])
        add("Transpose", ["kh"], "kt", [0, 1, 3, 2])
      }
      add("Transpose", ["v"], "vh", [0, 2, 1, 3])
    }
    var (query, key) = ("qh", "kt")
    if scaling == "both sides" {
      add("Mul", ["qh", "scale"], "qs")
      add("Mul", ["half", "kt"], "ks")
      (query, key) = ("qs", "ks")
    } else if scaling == "Div queries" {
      add("Div", ["qh", "scale"], "qs")
      query = "qs"
    }
    add("MatMul", [query, key], "products")
    var scores = "products"
    if scaling.hasSuffix("scores") {
      add(String(scaling.prefix(3)), ["products", "scale"], "scaled")
      scores = "scaled"
    }
    if bias != nil {
      add("Add", biasFirst ? ["bias", scores] : [scores, "bias"], "biased")
      scores = "biased"
    }
    test.nodes.append(test.node("Softmax", [scores], "weights", ["axis": .int(-1)]))
    var weights = "weights"
    if dropout {
      test.nodes.append(test.node("Dropout", ["weights", "ratio", "training"], "dropped"))
      weights = "dropped"
    }
    add("MatMul", [weights, "vh"], "context")
    add(headsFirst ? "Identity" : "Transpose", ["context"], "y", headsFirst ? nil : [0, 2, 1, 3])
    return test
  }

  /// `x · ½ · (1 + erf(x / √2))` with its factors in some order.
  static func gelu(_ description: String, _ build: (PatternCase) -> [Node]) -> PatternCase {
    var test = PatternCase(
      description: description, inputs: ["x": [3, 41]], nodes: [],
      numbers: ["root": 2.0.squareRoot(), "inverse": 0.5.squareRoot(), "one": 1, "half": 0.5], joined: "Gelu")
    test.nodes = build(test)
    return test
  }
}

@Suite("Nodes that spell out one function")
struct PatternTests {
  static let attentions: [PatternCase] = [
    .attention("a bias for each key of a text", bias: [2, 1, 1, 7]),
    .attention("a bias for each score, first", bias: [2, 3, 5, 7], biasFirst: true),
    .attention("a bias of two axes", bias: [5, 7]),
    .attention("a bias for each row", bias: [5, 1]),
    .attention("no bias, divided scores", scaling: "Div scores"),
    .attention("divided queries, keys turned twice", bias: [2, 1, 1, 7], scaling: "Div queries", keyTurns: 2),
    .attention("both sides scaled", scaling: "both sides"),
    .attention("heads first", bias: [2, 1, 1, 7], headsFirst: true),
    .attention("more queries than a block has", batch: 1, queries: 131, keys: 70, heads: 2, bias: [1, 1, 131, 70]),
    .attention("one query", batch: 3, queries: 1, keys: 19, heads: 2, width: 8, valueWidth: 3, bias: [3, 1, 1, 19]),
    .attention("wide heads", batch: 1, queries: 16, keys: 16, heads: 1, width: 64, valueWidth: 33),
  ]

  static let gelus: [PatternCase] = [
    .gelu("x · (1 + erf) · ½") { t in
      [
        t.node("Div", ["x", "root"], "a"), t.node("Erf", ["a"], "b"), t.node("Add", ["b", "one"], "c"),
        t.node("Mul", ["x", "c"], "d"), t.node("Mul", ["d", "half"], "y"),
      ]
    },
    .gelu("(½ · x) · (1 + erf)") { t in
      [
        t.node("Mul", ["inverse", "x"], "a"), t.node("Erf", ["a"], "b"), t.node("Add", ["one", "b"], "c"),
        t.node("Mul", ["half", "x"], "d"), t.node("Mul", ["d", "c"], "y"),
      ]
    },
    .gelu("x · (½ · (1 + erf))") { t in
      [
        t.node("Mul", ["x", "inverse"], "a"), t.node("Erf", ["a"], "b"), t.node("Add", ["b", "one"], "c"),
        t.node("Mul", ["c", "half"], "d"), t.node("Mul", ["x", "d"], "y"),
      ]
    },
  ]

  /// Graphs that look alike and are something else.
  static let others: [PatternCase] = {
    var inner = PatternCase.gelu("erf of x / 2") { t in
      [
        t.node("Mul", ["x", "half"], "a"), t.node("Erf", ["a"], "b"), t.node("Add", ["b", "one"], "c"),
        t.node("Mul", ["x", "c"], "d"), t.node("Mul", ["d", "half"], "y"),
      ]
    }
    inner.joined = nil
    var twice = PatternCase.gelu("the sum read twice") { t in
      [
        t.node("Div", ["x", "root"], "a"), t.node("Erf", ["a"], "b"), t.node("Add", ["b", "one"], "c"),
        t.node("Mul", ["x", "c"], "d"), t.node("Mul", ["d", "half"], "e"), t.node("Add", ["e", "c"], "y"),
      ]
    }
    twice.joined = nil
    var weights = PatternCase.attention("weights that something else reads", bias: [2, 1, 1, 7])
    weights.nodes.append(weights.node("ReduceMax", ["weights"], "largest", ["keepdims": .int(0)]))
    weights.nodes[weights.nodes.firstIndex { $0.outputs == ["y"] }!].outputs = ["z"]
    weights.nodes.append(weights.node("Mul", ["z", "largest"], "y"))
    weights.joined = nil
    return [inner, twice, weights]
  }()

  static let cases = attentions + gelus + others

  private func operators(_ model: Model, outputs: [String]? = nil, _ test: PatternCase) throws -> [String] {
    let session = try Session(model, outputs: outputs)
    let plan = try #require(try session.plan(for: test.feeds(test.values(), .float).mapValues(\.spec)))
    return try plan.profiled().map(\.node.operatorType)
  }

  @Test("run as one node, with the values of the standard nodes", arguments: cases)
  func values(_ test: PatternCase) throws {
    let model = test.model(.float)
    let feeds = test.feeds(test.values(), .float)
    let expected = try #require(try ReferenceSession(model).run(feeds)["y"])
    for threads in [1, 2] {
      let found = try #require(try Session(model, options: .init(threads: threads)).run(feeds)["y"])
      #expect(found.shape == expected.shape)
      #expect(difference(found.doubles(), expected.doubles()) < 5e-6)
    }
    let joined = try operators(model, test).filter { ["Attention", "Gelu"].contains($0) }
    #expect(joined == (test.joined.map { [$0] } ?? []))
  }

  @Test("have the gradient that central differences say, on any number of threads the same", arguments: cases)
  func gradients(_ test: PatternCase) throws {
    let values = test.values()
    let exact = test.model(.double)
    let shape = try #require(try ReferenceSession(exact).run(test.feeds(values, .double))["y"]).shape
    var random = TestNumbers(seed: 3)
    let told = random.floats(shape.elementCount, in: 0.5...2).map(Double.init)
    func extra(_ type: ElementType) -> [Initializer] {
      [Initializer("told", Tensor(doubles: told, shape: shape, elementType: type))]
    }
    let reference = try ReferenceSession(test.model(.double, loss: true, extra: extra(.double)))
    func loss(_ values: [String: [Double]]) throws -> Double {
      try #require(try reference.run(test.feeds(values, .double))["loss"]).doubles()[0]
    }
    // The bias of an attention is a mask, which nothing trains.
    let trained = test.inputs.keys.filter { $0 != "bias" }.sorted()
    var model = test.model(.float, loss: true, extra: extra(.float))
    let differentiated = try model.graph.differentiated(of: "loss", withRespectTo: trained, opset: 17)
    model.graph = differentiated.graph
    let names = try trained.map { name in
      guard case .dense(let gradient)? = differentiated.gradients[name] else {
        throw EngineError.invalidGraph(problem: "\(name) has no dense gradient")
      }
      return gradient
    }
    let feeds = test.feeds(values, .float)
    let found = try Session(model, outputs: names, options: .init(threads: 1)).run(feeds)
    #expect(try Session(model, outputs: names, options: .init(threads: 2)).run(feeds) == found)
    for (name, gradient) in zip(trained, names) {
      let whole = try #require(found[gradient]).doubles()
      for place in stride(from: 0, to: whole.count, by: whole.count / 12 + 1) {
        var (above, below) = (values, values)
        above[name]![place] += 1e-5
        below[name]![place] -= 1e-5
        let expected = (try loss(above) - loss(below)) / 2e-5
        #expect(abs(whole[place] - expected) < 2e-4 * max(1, abs(expected)), "\(name)[\(place)]")
      }
    }
    if let joined = test.joined {
      let run = try operators(model, outputs: names, test)
      #expect(run.contains("\(joined)Grad") && !run.contains("SoftmaxGrad") && !run.contains("ErfGrad"))
    }
  }

  @Test("are not joined where a parameter moves what the joined form does not differentiate")
  func trainedBias() throws {
    let test = PatternCase.attention("", bias: [2, 3, 5, 7])
    let shape: Shape = [2, 5, 3, 4]
    var model = test.model(
      .float, loss: true,
      extra: [Initializer("told", Tensor([Float](repeating: 1, count: shape.elementCount), shape: shape))])
    let differentiated = try model.graph.differentiated(of: "loss", withRespectTo: ["bias"], opset: 17)
    model.graph = differentiated.graph
    guard case .dense(let name)? = differentiated.gradients["bias"] else {
      Issue.record("the bias has no gradient")
      return
    }
    // What moves all scores of a row alike changes no weight.
    let gradient = try #require(
      try Session(model, outputs: [name]).run(test.feeds(test.values(), .float))[name]
    ).doubles()
    for row in 0..<30 { #expect(abs(gradient[row * 7..<row * 7 + 7].reduce(0, +)) < 1e-5) }
    #expect(gradient.contains { abs($0) > 1e-3 })
  }

  @Test("drop what the separate nodes drop, forward and back", arguments: [(5, 7), (70, 64)])
  func dropout(_ queries: Int, _ keys: Int) throws {
    let test = PatternCase.attention("", queries: queries, keys: keys, bias: [2, 1, 1, keys], dropout: true)
    var random = TestNumbers(seed: 3)
    let shape: Shape = [2, queries, 3, 4]
    let model = test.model(
      .float, loss: true,
      extra: [
        Initializer("told", Tensor(random.floats(shape.elementCount), shape: shape)),
        Initializer("ratio", Tensor(scalar: Float(0.3))), Initializer("training", Tensor(scalar: true)),
      ])
    func results(keeping kept: [String], threads: Int) throws -> (values: [Tensor], operators: [String]) {
      var model = model
      let differentiated = try model.graph.differentiated(
        of: "loss", withRespectTo: ["q", "k", "v"], opset: 17, keeping: kept)
      model.graph = differentiated.graph
      let names = ["q", "k", "v"].compactMap { name in
        if case .dense(let gradient)? = differentiated.gradients[name] { gradient } else { nil }
      }
      let session = try Session(model, outputs: ["loss"] + names + kept, options: .init(threads: threads, seed: 7))
      let feeds = test.feeds(test.values(), .float)
      // The second run draws other numbers than the first.
      let first = try session.run(feeds)
      let second = try session.run(feeds)
      #expect(first["loss"] != second["loss"])
      let plan = try #require(try session.plan(for: feeds.mapValues(\.spec)))
      return ((["loss"] + names).map { second[$0]! }, try plan.profiled().map(\.node.operatorType))
    }
    let separate = try results(keeping: ["weights"], threads: 1)
    let joined = try results(keeping: [], threads: 1)
    #expect(separate.operators.contains("DropoutGradient") && !joined.operators.contains("DropoutGradient"))
    #expect(joined.values.count == 4)
    for (a, b) in zip(joined.values, separate.values) { #expect(difference(a.doubles(), b.doubles()) < 1e-5) }
    #expect(try results(keeping: [], threads: 2).values == joined.values)
  }

  @Test("say what does not fit in an attention")
  func mismatch() throws {
    let test = PatternCase.attention("", bias: [2, 1, 1, 9])
    #expect(throws: EngineError.self) { try Session(test.model(.float)).run(test.feeds(test.values(), .float)) }
  }

  @Test(
    "pass an activation's gradient in the product that comes before it",
    arguments: ["Relu", "Gelu", "Tanh", "Sigmoid", "LeakyRelu"])
  func activationGradients(_ activation: String) throws {
    // Two layers: the second one's gradient passes the first one's activation.
    var random = TestNumbers(seed: 21)
    let weights = ["w1": random.floats(7 * 9), "w2": random.floats(9 * 4), "b1": random.floats(9)]
    let nodes = [
      Node("Gemm", inputs: ["x", "w1", "b1"], outputs: ["h"]), Node(activation, inputs: ["h"], outputs: ["a"]),
      Node("Gemm", inputs: ["a", "w2"], outputs: ["z"]), Node("Mul", inputs: ["z", "z"], outputs: ["s"]),
      Node("ReduceSum", inputs: ["s"], outputs: ["loss"], attributes: [Attribute("keepdims", .int(0))]),
    ]
    let x = Tensor(random.floats(5 * 7), shape: [5, 7])
    func results(keeping kept: [String]) throws -> (gradient: Tensor, operators: [String]) {
      var model = Model(
        operatorSets: [OperatorSet(version: 20)],
        graph: Graph(
          name: "layers", nodes: nodes,
          initializers: [
            Initializer("w1", Tensor(weights["w1"]!, shape: [7, 9])), Initializer("b1", Tensor(weights["b1"]!)),
            Initializer("w2", Tensor(weights["w2"]!, shape: [9, 4])),
          ], inputs: [ValueInfo("x", .float, [5, 7])], outputs: [ValueInfo("loss", .float, [])]))
      let differentiated = try model.graph.differentiated(of: "loss", withRespectTo: ["w1"], opset: 20)
      model.graph = differentiated.graph
      guard case .dense(let name)? = differentiated.gradients["w1"] else {
        throw EngineError.invalidGraph(problem: "no gradient")
      }
      let between =
        kept.isEmpty ? [] : model.graph.nodes.filter { $0.operatorType == "\(activation)Grad" }.map { $0.inputs[0] }
      let session = try Session(
        model, outputs: [name] + between, options: .init(variables: ["w1", "w2", "b1"]))
      let gradient = try #require(try session.run(["x": x])[name])
      let plan = try #require(try session.plan(for: ["x": x.spec]))
      return (gradient, try plan.profiled().map(\.node.operatorType))
    }
    let (separate, joined) = (try results(keeping: ["between"]), try results(keeping: []))
    #expect(separate.operators.contains("\(activation)Grad") && !joined.operators.contains("\(activation)Grad"))
    #expect(difference(joined.gradient.doubles(), separate.gradient.doubles()) < 1e-6)
  }
}
