// How good recommendations are: what stands among the first k places, averaged over held-out cases.

import Glibc

/// Measures of ranked recommendations at `k`, each the mean over cases (one case a user).
///
/// ```swift
/// let measures = RecommendationMeasures.evaluate(cases: cases, k: 10) { model.scores(of: $0.candidates, for: $0.user) }
/// ```
public struct RecommendationMeasures: Sendable, Hashable, Codable {
  public let k: Int
  /// Held-out cases that the means are over.
  public let caseCount: Int
  /// `DCG@k / DCG@k of the best order`, the gain of each relevant item 1 (Järvelin and Kekäläinen 2002).
  public let ndcg: Double
  /// The share of cases with a relevant item among the first `k`.
  public let hitRate: Double
  /// `hits / |relevant|`.
  public let recall: Double
  /// `hits / k`.
  public let precision: Double
  /// The harmonic mean of precision and recall of a case, `2 · hits / (k + |relevant|)`, averaged.
  public let f1: Double

  public init(
    k: Int, caseCount: Int, ndcg: Double, hitRate: Double, recall: Double, precision: Double, f1: Double
  ) {
    self.k = k
    self.caseCount = caseCount
    self.ndcg = ndcg
    self.hitRate = hitRate
    self.recall = recall
    self.precision = precision
    self.f1 = f1
  }

  /// Measures a model that scores one case at a time.
  ///
  /// - Parameters:
  ///   - seen: what the users have already; left out of the ranking where a case ranks all items.
  ///   - scores: for a case with candidates their scores, in that order; for one without, the scores of all items.
  /// - Returns: nil where there are no cases.
  public static func evaluate(
    cases: [HeldOutCase], k: Int, seen: InteractionMatrix? = nil, ties: TieRule = .expected,
    scores: (HeldOutCase) throws -> [Float]
  ) rethrows -> RecommendationMeasures? {
    var tally = RecommendationTally(k: k, ties: ties)
    for heldOut in cases { tally.add(heldOut, scores: try scores(heldOut), seen: seen) }
    return tally.measures
  }
}

/// Where an item with the same score as others stands. Never before them for being relevant: a model that scores
/// everything alike must not look good.
public enum TieRule: Sendable, Hashable {
  /// Any order of equal scores is as likely, and the measures are their exact expectation: no seed, no luck.
  case expected
  /// Relevant items stand behind all others of the same score.
  case pessimistic
}

/// Sums up cases one by one; for models that score many users at once, and for several threads with a tally each.
public struct RecommendationTally: Sendable, Hashable {
  public let k: Int
  public let ties: TieRule
  public private(set) var caseCount = 0
  private var ndcg = 0.0
  private var hitRate = 0.0
  private var recall = 0.0
  private var precision = 0.0
  private var f1 = 0.0

  /// - Precondition: `k` is at least 1.
  public init(k: Int, ties: TieRule = .expected) {
    precondition(k >= 1, "measures need at least the first place")
    self.k = k
    self.ties = ties
  }

  /// The means so far; nil where nothing was added.
  public var measures: RecommendationMeasures? {
    guard caseCount > 0 else { return nil }
    let count = Double(caseCount)
    return RecommendationMeasures(
      k: k, caseCount: caseCount, ndcg: ndcg / count, hitRate: hitRate / count, recall: recall / count,
      precision: precision / count, f1: f1 / count)
  }

  /// Adds what another tally of the same `k` and ties saw.
  public mutating func add(_ other: RecommendationTally) {
    precondition(k == other.k && ties == other.ties, "tallies of different measures")
    caseCount += other.caseCount
    ndcg += other.ndcg
    hitRate += other.hitRate
    recall += other.recall
    precision += other.precision
    f1 += other.f1
  }

  /// Counts one case. A score that is not a number ranks behind all others and is never a hit.
  ///
  /// - Parameters:
  ///   - scores: of the case's candidates, in that order; of all items where it has none.
  ///   - seen: users by items; what the user has in it, the relevant items apart, is not ranked where the case has no
  ///     candidates.
  /// - Precondition: as many scores as candidates; a relevant item is one of the candidates.
  public mutating func add(_ heldOut: HeldOutCase, scores: [Float], seen: InteractionMatrix? = nil) {
    scores.withUnsafeBufferPointer { add(heldOut, scores: $0, seen: seen) }
  }

  /// The same for scores that stand in a larger buffer.
  public mutating func add(
    _ heldOut: HeldOutCase, scores: UnsafeBufferPointer<Float>, seen: InteractionMatrix? = nil
  ) {
    guard !heldOut.relevant.isEmpty else { return }
    var relevantScores: [Float]
    var top = TopScores(k)
    if heldOut.candidates.isEmpty {
      relevantScores = heldOut.relevant.map { scores[Int($0)] }
      var next = 0
      // The stretches between seen items; relevant items always take part.
      if let seen {
        let relevant = Set(heldOut.relevant)
        for item in seen[Int(heldOut.user)] where !relevant.contains(item) {
          top.add(scores[next..<Int(item)])
          next = Int(item) + 1
        }
      }
      top.add(scores[next..<scores.count])
    } else {
      precondition(heldOut.candidates.count == scores.count, "as many scores as candidates are needed")
      let relevant = Set(heldOut.relevant)
      relevantScores = []
      for (position, item) in heldOut.candidates.enumerated() where relevant.contains(item) {
        relevantScores.append(scores[position])
      }
      precondition(relevantScores.count == relevant.count, "each relevant item is needed once among the candidates")
      top.add(scores[0..<scores.count])
    }
    relevantScores.removeAll { $0.isNaN }
    count(relevantScores.sorted(by: >), in: top, relevantCount: heldOut.relevant.count)
  }

  /// - Parameter relevantScores: descending.
  private mutating func count(_ relevantScores: [Float], in top: TopScores, relevantCount: Int) {
    var hits = 0.0
    var missed = 1.0
    var gain = 0.0
    var place = 0
    var next = 0
    for group in top.groups {
      // Of `size` items with the same score, which take places from `place` on, `relevant` are relevant.
      var relevant = 0
      while next < relevantScores.count, relevantScores[next] == group.score {
        relevant += 1
        next += 1
      }
      let open = min(group.size, k - place)
      if relevant > 0 {
        switch ties {
        case .expected:
          let share = Double(relevant) / Double(group.size)
          hits += share * Double(open)
          gain += share * Self.discounts(from: place, count: open)
          // None of the relevant ones is drawn into the open places: a hypergeometric probability.
          for draw in 0..<relevant { missed *= max(0, Double(group.size - open - draw)) / Double(group.size - draw) }
        case .pessimistic:
          let inside = max(0, open - (group.size - relevant))
          hits += Double(inside)
          gain += Self.discounts(from: place + open - inside, count: inside)
          if inside > 0 { missed = 0 }
        }
      }
      place += open
      if place == k { break }
    }
    caseCount += 1
    ndcg += gain / Self.discounts(from: 0, count: min(k, relevantCount))
    hitRate += 1 - missed
    recall += hits / Double(relevantCount)
    precision += hits / Double(k)
    f1 += 2 * hits / Double(k + relevantCount)
  }

  /// `Σ 1 / log₂(i + 2)` over so many places `i`, counted from 0.
  private static func discounts(from place: Int, count: Int) -> Double {
    (place..<place + count).reduce(0) { $0 + 1 / log2(Double($1 + 2)) }
  }
}

/// The `k` highest of many scores, and how many more there are equal to the lowest of them.
private struct TopScores {
  private let limit: Int
  /// A heap, the lowest score at its root.
  private var heap: [Float] = []
  /// Scores equal to the root that found no place.
  private var overflow = 0

  init(_ limit: Int) {
    self.limit = limit
    heap.reserveCapacity(limit)
  }

  mutating func add(_ scores: Slice<UnsafeBufferPointer<Float>>) {
    for score in scores {
      if heap.count == limit {
        let lowest = heap[0]
        if score < lowest || score.isNaN { continue }
        if score == lowest {
          overflow += 1
          continue
        }
        replaceLowest(with: score)
        // Those equal to the old lowest count only while some of it is still in the heap.
        overflow = heap[0] == lowest ? overflow + 1 : 0
      } else if !score.isNaN {
        heap.append(score)
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
          heap.swapAt(child, (child - 1) / 2)
          child = (child - 1) / 2
        }
      }
    }
  }

  private mutating func replaceLowest(with score: Float) {
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < score else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = score
  }

  /// Equal scores together, the highest first.
  var groups: [(score: Float, size: Int)] {
    var groups: [(score: Float, size: Int)] = []
    for score in heap.sorted(by: >) {
      if groups.last?.score == score { groups[groups.count - 1].size += 1 } else { groups.append((score, 1)) }
    }
    if !groups.isEmpty { groups[groups.count - 1].size += overflow }
    return groups
  }
}
