// A person answering questions: what is asked, stored, taken back and counted.

import Datasets

/// A sitting in which a person answers one question after the other. Every answer is stored at once; what the session
/// itself remembers is only where it stands.
public final class AnsweringSession {
  /// Two items to choose between.
  public struct Question: Sendable, Hashable {
    public let a: Item
    public let b: Item
  }

  /// The question on the table; nil when there is none left.
  public private(set) var question: Question?
  /// Answers of this session that are stored, the latest last.
  public private(set) var answers: [StoredPair] = []
  public private(set) var skippedCount = 0
  /// Pairs that were in the store when the session began.
  public let storedBefore: Int

  private let store: PreferenceStore
  private var source: QuestionSource

  /// - Parameters:
  ///   - type: the type of item to ask about; nil for all, one type at a time.
  ///   - score: for the strategy `uncertain`: a score for each item, from a trained model.
  public init(
    store: PreferenceStore, itemType type: String? = nil, strategy: QuestionStrategy, seed: UInt64,
    score: (([Item]) throws -> [Double])? = nil
  ) throws {
    self.store = store
    var scores: [String: Double] = [:]
    if strategy == .uncertain, let score {
      for group in Dictionary(grouping: try store.items(ofType: type), by: \.itemType).values where group.count > 1 {
        for (item, score) in zip(group, try score(group)) where score.isFinite { scores[item.id] = score }
      }
    }
    let pairs = try store.pairs(ofType: type)
    storedBefore = pairs.count
    source = QuestionSource(
      items: try store.summaries(ofType: type).map { ($0.id, $0.itemType) },
      pairs: pairs.map { (a: $0.itemA, b: $0.itemB) }, strategy: strategy, seed: seed, scores: scores)
    try advance()
  }

  /// Pairs in the store as far as this session knows.
  public var storedCount: Int { storedBefore + answers.count }

  /// Stores an answer to the question; when this returns it is on the disk. The question stays until `advance()`, so
  /// that reasons can be asked for.
  @discardableResult
  public func answer(_ label: PreferenceLabel) throws -> StoredPair {
    guard let question else { preconditionFailure("there is no question to answer") }
    let pair = try store.addPair(
      itemA: question.a.id, itemB: question.b.id, label: label.rawValue, type: question.a.itemType)
    answers.append(pair)
    source.noteAnswer(pair.itemA, pair.itemB)
    return pair
  }

  /// Gives the latest answer its reasons.
  public func setReasonTags(_ tags: [String]) throws {
    guard let last = answers.last else { preconditionFailure("there is no answer to give reasons for") }
    try store.setReasonTags(tags, ofPair: last.id)
  }

  /// Goes on to the next question.
  public func advance() throws {
    guard let next = source.next() else {
      question = nil
      return
    }
    question = Question(a: try store.item(next.a), b: try store.item(next.b))
  }

  /// Leaves the question unanswered; it does not come again in this session.
  public func skip() throws {
    guard let question else { return }
    source.noteSkip(question.a.id, question.b.id)
    skippedCount += 1
    try advance()
  }

  /// Takes the latest answer of this session out of the store and puts its question back on the table.
  ///
  /// - Returns: false where there is no answer to take back.
  public func undo() throws -> Bool {
    guard let last = answers.popLast() else { return false }
    do { try store.removePair(last.id) } catch StoreError.unknownPair {
      // Someone removed it from elsewhere: it is taken back already.
    }
    source.noteUndo(last.itemA, last.itemB)
    question = Question(a: try store.item(last.itemA), b: try store.item(last.itemB))
    return true
  }

  /// The tags to offer: those used most so far.
  public func suggestedTags(limit: Int = 9) throws -> [String] {
    Array(try store.reasonTags().map(\.tag).prefix(limit))
  }
}
