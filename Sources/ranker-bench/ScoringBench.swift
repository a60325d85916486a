// Scoring items with the exported scorer: many at once, and one.

import GraphEngine
import PairwiseRanking
import Tensors

/// Times the scorer's graph as it is exported, on random numbers.
func measureScoring(_ graph: RankerGraph, threads: Int, seconds: Double) throws -> [Measurement] {
  let session = try Session(graph.scorer(), options: Session.Options(threads: threads))
  return try [(10_000, "ms", 1e3), (1, "µs", 1e6)].map { rows, unit, factor in
    let width = graph.layout.count
    guard let plan = try session.plan(for: ["input": TensorSpec(.float, [rows, width])]) else {
      fatalError("the scorer's shapes follow from its input's")
    }
    plan.withUnsafeMutableInput("input", as: Float.self) { input in
      for index in input.indices { input[index] = Float(index % 97) / 97 - 0.5 }
    }
    let timing = try Timing(seconds: seconds) { try session.execute(plan) }
    return Measurement(
      name: rows == 1 ? "scoring one item" : "scoring 10,000 items", value: timing.median * factor, unit: unit,
      detail: "\(width) features, hidden 256, the exported scorer")
  }
}
