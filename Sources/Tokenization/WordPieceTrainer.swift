// A vocabulary learnt from texts.

/// Learns a WordPiece vocabulary: the special tokens, the characters, and then, one by one, what the most frequent pair
/// of neighbouring pieces makes together, until the vocabulary is full.
///
/// This is what `WordPieceTrainer` of `tokenizers` does (byte-pair encoding by frequency; Sennrich et al., "Neural
/// Machine Translation of Rare Words with Subword Units", 2016, with "##" before what goes on within a word). Of pairs of
/// equal frequency the one with the lower ids comes first; ids within words are given by code point, where that library
/// leaves them to chance. So the same texts give the same vocabulary, in whatever order they come. Words of more than
/// 100 characters, which no tokenizer would cut, teach nothing here; that library learns from them too.
public struct WordPieceTrainer: Sendable {
  /// The most tokens, 30,000 as in `tokenizers`.
  public var vocabularySize = 30_000
  /// How often a pair must be there to become a token.
  public var minimumFrequency = 2
  /// How many different characters become tokens, the most frequent ones. With the others, words are unknown.
  public var alphabetLimit = 1000
  /// The tokenizer's settings; its special tokens come first in the vocabulary.
  public var settings: TokenizerSettings

  public init(settings: TokenizerSettings = TokenizerSettings()) { self.settings = settings }

  /// Learns a vocabulary from texts and gives the tokenizer of it.
  ///
  /// - Throws: `TokenizationError.untrainable` where the texts have no word, or the vocabulary has no room for their
  ///   characters.
  public func train(_ texts: some Sequence<String>) throws(TokenizationError) -> WordPieceTokenizer {
    let counts = WordCounter.counts(in: texts, settings.normalization)
    guard !counts.isEmpty else { throw .untrainable(problem: "the texts have no words") }
    var special: [String] = []
    let named = [
      settings.paddingToken, settings.unknownToken, settings.classifierToken, settings.separatorToken,
      settings.maskToken,
    ]
    for token in named + settings.additionalTokens where !special.contains(token) { special.append(token) }
    var learning = PairMerging(
      special: special.map { Array($0.utf8) },
      words: counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) },
      alphabetLimit: alphabetLimit)
    guard learning.pieces.count <= vocabularySize else {
      throw .untrainable(
        problem: """
          \(learning.pieces.count) tokens are needed for the special tokens and the characters of the texts, and the \
          vocabulary may have \(vocabularySize); allow more tokens or fewer characters
          """)
    }
    learning.merge(until: vocabularySize, minimumFrequency: minimumFrequency)
    var tokens = TokenBytes()
    for piece in learning.pieces { tokens.append(piece) }
    return try WordPieceTokenizer(
      vocabulary: WordPieceVocabulary(tokens, source: "the learnt vocabulary"), settings: settings)
  }
}
