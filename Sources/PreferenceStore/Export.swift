// The dataset: every answer with its two items whole, as JSON lines.

import Datasets
import GRDB

extension PreferenceStore {
  /// Hands out the pairs with their items whole, in the order in which they were stored, as they were at one moment.
  public func forEachPair(
    ofType type: String? = nil, since: Timestamp? = nil, _ body: (PreferencePair) throws -> Void
  ) throws {
    try read { database in
      var items: [String: Item] = [:]
      for pair in try Self.pairs(database, ofType: type, since: since) {
        for id in [pair.itemA, pair.itemB] where items[id] == nil { items[id] = try Self.item(database, id) }
        try body(
          PreferencePair(
            itemA: items[pair.itemA]!, itemB: items[pair.itemB]!, label: pair.label, reasonTags: pair.reasonTags,
            similarity: pair.similarity, createdAt: pair.createdAt))
      }
    }
  }

  /// Writes the dataset to `path` (`-`: standard output), one pair a line. A reader of the file sees the old one or the
  /// new one, whole.
  ///
  /// - Returns: the number of pairs written. With none, nothing is written.
  /// - Throws: `StoreError`, and `FileError` where the file can't be written.
  public func export(to path: String, ofType type: String? = nil, since: Timestamp? = nil) throws -> Int {
    var count = 0
    var writer: LineWriter?
    try forEachPair(ofType: type, since: since) { pair in
      if writer == nil { writer = try LineWriter(path: path) }
      try writer!.writeLine { text in pair.appendJSON(to: &text) }
      count += 1
    }
    try writer?.finish()
    return count
  }
}
