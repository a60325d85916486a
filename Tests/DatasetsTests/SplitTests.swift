// Random numbers and splits: the same for the same seed, and fair.

import Datasets
import Testing

@Suite("Random numbers")
struct SeededGeneratorTests {
  @Test("xoshiro256** gives the numbers of its authors' C program")
  func reference() {
    // From the reference program with the state 1, 2, 3, 4.
    var generator = SeededGenerator(state: [1, 2, 3, 4])!
    #expect(
      (0..<10).map { _ in generator.next() } == [
        11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360, 607_988_272_756_665_600,
        16_172_922_978_634_559_625, 8_476_171_486_693_032_832, 10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
      ])
  }

  @Test("the state of seed 0 is SplitMix64's first four numbers")
  func seeding() {
    #expect(
      SeededGenerator(seed: 0).state == [
        0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F, 0xF88B_B8A8_724C_81EC,
      ])
    #expect(SeededGenerator(state: [0, 0, 0, 0]) == nil)
    #expect(SeededGenerator(state: [1, 2, 3]) == nil)
  }

  @Test("a stored state goes on where it stood")
  func resuming() {
    var first = SeededGenerator(seed: 9)
    _ = first.permutation(100)
    var second = SeededGenerator(state: first.state)!
    #expect((0..<5).map { _ in first.next() } == (0..<5).map { _ in second.next() })
  }

  @Test("each number of a range is as likely, each order of three too")
  func fairness() {
    var generator = SeededGenerator(seed: 1)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[generator.below(7)] += 1 }
    // Five standard deviations of a binomial count: 5 · √(70,000 · 1/7 · 6/7) = 463.
    #expect(counts.allSatisfy { abs($0 - 10_000) < 463 })
    var orders: [[Int]: Int] = [:]
    for _ in 0..<60_000 { orders[generator.permutation(3), default: 0] += 1 }
    #expect(orders.count == 6)
    #expect(orders.values.allSatisfy { abs($0 - 10_000) < 457 })
  }

  @Test("normal numbers have mean 0 and variance 1, uniform ones stay below 1")
  func distributions() {
    var generator = SeededGenerator(seed: 2)
    let normal = (0..<40_000).map { _ in generator.normal() }
    let mean = normal.reduce(0, +) / 40_000
    let variance = normal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 40_000
    #expect(abs(mean) < 5 / 200)
    #expect(abs(variance - 1) < 5 * (2.0 / 40_000).squareRoot())
    #expect((0..<10_000).allSatisfy { _ in (0..<1).contains(generator.uniform()) })
  }
}

@Suite("Splits")
struct SplitTests {
  /// 200 records in 60 groups of uneven size.
  private let groups: [Int] = {
    var generator = SeededGenerator(seed: 4)
    return (0..<200).map { _ in generator.below(60) }
  }()

  @Test("no group stands on both sides, and every record on one", arguments: [0.05, 0.2, 0.5, 0.9])
  func holdOut(_ fraction: Double) {
    for seed in 0..<50 as Range<UInt64> {
      let split = Split.holdOut(groups: groups, fraction: fraction, seed: seed)
      #expect((split.training + split.validation).sorted() == Array(0..<200))
      #expect(Set(split.training.map { groups[$0] }).isDisjoint(with: split.validation.map { groups[$0] }))
      // No group is larger than 10, so the share can be met to within one group.
      #expect(abs(Double(split.validation.count) - fraction * 200) <= 10)
    }
  }

  @Test("the same seed gives the same split, another one another")
  func seeds() {
    let split = Split.holdOut(groups: groups, fraction: 0.2, seed: 42)
    #expect(split == Split.holdOut(groups: groups, fraction: 0.2, seed: 42))
    #expect(split != Split.holdOut(groups: groups, fraction: 0.2, seed: 43))
  }

  @Test("neither side is empty with two groups; nothing is set aside for 0 or of one group")
  func edges() {
    for fraction in [0.001, 0.5, 0.999] {
      let split = Split.holdOut(groups: [0, 0, 0, 1], fraction: fraction, seed: 7)
      #expect(!split.training.isEmpty && !split.validation.isEmpty)
    }
    #expect(Split.holdOut(groups: [0, 1, 2], fraction: 0, seed: 1).validation.isEmpty)
    #expect(Split.holdOut(groups: [5, 5], fraction: 0.5, seed: 1).validation.isEmpty)
    #expect(Split.holdOut(groups: [], fraction: 0.5, seed: 1).training.isEmpty)
  }

  @Test("in folds every record validates once, groups whole, sizes even", arguments: [2, 5, 7])
  func folds(_ count: Int) throws {
    let folds = try #require(Split.folds(groups: groups, count: count, seed: 3))
    #expect(folds.flatMap(\.validation).sorted() == Array(0..<200))
    for fold in folds {
      #expect((fold.training + fold.validation).sorted() == Array(0..<200))
      #expect(Set(fold.training.map { groups[$0] }).isDisjoint(with: fold.validation.map { groups[$0] }))
    }
    let sizes = folds.map(\.validation.count)
    #expect(sizes.max()! - sizes.min()! <= 1)
    #expect(folds == Split.folds(groups: groups, count: count, seed: 3))
    #expect(Split.folds(groups: [1, 1, 2], count: 3, seed: 0) == nil)
  }
}
