// Types and shapes against those that Python infers, and by hand.

import Foundation
import ONNX
import Tensors
import Testing

@Suite("Type and shape inference")
struct InferenceTests {
  @Test("agrees with Python's inference on every value of a model", arguments: ["ranker", "encoder"])
  func python(name: String) throws {
    let types = try Model(contentsOf: resource("\(name).onnx")).inferredTypes()
    let lines = try String(contentsOfFile: resource("\(name).types"), encoding: .utf8).split(separator: "\n")
    #expect(lines.count >= 8)
    for line in lines {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      let type = try #require(types[String(fields[0])]?.tensorType, "\(fields[0])")
      #expect("\(type.elementType)" == fields[1])
      guard fields.count > 2 else { continue }
      let expected = fields[2].split(separator: ",")
      let shape = try #require(type.shape, "\(fields[0])")
      #expect(shape.count == expected.count, "\(fields[0]): \(type) \(expected)")
      for (dimension, text) in zip(shape, expected) {
        if let number = Int64(text) { #expect(dimension.extent == .fixed(number), "\(fields[0])") }
      }
    }
  }

  /// What one operator gives for these inputs; `constants` become initializers.
  private func infer(
    _ node: String, _ inputs: [(ElementType, [ONNX.Dimension])], constants: [Tensor] = [], attributes: [Attribute] = [],
    outputs: Int = 1, opset: Int64 = 17
  ) throws -> [String] {
    let names = inputs.indices.map { "i\($0)" }
    let constantNames = constants.indices.map { "c\($0)" }
    let outputNames = (0..<outputs).map { "o\($0)" }
    let graph = Graph(
      name: "one",
      nodes: [Node(node, name: "n", inputs: names + constantNames, outputs: outputNames, attributes: attributes)],
      initializers: zip(constantNames, constants).map { Initializer($0, $1) },
      inputs: zip(names, inputs).map { ValueInfo($0, $1.0, $1.1) })
    let types = try Model(operatorSets: [OperatorSet(version: opset)], graph: graph).inferredTypes()
    return outputNames.map { types[$0]?.description ?? "?" }
  }

  @Test("shapes follow the operators' rules")
  func rules() throws {
    let float = ElementType.float
    func int(_ values: Int64...) -> Tensor { Tensor(values) }
    #expect(try infer("Add", [(float, ["n", 1, 4]), (float, [3, 1])]) == ["float[n, 3, 4]"])
    #expect(try infer("MatMul", [(float, ["b", 2, 3]), (float, [3, 5])]) == ["float[b, 2, 5]"])
    #expect(try infer("MatMul", [(float, [3]), (float, [3])]) == ["float[]"])
    let transposed = [Attribute("transB", .int(1))]
    #expect(try infer("Gemm", [(float, ["b", 3]), (float, [5, 3])], attributes: transposed) == ["float[b, 5]"])
    #expect(try infer("Reshape", [(float, ["b", 2, 6])], constants: [int(0, -1, 3)]) == ["float[b, 4, 3]"])
    #expect(try infer("Flatten", [(float, ["b", 2, 6])]) == ["float[b, 12]"])
    #expect(try infer("Transpose", [(float, ["b", 2, 6])]) == ["float[6, 2, b]"])
    #expect(try infer("Unsqueeze", [(float, ["b"])], constants: [int(-1, 0)]) == ["float[1, b, 1]"])
    #expect(try infer("Squeeze", [(float, ["b", 1])], constants: [int(1)]) == ["float[b]"])
    #expect(try infer("Gather", [(float, [9, 4]), (.int64, ["b", "l"])]) == ["float[b, l, 4]"])
    let joined = try infer(
      "Concat", [(float, ["b", 2]), (float, ["b", 3])], attributes: [Attribute("axis", .int(-1))])
    #expect(joined == ["float[b, 5]"])
    let parts = try infer(
      "Split", [(float, [7, 2])], constants: [int(3, 4)], attributes: [Attribute("axis", .int(0))], outputs: 2)
    #expect(parts == ["float[3, 2]", "float[4, 2]"])
    #expect(try infer("Slice", [(float, [10])], constants: [int(8), int(-20), int(0), int(-3)]) == ["float[3]"])
    #expect(try infer("Slice", [(float, [10])], constants: [int(-3), int(.max), int(0)]) == ["float[3]"])
    #expect(try infer("ReduceSum", [(float, ["b", 4])], constants: [int(1)]) == ["float[b, 1]"])
    let axes = [Attribute("axes", .ints([-1])), Attribute("keepdims", .int(0))]
    #expect(try infer("ReduceMean", [(float, ["b", 4])], attributes: axes) == ["float[b]"])
    #expect(try infer("TopK", [(float, ["b", 9])], constants: [int(5)], outputs: 2) == ["float[b, 5]", "int64[b, 5]"])
    #expect(try infer("Expand", [(float, ["b", 1])], constants: [int(2, 1, 4)]) == ["float[2, b, 4]"])
    #expect(try infer("Cast", [(float, ["b"])], attributes: [Attribute("to", .int(7))]) == ["int64[b]"])
    #expect(try infer("Pad", [(float, [4, "b"])], constants: [int(1, 0, 2, 0)]) == ["float[7, b]"])
    #expect(try infer("Tile", [(float, [4, 2])], constants: [int(2, 3)]) == ["float[8, 6]"])
    #expect(try infer("Equal", [(float, ["b"]), (float, ["b"])]) == ["bool[b]"])
    #expect(try infer("NonZero", [(float, ["b", 2])]) == ["int64[2, ?]"])
    #expect(try infer("Shape", [(float, ["b", 2])]) == ["int64[2]"])
    let scalar = Tensor(scalar: Int64(8))
    let values = Tensor([Float(0), 1])
    #expect(try infer("OneHot", [(.int64, ["b"])], constants: [scalar, values]) == ["float[b, 8]"])
    let strides = [Attribute("strides", .ints([2, 2])), Attribute("pads", .ints([1, 1, 1, 1]))]
    #expect(
      try infer("Conv", [(float, ["b", 3, 8, 9]), (float, [6, 3, 3, 3])], attributes: strides) == ["float[b, 6, 4, 5]"])
  }

  @Test("what can't be is refused, naming node, operator and types")
  func refused() throws {
    func message(_ body: () throws -> [String]) -> String {
      do { return "accepted: \(try body())" } catch { return "\(error)" }
    }
    let float = ElementType.float
    let product = message { try infer("MatMul", [(float, ["b", 3]), (float, [4, 5])]) }
    #expect(product.contains("node 'n' (MatMul): the inner extents differ: 3 and 4"))
    #expect(product.contains("(float[b, 3], float[4, 5])"))
    #expect(message { try infer("Add", [(float, [2]), (.double, [2])]) }.contains("must have one type"))
    #expect(message { try infer("Not", [(float, [2])]) }.contains("its input 'X' is float[2]; allowed is bool"))
    #expect(message { try infer("Add", [(float, [2]), (float, [3])]) }.contains("do not broadcast"))
    #expect(
      message { try infer("Softmax", [(float, [2])], attributes: [Attribute("axis", .int(5))]) }
        .contains("axis 5 is out of the rank 1"))
    #expect(
      message { try infer("Reshape", [(float, [7])], constants: [Tensor([Int64(2), -1])]) }
        .contains("7 elements do not divide by 2"))
    #expect(
      message { try infer("Concat", [(float, [2]), (float, [2])], attributes: [Attribute("axis", .int(.max))]) }
        .contains("out of the rank"))
  }

  @Test("a declared type that does not follow is an error with both")
  func contradiction() throws {
    var model = smallModel()
    model.graph.outputs[0] = ValueInfo("y", .float, ["batch", 5])
    let error = #expect(throws: ONNXError.self) { try model.check(fullCheck: true) }
    #expect(
      "\(error!)".contains(
        "node 'activation' (Relu): 'y' is declared as float[batch, 5] and follows as float[batch, 4]"))
    model.graph.outputs[0] = ValueInfo("y", .double, nil)
    #expect(throws: ONNXError.self) { try model.check(fullCheck: true) }
    model.graph.outputs[0] = ValueInfo("y", .float, ["n", "m"])
    try model.check(fullCheck: true)
  }

  @Test("functions that call themselves end in an error")
  func recursion() throws {
    var model = smallModel()
    var function = Function(name: "F", domain: "local")
    (function.inputs, function.outputs) = (["i"], ["o"])
    function.nodes = [Node("F", domain: "local", inputs: ["i"], outputs: ["o"])]
    function.operatorSets = [OperatorSet(domain: "local", version: 1)]
    model.functions = [function]
    model.operatorSets.append(OperatorSet(domain: "local", version: 1))
    model.graph.nodes[2] = Node("F", domain: "local", inputs: ["s"], outputs: ["y"])
    let error = #expect(throws: ONNXError.self) { try model.check(fullCheck: true) }
    #expect("\(error!)".contains("call each other more than 32 deep"))
  }
}

@Suite("Showing a model")
struct ShowingTests {
  @Test("summary, listing and drawing name what a reader looks for")
  func texts() throws {
    let model = try Model(contentsOf: resource("ranker.onnx"))
    // 12·8 + 8 + 8·8 + 8 + 8 + 1
    #expect(model.parameterCount == 185)
    #expect(model.summary.contains("parameters  185 in 6 initializers, 740 bytes"))
    #expect(model.summary.contains("input       input_a: float[batch, 12]"))
    #expect(model.summary.contains("Gemm × 6, Relu × 4"))
    #expect(model.listing.contains("shared_layer.0.weight: float[8, 12]\n"))
    #expect(model.listing.contains("score_diff: float[batch] = Sub(score_a, score_b)\n"))
  }

  @Test("Graphviz draws every model", arguments: ["ranker.onnx", "everything.onnx", "encoder.onnx"])
  func drawing(name: String) throws {
    let dot = try #require(
      ["/usr/bin/dot", "/usr/local/bin/dot"].first { FileManager.default.isExecutableFile(atPath: $0) },
      "graphviz is needed: apt-get install graphviz")
    let model = try Model(contentsOf: resource(name))
    try withTemporaryDirectory { directory in
      for direction in [Model.DrawingDirection.topDown, .leftToRight] {
        let source = directory + "/graph.dot"
        try model.graphvizDot(direction: direction).write(toFile: source, atomically: true, encoding: .utf8)
        let run = Process()
        run.executableURL = URL(fileURLWithPath: dot)
        run.arguments = ["-Tsvg", source, "-o", directory + "/graph.svg"]
        try run.run()
        run.waitUntilExit()
        #expect(run.terminationStatus == 0)
        let svg = try String(contentsOfFile: directory + "/graph.svg", encoding: .utf8)
        for output in model.graph.outputs { #expect(svg.contains(">\(output.name)<")) }
      }
    }
  }
}
