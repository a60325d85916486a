// Products of bytes: exact against plain integers and the reference runtime, and whole layers in 8 bits.

import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors
import Testing

@Suite("Layers of 8-bit integers")
struct QuantizedLayerTests {
  /// A product of bytes with zero points in every form that ONNX has.
  struct Product: Sendable, CustomStringConvertible {
    var description: String
    var a: Shape
    var b: Shape
    var isSignedA = false
    var isSignedB = true
    /// Zero points of a and of b: none, one, or as many.
    var zeros: (Int, Int) = (1, 0)

    func bytes(_ shape: Shape, isSigned: Bool, _ random: inout TestNumbers) -> Tensor {
      let values = (0..<shape.elementCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      return isSigned
        ? Tensor(values.map { Int8(bitPattern: $0) }, shape: shape) : Tensor(values, shape: shape)
    }
  }

  static let products: [Product] = [
    Product(description: "one row", a: [1, 5], b: [5, 3]),
    Product(description: "a depth that fours do not divide", a: [7, 33], b: [33, 70]),
    Product(description: "several chunks and groups", a: [75, 96], b: [96, 300], zeros: (1, 1)),
    Product(description: "unsigned on both sides", a: [9, 20], b: [20, 17], isSignedB: false, zeros: (1, 1)),
    Product(description: "unsigned, no zero points", a: [9, 20], b: [20, 17], isSignedB: false, zeros: (0, 0)),
    Product(description: "signed on both sides", a: [13, 64], b: [64, 40], isSignedA: true, zeros: (1, 40)),
    Product(
      description: "signed with unsigned", a: [13, 6], b: [6, 40], isSignedA: true, isSignedB: false, zeros: (1, 40)),
    Product(description: "a zero point for each row", a: [30, 12], b: [12, 33], zeros: (30, 33)),
    Product(description: "a batch on the left", a: [2, 3, 8, 10], b: [10, 9]),
    Product(description: "batches that broadcast", a: [2, 1, 4, 10], b: [3, 10, 9], zeros: (1, 9)),
  ]

  @Test("multiply exactly, whatever the zero points", arguments: products)
  func exact(_ test: Product) throws {
    var random = TestNumbers(seed: 4)
    var inputs = [
      test.bytes(test.a, isSigned: test.isSignedA, &random), test.bytes(test.b, isSigned: test.isSignedB, &random),
    ]
    for (count, isSigned) in [(test.zeros.0, test.isSignedA), (test.zeros.1, test.isSignedB)] {
      inputs.append(test.bytes(count == 1 ? [] : [count], isSigned: isSigned, &random))
    }
    let names = ["a", "b", "za", "zb"]
    let present = [true, true, test.zeros.0 > 0, test.zeros.1 > 0]
    // With the right side as a constant, which is packed once, and as an input.
    for constants in [["za", "zb"], ["b", "za", "zb"]] {
      let given = zip(names, inputs).filter { name, _ in present[names.firstIndex(of: name)!] }
      let node = Node("MatMulInteger", inputs: zip(names, present).map { $1 ? $0 : "" }, outputs: ["y"])
      let model = Model(
        operatorSets: [OperatorSet(version: 17)],
        graph: Graph(
          name: "bytes", nodes: [node],
          initializers: given.filter { constants.contains($0.0) }.map { Initializer($0.0, $0.1) },
          inputs: given.filter { !constants.contains($0.0) }.map { name, tensor in
            ValueInfo(name, tensor.elementType, tensor.shape.map { Dimension($0) })
          }, outputs: [ValueInfo("y", nil)]))
      let feeds = Dictionary(uniqueKeysWithValues: given.filter { !constants.contains($0.0) }.map { ($0.0, $0.1) })
      let expected = try #require(try ReferenceSession(model).run(feeds)["y"])
      for threads in [1, 2] {
        let session = try Session(model, options: .init(threads: threads))
        #expect(try session.run(feeds)["y"] == expected)
      }
    }
  }

  @Test("quantise as the specification says, on any number of threads the same")
  func dynamic() throws {
    let model = Model(
      operatorSets: [OperatorSet(version: 17)],
      graph: Graph(
        name: "dynamic",
        nodes: [Node("DynamicQuantizeLinear", inputs: ["x"], outputs: ["y", "scale", "zero"])],
        inputs: [ValueInfo("x", .float, ["count"])],
        outputs: ["y", "scale", "zero"].map { ValueInfo($0, nil) }))
    var random = TestNumbers(seed: 8)
    // Long enough for several pieces.
    for numbers in [random.floats(40_000, in: -3...1), random.floats(77, in: 0.5...2), [0, 0], [-1], []] {
      let feeds = ["x": Tensor(numbers)]
      let found = try Session(model, options: .init(threads: 1)).run(feeds)
      #expect(try Session(model, options: .init(threads: 2)).run(feeds) == found)
      let (low, high) = (min(0, numbers.min() ?? 0), max(0, numbers.max() ?? 0))
      let scale = try #require(found["scale"]).elements(as: Float.self)[0]
      let zero = try #require(found["zero"]).elements(as: UInt8.self)[0]
      #expect(scale == (high - low) / 255)
      let bytes = try #require(found["y"]).elements(as: UInt8.self)
      // No number is further than half a step from what its byte stands for.
      for (number, byte) in zip(numbers, bytes) {
        #expect(abs((Float(byte) - Float(zero)) * scale - number) <= 0.501 * scale + 1e-7)
      }
    }
  }

  /// Two layers with a Gelu between them, and a MatMul.
  private func network(_ random: inout TestNumbers) -> Model {
    let builder = GraphBuilder(name: "network", opset: 17)
    func parameter(_ name: String, _ shape: Shape) -> GraphBuilder.Value {
      builder.parameter(name, Tensor(random.floats(shape.elementCount, in: -0.5...0.5), shape: shape))
    }
    func constant(_ value: Float) -> GraphBuilder.Value { builder.constant(Tensor(scalar: value)) }
    let x = builder.input("x", .float, ["rows", 24])
    func dense(_ name: String, _ x: GraphBuilder.Value, _ inputs: Int, _ outputs: Int) -> GraphBuilder.Value {
      builder.node(
        "Gemm", [x, parameter("\(name).weight", [outputs, inputs]), parameter("\(name).bias", [outputs])],
        [Attribute("transB", .int(1))])
    }
    let inner = dense("inner", x, 24, 50)
    let active = inner * (builder.node("Erf", [inner / constant(Float(2).squareRoot())]) + constant(1)) * 0.5
    let sum = dense("outer", active, 50, 24) + dense("beside", x, 24, 24)
    builder.output(sum.matmul(parameter("last", [24, 7])), "y", .float, ["rows", 7])
    return builder.model()
  }

  @Test("give nearly what single precision gives, in both runtimes alike")
  func network() throws {
    var random = TestNumbers(seed: 6)
    let model = network(&random)
    let bytes = model.dynamicallyQuantized()
    try bytes.check(fullCheck: true)
    let feeds = ["x": Tensor(random.floats(33 * 24), shape: [33, 24])]
    let wanted = try #require(try ReferenceSession(model).run(feeds)["y"]).doubles()
    let expected = try #require(try ReferenceSession(bytes).run(feeds)["y"]).doubles()
    let largest = wanted.map { abs($0) }.max()!
    for threads in [1, 2] {
      let session = try Session(bytes, options: .init(threads: threads))
      let found = try #require(try session.run(feeds)["y"]).doubles()
      // A number that lies between two bytes may go to either: a step of one input is 1/255 of its range.
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 0.01 * largest })
      #expect(zip(found, wanted).allSatisfy { abs($0 - $1) < 0.03 * largest })
      #expect(found != wanted)
      let plan = try #require(try session.plan(for: feeds.mapValues(\.spec)))
      let run = try plan.profiled().map(\.node.operatorType)
      #expect(run.count { $0 == "QuantizedLinear" } == 4)
      // The two layers that read x share its bytes; the activation is part of its layer.
      #expect(run.count { $0 == "DynamicQuantizeLinear" } == 3)
      #expect(!run.contains("MatMulInteger") && !run.contains("Gelu") && !run.contains("Erf"))
    }
  }

  @Test("hold each weight once, in a quarter of the bytes, and leave what is to be kept")
  func weights() throws {
    var random = TestNumbers(seed: 6)
    let model = network(&random)
    let bytes = model.dynamicallyQuantized(keeping: ["last"])
    let kept = bytes.graph.initializers.filter { $0.tensor.elementType == .float && $0.tensor.shape.rank == 2 }
    #expect(kept.map(\.name) == ["last"])
    let whole = bytes.graph.initializers.filter { $0.tensor.elementType == .int8 }
    #expect(
      whole.map(\.tensor.shape).sorted { $0.elementCount < $1.elementCount } == [[24, 24], [24, 50], [50, 24]])
    // Each column's largest weight is 127 steps.
    for matrix in whole {
      let (values, columns) = (matrix.tensor.elements(as: Int8.self), matrix.tensor.shape[1])
      for column in 0..<columns {
        let extent = stride(from: column, to: values.count, by: columns).map { abs(Int(values[$0])) }.max()
        #expect(extent == 127)
      }
    }
    #expect(bytes.graph.nodes.contains { $0.operatorType == "MatMul" })
    #expect(!bytes.graph.nodes.contains { $0.operatorType == "Gemm" })
  }

  @Test("take rows out of tables of bytes, each row with a scale of its own")
  func tables() throws {
    var random = TestNumbers(seed: 12)
    let builder = GraphBuilder(name: "table", opset: 17)
    // Rows of very different size: one scale for all would lose the small ones.
    let values = random.floats(200 * 32).enumerated().map { index, value in value * (index / 32 % 2 == 0 ? 1 : 1e-3) }
    let table = builder.parameter("table", Tensor(values, shape: [200, 32]))
    let small = builder.parameter("small", Tensor(random.floats(2 * 32), shape: [2, 32]))
    let ids = builder.input("ids", .int64, ["batch", "length"])
    let sum = builder.node("Gather", [table, ids])
    builder.output(sum, "rows", .float, ["batch", "length", 32])
    builder.output(builder.node("Gather", [small, ids]), "few", .float, ["batch", "length", 32])
    let model = builder.model()
    let bytes = model.dynamicallyQuantized()
    try bytes.check(fullCheck: true)
    #expect(!bytes.graph.initializers.contains { $0.name == "table" })
    #expect(bytes.graph.initializers.contains { $0.name == "small" })
    let feeds = ["ids": Tensor([0, 1, 0, 1, 1, 0] as [Int64], shape: [2, 3])]
    let expected = try #require(try ReferenceSession(bytes).run(feeds)["rows"])
    let found = try #require(try Session(bytes).run(feeds)["rows"])
    #expect(found == expected)
    for (place, id) in [0, 1, 0, 1, 1, 0].enumerated() {
      let row = values[id * 32..<(id + 1) * 32]
      let step = row.map { abs($0) }.max()! / 127
      for (value, original) in zip(found.elements(as: Float.self)[place * 32..<(place + 1) * 32], row) {
        #expect(abs(value - original) <= 0.501 * step)
      }
    }
  }

  @Test("leave a weight alone that is not finite")
  func notFinite() {
    let builder = GraphBuilder(name: "network", opset: 17)
    let weight = builder.parameter("w", Tensor([1, .infinity, 0, .nan] as [Float], shape: [2, 2]))
    builder.output(builder.input("x", .float, ["rows", 2]).matmul(weight), "y", .float, ["rows", 2])
    let model = builder.model()
    #expect(model.dynamicallyQuantized() == model)
  }
}
