// How a data file is read.

/// How a data file is read.
public struct ReadOptions: Sendable {
  /// Which widths embeddings may have.
  public enum EmbeddingWidth: Sendable, Hashable {
    /// Any, and items without an embedding beside items with one.
    case any
    /// One for all records: the most frequent of the file, the earlier one of two as frequent.
    /// Records that differ are bad lines.
    case uniform
    /// This one for all records.
    case exactly(Int)
  }

  /// Makes the first bad line an error instead of leaving it out.
  public var isStrict: Bool
  public var embeddingWidth: EmbeddingWidth
  /// Lets `item_a` and `item_b` of a pair be ids of items that are kept elsewhere (``PairFile/references``).
  public var allowsReferences: Bool
  /// Threads to parse on; nil for as many as the machine has processors, at most eight.
  public var threadCount: Int?
  /// The longest line in bytes; longer ones are bad lines. Bounds the memory that a hostile file can claim: a parser
  /// takes about fourteen times a line's length. The default, 16 MiB, holds a pair of two 500,000-wide embeddings.
  public var maximumLineLength: Int
  /// How many of the lines left out are kept with their reason.
  public var keptProblems: Int
  /// Keeps for each row of a ``Table`` the line on which it begins, for callers that find problems later.
  public var keepsLines: Bool

  public init(
    isStrict: Bool = false, embeddingWidth: EmbeddingWidth = .any, allowsReferences: Bool = false,
    threadCount: Int? = nil, maximumLineLength: Int = 16 << 20, keptProblems: Int = 20,
    keepsLines: Bool = false
  ) {
    self.isStrict = isStrict
    self.embeddingWidth = embeddingWidth
    self.allowsReferences = allowsReferences
    self.threadCount = threadCount
    self.maximumLineLength = max(1, maximumLineLength)
    self.keptProblems = max(1, keptProblems)
    self.keepsLines = keepsLines
  }
}
