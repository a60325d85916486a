// Gradients where a function has a corner or a tie: PyTorch's conventions, which finite differences cannot check.

import GraphEngine
import ONNX
import Tensors
import Testing

/// The gradients of `Σ w · node(x…)` with respect to each input.
private func gradients(
  _ operatorType: String, _ inputs: [Tensor], _ attributes: [Attribute] = [], constants: [Tensor] = [],
  weights: [Float]? = nil
) throws -> [[Float]] {
  let names = inputs.indices.map { "x\($0)" }
  let fixed = constants.indices.map { "c\($0)" }
  var nodes = [Node(operatorType, inputs: names + fixed, outputs: ["y"], attributes: attributes)]
  var initializers = zip(fixed, constants).map { Initializer($0, $1) }
  if let weights {
    initializers.append(Initializer("w", Tensor(weights)))
    nodes.append(Node("Mul", inputs: ["y", "w"], outputs: ["z"]))
  } else {
    nodes.append(Node("Identity", inputs: ["y"], outputs: ["z"]))
  }
  nodes.append(Node("ReduceSum", inputs: ["z"], outputs: ["loss"], attributes: [Attribute("keepdims", .int(0))]))
  let graph = Graph(
    name: "test", nodes: nodes, initializers: initializers,
    inputs: zip(names, inputs).map { ValueInfo($0, .float, $1.shape.map { Dimension($0) }) },
    outputs: [ValueInfo("loss", .float, [])])
  let differentiated = try graph.differentiated(of: "loss", withRespectTo: names, opset: 17)
  let outputs = names.compactMap { name in
    if case .dense(let gradient)? = differentiated.gradients[name] { gradient } else { nil }
  }
  let session = try Session(
    Model(operatorSets: [OperatorSet(version: 17)], graph: differentiated.graph), outputs: outputs)
  let computed = try session.run(Dictionary(uniqueKeysWithValues: zip(names, inputs)))
  return outputs.compactMap { computed[$0]?.elements() }
}

@Suite("At a corner the gradient")
struct OperatorConventionTests {
  @Test("of |x| and of ReLU is 0 at 0")
  func corners() throws {
    #expect(try gradients("Abs", [Tensor([-2, 0, 3] as [Float])]) == [[-1, 0, 1]])
    #expect(try gradients("Relu", [Tensor([-2, 0, 3] as [Float])]) == [[0, 0, 1]])
  }

  @Test("passes a clip on its bounds")
  func clip() throws {
    let bounds = [Tensor(scalar: Float(-1)), Tensor(scalar: Float(1))]
    let found = try gradients("Clip", [Tensor([-1.5, -1, 0, 1, 1.5] as [Float])], constants: bounds)
    #expect(found == [[0, 1, 1, 1, 0]])
  }

  @Test("of a maximum is shared by the inputs that tie")
  func maximumTies() throws {
    let found = try gradients("Max", [Tensor([1, 2, 5] as [Float]), Tensor([1, 3, 4] as [Float])])
    #expect(found == [[0.5, 0, 1], [0.5, 1, 0]])
  }

  @Test("of a row's maximum is shared evenly by the elements that tie")
  func reducedTies() throws {
    let x = Tensor([2, 1, 2, 0, 7, 3] as [Float], shape: [2, 3])
    let found = try gradients(
      "ReduceMax", [x], [Attribute("axes", .ints([1])), Attribute("keepdims", .int(0))],
      weights: [3, 5])
    #expect(found == [[1.5, 0, 1.5, 0, 5, 0]])
  }

  @Test("of a power is 0 where the exponent is 0, and of the exponent where the base is 0")
  func powers() throws {
    #expect(try gradients("Pow", [Tensor([0, 3] as [Float])], constants: [Tensor([0, 0] as [Float])]) == [[0, 0]])
    let found = try gradients("Pow", [Tensor([0, 2] as [Float]), Tensor([2, 0] as [Float])])
    #expect(found[0] == [0, 0])
    #expect(found[1][0] == 0)
    #expect(abs(found[1][1] - 0.693_147_2) < 1e-6)
  }

  @Test("of a product with zeros is the product of the others")
  func productZeros() throws {
    let x = Tensor([2, 0, 3, 0, 0, 5] as [Float], shape: [2, 3])
    #expect(try gradients("ReduceProd", [x], [Attribute("axes", .ints([1]))]) == [[0, 6, 0, 0, 0, 0]])
  }

  @Test("of an output that the loss leaves alone is 0, and the others keep theirs")
  func unusedParts() throws {
    let nodes = [
      Node("Split", inputs: ["x"], outputs: ["a", "b", ""], attributes: [Attribute("axis", .int(0))]),
      Node("ReduceSum", inputs: ["b"], outputs: ["loss"], attributes: [Attribute("keepdims", .int(0))]),
    ]
    let graph = Graph(
      name: "test", nodes: nodes, inputs: [ValueInfo("x", .float, [3])], outputs: [ValueInfo("loss", .float, [])])
    let differentiated = try graph.differentiated(of: "loss", withRespectTo: ["x"], opset: 17)
    guard case .dense(let name)? = differentiated.gradients["x"] else {
      Issue.record("no dense gradient")
      return
    }
    let model = Model(operatorSets: [OperatorSet(version: 17)], graph: differentiated.graph)
    let found = try Session(model, outputs: [name]).run(["x": Tensor([4, 5, 6] as [Float])])[name]
    #expect(found == Tensor([0, 1, 0] as [Float]))
  }
}
