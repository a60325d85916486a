// What is compared and ranked.

/// A thing that people compare: a project, a skill, a section of a profile.
public struct Item: Sendable, Hashable, Identifiable {
  public var id: String
  /// What sort of thing it is; only items of one type are compared. `item` where a file does not say.
  public var itemType: String
  /// Where it lives in the system it came from; its `id` where a file does not say.
  public var itemReferenceID: String
  public var embedding: [Float]?
  /// The name of the embedding in a file of embeddings, for items that do not carry their own.
  public var embeddingID: String?
  public var metrics: [String: Double]
  public var text: String?
  public var createdAt: Timestamp?

  /// The type of items whose file does not name one.
  public static let defaultType = "item"

  public init(
    id: String, itemType: String = Item.defaultType, itemReferenceID: String? = nil, embedding: [Float]? = nil,
    embeddingID: String? = nil, metrics: [String: Double] = [:], text: String? = nil, createdAt: Timestamp? = nil
  ) {
    self.id = id
    self.itemType = itemType
    self.itemReferenceID = itemReferenceID ?? id
    self.embedding = embedding
    self.embeddingID = embeddingID
    self.metrics = metrics
    self.text = text
    self.createdAt = createdAt
  }
}

extension Item: Codable {
  private enum CodingKeys: String, CodingKey {
    case id
    case itemType = "item_type"
    case itemReferenceID = "item_reference_id"
    case embedding
    case embeddingID = "embedding_id"
    case metrics, text
    case createdAt = "created_at"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      id: try container.decode(String.self, forKey: .id),
      itemType: try container.decodeIfPresent(String.self, forKey: .itemType) ?? Item.defaultType,
      itemReferenceID: try container.decodeIfPresent(String.self, forKey: .itemReferenceID),
      embedding: try container.decodeIfPresent([Float].self, forKey: .embedding),
      embeddingID: try container.decodeIfPresent(String.self, forKey: .embeddingID),
      metrics: try container.decodeIfPresent([String: Double].self, forKey: .metrics) ?? [:],
      text: try container.decodeIfPresent(String.self, forKey: .text),
      createdAt: try container.decodeIfPresent(Timestamp.self, forKey: .createdAt))
  }
}

extension Item {
  /// The cosine of the angle between two embeddings, `a·b / (|a| |b|)`, in double precision.
  /// Nil where either has no embedding, the widths differ, or one is all zeros.
  public static func cosineSimilarity(_ a: Item, _ b: Item) -> Double? {
    guard let x = a.embedding, let y = b.embedding, x.count == y.count else { return nil }
    var product = 0.0
    var squaresX = 0.0
    var squaresY = 0.0
    for index in x.indices {
      let (u, v) = (Double(x[index]), Double(y[index]))
      product += u * v
      squaresX += u * u
      squaresY += v * v
    }
    let length = squaresX.squareRoot() * squaresY.squareRoot()
    return length > 0 ? product / length : nil
  }
}
