// Made-up interactions with real structure, one after the other in the order of time.

import Datasets
import Glibc

/// Synthesizes interactions in which tastes can be found (``TasteModel`` says how they come about).
///
/// ```swift
/// let synthesis = InteractionSynthesis(users: 6_000, items: 3_000, interactions: 930_000)
/// try synthesis.write(to: "interactions.csv")
/// ```
///
/// The same settings give the same bytes. Rows are written as they are drawn; memory holds the tables of the model, and
/// one bit pattern of 8 to 16 bytes for each pair that was drawn.
public struct InteractionSynthesis: Sendable, Hashable {
  public var users: Int
  public var items: Int
  /// Rows; each pair of a user and an item comes once.
  public var interactions: Int
  /// Topics, the number of factors that a model needs to tell all tastes.
  public var factors: Int
  /// The popularity of the item at rank `r` is `r^-skew`: 0 for a flat catalogue, 1 for Zipf's law.
  public var popularitySkew: Double
  /// The users' activity is log-normal, `exp(activitySkew · N(0, 1))`, on top of the least that each has.
  public var activitySkew: Double
  /// How far tastes and topics lie apart: 0 for none, 2 for overlapping ones, 6 for clear ones.
  public var sharpness: Double
  /// The share of interactions that follow popularity alone.
  public var noise: Double
  /// Items held out of each user, drawn as the interactions are, behind them; 0 for no held-out cases.
  public var heldOutItems: Int
  /// Candidates of a held-out case, the held-out items among them.
  public var candidates: Int
  /// The time that the interactions span.
  public var days: Int
  /// Where the time begins.
  public var start: Timestamp
  public var seed: UInt64

  /// The defaults are those of the sample that comes with this module.
  public init(
    users: Int = 50, items: Int = 200, interactions: Int = 1_000, factors: Int = 4, popularitySkew: Double = 0.6,
    activitySkew: Double = 0.3, sharpness: Double = 6, noise: Double = 0.02, heldOutItems: Int = 10,
    candidates: Int = 40, days: Int = 90, start: Timestamp = Timestamp("2026-01-01")!, seed: UInt64 = 42
  ) {
    self.users = users
    self.items = items
    self.interactions = interactions
    self.factors = factors
    self.popularitySkew = popularitySkew
    self.activitySkew = activitySkew
    self.sharpness = sharpness
    self.noise = noise
    self.heldOutItems = heldOutItems
    self.candidates = candidates
    self.days = days
    self.start = start
    self.seed = seed
  }

  /// What a user did, weakest first, and the strength that each counts as.
  static let kinds: [(name: String, strength: Float)] = [("view", 1), ("like", 2), ("purchase", 4)]

  /// One synthesized row: places from 0.
  struct Row {
    var user: Int
    var item: Int
    var seconds: Int64
    var kind: Int
  }

  /// - Throws: for settings that can't be met, with what they may be.
  func check() throws(SynthesisError) {
    func need(_ holds: Bool, _ name: String, _ value: some Any, _ expected: String) throws(SynthesisError) {
      if !holds { throw SynthesisError(setting: name, value: "\(value)", expected: expected) }
    }
    try need((1...Int(Int32.max)).contains(users), "users", users, "at least 1")
    try need((2...Int(Int32.max)).contains(items), "items", items, "at least 2")
    try need(interactions >= users, "interactions", interactions, "at least one for each of the \(users) users")
    try need((1...4096).contains(factors), "factors", factors, "1 to 4096")
    try need((0...4).contains(popularitySkew), "popularity skew", popularitySkew, "0 to 4")
    try need((0...3).contains(activitySkew), "activity skew", activitySkew, "0 to 3")
    try need((0...10).contains(sharpness), "sharpness", sharpness, "0 to 10")
    try need((0...1).contains(noise), "noise", noise, "0 to 1")
    try need((0...items / 4).contains(heldOutItems), "held-out items", heldOutItems, "0 to a quarter of the items")
    try need(
      heldOutItems == 0 || (heldOutItems + 1...items).contains(candidates), "candidates", candidates,
      "more than the \(heldOutItems) held-out items, at most the \(items) items")
    try need((1...100_000).contains(days), "days", days, "1 to 100,000")
    // Users can't have more than half of all items: the rest of a draw would take forever.
    let (cells, overflow) = users.multipliedReportingOverflow(by: items)
    try need(
      overflow || interactions <= cells / 2, "interactions", interactions,
      "at most half of the \(overflow ? "many" : "\(cells)") pairs of users and items")
  }

  /// Draws all rows in the order of time, then the held-out items of each user.
  ///
  /// Every user has a row, and every item too where there are at least twice as many rows as items: its first user is
  /// the one that it suits best of a few drawn at random.
  func generate(
    row: (Row) throws -> Void, heldOut: (_ user: Int, _ relevant: [Int], _ candidates: [Int]) throws -> Void
  ) throws {
    try check()
    var generator = SeededGenerator(seed: seed)
    let model = TasteModel(
      users: users, items: items, topics: factors, skew: popularitySkew, sharpness: sharpness, noise: noise,
      using: &generator)
    let userOfRow = schedule(using: &generator)
    let firstItems = firstItems(of: userOfRow, model: model, using: &generator)
    var pairs = PairSet(capacity: interactions + users * heldOutItems)
    for (position, item) in firstItems { _ = pairs.insert(UInt64(userOfRow[position]), UInt64(item)) }

    let span = Int64(days) * 86_400
    let startSeconds = start.microseconds / 1_000_000
    var nextFirst = firstItems.startIndex
    for position in 0..<interactions {
      let user = Int(userOfRow[position])
      let seconds = startSeconds + Int64(Double(span) * Double(position) / Double(interactions))
      let item: Int
      let byTaste: Bool
      if nextFirst < firstItems.endIndex, firstItems[nextFirst].position == position {
        (item, byTaste) = (firstItems[nextFirst].item, true)
        nextFirst += 1
      } else {
        (item, byTaste) = drawNew(user, model: model, pairs: &pairs, using: &generator)
      }
      let chance = generator.uniform()
      let kind = byTaste ? (chance < 0.55 ? 0 : chance < 0.85 ? 1 : 2) : (chance < 0.9 ? 0 : chance < 0.98 ? 1 : 2)
      try row(Row(user: user, item: item, seconds: seconds, kind: kind))
    }
    guard heldOutItems > 0 else { return }
    for user in 0..<users {
      let relevant = (0..<heldOutItems).map { _ in drawNew(user, model: model, pairs: &pairs, using: &generator).item }
      var others: Set<Int> = []
      var order = relevant
      var draws = 0
      // A user who has nearly everything gets fewer candidates.
      while order.count < candidates, draws < 50 * candidates {
        let item = generator.below(items)
        draws += 1
        if !pairs.contains(UInt64(user), UInt64(item)), others.insert(item).inserted { order.append(item) }
      }
      for last in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(last, generator.below(last + 1)) }
      try heldOut(user, relevant, order)
    }
  }

  /// The user of each row: each at least once, no user more than half of the items, in random order.
  private func schedule(using generator: inout SeededGenerator) -> [Int32] {
    let most = (items + 1) / 2
    let activity = AliasTable((0..<users).map { _ in exp(activitySkew * generator.normal()) })
    var counts = [Int](repeating: 1, count: users)
    var left = interactions - users
    while left > 0 {
      var user = activity.draw(using: &generator)
      // Where the drawn user is full, the next one who is not takes the row.
      while counts[user] == most { user = user + 1 == users ? 0 : user + 1 }
      counts[user] += 1
      left -= 1
    }
    var order: [Int32] = []
    order.reserveCapacity(interactions)
    for (user, count) in counts.enumerated() { order.append(contentsOf: repeatElement(Int32(user), count: count)) }
    for last in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(last, generator.below(last + 1)) }
    return order
  }

  /// A row for each item, by position; none where there are fewer than twice as many rows as items.
  private func firstItems(
    of userOfRow: [Int32], model: TasteModel, using generator: inout SeededGenerator
  ) -> [(position: Int, item: Int)] {
    guard interactions >= 2 * items else { return [] }
    var isTaken = [Bool](repeating: false, count: interactions)
    var rows: [(position: Int, item: Int)] = []
    rows.reserveCapacity(items)
    for item in 0..<items {
      var best: (position: Int, affinity: Float)?
      for _ in 0..<32 {
        let position = generator.below(interactions)
        guard !isTaken[position] else { continue }
        let affinity = model.affinity(user: Int(userOfRow[position]), item: item)
        if affinity > best?.affinity ?? -1 { best = (position, affinity) }
      }
      var position = best?.position ?? generator.below(interactions)
      while isTaken[position] { position = position + 1 == interactions ? 0 : position + 1 }
      isTaken[position] = true
      rows.append((position, item))
    }
    return rows.sorted { $0.position < $1.position }
  }

  /// An item that the user does not have yet.
  private func drawNew(
    _ user: Int, model: TasteModel, pairs: inout PairSet, using generator: inout SeededGenerator
  ) -> (item: Int, byTaste: Bool) {
    for _ in 0..<100 {
      let drawn = model.draw(user: user, using: &generator)
      if pairs.insert(UInt64(user), UInt64(drawn.item)) { return drawn }
    }
    // The items of this taste are used up: any other will do.
    var item = generator.below(items)
    while !pairs.insert(UInt64(user), UInt64(item)) { item = item + 1 == items ? 0 : item + 1 }
    return (item, false)
  }
}

/// A setting of a synthesis that can't be met.
public struct SynthesisError: Error, Sendable, Hashable, CustomStringConvertible {
  public let setting: String
  public let value: String
  public let expected: String

  public var description: String { "\(setting): \(value) can't be; expected \(expected)" }
}

/// Pairs of numbers below 2³²: a hash table with open addressing.
struct PairSet {
  /// A pair plus one, 0 for an empty slot; at most half full.
  private var slots: [UInt64]
  private let mask: Int

  init(capacity: Int) {
    var size = 64
    while size < capacity * 2 { size *= 2 }
    slots = [UInt64](repeating: 0, count: size)
    mask = size - 1
  }

  /// False where it was there.
  mutating func insert(_ a: UInt64, _ b: UInt64) -> Bool {
    let slot = find(a, b)
    if slots[slot] != 0 { return false }
    slots[slot] = (a << 32 | b) &+ 1
    return true
  }

  func contains(_ a: UInt64, _ b: UInt64) -> Bool { slots[find(a, b)] != 0 }

  private func find(_ a: UInt64, _ b: UInt64) -> Int {
    let key = (a << 32 | b) &+ 1
    let product = key.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    var slot = Int(truncatingIfNeeded: product.high ^ product.low) & mask
    while slots[slot] != 0, slots[slot] != key { slot = (slot + 1) & mask }
    return slot
  }
}
