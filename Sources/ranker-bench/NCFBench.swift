// The NCF trainer's step on made-up samples: the sizes of the published bar, and tables of a million rows.

import GraphEngine
import Recommendation
import Tensors
import Training

/// A training of the NCF network: embeddings of 64 numbers, layers of 128, 64 and 32, batches of 256, Adam.
struct NCFBench {
  static let batchSize = 256

  let graph: NCFGraph
  private let trainer: Trainer
  private let users: [Int64]
  private let items: [Int64]

  init(threads: Int, userCount: Int = 6000, itemCount: Int = 3000) throws {
    graph = NCFGraph(userCount: userCount, itemCount: itemCount)
    trainer = try Trainer(
      graph.training().replacing(graph.initialParameters(seed: 42)), loss: NCFGraph.lossName,
      parameters: graph.parameterNames, options: Trainer.Options(seed: 42, threads: threads))
    var generator = SystemRandomNumberGenerator()
    // A long tail, as interactions have: the square of a uniform number favours the first ids.
    func draw(_ count: Int) -> [Int64] {
      (0..<1 << 18).map { _ in
        let share = Double.random(in: 0..<1, using: &generator)
        return Int64(share * share * Double(count))
      }
    }
    users = draw(userCount)
    items = draw(itemCount)
  }

  private static let specs = [
    "user": TensorSpec(.int64, [batchSize]), "item": TensorSpec(.int64, [batchSize]),
    "label": TensorSpec(.float, [batchSize]),
  ]

  private func fill(_ plan: Plan, _ number: Int) {
    let start = number * Self.batchSize % users.count
    for (input, places) in [("user", users), ("item", items)] {
      plan.withUnsafeMutableInput(input, as: Int64.self) { target in
        for row in target.indices { target[row] = places[start + row] }
      }
    }
    plan.withUnsafeMutableInput("label", as: Float.self) { label in
      for row in label.indices { label[row] = row % 5 == 0 ? 1 : 0 }
    }
  }

  func measure(seconds: Double) throws -> [Measurement] {
    var number = 0
    let timing = try Timing(seconds: seconds) {
      try trainer.step(Self.specs, learningRate: 0.001) { fill($0, number) }
      number += 1
    }
    let size = "\(graph.userCount) users, \(graph.itemCount) items, embedding 64, layers 128-64-32, batch 256, Adam"
    let suffix = graph.userCount > 100_000 ? ", large tables" : ""
    return [
      Measurement(name: "ncf training step\(suffix)", value: timing.median * 1e6, unit: "µs", detail: size),
      Measurement(
        name: "ncf training\(suffix)", value: Double(Self.batchSize) / timing.median, unit: "rows/s", detail: size),
    ]
  }

  /// The seconds that each node of a step takes, for looking where the time goes.
  func profile() throws -> [(node: String, microseconds: Double)] {
    var totals: [(node: String, microseconds: Double)] = []
    let runs = 500
    for run in 0..<2 * runs {
      let items = try trainer.profiledStep(Self.specs, learningRate: 0.001) { fill($0, run) }
      for (index, item) in items.enumerated() {
        if run == 0 { totals.append(("\(item.node.operatorType) \(item.node.name)", 0)) }
        if run >= runs { totals[index].microseconds += item.seconds * 1e6 / Double(runs) }
      }
    }
    return totals
  }
}

/// Scoring with an NCF network of the same size: pairs, one user's ranking, everybody's.
func measureNCFScoring(threads: Int, seconds: Double) throws -> [Measurement] {
  let graph = NCFGraph(userCount: 6000, itemCount: 3000)
  let scorer = try NCFScorer(graph: graph, parameters: graph.initialParameters(seed: 42), threads: threads)
  var user = 0
  func next() -> Int {
    user = (user + 7) % graph.userCount
    return user
  }
  let pair = try Timing(seconds: seconds) { _ = try scorer.scores(user: next(), items: [17]) }
  let ranking = try Timing(seconds: seconds) { _ = topItems(try scorer.scores(user: next()), 10) }
  let users = Array(0..<Int32(500))
  let all = try Timing(seconds: seconds) { try scorer.forEachUser(users) { _, scores in _ = topItems(scores, 10) } }
  return [
    Measurement(name: "ncf one pair, p95", value: pair.percentile(95) * 1e6, unit: "µs", detail: "a user and an item"),
    Measurement(
      name: "ncf top 10 of 3,000, p95", value: ranking.percentile(95) * 1e3, unit: "ms", detail: "all items for a user"),
    Measurement(
      name: "ncf user of all users", value: all.median / Double(users.count) * 1e6, unit: "µs",
      detail: "3,000 items ranked for one user, many users at a time"),
  ]
}

/// The places of the highest scores, the highest first.
private func topItems(_ scores: some RandomAccessCollection<Float>, _ count: Int) -> [Int] {
  var top: [(score: Float, place: Int)] = []
  for (place, score) in scores.enumerated() where top.count < count || score > top[top.count - 1].score {
    if top.count == count { top.removeLast() }
    let position = top.firstIndex { $0.score < score } ?? top.count
    top.insert((score, place), at: position)
  }
  return top.map(\.place)
}
