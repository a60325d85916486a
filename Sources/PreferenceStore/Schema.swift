// The tables of the store, and how an older file becomes a newer one.

import GRDB
import Glibc

/// The steps from an empty file to the present tables. A step, once released, is never changed: a new one follows it.
enum Schema {
  /// "RnkK", in the header of the file: SQLite's mark for whose database it is.
  private static let applicationID = 0x526E_6B4B

  private static let steps = [
    """
    CREATE TABLE items (
      id TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
      item_type TEXT NOT NULL CHECK (item_type <> ''),
      item_reference_id TEXT NOT NULL,
      metrics TEXT NOT NULL,     -- a JSON object of numbers
      text TEXT,
      embedding_id TEXT,
      created_at TEXT NOT NULL,  -- ISO 8601, UTC
      embedding BLOB             -- 32-bit floats, little-endian
    );
    CREATE INDEX items_by_type ON items (item_type, id);
    CREATE TABLE pairs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      item_a TEXT NOT NULL REFERENCES items (id) ON UPDATE CASCADE,
      item_b TEXT NOT NULL REFERENCES items (id) ON UPDATE CASCADE,
      label INTEGER NOT NULL CHECK (label IN (-1, 0, 1)),
      reason_tags TEXT NOT NULL, -- a JSON array of strings
      similarity REAL,
      created_at TEXT NOT NULL,  -- ISO 8601, UTC
      CHECK (item_a <> item_b)
    );
    CREATE INDEX pairs_by_item_a ON pairs (item_a);
    CREATE INDEX pairs_by_item_b ON pairs (item_b);
    """
  ]

  /// Brings the tables up to date. Two processes may do so at once: the version is read within the transaction that
  /// changes it, so the second one finds the work done.
  static func migrate(_ database: Database, path: String) throws {
    if try Int.fetchOne(database, sql: "PRAGMA user_version") != steps.count
      || Int.fetchOne(database, sql: "PRAGMA application_id") != applicationID
    {
      try database.inTransaction(.immediate) {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let owner = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let tableCount = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
        guard owner == applicationID || (owner == 0 && tableCount == 0 && version == 0) else {
          throw StoreError.foreignDatabase(path: path)
        }
        guard version <= steps.count else {
          throw StoreError.newerDatabase(path: path, version: version, known: steps.count)
        }
        for step in steps[max(0, version)...] { try database.execute(sql: step) }
        try database.execute(sql: "PRAGMA application_id = \(applicationID)")
        try database.execute(sql: "PRAGMA user_version = \(steps.count)")
        return .commit
      }
    }
    try setWriteAheadLog(database)
  }

  /// The write-ahead log lets readers and a writer go on side by side. Switching to it needs the file alone for a
  /// moment, and SQLite does not always wait for that by itself.
  private static func setWriteAheadLog(_ database: Database) throws {
    for attempt in 1... {
      do {
        _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        return
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && attempt < 200 {
        usleep(20_000)
      }
    }
  }
}
