// The tables of the store.

import DatabaseFiles

enum Schema {
  /// Marked "RnkK".
  static let tables = DatabaseSchema(applicationID: 0x526E_6B4B, steps: steps)

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
}
