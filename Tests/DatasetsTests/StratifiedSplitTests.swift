// Splits that keep each label's share.

import Datasets
import Testing

@Suite struct StratifiedSplitTests {
  /// How many of the records have each label.
  private func counts(_ records: [Int], _ labels: [[Int]], _ labelCount: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: labelCount)
    for record in records { for label in labels[record] { counts[label] += 1 } }
    return counts
  }

  @Test("every label has its share on either side, rare ones too, where a random split misses them")
  func shares() {
    // Label l occurs in about 1,000 / 2^l records, several in one.
    var generator = SeededGenerator(seed: 7)
    let labels = (0..<1_000).map { _ in
      (0..<8).filter { generator.uniform() < 1 / Double(1 << $0) * 0.9 }
    }
    let all = counts(Array(labels.indices), labels, 8)
    let split = Split.stratified(labels: labels, labelCount: 8, fraction: 0.2, seed: 1)
    #expect(Set(split.training).isDisjoint(with: split.validation))
    #expect((split.training + split.validation).sorted() == Array(0..<1_000))
    #expect(abs(split.validation.count - 200) <= 8)
    func worst(_ split: Split) -> Double {
      zip(counts(split.validation, labels, 8), all).map { abs(Double($0) - 0.2 * Double($1)) / Double($1) }.max()!
    }
    #expect(worst(split) <= 0.05)
    let random = (0..<20).map { seed in
      worst(Split.holdOut(groups: Array(labels.indices), fraction: 0.2, seed: UInt64(seed)))
    }
    #expect(worst(split) < random.min()!)
  }

  @Test("twenty records of each of ten labels give four of each, whatever the seed")
  func exact() {
    let labels = (0..<200).map { [$0 % 10] }
    for seed in 0..<5 {
      let split = Split.stratified(labels: labels, labelCount: 10, fraction: 0.2, seed: UInt64(seed))
      #expect(counts(split.validation, labels, 10) == Array(repeating: 4, count: 10))
    }
    #expect(
      Split.stratified(labels: labels, labelCount: 10, fraction: 0.2, seed: 1)
        != Split.stratified(labels: labels, labelCount: 10, fraction: 0.2, seed: 2))
    #expect(
      Split.stratified(labels: labels, labelCount: 10, fraction: 0.2, seed: 1)
        == Split.stratified(labels: labels, labelCount: 10, fraction: 0.2, seed: 1))
  }

  @Test("a group stays on one side")
  func groups() {
    let labels = (0..<90).map { [$0 % 3] }
    let groups = (0..<90).map { $0 / 6 }
    let split = Split.stratified(labels: labels, groups: groups, labelCount: 3, fraction: 0.3, seed: 3)
    #expect(Set(split.training.map { groups[$0] }).isDisjoint(with: split.validation.map { groups[$0] }))
    #expect((24...30).contains(split.validation.count))
  }

  @Test("a label of one record trains; neither side is empty where every label is of one record")
  func single() {
    let labels = (0..<41).map { $0 < 40 ? [0] : [1] }
    for seed in 0..<10 {
      #expect(Split.stratified(labels: labels, labelCount: 2, fraction: 0.2, seed: UInt64(seed)).training.contains(40))
    }
    let lonely = Split.stratified(labels: [[0], [1], [2]], labelCount: 3, fraction: 0.2, seed: 1)
    #expect(lonely.validation.count == 1)
    #expect(Split.stratified(labels: [[0], []], labelCount: 1, fraction: 0.5, seed: 1).validation.count == 1)
    #expect(Split.stratified(labels: [[0], [0]], labelCount: 1, fraction: 0, seed: 1).validation.isEmpty)
    #expect(Split.stratified(labels: [], labelCount: 1, fraction: 0.5, seed: 1).training.isEmpty)
  }
}
