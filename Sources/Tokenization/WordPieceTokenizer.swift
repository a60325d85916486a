// The tokenizer of BERT: a text to the numbers that an encoder reads.

import Threads

/// Cuts texts into the tokens of a WordPiece vocabulary, as Hugging Face's `BertTokenizerFast` does, token for token.
///
/// ```swift
/// let tokenizer = try WordPieceTokenizer(directory: "all-MiniLM-L6-v2")
/// let text = tokenizer.encode("Hello, world!", maxLength: 128)
/// text.ids                       // [101, 7592, 1010, 2088, 999, 102]
/// tokenizer.tokens(text.ids)     // ["[CLS]", "hello", ",", "world", "!", "[SEP]"]
/// ```
///
/// A text is cleaned and normalized (``Normalization``), cut at white space and around punctuation, and each word is cut
/// into the longest tokens from the left. A word that can't be written so, or has more than 100 characters, is
/// `[UNK]`. Special tokens that stand in a text as they are written, such as "[SEP]", are recognised.
public struct WordPieceTokenizer: Sendable {
  public let vocabulary: WordPieceVocabulary
  public let settings: TokenizerSettings
  /// The ids of `[UNK]`, `[CLS]`, `[SEP]` and `[PAD]`.
  public let unkID, clsID, sepID, padID: Int32
  /// The id of `[MASK]`, nil where the vocabulary has none.
  public let maskID: Int32?
  /// The ids of all special tokens.
  public let specialIDs: Set<Int32>
  let rules: ScanRules

  /// A tokenizer from a vocabulary in memory.
  ///
  /// - Throws: `TokenizationError.missingToken` where the vocabulary lacks a special token that the settings name.
  public init(
    vocabulary: WordPieceVocabulary, settings: TokenizerSettings = TokenizerSettings()
  ) throws(TokenizationError) {
    var special: [(bytes: [UInt8], id: Int32)] = []
    func id(_ token: String, _ key: String) throws(TokenizationError) -> Int32 {
      guard let id = vocabulary.id(of: token) else {
        throw .missingToken(source: vocabulary.source, token: token, key: key)
      }
      if !special.contains(where: { $0.id == id }) { special.append((Array(token.utf8), id)) }
      return id
    }
    unkID = try id(settings.unknownToken, "unk_token")
    clsID = try id(settings.classifierToken, "cls_token")
    sepID = try id(settings.separatorToken, "sep_token")
    padID = try id(settings.paddingToken, "pad_token")
    maskID = vocabulary.id(of: settings.maskToken) == nil ? nil : try id(settings.maskToken, "mask_token")
    // Those that are left are the additional ones, each once.
    let named = special.count
    for token in settings.additionalTokens { _ = try id(token, "additional_special_tokens") }
    var settings = settings
    settings.additionalTokens = special[named...].map { String(decoding: $0.bytes, as: UTF8.self) }
    self.vocabulary = vocabulary
    self.settings = settings
    specialIDs = Set(special.map(\.id))
    rules = ScanRules(normalization: settings.normalization, special: SpecialTokens(special))
  }

  /// The tokens of a text: `[CLS] … [SEP]`.
  ///
  /// - Parameters:
  ///   - maxLength: the most tokens, the two special ones included, so at least 2; the text's end is left out. Nil leaves
  ///     nothing out.
  ///   - withRanges: whether to say where in the text each token is.
  public func encode(_ text: String, maxLength: Int? = nil, withRanges: Bool = false) -> TokenizedText {
    encodeOne(text, nil, maxLength, withRanges: withRanges)
  }

  /// The tokens of two texts: `[CLS] … [SEP] … [SEP]`.
  ///
  /// - Parameter maxLength: the most tokens, the three special ones included, so at least 3; what is too much is taken
  ///   off the end of the longer text, then of both alike. Nil leaves nothing out.
  public func encode(
    _ text: String, pair: String, maxLength: Int? = nil, withRanges: Bool = false
  ) -> TokenizedText {
    encodeOne(text, pair, maxLength, withRanges: withRanges)
  }

  /// The tokens of many texts, in their order.
  public func encode(batch texts: [String], maxLength: Int? = nil, threads: Int = processorCount) -> [TokenizedText] {
    encodeMany(texts.count, maxLength, threads: threads) { (texts[$0], nil) }
  }

  /// The tokens of many pairs of texts, in their order.
  public func encode(
    pairs: [(String, String)], maxLength: Int? = nil, threads: Int = processorCount
  ) -> [TokenizedText] {
    encodeMany(pairs.count, maxLength, threads: threads) { (pairs[$0].0, pairs[$0].1) }
  }

  /// The tokens of ids. Every id must be of the vocabulary.
  public func tokens(_ ids: some Sequence<Int32>) -> [String] { ids.map { vocabulary[$0] } }
}
