// How files of interactions are read.

/// The forms in which interactions come.
public enum DataFormat: String, Sendable, Hashable, Codable {
  /// One JSON object with `interactions`, an array of interactions, or one a line.
  case json
  /// Lines of separated fields.
  case csv
  /// One Parquet table.
  case parquet
  /// A directory with the Parquet tables `clickstream.pq` and `events.pq`.
  case clickstream
}

/// How interactions are read.
public struct InteractionReadOptions: Sendable {
  /// Makes the first bad row an error instead of leaving it out.
  public var isStrict: Bool
  /// What the columns of the file hold. Either names in the order of a delimited file's fields, as
  /// `user_id`, `item_id`, `rating`, `timestamp` (others are passed over), or, for any form, pairs such as
  /// `user_id=visitor`. Empty looks for the usual names.
  public var columns: [String]
  /// Between the fields of a line; nil looks.
  public var separator: String?
  /// Whether a delimited file begins with the names of its columns; nil looks.
  public var hasHeader: Bool?
  /// Takes explicit ratings (the column `rating`) as the strength of an interaction where there is no
  /// `implicit_rating`. Off by default: that somebody rated an item at all says more about what they will turn to next
  /// than how many stars they gave, and Hu, Koren and Volinsky's confidence is about how often, not how much.
  public var usesRatings: Bool
  /// How many of a clickstream's last days are held out; 0 holds nothing out.
  public var evaluationDays: Int
  /// Threads to parse on; nil for as many as the machine has processors, at most eight.
  public var threadCount: Int?
  /// How many of the rows left out are kept with their reason.
  public var keptProblems: Int

  public init(
    isStrict: Bool = false, columns: [String] = [], separator: String? = nil, hasHeader: Bool? = nil,
    usesRatings: Bool = false, evaluationDays: Int = 14, threadCount: Int? = nil, keptProblems: Int = 20
  ) {
    self.isStrict = isStrict
    self.columns = columns
    self.separator = separator
    self.hasHeader = hasHeader
    self.usesRatings = usesRatings
    self.evaluationDays = evaluationDays
    self.threadCount = threadCount
    self.keptProblems = keptProblems
  }
}
