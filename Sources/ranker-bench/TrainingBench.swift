// The pairwise trainer's step: the headline's sizes, random numbers for data.

import GraphEngine
import PairwiseRanking
import Tensors
import Training

/// A training of the pairwise ranker on made-up pairs: 1,536 numbers of embedding and 6 metrics an item.
struct TrainingBench {
  static let embeddingDimension = 1536
  static let metricNames = ["clarity", "completeness", "impact", "keyword_density", "readability", "relevance"]
  static let batchSize = 32

  let graph: RankerGraph
  private let trainer: Trainer
  private let items: Tensor
  private let itemCount = 400

  init(threads: Int) throws {
    let layout = FeatureLayout(embeddingDimension: Self.embeddingDimension, metricNames: Self.metricNames)
    graph = RankerGraph(
      layout: layout,
      scaling: MetricScaling(
        means: [Float](repeating: 0.5, count: layout.metricNames.count),
        standardDeviations: [Float](repeating: 0.3, count: layout.metricNames.count)))
    trainer = try Trainer(
      graph.training(seed: 42), loss: RankerGraph.loss, parameters: RankerGraph.parameterNames,
      options: Trainer.Options(seed: 42, threads: threads))
    var generator = SystemRandomNumberGenerator()
    items = Tensor(
      (0..<itemCount * layout.count).map { _ in Float.random(in: -0.05...0.05, using: &generator) },
      shape: [itemCount, layout.count])
  }

  private var specs: [String: TensorSpec] {
    let width = graph.layout.count
    return [
      "input_a": TensorSpec(.float, [Self.batchSize, width]), "input_b": TensorSpec(.float, [Self.batchSize, width]),
      "label": TensorSpec(.float, [Self.batchSize]),
    ]
  }

  /// Gathers a batch from the table of items, as a training does.
  private func fill(_ plan: Plan, _ number: Int) {
    for (input, factor) in [("input_a", 7), ("input_b", 11)] {
      let rows = (0..<Self.batchSize).map { (number * Self.batchSize + $0) * factor % itemCount }
      plan.write(rows, of: items, to: input)
    }
    plan.withUnsafeMutableInput("label", as: Float.self) { label in
      for row in label.indices { label[row] = row % 2 == 0 ? 1 : -1 }
    }
  }

  func measure(seconds: Double) throws -> [Measurement] {
    var number = 0
    let timing = try Timing(seconds: seconds) {
      try trainer.step(specs, learningRate: 0.001) { fill($0, number) }
      number += 1
    }
    return [
      Measurement(
        name: "training step", value: timing.median * 1e3, unit: "ms",
        detail: "1,542 features, hidden 256, batch 32, Adam")
    ]
  }

  /// The seconds that each node of a step takes, for looking where the time goes.
  func profile() throws -> [(node: String, microseconds: Double)] {
    var totals: [(node: String, microseconds: Double)] = []
    let runs = 50
    for run in 0..<runs {
      let items = try trainer.profiledStep(specs, learningRate: 0.001) { fill($0, run) }
      for (index, item) in items.enumerated() {
        if run == 0 { totals.append(("\(item.node.operatorType) \(item.node.name)", 0)) }
        totals[index].microseconds += item.seconds * 1e6 / Double(runs)
      }
    }
    return totals
  }
}
