// Measures of a ranked list against what was relevant, cut after the first k places.

import Glibc

/// Measures of one ranked list, best first, against the set of relevant items.
///
/// ```swift
/// let list = RankedList(["b", "x", "a"], relevant: ["a", "b", "c"])
/// list.precision(at: 2)  // 0.5
/// list.recall(at: 3)     // 0.666…
/// ```
public struct RankedList<Element: Hashable> {
  public let ranked: [Element]
  public let relevant: Set<Element>

  /// - Parameter ranked: each item at most once.
  public init(_ ranked: [Element], relevant: Set<Element>) {
    self.ranked = ranked
    self.relevant = relevant
  }

  /// Relevant items among the first `k`.
  public func hits(at k: Int) -> Int { ranked.prefix(max(k, 0)).count { relevant.contains($0) } }

  /// 1 where at least one of the first `k` is relevant, else 0. Its mean over users is the hit rate at k
  /// (He et al., "Neural Collaborative Filtering", 2017).
  public func hitRate(at k: Int) -> Double { hits(at: k) > 0 ? 1 : 0 }

  /// `hits / k`: places that a short list leaves empty count as misses. 0 for `k < 1`.
  public func precision(at k: Int) -> Double { k > 0 ? Double(hits(at: k)) / Double(k) : 0 }

  /// `hits / |relevant|`; 0 where nothing is relevant.
  public func recall(at k: Int) -> Double {
    relevant.isEmpty ? 0 : Double(hits(at: k)) / Double(relevant.count)
  }

  /// The harmonic mean of precision and recall at `k`: `2 · hits / (k + |relevant|)`.
  public func f1(at k: Int) -> Double {
    let whole = max(k, 0) + relevant.count
    return whole > 0 ? 2 * Double(hits(at: k)) / Double(whole) : 0
  }

  /// The NDCG at `k` with a gain of 1 for each relevant item.
  public func ndcg(at k: Int) -> Double {
    normalizedDiscountedCumulativeGain(
      ranked.map { relevant.contains($0) ? 1 : 0 }, at: k, ideal: Array(repeating: 1, count: relevant.count))
  }
}

/// What a relevance grade is worth.
public enum Gain: Sendable, Hashable {
  /// The grade itself (Järvelin and Kekäläinen 2002; scikit-learn's `ndcg_score`).
  case linear
  /// `2^grade - 1` (Burges et al. 2005): puts weight on the highest grades.
  case exponential

  @inline(__always)
  func callAsFunction(_ grade: Double) -> Double {
    switch self {
    case .linear: grade
    case .exponential: exp2(grade) - 1
    }
  }
}

/// `DCG@k = Σ gain(grade_i) / log₂(i + 1)` over the first `k` places `i = 1…k` (Järvelin and Kekäläinen 2002).
public func discountedCumulativeGain(_ grades: [Double], at k: Int, gain: Gain = .linear) -> Double {
  grades.prefix(max(k, 0)).enumerated().reduce(0) { $0 + gain($1.element) / log2(Double($1.offset + 2)) }
}

/// `NDCG@k = DCG@k / DCG@k of the best order`; 0 where nothing is relevant.
/// - Parameters:
///   - grades: relevance in the order of the ranking, none negative.
///   - ideal: the grades of everything that could have been ranked; nil takes `grades`.
public func normalizedDiscountedCumulativeGain(
  _ grades: [Double], at k: Int, gain: Gain = .linear, ideal: [Double]? = nil
) -> Double {
  let best = discountedCumulativeGain((ideal ?? grades).sorted(by: >), at: k, gain: gain)
  return best > 0 ? discountedCumulativeGain(grades, at: k, gain: gain) / best : 0
}
