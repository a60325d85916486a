// Each rule of the checker, with a model that breaks it.

import ONNX
import Tensors
import Testing

@Suite("The checker")
struct CheckerTests {
  /// A rule: how to break it, and what the message must say.
  struct Rule: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let message: String
    let fix: @Sendable (inout Model) -> Void

    init(_ name: String, _ message: String, _ fix: @escaping @Sendable (inout Model) -> Void) {
      testDescription = name
      self.message = message
      self.fix = fix
    }
  }

  static let rules: [Rule] = [
    Rule("IR 2", "IR version 2; accepted is 3 to 13") { $0.irVersion = 2 },
    Rule("IR 99", "IR version 99") { $0.irVersion = 99 },
    Rule("no opset", "imports no operator set") { $0.operatorSets = [] },
    Rule("opset 12", "opset 12; accepted is 13 to 21") { $0.operatorSets = [OperatorSet(version: 12)] },
    Rule("opset 22", "opset 22") { $0.operatorSets = [OperatorSet(version: 22)] },
    Rule("two versions of one opset", "as version 17 and as version 18") {
      $0.operatorSets.append(OperatorSet(domain: "ai.onnx", version: 18))
    },
    Rule("metadata twice", "the metadata key 'a' occurs twice") {
      $0.metadata = [MetadataEntry(key: "a", value: ""), MetadataEntry(key: "a", value: "")]
    },
    Rule("graph without name", "the main graph: it has no name") { $0.graph.name = "" },
    Rule("input twice", "two inputs have the name 'x'") { $0.graph.inputs.append($0.graph.inputs[0]) },
    Rule("input without type", "the input 'x' has no type") { $0.graph.inputs[0].type = nil },
    Rule("input without element type", "the input 'x' has no element type") {
      $0.graph.inputs[0] = ValueInfo("x", .undefined, nil)
    },
    Rule("output without type", "the output 'y' has no type") { $0.graph.outputs[0].type = nil },
    Rule("output of nothing", "nothing computes its output 'z'") {
      $0.graph.outputs.append(ValueInfo("z", .float, nil))
    },
    Rule("initializer twice", "two initializers have the name 'W'") {
      $0.graph.initializers.append($0.graph.initializers[0])
    },
    Rule("initializer that is no input, IR 3", "'W' is no input, which IR versions before 4 demand") {
      $0.irVersion = 3
    },
    Rule("nodes out of order", "node 'product' (MatMul): its output 'h' is the name of another value already") {
      $0.graph.nodes.insert(Node("Relu", inputs: ["x"], outputs: ["h"]), at: 0)
    },
    Rule("not topological", "node 'bias' (Add): its input 'h' is no input, initializer or output of an earlier node") {
      $0.graph.nodes.swapAt(0, 1)
    },
    Rule("unknown operator", "there is no operator 'Frobnicate' in opset 17 of ai.onnx") {
      $0.graph.nodes[2].operatorType = "Frobnicate"
    },
    Rule("operator of a later opset", "'Gelu' in opset 17 of ai.onnx; it exists from opset 20 on") {
      $0.graph.nodes[2].operatorType = "Gelu"
    },
    Rule("operator of an earlier opset", "'Upsample' is no longer part of opset 17") {
      $0.graph.nodes[2] = Node("Upsample", inputs: ["s", "b"], outputs: ["y"])
    },
    Rule("domain not imported", "the operator set 'com.example' is not imported") {
      $0.graph.nodes[2].domain = "com.example"
    },
    Rule("too many inputs", "it has 2 inputs; 1 are expected") { $0.graph.nodes[2].inputs = ["s", "s"] },
    Rule("too few inputs", "it has 1 inputs; 2 are expected") { $0.graph.nodes[1].inputs = ["h"] },
    Rule("input left out", "its input 'B' is left out") { $0.graph.nodes[1].inputs = ["h", ""] },
    Rule("too many outputs", "it has 2 outputs; 1 are expected") { $0.graph.nodes[2].outputs = ["y", "y2"] },
    Rule("no input and no output", "it has no input and no output") {
      $0.graph.nodes.append(Node("Relu", inputs: [], outputs: []))
    },
    Rule("unknown attribute", "'Relu' has no attribute 'alpha' in opset 17 (it has none)") {
      $0.graph.nodes[2].attributes = [Attribute("alpha", .float(1))]
    },
    Rule("attribute of another kind", "the attribute 'alpha' is of kind int; float is expected") {
      $0.graph.nodes[2] = Node("LeakyRelu", inputs: ["s"], outputs: ["y"], attributes: [Attribute("alpha", .int(1))])
    },
    Rule("attribute missing", "the attribute 'to' is missing, which 'Cast' requires") {
      $0.graph.nodes[2] = Node("Cast", inputs: ["s"], outputs: ["y"])
    },
    Rule("attribute twice", "the attribute 'alpha' occurs twice") {
      let alpha = Attribute("alpha", .float(1))
      $0.graph.nodes[2] = Node("LeakyRelu", inputs: ["s"], outputs: ["y"], attributes: [alpha, alpha])
    },
    Rule("reference outside of a function", "is a reference, outside of a function") {
      var alpha = Attribute("alpha", .float(1))
      alpha.reference = "a"
      $0.graph.nodes[2] = Node("LeakyRelu", inputs: ["s"], outputs: ["y"], attributes: [alpha])
    },
    Rule("nested graph reuses a name", "graph 'then_branch', node 0 (Relu): its output 'h' is the name of another") {
      $0.graph.nodes[2] = branching(writing: "h")
    },
    Rule("nested graph reads what comes later", "its input 'later' is no input, initializer") {
      $0.graph.nodes[2] = branching(reading: "later")
    },
    Rule("functions before IR 8", "functions need IR version 8 or later; it has 7") {
      $0.irVersion = 7
      $0.functions = [double]
    },
    Rule("function twice", "the function 'local.Double' occurs twice") { $0.functions = [double, double] },
    Rule("function without its opset", "function 'local.Double', node 0 (Add): the operator set '' is not imported") {
      $0.functions = [double]
      $0.functions[0].operatorSets = []
    },
    Rule("function with an output of nothing", "function 'local.Double': nothing computes its output 'p'") {
      $0.functions = [double]
      $0.functions[0].outputs = ["p"]
    },
    Rule("function that refers to no attribute", "refers to 'b', which is none") {
      $0.functions = [double]
      var attribute = Attribute("alpha", .float(0))
      attribute.reference = "b"
      $0.functions[0].nodes = [Node("LeakyRelu", inputs: ["i"], outputs: ["o"], attributes: [attribute])]
    },
    Rule("sparse indices out of range", "indices that are not ascending or out of its 4 elements") {
      $0.graph.sparseInitializers = [
        SparseTensor(
          values: Initializer("sp", Tensor([Float(1)])), indices: Initializer("", Tensor([Int64(4)])), shape: [4])
      ]
    },
  ]

  static let double: Function = {
    var function = Function(name: "Double", domain: "local")
    function.inputs = ["i"]
    function.outputs = ["o"]
    function.nodes = [Node("Add", inputs: ["i", "i"], outputs: ["o"])]
    function.operatorSets = [OperatorSet(version: 17)]
    return function
  }()

  static func branching(writing name: String = "inner", reading input: String = "s") -> Node {
    let branch = Graph(
      name: "branch", nodes: [Node("Relu", inputs: [input], outputs: [name])], outputs: [ValueInfo(name, nil)])
    let other = Graph(
      name: "other", nodes: [Node("Abs", inputs: ["s"], outputs: ["o"])], outputs: [ValueInfo("o", nil)])
    let attributes = [Attribute("then_branch", .graph(branch)), Attribute("else_branch", .graph(other))]
    return Node("If", inputs: ["flag"], outputs: ["y"], attributes: attributes)
  }

  @Test("names the broken rule", arguments: rules)
  func broken(rule: Rule) throws {
    var model = smallModel()
    model.graph.inputs.append(ValueInfo("flag", .bool, []))
    try model.check(fullCheck: true)
    rule.fix(&model)
    let error = #expect(throws: ONNXError.self) { try model.check() }
    #expect("\(error!)".contains(rule.message), "\(error!)")
  }

  @Test(
    "passes what Python's checker passes",
    arguments: ["raw_data.onnx", "everything.onnx", "ranker.onnx", "encoder.onnx"])
  func valid(name: String) throws {
    try Model(contentsOf: resource(name)).check(fullCheck: true)
  }

  @Test("reads a model of an old opset all the same, for inspection")
  func oldOpset() throws {
    var model = smallModel()
    model.operatorSets = [OperatorSet(version: 7)]
    let read = try Model(bytes: model.serialized())
    #expect(read == model)
    #expect(read.summary.contains("opset 7"))
    #expect(throws: ONNXError.self) { try read.check() }
  }

  @Test("functions and nested graphs that keep the rules pass")
  func functionsAndBranches() throws {
    var model = smallModel()
    model.graph.inputs.append(ValueInfo("flag", .bool, []))
    model.operatorSets.append(OperatorSet(domain: "local", version: 1))
    model.functions = [Self.double]
    model.graph.nodes[2] = Self.branching()
    model.graph.nodes.append(Node("Double", domain: "local", inputs: ["y"], outputs: ["y2"]))
    model.graph.outputs[0].name = "y2"
    try model.check(fullCheck: true)
    #expect(try model.inferredTypes()["y2"] == .tensor(TensorType(.float, ["batch", 4])))
  }
}
