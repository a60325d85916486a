// Measures of ranked lists, against hand computations and scikit-learn 1.9.1.

import Measures
import Testing

@Suite("Ranked lists")
struct RankedListTests {
  private let list = RankedList(["b", "x", "a", "y"], relevant: ["a", "b", "c"])

  @Test("precision, recall and F1 count the hits among the first k")
  func cuts() {
    let third: Double = 1.0 / 3
    let expected: [(k: Int, precision: Double, recall: Double, f1: Double)] = [
      (1, 1, third, 0.5), (2, 0.5, third, 0.4), (3, 2 * third, 2 * third, 2 * third),
    ]
    for (k, precision, recall, f1) in expected {
      #expect(abs(list.precision(at: k) - precision) < 1e-15)
      #expect(abs(list.recall(at: k) - recall) < 1e-15)
      #expect(abs(list.f1(at: k) - f1) < 1e-15)
    }
  }

  @Test("places beyond the end of the list are misses")
  func shortList() {
    #expect(list.precision(at: 10) == 0.2)
    #expect(list.recall(at: 10) == 2.0 / 3)
  }

  @Test("one hit is enough for the hit rate")
  func hitRate() {
    let late = RankedList([7, 8, 9], relevant: [9])
    #expect(late.hitRate(at: 2) == 0)
    #expect(late.hitRate(at: 3) == 1)
  }

  @Test("no cut, and nothing relevant, give zeros and no crash")
  func degenerate() {
    #expect(list.precision(at: 0) == 0)
    #expect(list.recall(at: -1) == 0)
    #expect(list.f1(at: 0) == 0)
    let none = RankedList([1, 2], relevant: [])
    #expect(none.recall(at: 2) == 0)
    #expect(none.ndcg(at: 2) == 0)
  }

  @Test("NDCG of a list counts relevant items that the list lacks")
  func ndcgOfList() {
    // DCG@3 = 1 + 1/log2(4); the best order has three ones: 1 + 1/log2(3) + 1/log2(4).
    #expect(abs(list.ndcg(at: 3) - 1.5 / 2.1309297535714573) < 1e-15)
  }
}

@Suite("NDCG")
struct NDCGTests {
  private let grades: [Double] = [5, 1, 0, 0, 10]

  @Test(
    "agrees with scikit-learn", arguments: [(5, 0.6956940443813076), (2, 0.4280562600295606), (4, 0.4123818817534531)])
  func linear(k: Int, expected: Double) {
    #expect(abs(normalizedDiscountedCumulativeGain(grades, at: k) - expected) < 1e-15)
  }

  @Test("with exponential gain agrees with scikit-learn on 2^grade - 1")
  func exponential() {
    let value = normalizedDiscountedCumulativeGain(grades, at: 4, gain: .exponential)
    #expect(abs(value - 0.030325163907805684) < 1e-15)
  }

  @Test("is 1 for the best order and 0 where nothing is relevant")
  func extremes() {
    #expect(normalizedDiscountedCumulativeGain([3, 2, 2, 0], at: 3) == 1)
    #expect(normalizedDiscountedCumulativeGain([0, 0], at: 2) == 0)
  }
}
