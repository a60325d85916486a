// What a collection of answers looks like: its balance, what it covers, and where it contradicts itself.

import Datasets
import GRDB

/// What a collection of answers looks like.
public struct PairStatistics: Sendable {
  /// How much of the items of a type was compared.
  public struct Coverage: Sendable, Hashable {
    public let itemType: String
    public let itemCount: Int
    /// Items that at least one answer is about.
    public let comparedCount: Int
    public let pairCount: Int
  }

  /// Two items of which each was preferred to the other by some answers.
  public struct Contradiction: Sendable, Hashable {
    public let itemA: String
    public let itemB: String
    /// The pairs that prefer A, and those that prefer B.
    public let preferA: [Int64]
    public let preferB: [Int64]
  }

  /// Items that can't be put in an order, with a shortest circle among them.
  public struct Cycle: Sendable, Hashable {
    /// Each preferred to the next, the last to the first.
    public let items: [String]
    /// How many items are tangled, those of the circle included.
    public let tangledCount: Int
  }

  public let pairCount: Int
  public let preferACount: Int
  public let equalCount: Int
  public let preferBCount: Int
  /// By type.
  public let coverage: [Coverage]
  /// Pairs of two items of different types.
  public let acrossTypesCount: Int
  /// By type, then id.
  public let neverCompared: [String]
  /// Pairs about two items that an earlier pair was about already.
  public let repeatedCount: Int
  public let contradictions: [Contradiction]
  public let cycles: [Cycle]
  /// The most frequent first.
  public let reasonTags: [(tag: String, count: Int)]

  /// Below this many answers a trained ranker has little to go by: the goal that collecting them works towards.
  public static let goal = 100

  /// - Parameters:
  ///   - pairs: the answers, in the order in which they were given.
  ///   - items: the items that could have been compared.
  public init(pairs: [StoredPair], items: [(id: String, type: String)]) {
    pairCount = pairs.count
    preferACount = pairs.count { $0.label == .preferA }
    equalCount = pairs.count { $0.label == .equal }
    preferBCount = pairs.count { $0.label == .preferB }

    let compared = Set(pairs.flatMap { [$0.itemA, $0.itemB] })
    coverage = Set(items.map(\.type)).sorted().map { type in
      let ofType = items.filter { $0.type == type }
      return Coverage(
        itemType: type, itemCount: ofType.count, comparedCount: ofType.count { compared.contains($0.id) },
        pairCount: pairs.count { $0.itemType == type })
    }
    acrossTypesCount = pairs.count { $0.itemType == nil }
    neverCompared = items.filter { !compared.contains($0.id) }.sorted { ($0.type, $0.id) < ($1.type, $1.id) }.map(\.id)

    var answers: [NamePair: [StoredPair]] = [:]
    for pair in pairs { answers[NamePair(pair.itemA, pair.itemB), default: []].append(pair) }
    repeatedCount = pairs.count - answers.count
    contradictions = answers.compactMap { key, pairs in
      let preferLow = pairs.filter { $0.label != .equal && ($0.itemA == key.low) == ($0.label == .preferA) }.map(\.id)
      let preferHigh = pairs.filter { $0.label != .equal && ($0.itemA == key.high) == ($0.label == .preferA) }.map(\.id)
      return preferLow.isEmpty || preferHigh.isEmpty
        ? nil : Contradiction(itemA: key.low, itemB: key.high, preferA: preferLow, preferB: preferHigh)
    }.sorted { ($0.itemA, $0.itemB) < ($1.itemA, $1.itemB) }

    let graph = PreferenceGraph(pairs)
    cycles = graph.components().map { component in
      Cycle(items: graph.shortestCycle(in: component).map { graph.names[$0] }, tangledCount: component.count)
    }

    var tags: [String: Int] = [:]
    for tag in pairs.flatMap(\.reasonTags) { tags[tag, default: 0] += 1 }
    reasonTags = tags.map { (tag: $0.key, count: $0.value) }.sorted { (-$0.count, $0.tag) < (-$1.count, $1.tag) }
  }
}

extension PreferenceStore {
  /// The statistics of all answers, or of those of a type.
  public func statistics(ofType type: String? = nil) throws -> PairStatistics {
    try read { database in
      PairStatistics(
        pairs: try Self.pairs(database, ofType: type),
        items: try Row.fetchAll(
          database, sql: "SELECT id, item_type FROM items WHERE ?1 IS NULL OR item_type = ?1", arguments: [type]
        ).map { (id: $0[0], type: $0[1]) })
    }
  }
}
