// Splits and sampled candidates: what must never leak, and what must come out the same again.

import Datasets
import Recommendation
import Testing

/// Rows of user, item and time, places given directly.
private func interactions(
  _ rows: [(user: Int32, item: Int32, time: Int64)], users: Int, items: Int, timed: Bool = true
) -> Interactions {
  Interactions(
    users: Vocabulary((0..<users).map { "u\($0)" }), items: Vocabulary((0..<items).map { "i\($0)" }),
    userIndices: rows.map(\.user), itemIndices: rows.map(\.item), strengths: rows.map { _ in 1 },
    timestamps: timed ? rows.map(\.time) : nil)
}

@Suite struct SplitTests {
  @Test("the latest item by time is held out, wherever its row stands")
  func latestByTime() {
    let data = interactions([(0, 3, 50), (0, 1, 90), (0, 2, 10), (1, 0, 5), (1, 4, 4)], users: 2, items: 5)
    let (training, heldOut) = data.leavingOneOut()
    #expect(heldOut == [HeldOutCase(user: 0, relevant: [1]), HeldOutCase(user: 1, relevant: [0])])
    #expect(training.itemIndices == [3, 2, 4])
    #expect(training.timestamps == [50, 10, 4])
  }

  @Test("of equal times, and without times, the last row of the file is the latest")
  func fileOrder() {
    let rows: [(user: Int32, item: Int32, time: Int64)] = [(0, 3, 7), (0, 1, 7), (0, 2, 7)]
    #expect(interactions(rows, users: 1, items: 4).leavingOneOut().heldOut.first?.relevant == [2])
    #expect(interactions(rows, users: 1, items: 4, timed: false).leavingOneOut().heldOut.first?.relevant == [2])
  }

  @Test("earlier rows with the held-out item leave the training part too")
  func noLeak() {
    let data = interactions([(0, 1, 1), (0, 2, 2), (0, 1, 3)], users: 1, items: 3)
    let (training, heldOut) = data.leavingOneOut()
    #expect(heldOut == [HeldOutCase(user: 0, relevant: [1])])
    #expect(training.itemIndices == [2])
  }

  @Test("a user with one item, however often, only trains")
  func singleItem() {
    let data = interactions([(0, 1, 1), (0, 1, 2), (1, 0, 1)], users: 2, items: 2)
    let (training, heldOut) = data.leavingOneOut()
    #expect(heldOut.isEmpty)
    #expect(training == data)
  }

  @Test("a share of the pairs is held out, each with all its rows, and nobody loses everything")
  func fraction() {
    var rows: [(user: Int32, item: Int32, time: Int64)] = []
    for user in Int32(0)..<20 { for item in Int32(0)..<10 { rows.append((user, item, 0)) } }
    rows += rows.prefix(50)
    rows.append((20, 10, 0))  // a user and an item with this pair only
    let data = interactions(rows, users: 21, items: 11)
    let (training, heldOut) = data.holdingOut(fraction: 0.25, seed: 9)
    #expect(heldOut.reduce(0) { $0 + $1.relevant.count } == 50)  // a quarter of 201 pairs, rounded
    let trained = InteractionMatrix(training)
    for heldOut in heldOut {
      for item in heldOut.relevant { #expect(!trained.contains(row: Int(heldOut.user), column: item)) }
    }
    #expect((0..<21).allSatisfy { !trained[$0].isEmpty })
    #expect((0..<11).allSatisfy { !trained.transposed[$0].isEmpty })
    #expect(data.holdingOut(fraction: 0.25, seed: 9).heldOut == heldOut)
    #expect(data.holdingOut(fraction: 0.25, seed: 10).heldOut != heldOut)
  }

  @Test("a fraction of nothing holds nothing out, and one near everything leaves each user and item something")
  func extremes() {
    let data = interactions([(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)], users: 2, items: 2)
    #expect(data.holdingOut(fraction: 0, seed: 1).training == data)
    let (training, heldOut) = data.holdingOut(fraction: 0.99, seed: 1)
    #expect(heldOut.reduce(0) { $0 + $1.relevant.count } == 2)
    #expect(Set(training.userIndices).count == 2 && Set(training.itemIndices).count == 2)
  }

  @Test("sampled candidates hold nothing that the user has, none twice, and the relevant item")
  func candidates() {
    var rows: [(user: Int32, item: Int32, time: Int64)] = []
    for user in Int32(0)..<30 {
      for step in Int64(0)..<12 { rows.append((user, (user * 7 + Int32(step) * 11) % 300, step)) }
    }
    let data = interactions(rows, users: 30, items: 300)
    let heldOut = data.leavingOneOut().heldOut
    let cases = NegativeSampler(data).candidates(for: heldOut, negatives: 99, seed: 5)
    let known = InteractionMatrix(data)
    #expect(cases.count == 30)
    for (heldOut, whole) in zip(cases, heldOut) {
      #expect(heldOut.relevant == whole.relevant)
      #expect(heldOut.candidates.count == 100 && Set(heldOut.candidates).count == 100)
      #expect(heldOut.candidates.contains(heldOut.relevant[0]))
      let owned = heldOut.candidates.filter { known.contains(row: Int(heldOut.user), column: $0) }
      #expect(owned == heldOut.relevant)
    }
    // The draw for a user does not depend on who else is there.
    let last = NegativeSampler(data).candidates(for: [heldOut[29]], negatives: 99, seed: 5)
    #expect(last == [cases[29]])
  }

  @Test("a user with almost every item gets what is left, one with every item gets no case")
  func fullUsers() {
    var rows: [(user: Int32, item: Int32, time: Int64)] = (0..<8).map { (0, $0, Int64($0)) }
    rows += (0..<10).map { (1, $0, Int64($0)) }
    let data = interactions(rows, users: 2, items: 10)
    let cases = NegativeSampler(data).candidates(for: data.leavingOneOut().heldOut, negatives: 99, seed: 1)
    #expect(cases == [HeldOutCase(user: 0, relevant: [7], candidates: [7, 8, 9])])
  }

  @Test("every item that the user lacks is drawn about as often")
  func evenDraw() {
    let data = interactions([(0, 0, 0), (0, 5, 0)], users: 1, items: 40)
    let sampler = NegativeSampler(data)
    var generator = SeededGenerator(seed: 3)
    var counts = [Int](repeating: 0, count: 40)
    for _ in 0..<4_000 { for item in sampler.sample(user: 0, count: 5, using: &generator) { counts[Int(item)] += 1 } }
    #expect(counts[0] == 0 && counts[5] == 0)
    // 20,000 draws over 38 items: 526 each, and a standard deviation of 21.
    #expect(counts.enumerated().filter { $0.offset != 0 && $0.offset != 5 }.allSatisfy { abs($0.element - 526) < 100 })
  }
}
