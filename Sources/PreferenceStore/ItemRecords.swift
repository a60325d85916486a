// Items in the store.

import Datasets
import GRDB
import Glibc

/// What an import did.
public struct ItemImport: Sendable, Hashable {
  public var added = 0
  public var updated = 0
  public var unchanged = 0

  public init() {}
}

/// An item as lists show it: everything but the embedding's numbers, and how often it was compared.
public struct ItemSummary: Sendable, Hashable {
  public let id: String
  public let itemType: String
  public let itemReferenceID: String
  public let metrics: [String: Double]
  public let text: String?
  /// The width of the embedding; nil where there is none.
  public let embeddingWidth: Int?
  public let createdAt: Timestamp
  public let pairCount: Int
}

extension PreferenceStore {
  /// Adds items, or takes over what changed of those whose id is known; all of them or, where one is refused, none.
  ///
  /// An item without `createdAt` keeps what is stored, or gets the present time. One without an embedding keeps what is
  /// stored, unless its `embeddingID` changed.
  public func importItems(_ items: [Item]) throws -> ItemImport {
    for item in items { try Self.check(item) }
    return try write { database in
      var result = ItemImport()
      let now = Timestamp.now()
      for item in items { _ = try Self.merge(database, item, now: now, into: &result) }
      return result
    }
  }

  /// Stores an item over what is known of it, counts what that did, and returns the item as it is stored now.
  static func merge(
    _ database: Database, _ item: Item, now: Timestamp, into result: inout ItemImport
  ) throws -> Item {
    let stored = try Item.fetch(database, id: item.id)
    var merged = item
    merged.createdAt = item.createdAt ?? stored?.createdAt ?? now
    if item.embedding == nil, item.embeddingID == nil || item.embeddingID == stored?.embeddingID {
      merged.embedding = stored?.embedding
      merged.embeddingID = stored?.embeddingID
    }
    if stored == merged {
      result.unchanged += 1
    } else {
      try merged.save(database)
      if stored == nil { result.added += 1 } else { result.updated += 1 }
    }
    return merged
  }

  static func check(_ item: Item) throws {
    if item.id.isEmpty { throw StoreError.emptyField(name: "an item's id") }
    if item.itemType.isEmpty { throw StoreError.emptyField(name: "the item_type of \"\(item.id)\"") }
    if let index = item.embedding?.firstIndex(where: { !$0.isFinite }) {
      throw StoreError.notFinite(itemID: item.id, what: "embedding[\(index)]")
    }
    if let metric = item.metrics.filter({ !$0.value.isFinite }).keys.min() {
      throw StoreError.notFinite(itemID: item.id, what: "metric \"\(metric)\"")
    }
  }

  /// The item, whole.
  ///
  /// - Throws: ``StoreError/unknownItem(id:nearest:)`` where there is none.
  public func item(_ id: String) throws -> Item {
    try read { database in try Self.item(database, id) }
  }

  static func item(_ database: Database, _ id: String) throws -> Item {
    if let item = try Item.fetch(database, id: id) { return item }
    let names = try String.fetchAll(database, sql: "SELECT id FROM items ORDER BY id")
    throw StoreError.unknownItem(id: id, nearest: NearestNames.nearest(to: id, among: names))
  }

  /// All items, whole, or those of a type; by type, then id.
  public func items(ofType type: String? = nil) throws -> [Item] {
    try read { database in
      try Item.fetchAll(
        database, where: "?1 IS NULL OR item_type = ?1 ORDER BY item_type, id", arguments: [type])
    }
  }

  /// Items by type, then id: those of a type, where given, and with `search` in their id, reference or text, without
  /// regard to case.
  public func summaries(ofType type: String? = nil, search: String? = nil) throws -> [ItemSummary] {
    let all = try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT id, item_type, item_reference_id, metrics, text, length(embedding) / 4 AS width, created_at,
            (SELECT COUNT(*) FROM pairs WHERE item_a = items.id) + (SELECT COUNT(*) FROM pairs WHERE item_b = items.id)
              AS pair_count
          FROM items WHERE ?1 IS NULL OR item_type = ?1 ORDER BY item_type, id
          """, arguments: [type]
      ).map { row in
        ItemSummary(
          id: row["id"], itemType: row["item_type"], itemReferenceID: row["item_reference_id"],
          metrics: try StoredJSON.metrics(row["metrics"]), text: row["text"], embeddingWidth: row["width"],
          createdAt: Timestamp(row["created_at"]) ?? Timestamp(microseconds: 0), pairCount: row["pair_count"])
      }
    }
    guard let needle = search?.lowercased(), !needle.isEmpty else { return all }
    return all.filter { item in
      [item.id, item.itemReferenceID, item.text ?? ""].contains { $0.lowercased().contains(needle) }
    }
  }

  /// The types that there are, with the number of items of each, by name.
  public func itemTypes() throws -> [(type: String, itemCount: Int)] {
    try read { database in
      try Row.fetchAll(
        database, sql: "SELECT item_type, COUNT(*) FROM items GROUP BY item_type ORDER BY item_type"
      ).map { (type: $0[0], itemCount: $0[1]) }
    }
  }

  /// Removes an item and, with `cascade`, the pairs that refer to it.
  ///
  /// - Returns: the number of pairs that went with it.
  /// - Throws: ``StoreError/itemInUse(id:pairCount:)`` where pairs refer to it and `cascade` is false.
  public func removeItem(_ id: String, cascade: Bool = false) throws -> Int {
    try write { database in
      _ = try Self.item(database, id)
      let pairCount =
        try Int.fetchOne(
          database, sql: "SELECT COUNT(*) FROM pairs WHERE item_a = ?1 OR item_b = ?1", arguments: [id]) ?? 0
      guard cascade || pairCount == 0 else { throw StoreError.itemInUse(id: id, pairCount: pairCount) }
      try database.execute(sql: "DELETE FROM pairs WHERE item_a = ?1 OR item_b = ?1", arguments: [id])
      try database.execute(sql: "DELETE FROM items WHERE id = ?", arguments: [id])
      return pairCount
    }
  }
}

extension Item {
  private static let columns =
    "id, item_type, item_reference_id, metrics, text, embedding_id, created_at, embedding"

  static func fetch(_ database: Database, id: String) throws -> Item? {
    try fetchAll(database, where: "id = ?", arguments: [id]).first
  }

  static func fetchAll(_ database: Database, where condition: String, arguments: StatementArguments) throws -> [Item] {
    try Row.fetchCursor(
      database.cachedStatement(sql: "SELECT \(columns) FROM items WHERE \(condition)"), arguments: arguments
    ).map { row in try Item(row) }.collect()
  }

  private init(_ row: Row) throws {
    self.init(
      id: row[0], itemType: row[1], itemReferenceID: row[2],
      embedding: try row.withUnsafeData(atIndex: 7) { $0.map { data in StoredJSON.floats(data) } }, embeddingID: row[5],
      metrics: try StoredJSON.metrics(row[3]), text: row[4], createdAt: Timestamp(row[6] as String))
  }

  /// Writes the item over what is stored under its id.
  func save(_ database: Database) throws {
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO items (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET item_type = excluded.item_type, item_reference_id = excluded.item_reference_id,
          metrics = excluded.metrics, text = excluded.text, embedding_id = excluded.embedding_id,
          created_at = excluded.created_at, embedding = excluded.embedding
        """)
    try statement.execute(arguments: [
      id, itemType, itemReferenceID, StoredJSON.text(metrics), text, embeddingID,
      (createdAt ?? .now()).description, embedding.map(StoredJSON.data),
    ])
  }
}

extension Cursor {
  fileprivate func collect() throws -> [Element] {
    var all: [Element] = []
    while let element = try next() { all.append(element) }
    return all
  }
}
