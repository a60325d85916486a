// Hugging Face's config.json: read with every field checked, and written so that transformers opens it.

import Files
import Foundation

extension EncoderConfiguration {
  /// The name of the file in the directory of an encoder.
  public static let fileName = "config.json"

  /// Reads a `config.json`.
  /// - Throws: `EncoderError.invalidConfiguration` naming the field, what it holds and what it should; `FileError` where
  ///   the file cannot be read.
  public init(contentsOf path: String) throws {
    let data = try MappedFile(path: path).withUnsafeBytes { Data($0) }
    try self.init(json: data, path: path)
  }

  /// Reads the text of a `config.json`.
  /// - Parameter path: what to call it in errors.
  public init(json: Data, path: String = fileName) throws(EncoderError) {
    try self.init(ConfigurationFields(json: json, path: path))
  }

  private init(_ fields: ConfigurationFields) throws(EncoderError) {
    let type = try fields.text("model_type")
    guard let family = Family(rawValue: type) else {
      throw fields.failure("model_type", expected: Family.allCases.map(\.rawValue).joined(separator: " or "))
    }
    let names = FieldNames(family)
    self.init(
      family: family, vocabularySize: try fields.integer("vocab_size", in: 1...Self.largestVocabulary),
      width: try fields.integer(names.width, in: 1...Self.largestWidth),
      layerCount: try fields.integer(names.layers, in: 1...Self.mostLayers),
      headCount: try fields.integer(names.heads, in: 1...Self.largestWidth),
      innerWidth: try fields.integer(names.innerWidth, in: 1...Self.largestWidth),
      maximumLength: try fields.integer("max_position_embeddings", default: 512, in: 2...Self.greatestLength))
    guard width % headCount == 0 else {
      throw fields.failure(names.heads, expected: "a divisor of '\(names.width)', which is \(width)")
    }
    if family == .bert { tokenTypeCount = try fields.integer("type_vocab_size", default: 2, in: 1...1024) }
    let name = try fields.text(names.activation, default: Activation.gelu.rawValue)
    guard let activation = Activation(rawValue: name) else {
      throw fields.failure(names.activation, expected: Activation.allCases.map(\.rawValue).joined(separator: ", "))
    }
    self.activation = activation
    if let epsilon = try fields.number("layer_norm_eps"), family == .bert {
      guard epsilon > 0, epsilon < 1 else { throw fields.failure("layer_norm_eps", expected: "a number from 0 to 1") }
      normalizationEpsilon = epsilon
    }
    hiddenDropout = try fields.probability(names.hiddenDropout, default: 0.1)
    attentionDropout = try fields.probability(names.attentionDropout, default: 0.1)
    classifierDropout = try fields.probability(
      names.classifierDropout, default: family == .bert ? hiddenDropout : 0.2)
    paddingToken = try fields.integer("pad_token_id", default: 0, in: 0...vocabularySize - 1)
    if let range = try fields.number("initializer_range") {
      guard range > 0, range < 10 else { throw fields.failure("initializer_range", expected: "a number above 0") }
      initializerRange = range
    }
    guard try fields.text("position_embedding_type", default: "absolute") == "absolute" else {
      throw fields.failure("position_embedding_type", expected: "absolute")
    }
    for name in ["is_decoder", "add_cross_attention"] where try fields.flag(name) {
      throw fields.failure(name, expected: "false: only encoders are read")
    }
    labels = try Self.labels(fields)
  }

  /// The texts of `id2label` by their numbers, which must be 0, 1, 2, ….
  private static func labels(_ fields: ConfigurationFields) throws(EncoderError) -> [String]? {
    guard let value = fields["id2label"] else { return nil }
    let expected = "an object that gives each number from 0 the name of its label"
    guard case .object(let names) = value, !names.isEmpty else { throw fields.failure("id2label", expected: expected) }
    var labels: [String] = []
    for index in 0..<names.count {
      guard case .text(let label)? = names["\(index)"] else {
        throw EncoderError.invalidConfiguration(
          path: fields.path, problem: "'id2label' has no text for \(index); expected \(expected)")
      }
      labels.append(label)
    }
    return labels
  }

  // More than any published encoder has, and still computable: a file beyond them is damaged.
  private static let largestVocabulary = 1 << 22
  private static let largestWidth = 1 << 16
  private static let mostLayers = 1 << 10
  private static let greatestLength = 1 << 17

  /// The text of a `config.json` that transformers opens: as a sequence classifier of several labels a text where the
  /// network has labels, as a plain encoder elsewhere. The same configuration gives the same bytes.
  public func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(fields)) + [UInt8(ascii: "\n")]
  }

  /// The fields of the file.
  private var fields: [String: JSONValue] {
    let names = FieldNames(family)
    let stem = family == .bert ? "Bert" : "DistilBert"
    var fields: [String: JSONValue] = [
      "model_type": .text(family.rawValue), "vocab_size": .integer(vocabularySize), names.width: .integer(width),
      names.layers: .integer(layerCount), names.heads: .integer(headCount), names.innerWidth: .integer(innerWidth),
      "max_position_embeddings": .integer(maximumLength), names.activation: .text(activation.rawValue),
      names.hiddenDropout: .number(hiddenDropout), names.attentionDropout: .number(attentionDropout),
      names.classifierDropout: .number(classifierDropout), "pad_token_id": .integer(paddingToken),
      "initializer_range": .number(initializerRange), "torch_dtype": .text("float32"),
    ]
    switch family {
    case .bert:
      fields["type_vocab_size"] = .integer(tokenTypeCount)
      fields["layer_norm_eps"] = .number(normalizationEpsilon)
      fields["position_embedding_type"] = .text("absolute")
    case .distilbert:
      fields["sinusoidal_pos_embds"] = .bool(false)
    }
    if let labels {
      fields["architectures"] = .list([.text("\(stem)ForSequenceClassification")])
      fields["problem_type"] = .text("multi_label_classification")
      let numbered = labels.enumerated()
      fields["id2label"] = .object(Dictionary(uniqueKeysWithValues: numbered.map { ("\($0)", .text($1)) }))
      fields["label2id"] = .object(Dictionary(numbered.map { ($1, .integer($0)) }, uniquingKeysWith: { a, _ in a }))
    } else {
      fields["architectures"] = .list([.text("\(stem)Model")])
    }
    return fields
  }
}

/// What the two families call the same thing.
private struct FieldNames {
  let width, layers, heads, innerWidth, activation, hiddenDropout, attentionDropout, classifierDropout: String

  init(_ family: EncoderConfiguration.Family) {
    switch family {
    case .bert:
      (width, layers, heads, innerWidth) = (
        "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"
      )
      (activation, hiddenDropout) = ("hidden_act", "hidden_dropout_prob")
      (attentionDropout, classifierDropout) = ("attention_probs_dropout_prob", "classifier_dropout")
    case .distilbert:
      (width, layers, heads, innerWidth) = ("dim", "n_layers", "n_heads", "hidden_dim")
      (activation, hiddenDropout) = ("activation", "dropout")
      (attentionDropout, classifierDropout) = ("attention_dropout", "seq_classif_dropout")
    }
  }
}

extension EncoderConfiguration: Codable {
  /// Reads the object that `config.json` is, wherever it stands.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.singleValueContainer().decode([String: JSONValue].self)
    do { try self.init(ConfigurationFields(values: fields, path: Self.fileName)) } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "\(error)"))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode(fields)
  }
}
