// A text as a model reads it, and several of them as one input.

/// The tokens of a text, or of two texts: `[CLS] a [SEP]`, `[CLS] a [SEP] b [SEP]`.
public struct TokenizedText: Hashable, Sendable {
  /// The tokens' ids, the special ones included.
  public let ids: [Int32]
  /// How many of the tokens are of the first text, its [CLS] and [SEP] included: all of them where there is one text.
  public let firstCount: Int
  /// Whether tokens were left out because of a maximum length.
  public let isTruncated: Bool
  /// For each token the bytes of its text's UTF-8 that it comes from, empty for those that the tokenizer added. Nil
  /// unless asked for.
  public let ranges: [Range<Int>]?

  /// 0 for the tokens of the first text, 1 for those of the second one.
  public var typeIDs: [Int32] { ids.indices.map { $0 < firstCount ? 0 : 1 } }

  public var count: Int { ids.count }
}

/// Several tokenized texts as a model's inputs, each padded to the longest: all of shape `[count, length]`.
public struct PaddedTokens: Hashable, Sendable {
  public let count: Int
  public let length: Int
  /// Row by row, the tokens and then the padding.
  public let ids: [Int64]
  /// 1 for tokens, 0 for padding.
  public let attentionMask: [Int64]
  /// 0 for the first text and for padding, 1 for the second text.
  public let typeIDs: [Int64]

  /// - Parameters:
  ///   - padID: what rows are filled up with, `WordPieceTokenizer.padID`.
  ///   - multiple: the length is raised to a multiple of this.
  public init(_ texts: some Collection<TokenizedText>, padID: Int32, multiple: Int = 1) {
    precondition(multiple > 0, "a length is a multiple of 1 or more, not of \(multiple)")
    let longest = texts.lazy.map(\.count).max() ?? 0
    let length = (longest + multiple - 1) / multiple * multiple
    var ids = [Int64](repeating: Int64(padID), count: texts.count * length)
    var attentionMask = [Int64](repeating: 0, count: ids.count)
    var typeIDs = attentionMask
    for (row, text) in texts.enumerated() {
      for (index, id) in text.ids.enumerated() {
        ids[row * length + index] = Int64(id)
        attentionMask[row * length + index] = 1
        if index >= text.firstCount { typeIDs[row * length + index] = 1 }
      }
    }
    self.count = texts.count
    self.length = length
    self.ids = ids
    self.attentionMask = attentionMask
    self.typeIDs = typeIDs
  }
}
