// What operators compute, against the reference runtime and against numbers from the specification.

import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors
import Testing

@Suite("An operator")
struct OperatorTests {
  @Test("gives what the reference runtime gives, with one thread and with two", arguments: cases)
  func reference(test: TestNode) throws {
    let numbers = test.numbers()
    let feeds = Dictionary(
      uniqueKeysWithValues: numbers.map {
        ("x\($0.key)", Tensor(doubles: $0.value.values, shape: $0.value.shape, elementType: .float))
      })
    let model = test.model()
    let expected = try ReferenceSession(model).run(feeds)
    for threads in [1, 2] {
      let found = try Session(model, options: Session.Options(threads: threads)).run(feeds)
      for name in test.node.outputs {
        let (mine, theirs) = (try #require(found[name]), try #require(expected[name]))
        #expect(mine.elementType == theirs.elementType)
        #expect(mine.shape == theirs.shape)
        #expect(difference(mine.doubles(), theirs.doubles()) < 2e-5, "\(name) with \(threads) threads")
      }
    }
  }

  static let cases: [TestNode] = typed + large + shapes

  private static func tensor(_ values: [Double], _ type: ElementType, _ shape: Shape? = nil) -> TestInput {
    .fixed(Tensor(doubles: values, shape: shape ?? [values.count], elementType: type))
  }

  /// Arithmetic and comparisons in every element type that the engine computes with.
  private static let typed: [TestNode] = {
    let types: [ElementType] = [
      .float, .double, .int32, .int64, .int8, .int16, .uint8, .uint16, .uint32, .uint64,
    ]
    var cases: [TestNode] = []
    for type in types {
      let a = tensor([7, 2, 9, 4, 100, 3], type, [2, 3])
      let b = tensor([2, 3, 4], type)
      for name in [
        "Add", "Mul", "Div", "Max", "Min", "Mod", "Pow", "Equal", "Greater", "Less", "GreaterOrEqual",
        "LessOrEqual",
      ] {
        // ONNX has no Mod of floats but by fmod.
        let attributes: [String: Attribute.Value] = name == "Mod" && type.isFloatingPoint ? ["fmod": .int(1)] : [:]
        cases.append(TestNode(name, name == "Pow" ? [b, b] : [a, b], attributes))
      }
      cases.append(TestNode("Sub", [a, tensor([2], type)]))
      for name in ["Abs", "Sign", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare"] {
        cases.append(TestNode(name, [a]))
      }
      cases.append(TestNode("Clip", [a, .fixed(one(3, type)), .fixed(one(8, type))]))
      cases.append(TestNode("ArgMax", [a], ["axis": .int(1)]))
      cases.append(TestNode("ArgMin", [a], ["axis": .int(0), "keepdims": .int(0)]))
      cases.append(TestNode("TopK", [a, .ints([2])], outputs: 2))
      cases.append(TestNode("CumSum", [a, .fixed(Tensor(scalar: Int64(1)))]))
      cases.append(TestNode("Where", [.bools([true, false, true]), a, b]))
      cases.append(TestNode("Transpose", [a]))
      cases.append(TestNode("Concat", [a, a], ["axis": .int(1)]))
      cases.append(TestNode("Gather", [a, .ints([1, 0, 0])]))
      cases.append(TestNode("Expand", [b, .ints([2, 3])]))
      cases.append(TestNode("Pad", [a, .ints([0, 1, 1, 0]), .fixed(one(5, type))]))
      cases.append(TestNode("Slice", [a, .ints([-1]), .ints([-10]), .ints([1]), .ints([-2])]))
      for target in types { cases.append(TestNode("Cast", [a], ["to": .int(Int64(target.rawValue))])) }
    }
    for type: ElementType in [.int8, .int16, .int32, .int64] {
      cases.append(TestNode("Mod", [tensor([-4, 7, 5, 4, -7, 8], type), tensor([2, -3, 8, -2, 3, 5], type)]))
      cases.append(TestNode("Neg", [tensor([-4, 7, 0], type)]))
      cases.append(TestNode("Relu", [tensor([-4, 7, 0], type)]))
    }
    return cases
  }()

  private static func one(_ value: Double, _ type: ElementType) -> Tensor {
    Tensor(doubles: [value], shape: .scalar, elementType: type)
  }

  /// Tensors that are long enough to be shared among threads, with extents that no vector divides.
  private static let large: [TestNode] = {
    var cases: [TestNode] = []
    for name in ["Add", "Sub", "Mul", "Div", "Max", "Pow", "Greater"] {
      let range: ClosedRange<Double> = name == "Div" || name == "Pow" ? 0.5...2 : -2...2
      cases += [
        TestNode(name, [.random([131, 257], range), .random([131, 257], range)]),
        TestNode(name, [.random([131, 257], range), .random([257], range)]),
        TestNode(name, [.random([131, 257], range), .random([131, 1], range)]),
        TestNode(name, [.random([], range), .random([131, 257], range)]),
        TestNode(name, [.random([7, 1, 33, 1], range), .random([29, 1, 13], range)]),
      ]
    }
    for name in ["Exp", "Erf", "Tanh", "Sigmoid", "Softplus", "Gelu", "Relu", "LeakyRelu", "Neg", "Abs", "Round"] {
      cases.append(TestNode(name, [.random([40_003], -9...9)]))
    }
    for permutation: [Int64] in [[0, 2, 1, 3], [0, 1, 3, 2], [3, 0, 1, 2], [2, 3, 1, 0], [1, 0, 2, 3]] {
      cases.append(TestNode("Transpose", [.random([3, 37, 19, 33])], ["perm": .ints(permutation)]))
    }
    cases.append(TestNode("Transpose", [.random([257, 131])]))
    for name in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceLogSumExp"] {
      for axes: [Int64] in [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]] {
        cases.append(TestNode(name, [.random([31, 47, 53]), .ints(axes)], ["keepdims": .int(0)]))
      }
    }
    cases += [
      TestNode("Softmax", [.random([301, 97], -20...20)]),
      TestNode("Softmax", [.random([31, 97, 11])], ["axis": .int(1)]),
      TestNode("LogSoftmax", [.random([301, 97])]), TestNode("LogSoftmax", [.random([31, 97])], ["axis": .int(0)]),
      TestNode(
        "LayerNormalization", [.random([211, 131]), .random([131]), .random([131])], outputs: 3),
      TestNode("Concat", [.random([61, 300]), .random([61, 111])], ["axis": .int(1)]),
      TestNode("Split", [.random([61, 700]), .ints([300, 400])], ["axis": .int(1)], outputs: 2),
      TestNode("Gather", [.random([500, 67]), .fixed(Tensor((0..<900).map { Int64($0 * 37 % 1000 - 500) }))]),
      TestNode("Expand", [.random([1, 130, 1]), .ints([20, 1, 17])]),
      TestNode("Slice", [.random([300, 301]), .ints([250, 3]), .ints([0, 300]), .ints([0, 1]), .ints([-3, 2])]),
      TestNode("Tile", [.random([13, 57]), .ints([9, 5])]),
      TestNode("CumSum", [.random([31, 57]), .fixed(Tensor(scalar: Int64(0)))]),
      TestNode("TopK", [.random([64, 700]), .ints([10])], outputs: 2),
      TestNode("OneHot", [.ints([3, -1, 0, 9]), .fixed(Tensor(scalar: Int64(4))), .random([2])], ["axis": .int(0)]),
    ]
    return cases
  }()

  /// Shapes at the edge: nothing, one element, one axis.
  private static let shapes: [TestNode] = [
    TestNode("Add", [.random([0, 3]), .random([3])]), TestNode("Add", [.random([]), .random([])]),
    TestNode("ReduceSum", [.random([2, 0])]), TestNode("ReduceSum", [.random([2, 0]), .ints([1])]),
    TestNode("ReduceProd", [.random([0])]), TestNode("ReduceMax", [.random([0, 2]), .ints([0])]),
    TestNode("Concat", [.random([2, 0]), .random([2, 3])], ["axis": .int(1)]),
    TestNode("Transpose", [.random([0, 3, 2])]), TestNode("Transpose", [.random([])]),
    TestNode("Gather", [.random([3, 2]), .ints([], [0])]), TestNode("Gather", [.random([3]), .ints([1], [])]),
    TestNode("Softmax", [.random([2, 0])]), TestNode("NonZero", [.floats([0, 1, 0, 3], [2, 2])]),
    TestNode("Slice", [.random([4]), .ints([3]), .ints([1])]), TestNode("Tile", [.random([2]), .ints([0])]),
    TestNode("NonZero", [.bools([false, true, true])]), TestNode("Expand", [.random([1, 3]), .ints([0, 3])]),
    TestNode("ReduceSum", [.random([2, 3])], ["noop_with_empty_axes": .int(1)]),
    TestNode(
      "MatMulInteger",
      [
        .fixed(Tensor([3, 250, 7, 1] as [UInt8], shape: [2, 2])),
        .fixed(Tensor([-3, 5, 100, -128] as [Int8], shape: [2, 2])), .fixed(Tensor(scalar: UInt8(12))),
        .fixed(Tensor([1, -2] as [Int8])),
      ]),
    TestNode("DynamicQuantizeLinear", [.floats([-1, 0.3, 2.7, 5], [4])], outputs: 3),
    TestNode(
      "QuantizeLinear",
      [
        .floats([-300, 0.3, 2.5, 7.5], [4]), .fixed(Tensor(scalar: Float(2))),
        .fixed(Tensor(scalar: Int8(3))),
      ]),
    TestNode(
      "DequantizeLinear",
      [
        .fixed(Tensor([1, 200, 3, 4] as [UInt8], shape: [2, 2])),
        .fixed(Tensor([0.5, 2] as [Float])), .fixed(Tensor([10, 20] as [UInt8])),
      ], ["axis": .int(1)]),
  ]

  @Test("keeps the numbers of the specification's examples")
  func examples() throws {
    func run(_ test: TestNode) throws -> Tensor? { try Session(test.model()).run([:])["y0"] }
    let matrix = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
    #expect(
      try run(
        TestNode(
          "Gather",
          [
            .fixed(Tensor([1, 1.2, 1.9, 2.3, 3.4, 3.9, 4.5, 5.7, 5.9] as [Float], shape: [3, 3])),
            .ints([0, 2], [1, 2]),
          ], ["axis": .int(1)]))
        == Tensor([1, 1.9, 2.3, 3.9, 4.5, 5.9] as [Float], shape: [3, 1, 2]))
    #expect(
      try run(
        TestNode("GatherND", [.fixed(Tensor([0, 1, 2, 3] as [Int32], shape: [2, 2])), .ints([0, 0, 1, 1], [2, 2])]))
        == Tensor([0, 3] as [Int32]))
    #expect(
      try run(
        TestNode(
          "ScatterElements",
          [
            .fixed(Tensor([1, 2, 3, 4, 5] as [Float], shape: [1, 5])),
            .ints([1, 3], [1, 2]), .fixed(Tensor([1.1, 2.1] as [Float], shape: [1, 2])),
          ], ["axis": .int(1)]))
        == Tensor([1, 1.1, 3, 2.1, 5] as [Float], shape: [1, 5]))
    #expect(
      try run(TestNode("Trilu", [.fixed(matrix)], ["upper": .int(0)]))
        == Tensor([1, 0, 3, 4] as [Float], shape: [2, 2]))
    #expect(
      try run(
        TestNode(
          "CumSum", [.fixed(Tensor([1, 2, 3] as [Float])), .fixed(Tensor(scalar: Int32(0)))],
          ["exclusive": .int(1), "reverse": .int(1)])) == Tensor([5, 3, 0] as [Float]))
    #expect(
      try run(
        TestNode("IsInf", [.fixed(Tensor([-.infinity, 1, .infinity, .nan] as [Float]))], ["detect_negative": .int(0)]))
        == Tensor([false, false, true, false]))
  }

  @Test("with NaN keeps it where the specification does", arguments: ["Max", "Min", "ReduceMax", "Relu", "Clip"])
  func notANumber(operatorType: String) throws {
    let x = Tensor([1, .nan, -2] as [Float])
    let inputs: [TestInput] = operatorType == "Max" || operatorType == "Min" ? [.fixed(x), .ints([])] : [.fixed(x)]
    let test = TestNode(operatorType, inputs.count == 2 ? [.fixed(x), .fixed(Tensor([0, 0, 0] as [Float]))] : inputs)
    let y = try #require(try Session(test.model()).run([:])["y0"]).doubles()
    #expect(y.count == 1 ? y[0].isNaN : y[1].isNaN)
  }

  @Test("names itself and the index that is out of range, whether it comes in a run or in the model")
  func indexFaults() throws {
    let table = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
    for constant in [true, false] {
      let indices = Tensor([0, 7] as [Int64])
      var graph = Graph(
        name: "test", nodes: [Node("Gather", name: "embedding", inputs: ["table", "indices"], outputs: ["y"])],
        initializers: [Initializer("table", table)], outputs: [ValueInfo("y", .float, nil)])
      if constant {
        graph.initializers.append(Initializer("indices", indices))
      } else {
        graph.inputs = [ValueInfo("indices", .int64, [2])]
      }
      let session = try Session(Model(operatorSets: [OperatorSet(version: 17)], graph: graph))
      let error = #expect(throws: EngineError.self) { try session.run(constant ? [:] : ["indices": indices]) }
      let message = error.map { "\($0)" } ?? ""
      #expect(message.contains("'embedding'") && message.contains("index 7") && message.contains("extent of 2"))
      if !constant {
        // The next run is sound again.
        let y = try session.run(["indices": Tensor([-1, 0] as [Int64])])["y"]
        #expect(y == Tensor([3, 4, 1, 2] as [Float], shape: [2, 2]))
      }
    }
  }

  @Test(
    "refuses shapes and types that do not fit, naming what it found",
    arguments: [
      TestNode("Add", [.random([2, 3]), .random([2])]),
      TestNode("Add", [.random([2]), .ints([1, 2])]),
      TestNode("Concat", [.random([2, 3]), .random([3, 3])], ["axis": .int(1)]),
      TestNode("Concat", [.random([2, 3]), .random([2, 3])]),
      TestNode("Split", [.random([5])], outputs: 2, opset: 13),
      TestNode("Split", [.random([5]), .ints([2, 2])], outputs: 2),
      TestNode("Split", [.random([5]), .ints([Int64.max, Int64.max])], outputs: 2),
      TestNode("Slice", [.random([5]), .ints([0]), .ints([5]), .ints([0]), .ints([0])]),
      TestNode("Slice", [.random([5]), .ints([0]), .ints([5]), .ints([3])]),
      TestNode("Transpose", [.random([2, 3])], ["perm": .ints([0, 0])]),
      TestNode("Expand", [.random([2]), .ints([3])]), TestNode("Expand", [.random([1]), .ints([Int64.max, 9])]),
      TestNode("Tile", [.random([2]), .ints([Int64.max])]), TestNode("Tile", [.random([2]), .ints([1, 1])]),
      TestNode("Pad", [.random([2]), .ints([Int64.max, Int64.max])]),
      TestNode("Pad", [.random([2]), .ints([-2, -1])]),
      TestNode("Pad", [.random([0]), .ints([1, 0])], ["mode": .string("edge")]),
      TestNode("Pad", [.random([2]), .ints([Int64.max / 4, 0])], ["mode": .string("wrap")]),
      TestNode("Gather", [.random([0, 2]), .ints([0])]), TestNode("Gather", [.random([2]), .random([1])]),
      TestNode("GatherElements", [.random([2, 2]), .ints([0])]),
      TestNode("GatherND", [.random([2, 2]), .ints([0, 0, 0], [1, 3])]),
      TestNode("ScatterND", [.random([2, 2]), .ints([0], [1, 1]), .random([1, 3])]),
      TestNode("ReduceSum", [.random([2]), .ints([1])]), TestNode("Softmax", [.random([2])], ["axis": .int(1)]),
      TestNode("TopK", [.random([2]), .ints([3])], outputs: 2),
      TestNode("OneHot", [.ints([1]), .fixed(Tensor(scalar: Int64(-1))), .random([2])]),
      TestNode("OneHot", [.ints([1]), .fixed(Tensor(scalar: Int64.max)), .random([2])]),
      TestNode("LayerNormalization", [.random([2, 3]), .random([2])]),
      TestNode("BatchNormalization", [.random([2, 3]), .random([2]), .random([3]), .random([3]), .random([3])]),
      TestNode("Where", [.bools([true]), .random([1]), .ints([1])]),
      TestNode("Cast", [.random([1])], ["to": .int(99)]), TestNode("Trilu", [.random([3])]),
      TestNode("Sqrt", [.ints([4])]), TestNode("Not", [.random([1])]),
      TestNode("Add", [.fixed(Tensor(strings: ["a"], shape: [1])), .fixed(Tensor(strings: ["b"], shape: [1]))]),
    ])
  func refusals(test: TestNode) throws {
    let feeds = Dictionary(
      uniqueKeysWithValues: test.numbers().map {
        ("x\($0.key)", Tensor(doubles: $0.value.values, shape: $0.value.shape, elementType: .float))
      })
    let error = #expect(throws: EngineError.self) { try Session(test.model()).run(feeds) }
    guard case .invalidNode(let node, let problem)? = error else {
      Issue.record("not an error of a node: \(String(describing: error))")
      return
    }
    #expect(node.contains("'tested'") && node.contains(test.operatorType))
    #expect(!problem.isEmpty)
  }
}
