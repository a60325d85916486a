// What a model says, by the version of it that is in use on the server.

import Foundation

extension TrainingClient {
  /// Puts a version of a model into use; predictions are made with it from then on.
  public func promote(_ version: Int, of model: String) async throws {
    struct Promoted: Decodable {
      let version: Int
    }
    let _: Promoted = try await send("POST", "\(Self.address(model))/versions/\(version)/promote")
  }

  /// The best items for users, in the order of the users.
  ///
  /// - Parameters:
  ///   - count: items for each user, at most.
  ///   - includesSeen: recommends also what the users turned to before.
  /// - Throws: ``TrainingClientError``; with status 429 where the account has asked too often for now.
  public func recommend(
    _ model: String, users: [String], count: Int = 10, includesSeen: Bool = false
  ) async throws -> [ItemList] {
    struct Question: Encodable {
      let users: [String]
      let topK: Int
      let includeSeen: Bool
    }
    return try await recommendations(model, Question(users: users, topK: count, includeSeen: includesSeen))
  }

  /// The best items for somebody of whom only the items seen are known.
  public func recommend(_ model: String, itemsSeen: [String], count: Int = 10) async throws -> ItemList {
    struct Question: Encodable {
      let itemsSeen: [String]
      let topK: Int
    }
    return try await recommendations(model, Question(itemsSeen: itemsSeen, topK: count))[0]
  }

  private func recommendations(_ model: String, _ question: some Encodable) async throws -> [ItemList] {
    let answer: Recommendations = try await ask(model, "recommend", question)
    return answer.recommendations
  }

  private struct Recommendations: Decodable {
    let recommendations: [ItemList]
  }

  /// The scores of items for a user, in the order of the items.
  public func predict(_ model: String, user: String, items: [String]) async throws -> [ScoredPair] {
    struct Question: Encodable {
      let user: String
      let items: [String]
    }
    struct Answer: Decodable {
      let predictions: [ScoredPair]
    }
    let answer: Answer = try await ask(model, "predict", Question(user: user, items: items))
    return answer.predictions
  }

  /// The items that are most like one; their scores are cosines.
  public func similar(_ model: String, to item: String, count: Int = 10) async throws -> [ScoredItem] {
    struct Question: Encodable {
      let item: String
      let topK: Int
    }
    struct Answer: Decodable {
      let items: [ScoredItem]
    }
    let answer: Answer = try await ask(model, "similar", Question(item: item, topK: count))
    return answer.items
  }

  /// Items, the best first.
  public func rank(_ model: String, items: [RankableItem], count: Int? = nil) async throws -> [RankedItem] {
    struct Question: Encodable {
      let items: [RankableItem]
      let topK: Int?
    }
    struct Answer: Decodable {
      let ranking: [RankedItem]
    }
    let answer: Answer = try await ask(model, "rank", Question(items: items, topK: count))
    return answer.ranking
  }

  /// The labels of texts, the most probable first, in the order of the texts.
  ///
  /// - Parameter threshold: from which probability on labels are assigned; nil takes the model's own.
  public func classify(
    _ model: String, texts: [String], count: Int = 5, threshold: Double? = nil
  ) async throws -> [[TextLabel]] {
    struct Question: Encodable {
      let texts: [String]
      let topK: Int
      let threshold: Double?
    }
    struct Answer: Decodable {
      struct Text: Decodable {
        let labels: [TextLabel]
      }
      let classifications: [Text]
    }
    let answer: Answer = try await ask(model, "classify", Question(texts: texts, topK: count, threshold: threshold))
    return answer.classifications.map(\.labels)
  }

  /// The concepts of notes, the most probable first, in the order of the notes.
  public func detect(_ model: String, texts: [String], threshold: Double? = nil) async throws -> [[FoundConcept]] {
    struct Question: Encodable {
      let texts: [String]
      let threshold: Double?
    }
    struct Answer: Decodable {
      struct Note: Decodable {
        let concepts: [FoundConcept]
      }
      let detections: [Note]
    }
    let answer: Answer = try await ask(model, "detect", Question(texts: texts, threshold: threshold))
    return answer.detections.map(\.concepts)
  }

  private static func address(_ model: String) -> String { "/api/v1/models/\(encoded(model))" }

  private func ask<Answer: Decodable>(
    _ model: String, _ question: String, _ body: some Encodable
  ) async throws -> Answer {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try await send("POST", "\(Self.address(model))/\(question)", body: try encoder.encode(body))
  }
}

/// An item and its score; the larger the better, comparable within one answer for one user.
public struct ScoredItem: Sendable, Hashable, Codable {
  public let item: String
  public let score: Float
}

/// The best items for a user, best first.
public struct ItemList: Sendable, Hashable, Codable {
  public let user: String
  /// `model`; or, of a user whom the model does not know, `fold_in` or `popularity`.
  public let source: String
  public let items: [ScoredItem]
}

/// The score of an item for a user.
public struct ScoredPair: Sendable, Hashable, Codable {
  public let user: String
  public let item: String
  public let score: Float
  public let source: String
}

/// An item to be ranked: an embedding as wide as the training's, measures by name, or both.
public struct RankableItem: Sendable, Hashable, Codable {
  public var id: String
  public var embedding: [Float]?
  public var metrics: [String: Double]?

  public init(id: String, embedding: [Float]? = nil, metrics: [String: Double]? = nil) {
    self.id = id
    self.embedding = embedding
    self.metrics = metrics
  }
}

/// An item's place in a ranking, counted from 1.
public struct RankedItem: Sendable, Hashable, Codable {
  public let rank: Int
  public let id: String
  public let score: Float
}

/// A label and how probable it is.
public struct TextLabel: Sendable, Hashable, Codable {
  public let label: String
  public let probability: Float
  /// Whether the probability reaches the threshold.
  public let assigned: Bool
}

/// A concept of a note, with the words that speak for it.
public struct FoundConcept: Sendable, Hashable, Codable {
  public let concept: String
  public let label: String
  public let bucket: String
  public let probability: Float
  public let words: String
}
