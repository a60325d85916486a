// A tokenizer from the directory of a Hugging Face model, and back.

import Files
import Foundation

extension WordPieceTokenizer {
  /// Reads the tokenizer of a BERT or DistilBERT model from its directory: the tokens from `vocab.txt`, or from
  /// `tokenizer.json` where that is missing; the settings from `tokenizer_config.json`. What that does not say is looked
  /// for in `special_tokens_map.json` and `tokenizer.json`; what nobody says is as in `transformers`: lower case,
  /// `[UNK]`, `[CLS]`, `[SEP]`, `[PAD]`, `[MASK]`.
  ///
  /// Truncation and padding that `tokenizer.json` may ask for are not taken over, as `transformers` does not either.
  ///
  /// - Throws: `TokenizationError`, with the file and the place in it.
  public init(directory: String) throws(TokenizationError) {
    let (vocabularyPath, configurationPath) = (directory + "/vocab.txt", directory + "/tokenizer_config.json")
    let pipelinePath = directory + "/tokenizer.json"
    let configuration = try readJSON(ConfigurationFile.self, configurationPath)
    let names = try readJSON(ConfigurationFile.self, directory + "/special_tokens_map.json")
    let pipeline = try readJSON(PipelineFile.self, pipelinePath)
    if let pipeline { try Self.check(pipeline, pipelinePath) }

    let vocabulary: WordPieceVocabulary
    if FileManager.default.fileExists(atPath: vocabularyPath) {
      vocabulary = try WordPieceVocabulary(contentsOf: vocabularyPath)
    } else if pipeline != nil {
      vocabulary = try WordPieceVocabulary(try readPipelineVocabulary(pipelinePath), source: pipelinePath)
    } else {
      throw .noVocabulary(directory: directory)
    }

    var settings = TokenizerSettings(
      normalization: Normalization(
        lowercases: configuration?.doLowerCase ?? pipeline?.normalizer?.lowercase ?? true,
        stripsAccents: configuration?.stripAccents ?? pipeline?.normalizer?.stripAccents,
        isolatesIdeographs: configuration?.tokenizeChineseChars ?? pipeline?.normalizer?.handleChineseChars ?? true))
    func name(_ key: KeyPath<ConfigurationFile, TokenName?>, _ standard: String) -> String {
      (configuration?[keyPath: key] ?? names?[keyPath: key])?.content ?? standard
    }
    settings.unknownToken = name(\.unkToken, pipeline?.model.unkToken ?? settings.unknownToken)
    settings.classifierToken = name(\.clsToken, settings.classifierToken)
    settings.separatorToken = name(\.sepToken, settings.separatorToken)
    settings.paddingToken = name(\.padToken, settings.paddingToken)
    settings.maskToken = name(\.maskToken, settings.maskToken)
    // 10³⁰ stands for no limit.
    settings.modelMaxLength = configuration?.modelMaxLength.flatMap { Int(exactly: $0.rounded()) }
    if let tokenizerClass = configuration?.tokenizerClass {
      settings.tokenizerClass = try Self.checkedClass(tokenizerClass, configurationPath)
    }
    settings.additionalTokens =
      (configuration?.additionalSpecialTokens ?? names?.additionalSpecialTokens ?? []).map(\.content)

    var added: [AddedToken] = []
    for (id, token) in configuration?.addedTokensDecoder ?? [:] {
      var token = token
      token.id = Int(id)
      try Self.check(token, configurationPath)
      added.append(token)
    }
    for token in pipeline?.addedTokens ?? [] {
      try Self.check(token, pipelinePath)
      added.append(token)
    }
    let appended = try Self.appended(
      added, to: vocabulary, path: configuration?.addedTokensDecoder == nil ? pipelinePath : configurationPath)
    settings.additionalTokens += added.map(\.content)
    try self.init(vocabulary: appended, settings: settings)
  }

  /// The vocabulary with the tokens that were added behind it later.
  private static func appended(
    _ added: [AddedToken], to vocabulary: WordPieceVocabulary, path: String
  ) throws(TokenizationError) -> WordPieceVocabulary {
    var more: [String] = []
    for token in added.sorted(by: { ($0.id!, $0.content) < ($1.id!, $1.content) }) {
      let (id, count) = (token.id!, vocabulary.count + more.count)
      let present = id < vocabulary.count ? vocabulary[Int32(id)] : id < count ? more[id - vocabulary.count] : nil
      if present == token.content { continue }
      guard id == count else {
        throw .malformed(
          path: path, place: "the added token \"\(token.content)\"", found: "id \(id)",
          expected: present.map { "another one, as the vocabulary has \"\($0)\" there" } ?? "\(count), the next one")
      }
      more.append(token.content)
    }
    return more.isEmpty ? vocabulary : try vocabulary.appending(more)
  }

  private static func check(_ token: AddedToken, _ path: String) throws(TokenizationError) {
    guard let id = token.id, id >= 0, id < Int32.max else {
      throw .malformed(
        path: path, place: "the added token \"\(token.content)\"", found: token.id.map { "id \($0)" } ?? "no id",
        expected: "its place in the vocabulary")
    }
    if token.normalized == true || token.singleWord == true {
      throw .unsupported(
        path: path,
        found: "the added token \"\(token.content)\", which is looked for in "
          + (token.normalized == true ? "normalized text" : "whole words only"),
        advice: "only tokens that are found as they are written are (\"normalized\" and \"single_word\": false)")
    }
  }

  /// A pipeline that is another than BERT's would give other tokens.
  private static func check(_ pipeline: PipelineFile, _ path: String) throws(TokenizationError) {
    func refuse(_ found: String) -> TokenizationError {
      .unsupported(path: path, found: found, advice: "the tokenizers of BERT and DistilBERT (WordPiece) are")
    }
    let model = pipeline.model
    if let type = model.type, type != "WordPiece" { throw refuse("a tokenizer of type \(type)") }
    if let prefix = model.continuingSubwordPrefix, prefix != "##" { throw refuse("the prefix \"\(prefix)\"") }
    if let longest = model.maxInputCharsPerWord, longest != ScannedWord.longest {
      throw refuse("\"max_input_chars_per_word\" \(longest)")
    }
    if let normalizer = pipeline.normalizer {
      if normalizer.type != "BertNormalizer" { throw refuse("the normalizer \(normalizer.type)") }
      if normalizer.cleanText == false { throw refuse("a normalizer with \"clean_text\" false") }
    }
    if let type = pipeline.preTokenizer?.type, type != "BertPreTokenizer" { throw refuse("the pre-tokenizer \(type)") }
  }

  /// The class without "Fast", which names the same tokenizer.
  private static func checkedClass(_ name: String, _ path: String) throws(TokenizationError) -> String {
    let family = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
    switch family {
    case "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer":
      return family
    // These say nothing of their own: `tokenizer.json`, which is checked, is what they do.
    case "PreTrainedTokenizer", "TokenizersBackend": return "BertTokenizer"
    default:
      throw .unsupported(
        path: path, found: "the tokenizer class \(name)",
        advice: "BertTokenizer, DistilBertTokenizer and others of WordPiece are")
    }
  }

  /// Writes `vocab.txt` and `tokenizer_config.json` into a directory that exists, so that `transformers` reads the same
  /// tokenizer. Each file appears whole.
  public func write(to directory: String) throws(TokenizationError) {
    try vocabulary.write(to: directory + "/vocab.txt")
    var file = ConfigurationFile()
    file.doLowerCase = settings.normalization.lowercases
    file.stripAccents = settings.normalization.stripsAccents
    file.tokenizeChineseChars = settings.normalization.isolatesIdeographs
    file.unkToken = TokenName(settings.unknownToken)
    file.clsToken = TokenName(settings.classifierToken)
    file.sepToken = TokenName(settings.separatorToken)
    file.padToken = TokenName(settings.paddingToken)
    file.maskToken = TokenName(settings.maskToken)
    if !settings.additionalTokens.isEmpty {
      file.additionalSpecialTokens = settings.additionalTokens.map(TokenName.init)
    }
    file.modelMaxLength = settings.modelMaxLength.map(Double.init)
    file.tokenizerClass = settings.tokenizerClass
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text: Data
    do {
      text = try encoder.encode(file)
    } catch {
      fatalError("booleans, texts and a finite number can be written as JSON: \(error)")
    }
    try writeFile([UInt8](text) + [UInt8(ascii: "\n")], to: directory + "/tokenizer_config.json")
  }
}
