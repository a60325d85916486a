// How each kind of recommender scores items.

import GraphEngine
import Synchronization
import Tensors
import Threads

/// The scores of a trained model, by places of users and items.
protocol ItemScoring: Sendable {
  /// The score of every item for a user.
  func scores(user: Int) throws -> [Float]
  /// The scores of pairs.
  /// - Precondition: as many users as items.
  func scores(users: [Int32], items: [Int32]) throws -> [Float]
  /// The score of every item for somebody with these items; nil where the model can't tell.
  func scores(seen: [Int32]) throws -> [Float]?
  /// Calls `body` with each position in `users` and the scores of every item, from several threads at once.
  func forEachUser(
    _ users: [Int32], _ body: @Sendable (_ position: Int, _ scores: UnsafeBufferPointer<Float>) throws -> Void
  ) throws
}

extension NCFScorer: ItemScoring {
  func scores(seen: [Int32]) throws -> [Float]? { nil }
}

/// Products of the users' factors with the items'.
struct FactorScoring: ItemScoring {
  let userFactors: Tensor
  let itemFactors: Tensor
  let threads: Int
  private let foldIn: FoldIn

  /// Made at the first new user: the Gram matrix takes longer than anything that is asked of known users.
  private final class FoldIn: Sendable {
    private let made = Mutex<ALSFoldIn?>(nil)
    private let itemFactors: Tensor
    private let settings: ALSSettings

    init(_ itemFactors: Tensor, _ settings: ALSSettings) {
      self.itemFactors = itemFactors
      self.settings = settings
    }

    func value() throws -> ALSFoldIn {
      try made.withLock { made in
        if let made { return made }
        let foldIn = try ALSFoldIn(itemFactors: itemFactors, settings: settings)
        made = foldIn
        return foldIn
      }
    }
  }

  init(userFactors: Tensor, itemFactors: Tensor, settings: ALSSettings, threads: Int) {
    self.userFactors = userFactors
    self.itemFactors = itemFactors
    self.threads = threads
    foldIn = FoldIn(itemFactors, settings)
  }

  func scores(user: Int) -> [Float] {
    let factors = itemFactors.shape[1]
    return userFactors.withUnsafeElements(as: Float.self) { table in
      ALSFoldIn.scores(of: Array(table[user * factors..<(user + 1) * factors]), itemFactors: itemFactors)
    }
  }

  func scores(users: [Int32], items: [Int32]) -> [Float] {
    let factors = itemFactors.shape[1]
    return userFactors.withUnsafeElements(as: Float.self) { rows in
      itemFactors.withUnsafeElements(as: Float.self) { columns in
        zip(users, items).map { user, item in
          dotProduct(
            rows.baseAddress! + Int(user) * factors, columns.baseAddress! + Int(item) * factors, count: factors)
        }
      }
    }
  }

  func scores(seen: [Int32]) throws -> [Float]? {
    ALSFoldIn.scores(of: try foldIn.value().factors(ofSeen: seen), itemFactors: itemFactors)
  }

  func forEachUser(
    _ users: [Int32], _ body: @Sendable (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try share(users, among: threads) { position, user in
      try scores(user: Int(user)).withUnsafeBufferPointer { try body(position, $0) }
    }
  }
}

/// The same scores for everybody.
struct PopularityScoring: ItemScoring {
  let itemScores: [Float]
  let threads: Int

  func scores(user: Int) -> [Float] { itemScores }
  func scores(users: [Int32], items: [Int32]) -> [Float] { items.map { itemScores[Int($0)] } }
  func scores(seen: [Int32]) -> [Float]? { nil }

  func forEachUser(
    _ users: [Int32], _ body: @Sendable (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try share(users, among: threads) { position, _ in try itemScores.withUnsafeBufferPointer { try body(position, $0) }
    }
  }
}

/// Calls `body` with each user, the users shared among threads; throws the first error in the order of the threads.
private func share(
  _ users: [Int32], among threads: Int, _ body: @Sendable (_ position: Int, _ user: Int32) throws -> Void
) throws {
  let next = Atomic<Int>(0)
  let outcomes = concurrently(max(1, min(threads, users.count))) { _ in
    Result {
      while true {
        let position = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard position < users.count else { return }
        try body(position, users[position])
      }
    }
  }
  for outcome in outcomes { try outcome.get() }
}

/// The rows of the tables of items, put together and compared by direction.
struct ItemSimilarity: Sendable {
  private let tables: [Tensor]
  /// `1 / ‖row‖`, 0 for a row of zeros.
  private let scales: [Float]

  /// - Parameter tables: each `[items, factors]`, of as many items.
  init(_ tables: [Tensor]) {
    self.tables = tables
    let squares = Self.products(tables) { ($0, $0) }
    scales = squares.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }
  }

  /// The cosine of each item's row with one of them.
  func cosines(with item: Int) -> [Float] {
    zip(Self.products(tables) { ($0, item) }, scales).map { $0 * $1 * scales[item] }
  }

  /// For each item the product of the two rows that `pair` names.
  private static func products(_ tables: [Tensor], _ pair: (_ item: Int) -> (Int, Int)) -> [Float] {
    var sums = [Float](repeating: 0, count: tables.first?.shape[0] ?? 0)
    for table in tables {
      let width = table.shape[1]
      table.withUnsafeElements(as: Float.self) { values in
        for item in sums.indices {
          let (a, b) = pair(item)
          sums[item] += dotProduct(values.baseAddress! + a * width, values.baseAddress! + b * width, count: width)
        }
      }
    }
    return sums
  }
}
