// Measures of pairs, against hand counts and scipy.

import Measures
import Testing

@Suite("Pairwise accuracy")
struct PairwiseAgreementTests {
  @Test("ties among the labels do not count, equal scores count half")
  func halves() {
    var agreement = PairwiseAgreement()
    agreement.add(differences: [2, -1, 0.5, 0, 3], labels: [1, -1, -1, 1, 0])
    // Right, right, wrong, half; the tie has no right order.
    #expect(agreement.accuracy == 2.5 / 4)
    #expect(agreement.decidedCount == 4)
  }

  @Test("a ranker that gives every item the same score has an accuracy of one half")
  func constantRanker() {
    var agreement = PairwiseAgreement()
    agreement.add(differences: [0, 0, 0], labels: [1, -1, 1])
    #expect(agreement.accuracy == 0.5)
  }

  @Test("without a winner there is no accuracy")
  func onlyTies() {
    var agreement = PairwiseAgreement()
    agreement.add(differences: [1, 2], labels: [0, 0])
    #expect(agreement.accuracy == nil)
    #expect(agreement.labelAccuracy == 0)
  }

  @Test("the tie band, edge included, turns small differences into predicted ties")
  func tieBand() {
    var agreement = PairwiseAgreement(tieBand: 0.5)
    agreement.add(differences: [0.5, -0.5, 0.6, -0.6, 0.1], labels: [1, 0, 0, -1, 0])
    #expect(agreement.confusion.counts == [[1, 0, 0], [0, 2, 1], [0, 1, 0]])
    #expect(agreement.labelAccuracy == 3.0 / 5)
  }
}

@Suite("Kendall's tau")
struct KendallTauTests {
  @Test("agrees with scipy on the example of its documentation")
  func scipyExample() throws {
    let tau = try #require(kendallTau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]))
    #expect(abs(tau - -0.4714045207910316) < 1e-15)
  }

  @Test("agrees with scipy where both rankings have ties")
  func ties() throws {
    let tau = try #require(
      kendallTau(
        [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5]))
    #expect(abs(tau - 0.1009216784699164) < 1e-15)
  }

  @Test("agrees with scipy on 2,000 values of a linear congruential generator")
  func many() throws {
    var state: UInt64 = 1
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    var x: [Double] = []
    var y: [Double] = []
    for _ in 0..<2000 {
      x.append(Double(next() % 100))
      y.append(Double(next() % 50) + x.last! / 4)
    }
    let tau = try #require(kendallTau(x, y))
    #expect(abs(tau - 0.2997485390419828) < 1e-14)
  }

  @Test("is 1 for the same order, -1 for the opposite, and nothing for a constant")
  func extremes() {
    #expect(kendallTau([1, 2, 3], [10, 20, 30]) == 1)
    #expect(kendallTau([1, 2, 3], [3, 2, 1]) == -1)
    #expect(kendallTau([1, 2, 3], [5, 5, 5]) == nil)
    #expect(kendallTau([1], [1]) == nil)
  }

  @Test("of preferences agrees with scipy over both directions of every pair")
  func preferences() throws {
    let tau = try #require(
      preferenceTau(
        differences: [0.9, -0.2, 0.1, -0.4, 1.5, -2, -0.3, 0.7], labels: [1, -1, 0, 1, 1, -1, 0, -1]))
    #expect(abs(tau - 0.3187276291558383) < 1e-7)
  }

  @Test("of preferences does not depend on which item was called A")
  func mirrored() {
    let tau = preferenceTau(differences: [0.9, -0.2, 0.1, -0.4], labels: [1, -1, 0, 1])
    #expect(tau != nil)
    #expect(tau == preferenceTau(differences: [-0.9, -0.2, -0.1, 0.4], labels: [-1, -1, 0, -1]))
  }

  @Test("of preferences is 1 where winners, ties and losers lie apart, though all labels say A")
  func apart() throws {
    let tau = try #require(preferenceTau(differences: [1, 1, 1], labels: [1, 1, 1]))
    #expect(abs(tau - 1) < 1e-15)
  }
}
