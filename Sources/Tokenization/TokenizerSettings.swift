// What a tokenizer is told beside its vocabulary.

/// The settings of a WordPiece tokenizer: the content of a `tokenizer_config.json`.
public struct TokenizerSettings: Hashable, Sendable {
  public var normalization: Normalization
  /// The token for words that the vocabulary can't write.
  public var unknownToken = "[UNK]"
  /// The token at the start of every text.
  public var classifierToken = "[CLS]"
  /// The token at the end of every text.
  public var separatorToken = "[SEP]"
  /// The token that fills up shorter texts.
  public var paddingToken = "[PAD]"
  /// The token in the place of a word to be guessed. A vocabulary may do without.
  public var maskToken = "[MASK]"
  /// Further tokens that are recognised where a text has them as they are written, and are never cut.
  public var additionalTokens: [String] = []
  /// The most tokens that the model takes, nil where nothing is said. It is not applied by itself: give it as
  /// `maxLength`.
  public var modelMaxLength: Int?
  /// The class that `transformers` takes for it: of DistilBERT's it expects no token types.
  public var tokenizerClass = "BertTokenizer"

  public init(normalization: Normalization = Normalization()) { self.normalization = normalization }

  /// The tokens that no tokenizer can do without, with their names in the file.
  var required: [(key: String, token: String)] {
    [
      ("unk_token", unknownToken), ("cls_token", classifierToken), ("sep_token", separatorToken),
      ("pad_token", paddingToken),
    ]
  }
}
