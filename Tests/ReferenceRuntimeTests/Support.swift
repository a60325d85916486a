// What the tests of the reference runtime share: models of one node, and values by position.

import ONNX
import ReferenceRuntime
import Tensors

/// A model whose graph is one node: inputs `x0, x1, …` as given (nil is an input left out), outputs `y0, y1, …`.
func model(
  _ operatorType: String, domain: String = "", _ inputs: [Tensor?], _ attributes: [String: Attribute.Value] = [:],
  outputs: Int = 1, opset: Int64 = 21
) -> Model {
  let names = inputs.enumerated().map { $0.element == nil ? "" : "x\($0.offset)" }
  let node = Node(
    operatorType, domain: domain, name: "tested", inputs: names, outputs: (0..<outputs).map { "y\($0)" },
    attributes: attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) })
  let graph = Graph(
    name: "one node", nodes: [node],
    inputs: zip(names, inputs).compactMap { name, tensor in
      tensor.map { ValueInfo(name, $0.elementType, $0.shape.map { Dimension($0) }) }
    }, outputs: node.outputs.map { ValueInfo($0, nil) })
  return Model(operatorSets: [OperatorSet(domain: domain, version: opset)], graph: graph)
}

/// The outputs of one node.
func evaluate(
  _ operatorType: String, domain: String = "", _ inputs: [Tensor?], _ attributes: [String: Attribute.Value] = [:],
  outputs: Int = 1, opset: Int64 = 21
) throws -> [Tensor] {
  let session = try ReferenceSession(
    model(operatorType, domain: domain, inputs, attributes, outputs: outputs, opset: opset))
  var given: [String: Tensor] = [:]
  for (index, tensor) in inputs.enumerated() { given["x\(index)"] = tensor }
  let results = try session.run(given)
  return (0..<outputs).compactMap { results["y\($0)"] }
}

/// A float tensor.
func floats(_ values: [Float], _ shape: Shape? = nil) -> Tensor { Tensor(values, shape: shape ?? [values.count]) }

/// An int64 tensor.
func ints(_ values: [Int64], _ shape: Shape? = nil) -> Tensor { Tensor(values, shape: shape ?? [values.count]) }
