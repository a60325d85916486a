// Scores from a trained NCF network: of one user with all items, of some pairs, of all users.

import GraphEngine
import ONNX
import Synchronization
import Tensors
import Threads

/// Scores users with items by a trained network.
///
/// ```swift
/// let model = try NCFCheckpoint(contentsOf: "models/ncf.pt")
/// let scorer = try NCFScorer(graph: model.graph, parameters: model.parameters)
/// let scores = try scorer.scores(user: 3)
/// ```
///
/// Safe to use from many tasks; they take turns.
public final class NCFScorer: Sendable {
  public let graph: NCFGraph
  private let pairs: Mutex<PairSession>
  private let ranking: Mutex<RankingSession>
  private let parameters: [String: Tensor]
  private let threads: Int

  /// - Parameters:
  ///   - parameters: by name, in the graph's shapes.
  ///   - threads: threads that share the work of a ranking; nil takes as many as the processor has cores.
  public init(graph: NCFGraph, parameters: [String: Tensor], threads: Int? = nil) throws {
    self.graph = graph
    self.parameters = parameters
    self.threads = threads ?? processorCount
    pairs = Mutex(PairSession(model: graph.scorer().replacing(parameters)))
    ranking = Mutex(RankingSession(model: graph.ranker().replacing(parameters), threads: self.threads))
  }

  /// The score of every item for a user, in the order of their places.
  public func scores(user: Int) throws -> [Float] {
    try check(user, graph.userCount, "users")
    return try ranking.withLock { try $0.scores(user) { Array($0) } }
  }

  /// The scores of some items for a user, in the order given.
  public func scores(user: Int, items: [Int32]) throws -> [Float] {
    try scores(users: [Int32](repeating: Int32(user), count: items.count), items: items)
  }

  /// The scores of pairs of a user and an item.
  /// - Precondition: as many of each.
  public func scores(users: [Int32], items: [Int32]) throws -> [Float] {
    precondition(users.count == items.count, "as many users as items")
    for user in users { try check(Int(user), graph.userCount, "users") }
    for item in items { try check(Int(item), graph.itemCount, "items") }
    return try pairs.withLock { try $0.scores(users, items) }
  }

  /// Scores every item for each of some users, the users shared among threads.
  ///
  /// - Parameter body: is given the position in `users` and the scores of all items; called from several threads at once.
  public func forEachUser(
    _ users: [Int32], _ body: @Sendable (_ position: Int, _ scores: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    for user in users { try check(Int(user), graph.userCount, "users") }
    let next = Atomic<Int>(0)
    let model = graph.ranker().replacing(parameters)
    let outcomes = concurrently(min(threads, users.count)) { _ in
      Result {
        // Each thread runs a graph of its own: users are independent, nothing is handed over.
        var session = RankingSession(model: model, threads: 1)
        while true {
          let position = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard position < users.count else { return }
          try session.scores(Int(users[position])) { try body(position, $0) }
        }
      }
    }
    for outcome in outcomes { try outcome.get() }
  }

  private func check(_ place: Int, _ count: Int, _ what: String) throws {
    guard (0..<count).contains(place) else {
      throw RecommendationError.unknownPlaces([place], of: what, count: count)
    }
  }
}

/// The graph that ranks all items, planned at its first use.
private struct RankingSession {
  let model: Model
  let threads: Int
  private var prepared: (session: Session, plan: Plan)?

  init(model: Model, threads: Int) {
    self.model = model
    self.threads = threads
  }

  mutating func scores<Result>(
    _ user: Int, _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) throws -> Result {
    let (session, plan) = try ready()
    plan.withUnsafeMutableInput("user", as: Int64.self) { $0[0] = Int64(user) }
    try session.execute(plan)
    return try plan.withUnsafeOutput(NCFGraph.scoreName, as: Float.self, body)!
  }

  private mutating func ready() throws -> (session: Session, plan: Plan) {
    if let prepared { return prepared }
    let session = try Session(model, options: Session.Options(threads: threads))
    let plan = try session.plan(for: ["user": TensorSpec(.int64, [1])])!
    prepared = (session, plan)
    return (session, plan)
  }
}

/// The exported graph, with a plan for each power of two of pairs.
private struct PairSession {
  let model: Model
  private var session: Session?
  /// Filled up to a power of two, so that few plans serve any number of pairs.
  private static let largestBatch = 1024

  init(model: Model) { self.model = model }

  mutating func scores(_ users: [Int32], _ items: [Int32]) throws -> [Float] {
    let session = try session ?? Session(model, options: Session.Options(threads: 1))
    self.session = session
    var scores: [Float] = []
    scores.reserveCapacity(users.count)
    var start = 0
    while start < users.count {
      let count = min(users.count - start, Self.largestBatch)
      var batch = 1
      while batch < count { batch *= 2 }
      let plan = try session.plan(for: ["user": TensorSpec(.int64, [batch]), "item": TensorSpec(.int64, [batch])])!
      for (input, places) in [("user", users), ("item", items)] {
        plan.withUnsafeMutableInput(input, as: Int64.self) { target in
          for row in 0..<batch { target[row] = row < count ? Int64(places[start + row]) : 0 }
        }
      }
      try session.execute(plan)
      plan.withUnsafeOutput(NCFGraph.scoreName, as: Float.self) { scores.append(contentsOf: $0.prefix(count)) }
      start += count
    }
    return scores
  }
}
