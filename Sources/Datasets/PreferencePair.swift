// One answer of a person: which of two items is better.

/// Which of two items a person preferred.
public enum PreferenceLabel: Int, Sendable, Hashable, Codable, CaseIterable {
  case preferB = -1
  case equal = 0
  case preferA = 1

  /// The same answer with the items' places exchanged.
  public var mirrored: PreferenceLabel { PreferenceLabel(rawValue: -rawValue)! }
}

/// Two items, whole, and a person's answer about them.
public struct PreferencePair: Sendable, Hashable {
  public var itemA: Item
  public var itemB: Item
  public var label: PreferenceLabel
  /// Why, in the person's words: `relevance`, `metrics`.
  public var reasonTags: [String]
  /// The cosine similarity of the embeddings, where both items have one.
  public var similarity: Double?
  public var createdAt: Timestamp?

  public init(
    itemA: Item, itemB: Item, label: PreferenceLabel, reasonTags: [String] = [], similarity: Double? = nil,
    createdAt: Timestamp? = nil
  ) {
    self.itemA = itemA
    self.itemB = itemB
    self.label = label
    self.reasonTags = reasonTags
    self.similarity = similarity
    self.createdAt = createdAt
  }
}

extension PreferencePair: Codable {
  private enum CodingKeys: String, CodingKey {
    case itemA = "item_a"
    case itemB = "item_b"
    case label
    case reasonTags = "reason_tags"
    case similarity
    case createdAt = "created_at"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      itemA: try container.decode(Item.self, forKey: .itemA),
      itemB: try container.decode(Item.self, forKey: .itemB),
      label: try container.decode(PreferenceLabel.self, forKey: .label),
      reasonTags: try container.decodeIfPresent([String].self, forKey: .reasonTags) ?? [],
      similarity: try container.decodeIfPresent(Double.self, forKey: .similarity),
      createdAt: try container.decodeIfPresent(Timestamp.self, forKey: .createdAt))
  }
}
