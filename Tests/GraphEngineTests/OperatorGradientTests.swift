// The gradient of every differentiable operator against central differences in double precision.

import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors
import Testing

@Suite("The gradient of an operator")
struct OperatorGradientTests {
  /// A loss of all outputs with weights that tell their elements apart: `Σ w · y`.
  private static func lossNodes(_ test: TestNode, _ weights: [[Double]], _ shapes: [Shape], _ type: ElementType)
    -> (nodes: [Node], initializers: [Initializer])
  {
    var nodes = [test.node]
    var initializers: [Initializer] = []
    var terms: [String] = []
    for (index, values) in weights.enumerated() {
      initializers.append(Initializer("w\(index)", Tensor(doubles: values, shape: shapes[index], elementType: type)))
      nodes.append(Node("Mul", inputs: ["y\(index)", "w\(index)"], outputs: ["weighted\(index)"]))
      nodes.append(
        Node(
          "ReduceSum", inputs: ["weighted\(index)"], outputs: ["term\(index)"],
          attributes: [Attribute("keepdims", .int(0))]))
      terms.append("term\(index)")
    }
    nodes.append(Node("Sum", inputs: terms, outputs: ["loss"]))
    return (nodes, initializers)
  }

  @Test("is what central differences of the reference runtime say", arguments: cases)
  func centralDifferences(test: TestNode) throws {
    let numbers = test.numbers()
    func feeds(_ numbers: [Int: (values: [Double], shape: Shape)], _ type: ElementType) -> [String: Tensor] {
      Dictionary(
        uniqueKeysWithValues: numbers.map {
          ("x\($0.key)", Tensor(doubles: $0.value.values, shape: $0.value.shape, elementType: type))
        })
    }
    // Only outputs of floating point take part; others (indices) are not differentiated.
    let plain = try ReferenceSession(test.model(floatType: .double)).run(feeds(numbers, .double))
    let results = (0..<test.outputs).compactMap { plain["y\($0)"] }.filter { $0.elementType == .double }
    var generator = TestNumbers(seed: 99)
    let weights = results.map { result in result.doubles().map { _ in Double(Float(generator.next(in: 0.5...2))) } }

    let exact = Self.lossNodes(test, weights, results.map(\.shape), .double)
    let reference = try ReferenceSession(
      test.model(nodes: exact.nodes, initializers: exact.initializers, floatType: .double))
    func loss(_ numbers: [Int: (values: [Double], shape: Shape)]) throws -> Double {
      try #require(try reference.run(feeds(numbers, .double), outputs: ["loss"])["loss"]).doubles()[0]
    }

    let single = Self.lossNodes(test, weights, results.map(\.shape), .float)
    let model = test.model(nodes: single.nodes, initializers: single.initializers)
    let parameters = test.differentiated.map { "x\($0)" }
    let differentiated = try model.graph.differentiated(
      of: "loss", withRespectTo: parameters, opset: Int(test.opset))
    var training = model
    training.graph = differentiated.graph
    let names = differentiated.gradients.values.flatMap { gradient in
      switch gradient {
      case .dense(let name): [name]
      case .rows(let indices, let rows): [indices, rows]
      }
    }
    for threads in [1, 2] {
      let session = try Session(training, outputs: names, options: Session.Options(threads: threads))
      let computed = try session.run(feeds(numbers, .float))
      for index in test.differentiated {
        let (values, shape) = try #require(numbers[index])
        let step = 1e-5
        // Of a large input, every so manieth element.
        let places = Array(stride(from: 0, to: values.count, by: values.count / 64 + 1))
        var expected: [Double] = []
        for place in places {
          var (above, below) = (numbers, numbers)
          above[index]?.values[place] += step
          below[index]?.values[place] -= step
          expected.append((try loss(above) - loss(below)) / (2 * step))
        }
        let whole = try dense(differentiated.gradients["x\(index)"], computed, shape)
        let found = places.map { whole[$0] }
        #expect(difference(found, expected) < 2e-4, "input \(index): \(found) and not \(expected)")
      }
    }
  }

  /// A gradient as a whole tensor: rows added at their indices.
  private func dense(_ gradient: Gradient?, _ computed: [String: Tensor], _ shape: Shape) throws -> [Double] {
    switch try #require(gradient) {
    case .dense(let name):
      let tensor = try #require(computed[name])
      #expect(tensor.shape == shape)
      return tensor.doubles()
    case .rows(let indices, let rows):
      let (places, values) = (try #require(computed[indices]).int64s(), try #require(computed[rows]).doubles())
      let width = shape.dropFirst().reduce(1, *)
      var whole = [Double](repeating: 0, count: shape.elementCount)
      var last: Int64 = -1
      for (row, place) in places.enumerated() where place < shape[0] {
        #expect(place > last, "indices ascend, each once")
        last = place
        for column in 0..<width { whole[Int(place) * width + column] += values[row * width + column] }
      }
      return whole
    }
  }

  @Test("is tested for every operator that the engine differentiates")
  func coverage() {
    let tested = Set(Self.cases.map(\.operatorType))
    // Dropout draws random numbers: its own tests hold the mask still. A conversion to float is a staircase to
    // differences of double precision: see below.
    let elsewhere: Set = ["Dropout", "Cast", "CastLike"]
    #expect(Session.differentiableOperators.filter { !tested.contains($0) && !elsewhere.contains($0) } == [])
  }

  @Test("passes conversions between floating-point types")
  func conversions() throws {
    func gradient(through type: ElementType) throws -> [Float]? {
      let nodes = [
        Node(
          "Cast", inputs: ["x"], outputs: ["a"], attributes: [Attribute("to", .int(Int64(type.rawValue)))]),
        Node("CastLike", inputs: ["a", "w"], outputs: ["b"]), Node("Mul", inputs: ["b", "w"], outputs: ["c"]),
        Node("ReduceSum", inputs: ["c"], outputs: ["loss"], attributes: [Attribute("keepdims", .int(0))]),
      ]
      let graph = Graph(
        name: "test", nodes: nodes, initializers: [Initializer("w", Tensor([2, -3] as [Float]))],
        inputs: [ValueInfo("x", .float, [2])], outputs: [ValueInfo("loss", .float, [])])
      let differentiated = try graph.differentiated(of: "loss", withRespectTo: ["x"], opset: 21)
      guard case .dense(let name)? = differentiated.gradients["x"] else { return nil }
      let model = Model(operatorSets: [OperatorSet(version: 21)], graph: differentiated.graph)
      return try Session(model, outputs: [name]).run(["x": Tensor([1.5, 2.5] as [Float])])[name]?.elements()
    }
    #expect(try gradient(through: .double) == [2, -3])
    #expect(try gradient(through: .float) == [2, -3])
  }

  static let cases: [TestNode] = elementwise + broadcast + movements + reductions + indexed + normalized + products

  private static let elementwise: [TestNode] =
    [
      "Neg", "Abs", "Exp", "Erf", "Tanh", "Sigmoid", "Softplus", "Relu", "LeakyRelu", "Elu", "Celu", "Selu", "Softsign",
      "Mish", "Gelu", "Sin", "Cos", "Sinh", "Cosh", "Asinh", "Atan", "HardSwish", "ThresholdedRelu", "Identity",
    ].map { TestNode($0, [.random([3, 7], -3.5...3.5)]) }
    + ["Sqrt", "Reciprocal", "Log"].map { TestNode($0, [.random([19], 0.3...4)]) }
    + ["Asin", "Acos", "Atanh", "Tan"].map { TestNode($0, [.random([5, 4], -0.8...0.8)]) }
    + [
      TestNode("Acosh", [.random([9], 1.2...3)]),
      TestNode("Gelu", [.random([4, 5], -3...3)], ["approximate": .string("tanh")]),
      TestNode("LeakyRelu", [.random([21])], ["alpha": .float(0.3)]),
      TestNode("Elu", [.random([21])], ["alpha": .float(1.7)]),
      TestNode("Celu", [.random([21])], ["alpha": .float(0.6)]),
      TestNode("HardSigmoid", [.random([30], -4...4)]),
      TestNode("Clip", [.random([17]), .fixed(Tensor(scalar: Float(-0.5))), .fixed(Tensor(scalar: Float(0.75)))]),
      TestNode("Clip", [.random([17]), .absent, .fixed(Tensor(scalar: Float(0.75)))]),
      // Long enough to be shared among threads.
      TestNode("Tanh", [.random([5000])]),
    ]

  private static let broadcast: [TestNode] = {
    let shapes: [(Shape, Shape)] = [
      ([3, 4], [3, 4]), ([3, 4], []), ([], [5]), ([3, 4], [4]), ([3, 4], [3, 1]), ([3, 1], [1, 4]),
      ([2, 3, 4], [3, 1]), ([2, 1, 4, 1], [3, 1, 5]), ([1], [2, 2]),
    ]
    var cases: [TestNode] = []
    for (a, b) in shapes {
      for name in ["Add", "Sub", "Mul", "Max", "Min", "Sum", "Mean"] {
        cases.append(TestNode(name, [.random(a), .random(b)]))
      }
      cases.append(TestNode("Div", [.random(a), .random(b, 0.5...2)]))
      cases.append(TestNode("Pow", [.random(a, 0.4...2), .random(b, -1...2.5)]))
      cases.append(TestNode("Mod", [.random(a, 5.1...5.9), .random(b, 1.05...1.2)], ["fmod": .int(1)]))
    }
    cases += [
      TestNode("Max", [.random([2, 3]), .random([3]), .random([2, 1])]),
      TestNode("Min", [.random([2, 3]), .random([3]), .random([])]),
      TestNode("Sum", [.random([2, 3]), .random([3]), .random([2, 1])]),
      TestNode("Mean", [.random([2, 3]), .random([3]), .random([2, 1])]),
      TestNode("Sum", [.random([4])]),
      TestNode("PRelu", [.random([2, 3, 4]), .random([3, 1], 0.1...0.9)]),
      TestNode("PRelu", [.random([6]), .random([6], 0.1...0.9)]),
      TestNode("Pow", [.random([3, 4]), .fixed(Tensor(scalar: Float(2)))]),
      TestNode("Pow", [.random([3, 4]), .fixed(Tensor(scalar: Float(3)))]),
      TestNode("Pow", [.random([3, 4], 0.3...2), .fixed(Tensor(scalar: Float(-0.5)))]),
      TestNode(
        "Where", [.bools([true, false, false, true], [2, 2]), .random([2, 2]), .random([2, 2])]),
      TestNode("Where", [.bools([true, false], [2, 1]), .random([3]), .random([])]),
      TestNode("Add", [.random([70, 300]), .random([300])]),
    ]
    return cases
  }()

  private static let movements: [TestNode] = [
    TestNode("Concat", [.random([2, 3]), .random([2, 1]), .random([2, 2])], ["axis": .int(1)]),
    TestNode("Concat", [.random([2, 3]), .fixed(Tensor([1, 2, 3] as [Float], shape: [1, 3]))], ["axis": .int(-2)]),
    TestNode("Split", [.random([6, 2])], ["axis": .int(0)], outputs: 3, opset: 17),
    TestNode("Split", [.random([2, 7]), .ints([2, 5])], ["axis": .int(1)], outputs: 2),
    TestNode("Split", [.random([2, 7])], ["axis": .int(1), "num_outputs": .int(3)], outputs: 3),
    TestNode("Slice", [.random([5, 6]), .ints([1, 4]), .ints([5, 0]), .ints([0, 1]), .ints([2, -1])]),
    TestNode("Slice", [.random([5]), .ints([-3]), .ints([Int64.max])]),
    TestNode("Transpose", [.random([2, 3, 4])]),
    TestNode("Transpose", [.random([2, 3, 4, 2])], ["perm": .ints([0, 2, 1, 3])]),
    TestNode("Transpose", [.random([2, 3, 4])], ["perm": .ints([1, 2, 0])]),
    TestNode("Reshape", [.random([2, 6]), .ints([3, -1])]),
    TestNode("Flatten", [.random([2, 3, 2])], ["axis": .int(2)]),
    TestNode("Squeeze", [.random([2, 1, 3]), .ints([1])]),
    TestNode("Unsqueeze", [.random([2, 3]), .ints([0, 2])]),
    TestNode("Expand", [.random([3, 1]), .ints([2, 1, 4])]),
    TestNode("Expand", [.random([]), .ints([2, 2])]),
    TestNode("Tile", [.random([2, 3]), .ints([2, 3])]),
    TestNode("Tile", [.random([2, 1, 2]), .ints([1, 4, 2])]),
    TestNode("Pad", [.random([2, 3]), .ints([1, 0, 0, 2])]),
    TestNode("Pad", [.random([3, 4]), .ints([-1, 2, 1, -1])]),
    TestNode("Pad", [.random([3, 4]), .ints([1, 3, 2, 1])], ["mode": .string("reflect")]),
    TestNode("Pad", [.random([3, 4]), .ints([1, 3, 2, 1])], ["mode": .string("edge")]),
    TestNode("Pad", [.random([3, 4]), .ints([4, 1]), .absent, .ints([1])], ["mode": .string("wrap")]),
    TestNode("Trilu", [.random([2, 4, 3]), .fixed(Tensor(scalar: Int64(1)))], ["upper": .int(0)]),
    TestNode("Trilu", [.random([3, 4])]),
    TestNode("CumSum", [.random([3, 4]), .fixed(Tensor(scalar: Int64(1)))], ["exclusive": .int(1)]),
    TestNode("CumSum", [.random([3, 4]), .fixed(Tensor(scalar: Int64(0)))], ["reverse": .int(1)]),
  ]

  private static let reductions: [TestNode] = {
    var cases: [TestNode] = []
    let names = [
      "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
      "ReduceLogSum", "ReduceLogSumExp",
    ]
    for name in names {
      let range: ClosedRange<Double> = name == "ReduceLogSum" ? 0.3...2 : -2...2
      for axes: [Int64] in [[0], [1], [-1], [0, 2], [0, 1, 2]] {
        cases.append(
          TestNode(name, [.random([2, 3, 4], range), .ints(axes)], ["keepdims": .int(axes.count == 2 ? 0 : 1)]))
      }
      cases.append(TestNode(name, [.random([2, 5], range)]))
      if name != "ReduceSum" {
        cases.append(TestNode(name, [.random([2, 5], range)], ["axes": .ints([1]), "keepdims": .int(0)], opset: 13))
      }
    }
    return cases
  }()

  private static let indexed: [TestNode] = [
    TestNode("Gather", [.random([5, 3]), .ints([4, 0, 4, -1, 2])]),
    TestNode("Gather", [.random([5, 3]), .ints([1, 3, 3, 0], [2, 2])]),
    TestNode("Gather", [.random([4, 2, 3]), .ints([1, 1])]),
    TestNode("Gather", [.random([6]), .ints([5, 0, 5])]),
    TestNode("Gather", [.random([3, 5]), .ints([4, 0, 4], [1, 3])], ["axis": .int(1)]),
    TestNode("Gather", [.random([300, 2]), .fixed(Tensor((0..<700).map { Int32($0 * 7 % 290) }))]),
    TestNode("GatherElements", [.random([3, 4]), .ints([0, 2, 2, 1, 0, 0], [2, 3])], ["axis": .int(0)]),
    TestNode("GatherElements", [.random([2, 3]), .ints([0, -1, 2, 2], [2, 2])], ["axis": .int(1)]),
    TestNode("GatherND", [.random([3, 4, 2]), .ints([0, 1, 2, 3, 0, 1], [3, 2])]),
    TestNode("GatherND", [.random([2, 3, 2]), .ints([1, 2], [2, 1])], ["batch_dims": .int(1)]),
    TestNode(
      "ScatterElements", [.random([3, 4]), .ints([2, 0, 1, 3], [2, 2]), .random([2, 2])], ["axis": .int(1)]),
    TestNode(
      "ScatterElements", [.random([4]), .ints([2, 2, 0]), .random([3])], ["reduction": .string("add")]),
    TestNode("ScatterND", [.random([4, 3]), .ints([3, 1], [2, 1]), .random([2, 3])]),
    TestNode(
      "ScatterND", [.random([4, 3]), .ints([1, 1], [2, 1]), .random([2, 3])], ["reduction": .string("add")]),
    TestNode("TopK", [.random([3, 6]), .ints([2])], outputs: 2),
    TestNode("TopK", [.random([5, 2]), .ints([3])], ["axis": .int(0), "largest": .int(0)], outputs: 2),
  ]

  private static let normalized: [TestNode] = [
    TestNode("Softmax", [.random([3, 5])]),
    TestNode("Softmax", [.random([2, 4, 3])], ["axis": .int(1)]),
    TestNode("Softmax", [.random([70, 90])]),
    TestNode("LogSoftmax", [.random([3, 5])]),
    TestNode("LogSoftmax", [.random([2, 4, 3])], ["axis": .int(0)]),
    TestNode("LayerNormalization", [.random([3, 8]), .random([8]), .random([8])]),
    TestNode("LayerNormalization", [.random([2, 3, 4]), .random([3, 4])], ["axis": .int(1)]),
    TestNode("LayerNormalization", [.random([4, 6]), .random([6]), .random([6])], ["epsilon": .float(0.1)]),
    TestNode(
      "BatchNormalization",
      [.random([2, 3, 4]), .random([3]), .random([3]), .random([3]), .random([3], 0.5...2)]),
    TestNode(
      "BatchNormalization", [.random([5, 2]), .random([2]), .random([2]), .random([2]), .random([2], 0.5...2)]),
  ]

  private static let products: [TestNode] = [
    TestNode("MatMul", [.random([3, 4]), .random([4, 2])]),
    TestNode("MatMul", [.random([2, 1, 3, 4]), .random([5, 4, 2])]),
    TestNode("MatMul", [.random([4]), .random([2, 4, 3])]),
    TestNode("Gemm", [.random([3, 4]), .random([2, 4]), .random([2])], ["transB": .int(1), "alpha": .float(0.5)]),
    TestNode(
      "Gemm", [.random([4, 3]), .random([4, 2]), .random([3, 1])], ["transA": .int(1), "beta": .float(2)]),
  ]
}
