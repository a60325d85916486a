// What an encoder of the BERT family is made of: the sizes and rates that Hugging Face keeps in config.json.

/// The architecture of a text encoder (Devlin et al., "BERT", 2019; Sanh et al., "DistilBERT", 2019).
///
/// ```swift
/// let configuration = try EncoderConfiguration(contentsOf: "all-MiniLM-L6-v2/config.json")
/// print(configuration.layerCount, configuration.width)  // 6 384
/// ```
public struct EncoderConfiguration: Sendable, Hashable {
  /// The two kinds of network, by their `model_type`. They differ in the names of their parameters, and DistilBERT has
  /// no token types, another head, and no dropout behind the attention's output.
  public enum Family: String, Sendable, Hashable, CaseIterable {
    case bert, distilbert
  }

  /// What stands between the two layers of the feed-forward block.
  public enum Activation: String, Sendable, Hashable, CaseIterable {
    /// `x · Φ(x)` by the error function.
    case gelu
    /// Its approximation by a tanh (Hendrycks and Gimpel, 2016).
    case geluNew = "gelu_new"
    case relu
  }

  public var family: Family
  /// Rows of the table of tokens.
  public var vocabularySize: Int
  /// Numbers in a hidden state.
  public var width: Int
  public var layerCount: Int
  public var headCount: Int
  /// Outputs of the first layer of the feed-forward block.
  public var innerWidth: Int
  /// Rows of the table of positions: the most tokens that a text may have.
  public var maximumLength: Int
  /// Rows of the table of token types; 0 in DistilBERT.
  public var tokenTypeCount: Int
  public var activation = Activation.gelu
  /// Added to the variance in every layer normalisation.
  public var normalizationEpsilon = 1e-12
  /// The probability with which training zeroes an element of a hidden state.
  public var hiddenDropout = 0.1
  /// The same of an attention weight.
  public var attentionDropout = 0.1
  /// The same of what the classifier takes in.
  public var classifierDropout = 0.1
  /// The row of the token that fills short texts up.
  public var paddingToken = 0
  /// The standard deviation of the weights that a training from nothing starts with.
  public var initializerRange = 0.02
  /// The names of the classifier's outputs in their order; nil where the network has no classifier.
  public var labels: [String]?

  public init(
    family: Family, vocabularySize: Int, width: Int, layerCount: Int, headCount: Int, innerWidth: Int,
    maximumLength: Int = 512
  ) {
    self.family = family
    self.vocabularySize = vocabularySize
    self.width = width
    self.layerCount = layerCount
    self.headCount = headCount
    self.innerWidth = innerWidth
    self.maximumLength = maximumLength
    tokenTypeCount = family == .bert ? 2 : 0
  }

  /// Numbers that one head of the attention compares.
  public var headWidth: Int { width / headCount }

  /// The same network without dropout: what is exported.
  public var withoutDropout: EncoderConfiguration {
    var configuration = self
    (configuration.hiddenDropout, configuration.attentionDropout, configuration.classifierDropout) = (0, 0, 0)
    return configuration
  }
}
