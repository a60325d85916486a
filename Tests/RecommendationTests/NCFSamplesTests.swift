// What an epoch of NCF trains on: known pairs, and items that the user does not have.

import Datasets
import Recommendation
import Testing

@Suite("NCF's samples")
struct NCFSamplesTests {
  /// User 0 has items 0, 1, 2; user 1 all but item 3; user 2 all; user 3 item 4.
  private let known = InteractionMatrix(
    rows: [0, 0, 0] + [Int32](repeating: 1, count: 5) + [Int32](repeating: 2, count: 6) + [3],
    columns: [0, 1, 2] + [0, 1, 2, 4, 5] + [0, 1, 2, 3, 4, 5] + [4],
    values: [1, 2, 3] + [Float](repeating: 1, count: 12), rowCount: 4, columnCount: 6)

  private func samples(
    _ loss: NCFGraph.Loss = .bce, ratio: Int = 4, excluded: [HeldOutCase] = [], isWeighted: Bool = false,
    seed: UInt64 = 7
  ) -> NCFSamples {
    NCFSamples(
      known: known, excluded: excluded, loss: loss, negativeRatio: ratio, isWeighted: isWeighted, seed: seed)
  }

  @Test("each known pair comes once, with as many drawn items as the ratio says, none of them the user's")
  func drawsNothingKnown() {
    let heldOut = HeldOutCase(user: 3, relevant: [5])
    let samples = samples(excluded: [heldOut])
    #expect(samples.pairCount == 15)
    #expect(samples.fullUsers == [2])
    #expect(samples.count == 9 * 5 + 6, "the user with every item has no drawn ones")
    for number in 1...20 {
      let epoch = samples.epoch(number)
      var pairs: [[Int]] = []
      for index in 0..<samples.count {
        let sample = epoch[index]
        if sample.label == 1 {
          pairs.append([sample.user, sample.item])
        } else {
          #expect(!known.contains(row: sample.user, column: Int32(sample.item)))
          #expect(sample.user != 3 || sample.item != 5, "what is held out is not drawn")
          #expect(sample.user != 1 || sample.item == 3, "one item is left to draw")
        }
      }
      #expect(pairs.count == 15 && Set(pairs).count == 15)
    }
  }

  @Test("an epoch's draws follow from seed and number alone, and differ from those of another")
  func repeatable() {
    func drawn(_ seed: UInt64, _ epoch: Int) -> [Int] {
      let samples = samples(seed: seed)
      let epoch = samples.epoch(epoch)
      return (0..<samples.count).map { epoch[$0].item }
    }
    #expect(drawn(7, 3) == drawn(7, 3))
    #expect(drawn(7, 3) != drawn(7, 4))
    #expect(drawn(7, 3) != drawn(8, 3))
  }

  @Test("every free item is as likely, in a small table and in one too large for bits", arguments: [40, 20_000_000])
  func uniform(itemCount: Int) {
    // All items from 20 on are the user's in the large table's case too, as far as they are looked at here: the free
    // ones are the even numbers below 20.
    let taken = (0..<Int32(20)).filter { !$0.isMultiple(of: 2) } + (itemCount == 40 ? Array(20..<40) : [])
    let matrix = InteractionMatrix(
      rowCount: 3, columnCount: itemCount, offsets: [0, taken.count, taken.count, taken.count], columns: taken,
      values: [Float](repeating: 1, count: taken.count))
    let samples = NCFSamples(
      known: matrix, excluded: [], loss: .bce, negativeRatio: 1000, isWeighted: false, seed: 1)
    let epoch = samples.epoch(1)
    var counts = [Int](repeating: 0, count: 10)
    var draws = 0
    for number in 0..<samples.count where epoch[number].label == 0 {
      let item = epoch[number].item
      #expect(item >= 20 || item.isMultiple(of: 2))
      counts[item * 10 / itemCount] += 1
      draws += 1
    }
    if itemCount == 40 { counts = Array(counts.prefix(5)) }
    // Pearson's χ² of 9 degrees of freedom is below 28 in all but one of a thousand cases, of 4 more often.
    let expected = Double(draws) / Double(counts.count)
    #expect(counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected } < 28)
  }

  @Test("BPR compares each known pair with drawn items, and leaves out whoever has every item")
  func pairwise() {
    let samples = samples(.bpr, ratio: 2)
    #expect(samples.count == 9 * 2)
    let epoch = samples.epoch(1)
    for number in 0..<samples.count {
      let sample = epoch[number]
      #expect(known.contains(row: sample.user, column: Int32(sample.item)))
      #expect(!known.contains(row: sample.user, column: Int32(sample.negative!)))
    }
  }

  @Test("weights follow the strengths and are 1 on average")
  func weights() {
    let samples = samples(isWeighted: true)
    let epoch = samples.epoch(1)
    let known = (0..<samples.count).map { epoch[$0] }.filter { $0.label == 1 }
    #expect(abs(known.reduce(0) { $0 + $1.weight } / 15 - 1) < 1e-5)
    let first = known.first { $0.user == 0 && $0.item == 0 }!
    let third = known.first { $0.user == 0 && $0.item == 2 }!
    #expect(abs(third.weight / first.weight - 3) < 1e-5)
  }
}
