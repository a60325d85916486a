// Rows as columns: what a caller wants of a file, and what it gets, whatever form the file has.

/// A column that is wanted of a file.
public struct TableColumn: Sendable, Hashable {
  /// What the column holds.
  public enum Content: Sendable, Hashable {
    /// Texts, many of them often repeated: each distinct one is kept once.
    case ids
    /// Texts to be read: kept as ids are, but one of white space and control characters alone is a bad one.
    case texts
    /// Texts, or numbers as JSON writes them: what is carried along and not judged. Kept as ids are.
    case carried
    /// Lists of ids; only JSON has them.
    case idLists
    /// Finite numbers, above `minimum` where there is one.
    case numbers(above: Float? = nil)
    /// Moments: ISO 8601, or numbers since 1970 in seconds, or in milliseconds, microseconds or nanoseconds where they
    /// have at least 12, 15 or 18 digits.
    case times
  }

  /// What the column is called here and in messages.
  public var name: String
  /// The names that the file may use for it, `name` not among them. Letters' case, `_`, `-` and spaces do not count in
  /// a header of a delimited file.
  public var synonyms: [String]
  /// The one name that the file uses for it, exactly; nil looks for `name` and then for the synonyms.
  public var source: String?
  public var content: Content
  /// Makes a row without it a bad row.
  public var isRequired: Bool

  public init(_ name: String, synonyms: [String] = [], content: Content, isRequired: Bool = false) {
    self.name = name
    self.synonyms = synonyms
    self.content = content
    self.isRequired = isRequired
  }
}

/// The rows of a file, column by column, in the order of the file.
public struct Table: Sendable, Hashable {
  /// The values of one column.
  public enum Values: Sendable, Hashable {
    /// No row has a value.
    case absent
    /// Of ids, texts and what is carried along: for each row a place in `texts`, which are in the order in which they first come; -1 where the
    /// row has none.
    case ids(places: [Int32], texts: [String])
    /// Row `r` has `places[offsets[r]..<offsets[r + 1]]`.
    case idLists(offsets: [Int], places: [Int32], texts: [String])
    /// NaN where a row has none.
    case numbers([Float])
    /// Seconds since 1970, rounded down; `Int64.min` where a row has none.
    case times([Int64])
  }

  public var rowCount: Int
  /// As asked for.
  public var columns: [Values]
  /// For each row the line on which it begins, with ``ReadOptions/keepsLines``; empty without.
  public var lines: [Int]

  public init(rowCount: Int, columns: [Values], lines: [Int] = []) {
    self.rowCount = rowCount
    self.columns = columns
    self.lines = lines
  }
}
