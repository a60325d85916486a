// What interactions look like: how many, how dense, how uneven, and when.

import Datasets

/// The shape of a dataset of interactions.
public struct InteractionStatistics: Sendable, Hashable, Codable {
  /// How many interactions are of a kind.
  public struct KindCount: Sendable, Hashable, Codable {
    public let kind: String
    public let count: Int
    /// Whether a clickstream is evaluated by it; nil where the data does not say.
    public let isContact: Bool?
  }

  public let format: DataFormat
  public let users: Int
  public let items: Int
  public let interactions: Int
  /// Interactions that repeat the user and the item of another.
  public let duplicates: Int
  /// Distinct pairs in proportion to all pairs of a user and an item.
  public let density: Double
  /// Interactions of each user.
  public let userActivity: Quantiles
  /// Interactions of each item; items that only held-out cases name have 0.
  public let itemPopularity: Quantiles
  /// The Gini coefficient of the items' popularity: 0 where all are as popular, towards 1 where one has everything.
  public let popularityGini: Double
  /// The share of interactions that the most popular tenth of the items has.
  public let topTenthShare: Double
  /// The earliest and the latest time; nil where the data has none.
  public let firstTime: Timestamp?
  public let lastTime: Timestamp?
  /// Whether no row's time is before that of the row above; nil where the data has no times.
  public let isInOrderOfTime: Bool?
  /// The lowest and the highest strength.
  public let minimumStrength: Float
  public let maximumStrength: Float
  /// The most frequent first; empty where the data does not say.
  public let kinds: [KindCount]
  public let heldOutCases: Int
  public let heldOutItems: Int
  /// Rows that were left out.
  public let skippedRows: Int

  public init(_ data: InteractionDataset) {
    let interactions = data.interactions
    format = data.format
    users = interactions.users.count
    items = interactions.items.count
    self.interactions = interactions.count
    duplicates = data.duplicateCount
    density = Double(interactions.count - data.duplicateCount) / (Double(users) * Double(items))
    userActivity = Quantiles(Self.counts(interactions.userIndices, bins: users))
    let popularity = Self.counts(interactions.itemIndices, bins: items)
    itemPopularity = Quantiles(popularity)
    // Of ascending x: Σ (2i - n - 1) x_i / (n Σ x), i from 1.
    let count = Double(popularity.count)
    let weighted = popularity.enumerated().reduce(0.0) {
      $0 + (2 * Double($1.offset + 1) - count - 1) * Double($1.element)
    }
    popularityGini = weighted / (count * Double(interactions.count))
    let top = popularity.suffix(max(1, (popularity.count + 5) / 10)).reduce(0, +)
    topTenthShare = Double(top) / Double(interactions.count)
    firstTime = interactions.timestamps?.min().map(Self.moment)
    lastTime = interactions.timestamps?.max().map(Self.moment)
    isInOrderOfTime = interactions.timestamps.map { times in
      !times.indices.dropFirst().contains { times[$0] < times[$0 - 1] }
    }
    minimumStrength = interactions.strengths.min() ?? 1
    maximumStrength = interactions.strengths.max() ?? 1
    if let found = data.kinds {
      kinds = zip(found.names.indices, found.counts).map { place, count in
        KindCount(kind: found.names[place], count: count, isContact: found.isContact?[place])
      }.sorted { ($0.count, $1.kind) > ($1.count, $0.kind) }
    } else {
      kinds = []
    }
    heldOutCases = data.heldOut.count
    heldOutItems = data.heldOut.reduce(0) { $0 + $1.relevant.count }
    skippedRows = data.skipped.count
  }

  /// How often each place occurs, ascending.
  private static func counts(_ places: [Int32], bins: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: bins)
    for place in places { counts[Int(place)] += 1 }
    return counts.sorted()
  }

  private static func moment(_ seconds: Int64) -> Timestamp {
    // Microseconds reach to the year 294,000; times behind it are shown as their end.
    Timestamp(
      microseconds: seconds.multipliedReportingOverflow(by: 1_000_000).overflow
        ? (seconds < 0 ? .min : .max) : seconds * 1_000_000)
  }
}
