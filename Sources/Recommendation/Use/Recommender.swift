// Using a trained recommender of any kind: scores of pairs, the best items for users, items like others.

import Synchronization

/// A trained recommender: NCF, ALS or popularity.
///
/// ```swift
/// let recommender = Recommender(path: "ml_models/als.pt")
/// for entry in try recommender.recommend(user: "u17", count: 10).entries { print(entry.item, entry.score) }
/// ```
///
/// Making one costs nothing: the files are read, and held against their checksums, when something is first asked. What was
/// read is kept. May be shared by any number of tasks; those that ask while the files are read wait for them.
public final class Recommender: Sendable {
  /// Names the model: a directory with one recommender, its metadata file, or its `.pt` or `.onnx`.
  public let path: String
  /// Threads that share a piece of work; nil takes as many as the processor has cores.
  public let threads: Int?
  private let loaded = Mutex<LoadedRecommender?>(nil)

  public init(path: String, threads: Int? = nil) {
    self.path = path
    self.threads = threads
  }

  /// Where a score or a list comes from.
  public enum Source: String, Sendable, Hashable, Codable {
    /// The model knows the user.
    case model
    /// The user is new, and got a place by the items that were given as seen.
    case foldIn = "fold_in"
    /// The user is new, and nothing is known of them: what most users turned to.
    case popularity
  }

  /// An item and its score; the larger the better, comparable for one user and one source only.
  public struct Entry: Sendable, Hashable {
    public var item: String
    public var score: Float
  }

  /// The best items for a user, best first.
  public struct Recommendation: Sendable, Hashable {
    public var user: String
    public var source: Source
    public var entries: [Entry]
  }

  /// The score of a pair.
  public struct Prediction: Sendable, Hashable {
    public var user: String
    public var item: String
    public var score: Float
    public var source: Source
  }

  /// What is done about items that the model does not know.
  public enum UnknownItems: Sendable {
    /// An error that names them.
    case refused
    /// They are left out.
    case leftOut
  }

  /// What the model is and how large.
  public struct Facts: Sendable, Hashable {
    /// The metadata's `model_type`.
    public var modelType: String
    public var users: Int
    public var items: Int
  }

  /// Reads the model where that was not done yet.
  /// - Throws: `ModelError` where there is none, `CheckpointError` where a file is damaged; and so does everything below.
  public func facts() throws -> Facts {
    let model = try model()
    return Facts(modelType: model.modelType, users: model.users.count, items: model.items.count)
  }

  /// The users that the model knows, in the order of their places.
  public func users() throws -> [String] { try model().users.ids }

  // MARK: Pairs

  /// The score of an item for a user. A new user's score is the share of all users that turned to the item.
  /// - Throws: `RecommendationError.unknownItems` too.
  public func predict(user: String, item: String) throws -> Prediction {
    try predictBatch([(user, item)]).predictions[0]
  }

  /// The scores of pairs, in their order.
  ///
  /// - Returns: the predictions, and the items left out where `unknownItems` allows it, each once.
  /// - Throws: `RecommendationError.unknownItems` too.
  public func predictBatch(
    _ pairs: [(user: String, item: String)], unknownItems: UnknownItems = .refused
  ) throws -> (predictions: [Prediction], leftOut: [String]) {
    let model = try model()
    let unknown = model.unknown(pairs.map(\.item))
    guard unknown.isEmpty || unknownItems == .leftOut else { throw model.refusal(of: unknown) }
    var users: [Int32] = []
    var items: [Int32] = []
    var rows: [Int] = []
    var predictions: [Prediction] = []
    for pair in pairs {
      guard let item = model.items[pair.item] else { continue }
      var prediction = Prediction(user: pair.user, item: pair.item, score: 0, source: .model)
      if let user = model.users[pair.user] {
        users.append(Int32(user))
        items.append(Int32(item))
        rows.append(predictions.count)
      } else {
        prediction.source = .popularity
        prediction.score = model.share(of: item)
      }
      predictions.append(prediction)
    }
    if !rows.isEmpty {
      for (row, score) in zip(rows, try model.scoring.scores(users: users, items: items)) {
        predictions[row].score = score
      }
    }
    return (predictions, unknown)
  }

  // MARK: Lists

  /// The best items for a user; the popular ones where the model does not know the user.
  ///
  /// - Parameters:
  ///   - count: at most; fewer where the model has fewer items that may be recommended.
  ///   - includesSeen: recommends also what the user turned to in the training's data.
  public func recommend(user: String, count: Int = 10, includesSeen: Bool = false) throws -> Recommendation {
    let model = try model()
    guard let place = model.users[user] else { return model.popular(user: user, count: count, leavingOut: []) }
    let scores = try model.scoring.scores(user: place)
    return Recommendation(
      user: user, source: .model,
      entries: scores.withUnsafeBufferPointer {
        model.entries($0, count: count, leavingOut: includesSeen ? [] : model.seen[place])
      })
  }

  /// The best items for somebody of whom only the items seen are known: as the training's next step would place such a
  /// user (ALS); the popular ones where the model can't do that.
  ///
  /// - Parameter itemsSeen: not recommended again unless `includesSeen`.
  /// - Returns: the recommendation, and the items left out where `unknownItems` allows it.
  /// - Throws: `RecommendationError.unknownItems` too.
  public func recommend(
    user: String, itemsSeen: [String], count: Int = 10, includesSeen: Bool = false,
    unknownItems: UnknownItems = .refused
  ) throws -> (recommendation: Recommendation, leftOut: [String]) {
    let model = try model()
    let unknown = model.unknown(itemsSeen)
    guard unknown.isEmpty || unknownItems == .leftOut else { throw model.refusal(of: unknown) }
    let seen = Set(itemsSeen.compactMap { model.items[$0].map(Int32.init) }).sorted()
    let hidden = includesSeen ? [] : seen[...]
    guard !seen.isEmpty, let scores = try model.scoring.scores(seen: seen) else {
      return (model.popular(user: user, count: count, leavingOut: hidden), unknown)
    }
    let entries = scores.withUnsafeBufferPointer { model.entries($0, count: count, leavingOut: hidden) }
    return (Recommendation(user: user, source: .foldIn, entries: entries), unknown)
  }

  /// The best items for many users, on all threads.
  ///
  /// - Parameters:
  ///   - users: nil takes every user that the model knows.
  ///   - body: is given the recommendations in the order of `users`, one after the other.
  public func recommendAll(
    users: [String]? = nil, count: Int = 10, includesSeen: Bool = false, _ body: (Recommendation) throws -> Void
  ) throws {
    let model = try model()
    let users = users ?? model.users.ids
    // In pieces, so that the lists of a million users are never held at once.
    for start in stride(from: 0, to: users.count, by: Self.piece) {
      let piece = users[start..<min(start + Self.piece, users.count)]
      let known = piece.enumerated().compactMap { index, user in model.users[user].map { (index, Int32($0)) } }
      let lists = Mutex([[Entry]?](repeating: nil, count: piece.count))
      try model.scoring.forEachUser(known.map(\.1)) { position, scores in
        let (index, user) = known[position]
        let entries = model.entries(scores, count: count, leavingOut: includesSeen ? [] : model.seen[Int(user)])
        lists.withLock { $0[index] = entries }
      }
      for (user, entries) in zip(piece, lists.withLock { $0 }) {
        if let entries {
          try body(Recommendation(user: user, source: .model, entries: entries))
        } else {
          try body(model.popular(user: user, count: count, leavingOut: []))
        }
      }
    }
  }

  private static let piece = 4096

  /// The items whose rows in the model's table point in the most similar direction, best first; their scores are cosines.
  ///
  /// - Throws: `RecommendationError.unknownItems`, and `noSimilarity` where the model has no table of items.
  public func similar(to item: String, count: Int = 10) throws -> [Entry] {
    let model = try model()
    guard let place = model.items[item] else { throw model.refusal(of: [item]) }
    guard let table = model.similarity else { throw RecommendationError.noSimilarity(path: path) }
    let scores = table.cosines(with: place)
    return scores.withUnsafeBufferPointer { model.entries($0, count: count, leavingOut: [Int32(place)]) }
  }

  private func model() throws -> LoadedRecommender {
    try loaded.withLock { loaded in
      if let loaded { return loaded }
      let model = try LoadedRecommender(path: path, threads: threads)
      loaded = model
      return model
    }
  }
}
