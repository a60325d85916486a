// Whole networks' gradients against PyTorch's: graphs that torch.onnx exported, numbers that torch.autograd computed.
// Resources/make_networks.py made both.

import Foundation
import GraphEngine
import ONNX
import Tensors
import Testing

@Suite("A network that PyTorch exported")
struct NetworkGradientTests {
  @Test(
    "has PyTorch's loss and PyTorch's gradient of every parameter",
    arguments: ["ranker", "transformer", "collaborative"], [1, 2])
  func gradients(name: String, threads: Int) throws {
    let directory = Bundle.module.bundleURL.appendingPathComponent("Resources").path
    var model = try Model(contentsOf: "\(directory)/\(name).onnx")
    let expected = Dictionary(
      uniqueKeysWithValues: try Model(contentsOf: "\(directory)/\(name)_expected.onnx").graph.initializers.map {
        ($0.name, $0.tensor)
      })
    let parameters = model.graph.initializers.map(\.name)
    let shapes = Dictionary(uniqueKeysWithValues: model.graph.initializers.map { ($0.name, $0.tensor.shape) })
    let differentiated = try model.graph.differentiated(of: "loss", withRespectTo: parameters, opset: 17)
    model.graph = differentiated.graph
    let gradients = differentiated.gradients.values.flatMap { gradient in
      switch gradient {
      case .dense(let name): [name]
      case .rows(let indices, let rows): [indices, rows]
      }
    }
    // As variables, parameters are not folded into constants: this is the plan that a training runs.
    let session = try Session(
      model, outputs: ["loss"] + gradients, options: Session.Options(threads: threads, variables: Set(parameters)))
    let feeds = Dictionary(
      uniqueKeysWithValues: try session.inputs.map { ($0.name, try #require(expected["input/\($0.name)"])) })
    let results = try session.run(feeds)
    let loss = try #require(results["loss"]).doubles()[0]
    #expect(abs(loss - (try #require(expected["loss"])).doubles()[0]) < 1e-5)

    for parameter in parameters {
      let shape = try #require(shapes[parameter])
      var found = [Double](repeating: 0, count: shape.elementCount)
      switch try #require(differentiated.gradients[parameter], "\(parameter) reaches the loss") {
      case .dense(let name): found = try #require(results[name]).doubles()
      case .rows(let indices, let rows):
        let (places, values) = (try #require(results[indices]).int64s(), try #require(results[rows]).doubles())
        let width = shape[1]
        for (row, place) in places.enumerated() where place < shape[0] {
          for column in 0..<width { found[Int(place) * width + column] = values[row * width + column] }
        }
      }
      let wanted = try #require(expected["gradient/\(parameter)"]).doubles()
      #expect(difference(found, wanted) < 1e-5, "\(parameter)")
    }
  }

  @Test("keeps the gradients of its embedding tables sparse")
  func sparseTables() throws {
    let directory = Bundle.module.bundleURL.appendingPathComponent("Resources").path
    let graph = try Model(contentsOf: "\(directory)/collaborative.onnx").graph
    let tables = ["user_factor.weight", "item_factor.weight", "user_joined.weight", "item_joined.weight"]
    let gradients = try graph.differentiated(of: "loss", withRespectTo: tables, opset: 17).gradients
    for table in tables {
      guard case .rows? = gradients[table] else {
        Issue.record("\(table) has a dense gradient")
        continue
      }
    }
  }
}
