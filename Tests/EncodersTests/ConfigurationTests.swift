// config.json: what transformers wrote is read, and every field that cannot be is told by name.

import Encoders
import Foundation
import Testing

@Suite("The encoder's configuration")
struct ConfigurationTests {
  private func fields(_ family: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: Resources.path("\(family)/config.json")))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func read(_ fields: [String: Any]) throws -> EncoderConfiguration {
    try EncoderConfiguration(json: try JSONSerialization.data(withJSONObject: fields))
  }

  @Test("the sizes of both families are read by their own names")
  func sizes() throws {
    let bert = try EncoderConfiguration(contentsOf: Resources.path("bert/config.json"))
    #expect(bert.family == .bert)
    let sizes = [bert.vocabularySize, bert.width, bert.layerCount, bert.headCount]
    #expect(sizes == [48, 16, 2, 4])
    let others = [bert.innerWidth, bert.maximumLength, bert.tokenTypeCount]
    #expect(others == [24, 20, 2])
    // `classifier_dropout` is null there: BERT takes the hidden states' then.
    #expect(bert.hiddenDropout == 0.1 && bert.attentionDropout == 0.1 && bert.classifierDropout == 0.1)
    #expect(bert.labels == ["arts", "sports", "science"])
    let distilled = try EncoderConfiguration(contentsOf: Resources.path("distilbert/config.json"))
    #expect(distilled.family == .distilbert)
    let distilledSizes = [distilled.width, distilled.layerCount, distilled.headCount, distilled.innerWidth]
    #expect(distilledSizes == [12, 2, 3, 20])
    #expect(distilled.tokenTypeCount == 0)
    #expect(distilled.classifierDropout == 0.2)
  }

  @Test("what is written reads as the same configuration", arguments: ["bert", "distilbert"])
  func roundTrip(family: String) throws {
    var configuration = try EncoderConfiguration(contentsOf: Resources.path("\(family)/config.json"))
    configuration.activation = .geluNew
    configuration.hiddenDropout = 0.25
    #expect(try EncoderConfiguration(json: Data(try configuration.json())) == configuration)
    configuration.labels = nil
    #expect(try EncoderConfiguration(json: Data(try configuration.json())) == configuration)
  }

  @Test(
    "a field that cannot be is named with what it holds and what it should",
    arguments: [
      ("model_type", "roberta", "'model_type' is \"roberta\"; expected bert or distilbert"),
      ("hidden_size", -3, "'hidden_size' is -3; expected a whole number from 1 to 65536"),
      ("hidden_size", 16.5, "'hidden_size' is 16.5; expected a whole number"),
      ("num_attention_heads", 3, "'num_attention_heads' is 3; expected a divisor of 'hidden_size', which is 16"),
      ("hidden_act", "silu", "'hidden_act' is \"silu\"; expected gelu, gelu_new, relu"),
      ("layer_norm_eps", 0, "'layer_norm_eps' is 0; expected a number from 0 to 1"),
      ("hidden_dropout_prob", 1.0, "'hidden_dropout_prob' is 1"),
      ("pad_token_id", 48, "'pad_token_id' is 48; expected a whole number from 0 to 47"),
      ("position_embedding_type", "relative_key", "expected absolute"),
      ("is_decoder", true, "'is_decoder' is true; expected false"),
      ("type_vocab_size", "two", "'type_vocab_size' is \"two\""),
      ("vocab_size", 1 << 40, "expected a whole number from 1 to 4194304"),
    ] as [(String, any Sendable, String)])
  func refused(name: String, value: any Sendable, message: String) throws {
    var fields = try fields("bert")
    fields[name] = value
    let error = try #require(throws: EncoderError.self) { try read(fields) }
    #expect("\(error)".contains(message), "\(error)")
  }

  @Test("a field that must be there is named", arguments: ["model_type", "vocab_size", "num_hidden_layers"])
  func missing(name: String) throws {
    var fields = try fields("bert")
    fields[name] = nil
    let error = try #require(throws: EncoderError.self) { try read(fields) }
    #expect("\(error)".contains("'\(name)' is missing"))
  }

  @Test("labels must be numbered from 0 without a gap")
  func labels() throws {
    var fields = try fields("bert")
    fields["id2label"] = ["0": "arts", "2": "science"]
    let error = try #require(throws: EncoderError.self) { try read(fields) }
    #expect("\(error)".contains("'id2label' has no text for 1"))
  }

  @Test("a file that is no JSON object is said to be none")
  func noObject() throws {
    let error = try #require(throws: EncoderError.self) { try EncoderConfiguration(json: Data("[1, 2".utf8)) }
    #expect("\(error)".contains("is no JSON object"))
  }
}
