// The network against a hand computation and against PyTorch.

import Foundation
import GraphEngine
import ONNX
import PairwiseRanking
import Tensors
import Testing
import Training
import Verification

@Suite("The ranker's graph")
struct RankerGraphTests {
  /// What `Resources/make_step.py` wrote.
  struct PyTorchStep: Decodable {
    let embeddingDim: Int
    let hiddenDim: Int
    let margin: Float
    let learningRate: Float
    let metricMeans: [Float]
    let metricStds: [Float]
    let parameters: [String: Nested]
    let inputA: [[Float?]]
    let inputB: [[Float?]]
    let label: [Float]
    let scoreA: [Float]
    let scoreB: [Float]
    let loss: Float
    let updated: [String: Nested]

    /// A vector or a matrix.
    enum Nested: Decodable {
      case vector([Float])
      case matrix([[Float]])

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let vector = try? container.decode([Float].self) {
          self = .vector(vector)
        } else {
          self = .matrix(try container.decode([[Float]].self))
        }
      }

      var tensor: Tensor {
        switch self {
        case .vector(let values): Tensor(values)
        case .matrix(let rows): Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])
        }
      }
    }

    var graph: RankerGraph {
      RankerGraph(
        layout: FeatureLayout(embeddingDimension: embeddingDim, metricNames: ["m1", "m2"]),
        scaling: MetricScaling(means: metricMeans, standardDeviations: metricStds), hiddenDimension: hiddenDim,
        dropout: 0, margin: margin)
    }

    static func rows(_ rows: [[Float?]]) -> Tensor {
      Tensor(rows.flatMap { $0.map { $0 ?? .nan } }, shape: [rows.count, rows[0].count])
    }
  }

  private static func step() throws -> PyTorchStep {
    let url = try #require(Bundle.module.url(forResource: "Resources/pytorch_step", withExtension: "json"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(PyTorchStep.self, from: Data(contentsOf: url))
  }

  private func expect(_ found: Tensor?, _ expected: [Float], within tolerance: Float = 1e-6) throws {
    let values = try #require(found).elements(as: Float.self)
    #expect(values.count == expected.count)
    for (value, wanted) in zip(values, expected) { #expect(abs(value - wanted) <= tolerance) }
  }

  @Test("scores as PyTorch does with the same weights, missing metrics included")
  func scoresLikePyTorch() throws {
    let step = try Self.step()
    let parameters = step.parameters.mapValues(\.tensor)
    let inputs = ["input_a": PyTorchStep.rows(step.inputA), "input_b": PyTorchStep.rows(step.inputB)]
    let outputs = try Session(step.graph.comparer().replacing(parameters)).run(inputs)
    try expect(outputs["score_a"], step.scoreA)
    try expect(outputs["score_b"], step.scoreB)
    try expect(outputs["score_diff"], zip(step.scoreA, step.scoreB).map { $0 - $1 })
    let scored = try Session(step.graph.scorer().replacing(parameters)).run(["input": inputs["input_a"]!])
    try expect(scored["score"], step.scoreA)
  }

  @Test("takes the step that PyTorch takes: the same loss with ties in it, the same weights after")
  func stepsLikePyTorch() throws {
    let step = try Self.step()
    let model = step.graph.training(seed: 1).replacing(step.parameters.mapValues(\.tensor))
    let trainer = try Trainer(
      model, loss: RankerGraph.loss, parameters: RankerGraph.parameterNames,
      options: Trainer.Options(optimizer: .sgd(), threads: 1))
    let a = PyTorchStep.rows(step.inputA)
    let b = PyTorchStep.rows(step.inputB)
    let loss = try trainer.step(
      ["input_a": a.spec, "input_b": b.spec, "label": TensorSpec(.float, [step.label.count])],
      learningRate: step.learningRate
    ) { plan in
      for (name, values) in [
        ("input_a", a.elements(as: Float.self)), ("input_b", b.elements(as: Float.self)), ("label", step.label),
      ] {
        plan.withUnsafeMutableInput(name, as: Float.self) { _ = $0.update(from: values) }
      }
    }
    #expect(abs(loss - step.loss) < 1e-6)
    for (name, tensor) in step.updated.mapValues(\.tensor) {
      try expect(trainer.parameters[name], tensor.elements(as: Float.self))
    }
  }

  @Test("the loss is the margin's shortfall for winners and the distance for ties")
  func lossByHand() throws {
    // One feature, weights of one, no bias: the score of x > 0 is x. Differences: 0.25, -0.5, 2, -0.75.
    let graph = RankerGraph(
      layout: FeatureLayout(embeddingDimension: 1, metricNames: []),
      scaling: MetricScaling(means: [], standardDeviations: []), hiddenDimension: 1, dropout: 0, margin: 1)
    var parameters: [String: Tensor] = [:]
    for (name, shape) in graph.parameterShapes {
      parameters[name] = Tensor([Float](repeating: name.hasSuffix("weight") ? 1 : 0, count: 1), shape: shape)
    }
    let outputs = try Session(graph.training(seed: 0).replacing(parameters)).run([
      "input_a": Tensor([1.25, 1, 3, 1] as [Float], shape: [4, 1]),
      "input_b": Tensor([1, 1.5, 1, 1.75] as [Float], shape: [4, 1]), "label": Tensor([1, 1, -1, 0] as [Float]),
    ])
    // max(0, 1 - 0.25) = 0.75, max(0, 1 + 0.5) = 1.5, max(0, 1 + 2) = 3, |-0.75| = 0.75.
    try expect(outputs["loss"], [(0.75 + 1.5 + 3 + 0.75) / 4])
  }

  @Test("exports pass the checker in every opset and give the same scores", arguments: GraphBuilder.supportedOpsets)
  func opsets(opset: Int) throws {
    let step = try Self.step()
    let graph = RankerGraph(
      layout: step.graph.layout, scaling: step.graph.scaling, hiddenDimension: step.hiddenDim, dropout: 0.5,
      margin: 1, opset: opset)
    let exported = graph.comparer().replacing(step.parameters.mapValues(\.tensor))
    let read = try Model(bytes: try exported.serialized())
    try read.check(fullCheck: true)
    #expect(read.operatorSetVersion() == opset)
    #expect(!read.graph.nodes.contains { $0.operatorType == "Dropout" })
    let outputs = try Session(read).run([
      "input_a": PyTorchStep.rows(step.inputA), "input_b": PyTorchStep.rows(step.inputB),
    ])
    try expect(outputs["score_a"], step.scoreA)
    let report = try Verification.verify(exportedGraph: read, against: exported)
    #expect(report.passed, "\(report.failures)")
  }

  @Test("a model says what its columns are")
  func selfExplaining() throws {
    let model = try Self.step().graph.scorer()
    #expect(model.graph.inputs[0].documentation == "embedding[4], then m1, m2")
    #expect(model.metadata.contains { $0.key == "metric_names" && $0.value == "m1,m2" })
    #expect(model.producerName == "rankerkit")
  }
}
