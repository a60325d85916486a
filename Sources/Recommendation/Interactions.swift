// What users did with items, as columns: the form that every recommender trains on.

/// Interactions of users with items, one row each, in the order of the file. A pair may occur more than once.
public struct Interactions: Sendable, Equatable {
  public var users: Vocabulary
  public var items: Vocabulary
  /// For each row the user's place in `users`.
  public var userIndices: [Int32]
  /// For each row the item's place in `items`.
  public var itemIndices: [Int32]
  /// For each row how strong the interaction was (`implicit_rating`); 1 where the data does not say. Finite, above 0.
  public var strengths: [Float]
  /// For each row when it was, in seconds since 1970 in UTC; nil where the data has no times.
  public var timestamps: [Int64]?

  /// - Precondition: as many rows in each column; every index has a place.
  public init(
    users: Vocabulary, items: Vocabulary, userIndices: [Int32], itemIndices: [Int32], strengths: [Float],
    timestamps: [Int64]? = nil
  ) {
    precondition(userIndices.count == itemIndices.count && userIndices.count == strengths.count)
    precondition(timestamps.map { $0.count == userIndices.count } ?? true)
    self.users = users
    self.items = items
    self.userIndices = userIndices
    self.itemIndices = itemIndices
    self.strengths = strengths
    self.timestamps = timestamps
  }

  /// Rows.
  public var count: Int { userIndices.count }

  /// The rows at some positions, with the same vocabularies.
  public func rows(_ positions: [Int]) -> Interactions {
    Interactions(
      users: users, items: items, userIndices: positions.map { userIndices[$0] },
      itemIndices: positions.map { itemIndices[$0] }, strengths: positions.map { strengths[$0] },
      timestamps: timestamps.map { times in positions.map { times[$0] } })
  }
}

/// A ranking task with a known answer: of the candidates, the relevant ones should come first.
public struct HeldOutCase: Sendable, Equatable {
  /// The user's place.
  public var user: Int32
  /// Places of the items that the user turned to, none twice.
  public var relevant: [Int32]
  /// Places of the items to rank, the relevant ones among them; empty stands for every item that the user has not seen.
  public var candidates: [Int32]

  public init(user: Int32, relevant: [Int32], candidates: [Int32] = []) {
    self.user = user
    self.relevant = relevant
    self.candidates = candidates
  }
}
