// The measures against hand computations, the plain list measures, and every order of equal scores counted out.

import Datasets
import Measures
import Recommendation
import Testing

@Suite struct MeasureTests {
  @Test("a relevant item at the second of ten places")
  func hand() throws {
    let heldOut = HeldOutCase(user: 0, relevant: [4], candidates: [9, 4, 7])
    let measures = try #require(
      RecommendationMeasures.evaluate(cases: [heldOut], k: 10) { _ in [0.5, 0.4, 0.3] })
    #expect(abs(measures.ndcg - 0.6309297535714575) < 1e-12)  // 1 / log2(3)
    #expect(measures.hitRate == 1 && measures.recall == 1 && measures.precision == 0.1)
    #expect(abs(measures.f1 - 2.0 / 11) < 1e-12)
    #expect(measures.caseCount == 1)
  }

  @Test("without ties the measures are those of a ranked list")
  func rankedList() throws {
    var generator = SeededGenerator(seed: 11)
    for k in [1, 3, 10, 60] {
      let scores = (0..<50).map { _ in Float(generator.uniform()) }
      let relevant = Array(generator.permutation(50).prefix(7)).map(Int32.init)
      let measures = try #require(
        RecommendationMeasures.evaluate(cases: [HeldOutCase(user: 0, relevant: relevant)], k: k) { _ in scores })
      let list = RankedList(
        scores.indices.sorted { scores[$0] > scores[$1] }.map(Int32.init), relevant: Set(relevant))
      #expect(abs(measures.ndcg - list.ndcg(at: k)) < 1e-12)
      #expect(abs(measures.hitRate - list.hitRate(at: k)) < 1e-12)
      #expect(abs(measures.recall - list.recall(at: k)) < 1e-12)
      #expect(abs(measures.precision - list.precision(at: k)) < 1e-12)
      #expect(abs(measures.f1 - list.f1(at: k)) < 1e-12)
    }
  }

  @Test("with ties the measures are the mean over every order of equal scores", arguments: [1, 2, 3, 4, 6])
  func ties(k: Int) throws {
    let scores: [Float] = [2, 1, 1, 3, 1, 2]
    let relevant: Set<Int32> = [0, 2, 4]
    let orders = permutations(Array(0..<6)).filter { order in
      zip(order, order.dropFirst()).allSatisfy { scores[$0] >= scores[$1] }
    }
    #expect(orders.count == 12)  // 2! · 3!
    let lists = orders.map { RankedList($0.map(Int32.init), relevant: relevant) }
    func mean(_ measure: (RankedList<Int32>) -> Double) -> Double { lists.map(measure).reduce(0, +) / 12 }
    let measures = try #require(
      RecommendationMeasures.evaluate(cases: [HeldOutCase(user: 0, relevant: [0, 2, 4])], k: k) { _ in scores })
    #expect(abs(measures.ndcg - mean { $0.ndcg(at: k) }) < 1e-12)
    #expect(abs(measures.hitRate - mean { $0.hitRate(at: k) }) < 1e-12)
    #expect(abs(measures.recall - mean { $0.recall(at: k) }) < 1e-12)
    #expect(abs(measures.f1 - mean { $0.f1(at: k) }) < 1e-12)

    let worst = try #require(
      RecommendationMeasures.evaluate(
        cases: [HeldOutCase(user: 0, relevant: [0, 2, 4])], k: k, ties: .pessimistic
      ) { _ in scores })
    #expect(abs(worst.recall - lists.map { $0.recall(at: k) }.min()!) < 1e-12)
    #expect(abs(worst.ndcg - lists.map { $0.ndcg(at: k) }.min()!) < 1e-12)
  }

  private func permutations(_ values: [Int]) -> [[Int]] {
    guard values.count > 1 else { return [values] }
    return values.indices.flatMap { index -> [[Int]] in
      var rest = values
      let first = rest.remove(at: index)
      return permutations(rest).map { [first] + $0 }
    }
  }

  @Test("a constant model does as chance does, not better")
  func constantModel() throws {
    let cases = (0..<10).map { HeldOutCase(user: $0, relevant: [$0], candidates: Array(0..<100)) }
    let constant: (HeldOutCase) -> [Float] = { Array(repeating: 0.5, count: $0.candidates.count) }
    let expected = try #require(RecommendationMeasures.evaluate(cases: cases, k: 10, scores: constant))
    #expect(abs(expected.hitRate - 0.1) < 1e-12)
    let worst = try #require(
      RecommendationMeasures.evaluate(cases: cases, k: 10, ties: .pessimistic, scores: constant))
    #expect(worst.hitRate == 0 && worst.ndcg == 0)
  }

  @Test("a model of NaN hits nothing")
  func notANumber() throws {
    let cases = [HeldOutCase(user: 0, relevant: [1], candidates: [0, 1, 2])]
    let measures = try #require(RecommendationMeasures.evaluate(cases: cases, k: 3) { _ in [.nan, .nan, .nan] })
    #expect(measures.hitRate == 0 && measures.recall == 0)
  }

  @Test("over all items, what the user has seen takes no place")
  func seenItems() throws {
    let seen = InteractionMatrix(rows: [0, 0, 0], columns: [0, 1, 4], values: [1, 1, 1], rowCount: 1, columnCount: 5)
    let heldOut = HeldOutCase(user: 0, relevant: [3])
    let scores: [Float] = [9, 8, 1, 5, 7]
    let masked = try #require(
      RecommendationMeasures.evaluate(cases: [heldOut], k: 1, seen: seen) { _ in scores })
    let plain = try #require(RecommendationMeasures.evaluate(cases: [heldOut], k: 1) { _ in scores })
    #expect(masked.hitRate == 1 && plain.hitRate == 0)
  }

  @Test("no cases give no measures, and tallies add up")
  func tallies() throws {
    #expect(RecommendationMeasures.evaluate(cases: [], k: 5) { _ in [] } == nil)
    let hit = HeldOutCase(user: 0, relevant: [0], candidates: [0, 1])
    let miss = HeldOutCase(user: 1, relevant: [1], candidates: [0, 1])
    var left = RecommendationTally(k: 1)
    var right = RecommendationTally(k: 1)
    left.add(hit, scores: [1, 0])
    right.add(miss, scores: [1, 0])
    left.add(right)
    #expect(try #require(left.measures).hitRate == 0.5)
  }
}
