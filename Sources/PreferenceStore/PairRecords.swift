// Pairs in the store: the answers.

import Datasets
import GRDB

/// An answer as it is stored: its items by id.
public struct StoredPair: Sendable, Hashable {
  public let id: Int64
  public let itemA: String
  public let itemB: String
  /// The type that both items are of; nil for a pair across types, which only an import brings.
  public let itemType: String?
  public let label: PreferenceLabel
  public let reasonTags: [String]
  public let similarity: Double?
  public let createdAt: Timestamp

  public init(
    id: Int64, itemA: String, itemB: String, itemType: String?, label: PreferenceLabel, reasonTags: [String],
    similarity: Double?, createdAt: Timestamp
  ) {
    self.id = id
    self.itemA = itemA
    self.itemB = itemB
    self.itemType = itemType
    self.label = label
    self.reasonTags = reasonTags
    self.similarity = similarity
    self.createdAt = createdAt
  }
}

/// What an import of pairs did.
public struct PairImport: Sendable, Hashable {
  public var added = 0
  /// Pairs with a `created_at` that are stored already: same items in the same places, same label, same moment.
  public var known = 0
  public var items = ItemImport()

  public init() {}
}

extension PreferenceStore {
  /// Stores an answer; when this returns it is on the disk.
  ///
  /// - Parameters:
  ///   - type: the type that both items must be of; nil for any one, but the same.
  ///   - createsItems: makes items of ids that are not known, of `type` or of the other item's type.
  public func addPair(
    itemA: String, itemB: String, label: Int, reasonTags: [String] = [], type: String? = nil,
    createsItems: Bool = false
  ) throws -> StoredPair {
    guard let label = PreferenceLabel(rawValue: label) else { throw StoreError.labelOutOfRange(label) }
    guard itemA != itemB else { throw StoreError.comparedWithItself(id: itemA) }
    if type?.isEmpty == true { throw StoreError.emptyField(name: "the item type") }
    return try write { database in
      if createsItems {
        let known = try [itemA, itemB].compactMap { try Item.fetch(database, id: $0) }
        let newType = type ?? known.first?.itemType ?? Item.defaultType
        for id in [itemA, itemB] where !known.contains(where: { $0.id == id }) {
          let item = Item(id: id, itemType: newType, createdAt: .now())
          try Self.check(item)
          try item.save(database)
        }
      }
      let (a, b) = (try Self.item(database, itemA), try Self.item(database, itemB))
      if let type, let other = [a, b].first(where: { $0.itemType != type }) {
        throw StoreError.unexpectedType(id: other.id, type: other.itemType, expected: type)
      }
      guard a.itemType == b.itemType else {
        throw StoreError.typesDiffer(idA: a.id, typeA: a.itemType, idB: b.id, typeB: b.itemType)
      }
      return try Self.insert(
        database, a, b, label: label, tags: reasonTags, similarity: Item.cosineSimilarity(a, b), createdAt: .now())
    }
  }

  private static func insert(
    _ database: Database, _ a: Item, _ b: Item, label: PreferenceLabel, tags: [String], similarity: Double?,
    createdAt: Timestamp
  ) throws -> StoredPair {
    try database.cachedStatement(
      sql: """
        INSERT INTO pairs (item_a, item_b, label, reason_tags, similarity, created_at) VALUES (?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      a.id, b.id, label.rawValue, StoredJSON.text(tags), similarity, createdAt.description,
    ])
    return StoredPair(
      id: database.lastInsertedRowID, itemA: a.id, itemB: b.id, itemType: a.itemType == b.itemType ? a.itemType : nil,
      label: label, reasonTags: tags, similarity: similarity, createdAt: createdAt)
  }

  /// Sets the reasons of an answer.
  public func setReasonTags(_ tags: [String], ofPair id: Int64) throws {
    try write { database in
      try database.execute(
        sql: "UPDATE pairs SET reason_tags = ? WHERE id = ?", arguments: [StoredJSON.text(tags), id])
      if database.changesCount == 0 { throw StoreError.unknownPair(id: id) }
    }
  }

  /// Stores the pairs of a file, all of them or, where one is refused, none. Items that are there whole and not known
  /// yet are added; known ones stay as they are, or take over the file's content with `updatesItems`.
  ///
  /// A pair with a `created_at` that is stored already is passed over, so the same file can be imported twice.
  public func importPairs(_ file: PairFile, updatesItems: Bool = false) throws -> PairImport {
    for (index, item) in file.items.enumerated() where !file.references.contains(index) { try Self.check(item) }
    return try write { database in
      var result = PairImport()
      let now = Timestamp.now()
      var items: [Item] = []
      for (index, item) in file.items.enumerated() {
        if file.references.contains(index) {
          items.append(try Self.item(database, item.id))
          continue
        }
        if !updatesItems, let stored = try Item.fetch(database, id: item.id) {
          result.items.unchanged += 1
          items.append(stored)
        } else {
          items.append(try Self.merge(database, item, now: now, into: &result.items))
        }
      }
      for pair in file.pairs {
        let (a, b) = (items[pair.itemA], items[pair.itemB])
        if let createdAt = pair.createdAt,
          try Self.isKnown(database, a: a.id, b: b.id, label: pair.label, createdAt: createdAt)
        {
          result.known += 1
          continue
        }
        _ = try Self.insert(
          database, a, b, label: pair.label, tags: pair.reasonTags,
          similarity: Item.cosineSimilarity(a, b) ?? pair.similarity, createdAt: pair.createdAt ?? now)
        result.added += 1
      }
      return result
    }
  }

  private static func isKnown(
    _ database: Database, a: String, b: String, label: PreferenceLabel, createdAt: Timestamp
  ) throws -> Bool {
    try Bool.fetchOne(
      database.cachedStatement(
        sql: "SELECT EXISTS (SELECT 1 FROM pairs WHERE item_a = ? AND item_b = ? AND label = ? AND created_at = ?)"),
      arguments: [a, b, label.rawValue, createdAt.description]) ?? false
  }

  /// The answers in the order in which they were stored: about two items of a type, about an item, from a moment on, where given.
  public func pairs(ofType type: String? = nil, about item: String? = nil, since: Timestamp? = nil) throws
    -> [StoredPair]
  {
    try read { database in
      try Self.pairs(database, ofType: type, about: item, since: since)
    }
  }

  static func pairs(
    _ database: Database, ofType type: String? = nil, about item: String? = nil, since: Timestamp? = nil
  ) throws -> [StoredPair] {
    try Row.fetchAll(
      database,
      sql: """
        SELECT pairs.id, item_a, item_b, CASE WHEN a.item_type = b.item_type THEN a.item_type END, label, reason_tags,
          similarity, pairs.created_at
        FROM pairs JOIN items AS a ON a.id = item_a JOIN items AS b ON b.id = item_b
        WHERE (?1 IS NULL OR a.item_type = ?1 AND b.item_type = ?1) AND (?2 IS NULL OR item_a = ?2 OR item_b = ?2)
        ORDER BY pairs.id
        """, arguments: [type, item]
    ).compactMap { row in
      // Compared as moments, not as texts: the digits of the second's fraction vary.
      guard let createdAt = Timestamp(row[7] as String), since.map({ createdAt >= $0 }) ?? true,
        let label = PreferenceLabel(rawValue: row[4])
      else { return nil }
      return StoredPair(
        id: row[0], itemA: row[1], itemB: row[2], itemType: row[3], label: label,
        reasonTags: try StoredJSON.tags(row[5]), similarity: row[6], createdAt: createdAt)
    }
  }

  /// Removes an answer and returns what it was.
  @discardableResult
  public func removePair(_ id: Int64) throws -> StoredPair {
    try write { database in
      guard let pair = try Self.pairs(database).first(where: { $0.id == id }) else {
        throw StoreError.unknownPair(id: id)
      }
      try database.execute(sql: "DELETE FROM pairs WHERE id = ?", arguments: [id])
      return pair
    }
  }

  /// The tags used so far, the most frequent first, then by name.
  public func reasonTags() throws -> [(tag: String, count: Int)] {
    var counts: [String: Int] = [:]
    let texts = try read { try String.fetchAll($0, sql: "SELECT reason_tags FROM pairs WHERE reason_tags <> '[]'") }
    for text in texts {
      for tag in try StoredJSON.tags(text) { counts[tag, default: 0] += 1 }
    }
    return counts.map { (tag: $0.key, count: $0.value) }.sorted { (-$0.count, $0.tag) < (-$1.count, $1.tag) }
  }
}
