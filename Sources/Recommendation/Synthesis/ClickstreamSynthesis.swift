// A made-up clickstream: users of a site of offers look at them, and get in touch about some.

import Datasets
import Glibc
import Parquet

/// Synthesizes a clickstream's directory, `clickstream.pq` and `events.pq`, in which clicks follow tastes.
///
/// Clicks are drawn as interactions are (``InteractionSynthesis``), but may repeat. A click by taste is a contact with
/// probability `contactShare`, one by popularity alone five times more seldom. So the contacts of the last days are
/// foretold by the clicks of the days before, and better by who is alike than by what is popular.
public struct ClickstreamSynthesis: Sendable, Hashable {
  public var users: Int
  public var items: Int
  /// Rows.
  public var clicks: Int
  public var factors: Int
  public var popularitySkew: Double
  public var activitySkew: Double
  public var sharpness: Double
  public var noise: Double
  /// The share of clicks by taste that are contacts.
  public var contactShare: Double
  /// The days that the clicks span, to the end of which a training holds out the last ones.
  public var days: Int
  public var start: Timestamp
  public var seed: UInt64

  public init(
    users: Int = 3_000, items: Int = 2_000, clicks: Int = 150_000, factors: Int = 20, popularitySkew: Double = 0.4,
    activitySkew: Double = 0.6, sharpness: Double = 3, noise: Double = 0.05, contactShare: Double = 0.15,
    days: Int = 60, start: Timestamp = Timestamp("2026-01-01")!, seed: UInt64 = 42
  ) {
    self.users = users
    self.items = items
    self.clicks = clicks
    self.factors = factors
    self.popularitySkew = popularitySkew
    self.activitySkew = activitySkew
    self.sharpness = sharpness
    self.noise = noise
    self.contactShare = contactShare
    self.days = days
    self.start = start
    self.seed = seed
  }

  /// What was written.
  public struct Summary: Sendable, Hashable {
    public let directory: String
    public let clicks: Int
    public let contacts: Int
  }

  /// Events 0 to 5 are looks of some kind, 6 to 8 contacts.
  private static let lookCount = 6
  private static let contactCount = 3

  /// As large a row group as two threads read at once without waiting for each other.
  private static let rowGroupSize = 500_000

  /// - Throws: for settings that can't be met, with what they may be.
  private func check() throws(SynthesisError) {
    func need(_ holds: Bool, _ name: String, _ value: some Any, _ expected: String) throws(SynthesisError) {
      if !holds { throw SynthesisError(setting: name, value: "\(value)", expected: expected) }
    }
    let most = 100_000_000
    try need((1...most).contains(users), "users", users, "1 to \(most)")
    try need((2...most).contains(items), "items", items, "2 to \(most)")
    try need(clicks >= 1, "clicks", clicks, "at least 1")
    try need((1...4096).contains(factors), "factors", factors, "1 to 4096")
    try need((0...4).contains(popularitySkew), "popularity skew", popularitySkew, "0 to 4")
    try need((0...3).contains(activitySkew), "activity skew", activitySkew, "0 to 3")
    try need((0...10).contains(sharpness), "sharpness", sharpness, "0 to 10")
    try need((0...1).contains(noise), "noise", noise, "0 to 1")
    try need((0...1).contains(contactShare), "contact share", contactShare, "0 to 1")
    try need((1...100_000).contains(days), "days", days, "1 to 100,000")
  }

  /// Writes the two tables into a directory, which is made where it does not exist. Rows are in the order of time and
  /// written half a million at a time.
  @discardableResult
  public func write(to directory: String) throws -> Summary {
    try check()
    if mkdir(directory, 0o777) != 0, errno != EEXIST {
      throw SynthesisError(
        setting: "output", value: directory,
        expected: "a directory that can be made: \(String(cString: strerror(errno)))")
    }
    let events = try ParquetWriter(
      path: "\(directory)/events.pq",
      fields: [
        .init("event", .integer(bits: 64, isSigned: true)), .init("is_contact", .integer(bits: 64, isSigned: true)),
      ])
    let eventCount = Self.lookCount + Self.contactCount
    try events.write([
      ParquetColumn((0..<eventCount).map(Int64.init)),
      ParquetColumn((0..<eventCount).map { Int64($0 < Self.lookCount ? 0 : 1) }),
    ])

    var generator = SeededGenerator(seed: seed)
    let model = TasteModel(
      users: users, items: items, topics: factors, skew: popularitySkew, sharpness: sharpness, noise: noise,
      using: &generator)
    let activity = AliasTable((0..<users).map { _ in exp(activitySkew * generator.normal()) })
    let table = try ParquetWriter(
      path: "\(directory)/clickstream.pq",
      fields: [
        .init("cookie", .integer(bits: 64, isSigned: true)), .init("node", .integer(bits: 32, isSigned: false)),
        .init("event", .integer(bits: 64, isSigned: true)),
        .init("event_date", .timestamp(.microseconds, isUTC: false)),
      ])
    let span = Double(days) * 86_400_000_000
    var contacts = 0
    var written = 0
    while written < clicks {
      let count = min(Self.rowGroupSize, clicks - written)
      var cookies: [Int64] = []
      var nodes: [UInt32] = []
      var kinds: [Int64] = []
      var times: [Int64] = []
      cookies.reserveCapacity(count)
      nodes.reserveCapacity(count)
      kinds.reserveCapacity(count)
      times.reserveCapacity(count)
      for row in written..<written + count {
        let user = activity.draw(using: &generator)
        let (item, byTaste) = model.draw(user: user, using: &generator)
        let isContact = generator.uniform() < (byTaste ? contactShare : contactShare / 5)
        contacts += isContact ? 1 : 0
        kinds.append(
          Int64(
            isContact
              ? Self.lookCount + generator.below(Self.contactCount) : generator.below(Self.lookCount)))
        cookies.append(Self.cookie(user))
        nodes.append(Self.node(item))
        times.append(start.microseconds + Int64(span * Double(row) / Double(clicks)))
      }
      try table.write([ParquetColumn(cookies), ParquetColumn(nodes), ParquetColumn(kinds), ParquetColumn(times)])
      written += count
    }
    try events.finish()
    try table.finish()
    return Summary(directory: directory, clicks: clicks, contacts: contacts)
  }

  // Numbers as they are met in the field: large, and in no order. An odd factor makes no two the same.

  private static func cookie(_ user: Int) -> Int64 {
    Int64((UInt64(user) &* 0x9E37_79B9_7F4A_7C15) & (1 << 48 - 1))
  }

  private static func node(_ item: Int) -> UInt32 { UInt32(truncatingIfNeeded: item) &* 0x9E37_79B1 }
}
