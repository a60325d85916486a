import ONNX
import Reports
import Tensors
import Testing

@Suite("A network's outline")
struct NetworkOutlineTests {
  private func parameter(_ name: String, _ shape: [Int]) -> Initializer {
    Initializer(name, Tensor(zeros: Shape(shape), elementType: .float))
  }

  private func network(_ graph: Graph) -> NetworkOutline {
    NetworkOutline(Model(operatorSets: [OperatorSet(version: 17)], graph: graph))
  }

  @Test("a small one has a row for each operator, and says which rows its values go to")
  func small() {
    let outline = network(
      Graph(
        name: "small",
        nodes: [
          Node("Gemm", inputs: ["x", "layer.weight", "layer.bias"], outputs: ["h"]),
          Node("Relu", inputs: ["h"], outputs: ["r"]), Node("Add", inputs: ["r", "x"], outputs: ["y"]),
        ],
        initializers: [parameter("layer.weight", [2, 3]), parameter("layer.bias", [2])],
        inputs: [ValueInfo("x", .float, ["batch", 3])], outputs: [ValueInfo("y", .float, ["batch", 2])]))
    #expect(outline.rows.map(\.title) == ["x", "Gemm", "Relu", "Add", "y"])
    #expect(outline.rows.map(\.detail) == ["float[batch, 3]", "layer · 2 × 3, 2", "", "", "float[batch, 2]"])
    #expect(outline.rows.map(\.kind) == [.input, .weighted, .plain, .plain, .output])
    #expect(outline.targets == [[1, 3], [2], [3], [4], []])
    #expect(outline.operatorCount == 3 && outline.parameterCount == 8 && outline.operatorSet == 17)
    // Four arrows down, and one that passes two boxes by.
    let drawing = outline.drawing.html
    #expect(drawing.matches(of: /<polygon/).count == 5)
    #expect(drawing.matches(of: /<rect/).count == 5)
    #expect(drawing.contains("aria-label=\"The network: x, then Gemm, then Relu, then Add, then y\""))
  }

  @Test("of a large one the parts are shown that its parameters are named by, like ones as one")
  func large() {
    var nodes = [
      Node("Not", inputs: ["mask"], outputs: ["hidden"]),
      Node("Gather", inputs: ["net.embeddings.words.weight", "ids"], outputs: ["x0"]),
    ]
    var parameters = [parameter("net.embeddings.words.weight", [7, 4])]
    for layer in 0..<4 {
      // The last layer has an operator more.
      for step in 0..<(layer == 3 ? 9 : 8) {
        let (input, output) = (step == 0 ? "x\(layer)" : "s\(layer).\(step - 1)", "s\(layer).\(step)")
        let inputs = step == 0 ? [input, "net.layer.\(layer).dense.weight"] : [input, step == 1 ? "hidden" : input]
        nodes.append(Node(step == 0 ? "MatMul" : "Add", inputs: inputs, outputs: [output]))
      }
      nodes.append(Node("Relu", inputs: ["s\(layer).\(layer == 3 ? 8 : 7)"], outputs: ["x\(layer + 1)"]))
      parameters.append(parameter("net.layer.\(layer).dense.weight", [4, 4]))
    }
    let outline = network(
      Graph(
        name: "large", nodes: nodes, initializers: parameters,
        inputs: [ValueInfo("ids", .int64, ["batch"]), ValueInfo("mask", .bool, ["batch"])],
        outputs: [ValueInfo("x4", .float, nil)]))
    #expect(
      outline.rows.map(\.title)
        == ["ids", "mask", "preparation", "net.embeddings", "net.layer.0 to 2", "net.layer.3", "x4"])
    #expect(outline.rows.map(\.repeats) == [1, 1, 1, 1, 3, 1, 1])
    #expect(outline.rows[3].detail == "1 operator · 28 parameters")
    #expect(outline.rows[4].detail == "9 operators · 16 parameters")
    #expect(outline.rows[5].detail == "10 operators · 16 parameters")
    #expect(outline.targets == [[3], [2], [4, 5], [4], [5], [6], []])
    #expect(outline.parameterCount == 28 + 4 * 16)
    #expect(outline.drawing.html.contains("× 3</text>"))
  }
}
