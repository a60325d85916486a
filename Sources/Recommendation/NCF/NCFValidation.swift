// How well a network ranks what was held out, after every epoch.

import Datasets
import Tensors

/// Held-out cases, and the network measured on them.
struct NCFValidation: Sendable {
  /// The cases that are measured.
  let cases: [HeldOutCase]
  /// The cases that there are; more than are measured where ranking all of them would take longer than an epoch.
  let availableCount: Int
  /// What a case without candidates leaves out of its ranking.
  private let seen: InteractionMatrix

  /// Pairs that are scored for one evaluation: about half a second of work.
  private static let mostPairs = 1 << 22
  /// Above so many items a case is ranked among drawn ones.
  private static let mostItems = 1 << 14
  private static let drawnCandidates = 999

  /// - Parameters:
  ///   - seen: users by items, what is trained on.
  ///   - known: everything that is known of the users; none of it is drawn as a candidate.
  init(_ cases: [HeldOutCase], seen: InteractionMatrix, known: InteractionMatrix, seed: UInt64) {
    self.seen = seen
    availableCount = cases.count
    let itemCount = seen.columnCount
    func pairs(_ heldOut: HeldOutCase) -> Int {
      heldOut.candidates.isEmpty ? min(itemCount, Self.mostItems) : heldOut.candidates.count
    }
    let total = cases.reduce(0) { $0 + pairs($1) }
    // Evenly spaced, the same in every epoch.
    let parts = (total + Self.mostPairs - 1) / Self.mostPairs
    let chosen = parts > 1 ? stride(from: 0, to: cases.count, by: parts).map { cases[$0] } : cases
    guard itemCount > Self.mostItems else {
      self.cases = chosen
      return
    }
    let open = chosen.filter(\.candidates.isEmpty)
    self.cases =
      chosen.filter { !$0.candidates.isEmpty }
      + NegativeSampler(known: known).candidates(for: open, negatives: Self.drawnCandidates, seed: seed)
  }

  /// Measures a network; nil where nothing is held out.
  func measures(of graph: NCFGraph, _ parameters: [String: Tensor], threads: Int?) throws -> RecommendationMeasures? {
    guard !cases.isEmpty else { return nil }
    let scorer = try NCFScorer(graph: graph, parameters: parameters, threads: threads)
    var tally = RecommendationTally(k: NCFSettings.cutoff)
    let listed = cases.filter { !$0.candidates.isEmpty }
    let scores = try scorer.scores(
      users: listed.flatMap { [Int32](repeating: $0.user, count: $0.candidates.count) },
      items: listed.flatMap(\.candidates))
    scores.withUnsafeBufferPointer { scores in
      var start = 0
      for heldOut in listed {
        tally.add(heldOut, scores: UnsafeBufferPointer(rebasing: scores[start..<start + heldOut.candidates.count]))
        start += heldOut.candidates.count
      }
    }
    for heldOut in cases where heldOut.candidates.isEmpty {
      tally.add(heldOut, scores: try scorer.scores(user: Int(heldOut.user)), seen: seen)
    }
    return tally.measures
  }
}
