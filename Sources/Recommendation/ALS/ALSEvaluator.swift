// How well factors find what was held out.

import GraphEngine
import Tensors

/// Measures factors on held-out cases: candidates by their own products, all items by the graph that is exported.
struct ALSEvaluator {
  private let cases: [HeldOutCase]
  private let k: Int
  private let seen: InteractionMatrix
  private let graph: ALSGraph
  /// For cases that rank all items; nil where there are none.
  private let session: Session?

  init(_ evaluation: HeldOutEvaluation, seen: InteractionMatrix, graph: ALSGraph, threads: Int?) throws {
    cases = evaluation.cases
    k = evaluation.k
    self.seen = seen
    self.graph = graph
    let ranksAll = cases.contains { $0.candidates.isEmpty }
    session =
      ranksAll
      ? try Session(
        graph.scorer(),
        options: Session.Options(threads: threads, variables: Set(graph.parameterShapes.map(\.name)))) : nil
  }

  /// - Returns: nil where nothing is held out.
  func measures(of parameters: [String: Tensor]) throws -> RecommendationMeasures? {
    guard !cases.isEmpty else { return nil }
    var tally = RecommendationTally(k: k)
    let factors = graph.factors
    parameters[ALSGraph.userTable]!.withUnsafeElements(as: Float.self) { users in
      parameters[ALSGraph.itemTable]!.withUnsafeElements(as: Float.self) { items in
        for heldOut in cases where !heldOut.candidates.isEmpty {
          let user = users.baseAddress! + Int(heldOut.user) * factors
          tally.add(
            heldOut,
            scores: heldOut.candidates.map {
              dotProduct(user, items.baseAddress! + Int($0) * factors, count: factors)
            })
        }
      }
    }
    if let session {
      for (name, tensor) in parameters { try session.setVariable(name, to: tensor) }
      let open = cases.filter(\.candidates.isEmpty)
      let batch = max(1, min(Self.mostUsers, Self.mostScores / max(graph.itemCount, 1)))
      for start in stride(from: 0, to: open.count, by: batch) {
        let part = open[start..<min(start + batch, open.count)]
        let scores = try session.run(["user": Tensor(part.map { Int64($0.user) })])["scores"]!
        scores.withUnsafeElements(as: Float.self) { scores in
          for (row, heldOut) in part.enumerated() {
            let range = row * graph.itemCount..<(row + 1) * graph.itemCount
            tally.add(heldOut, scores: UnsafeBufferPointer(rebasing: scores[range]), seen: seen)
          }
        }
      }
    }
    return tally.measures
  }

  /// Enough for the product to be quick.
  private static let mostUsers = 256
  /// 16 MB.
  private static let mostScores = 1 << 22
}
