// What a detector's metadata file says: how it was made, from what, how good it is.

import Checkpoints
import Datasets
import Encoders
import Foundation
import ONNX
import Tensors
import Training
import Verification

/// The contents of `metadata.json`.
public struct ConceptMetadata: Sendable, Codable {
  public var common: CommonMetadata
  public var configuration: ConceptSettings
  public var network: Network
  public var data: DataSummary
  public var history: [EpochRecord]
  /// The epoch whose parameters were kept, counted from 1.
  public var bestEpoch: Int
  /// The mean loss of the kept epoch's examples.
  public var loss: Double
  /// The kept parameters on the notes that were held out, held to the aliases that stand in them; nil where none were.
  public var validation: ConceptMeasures?
  public var aliasChecks: AliasChecks

  /// The network, and what it reads.
  public struct Network: Sendable, Hashable, Codable {
    /// Numbers in an embedding.
    public var width: Int
    public var concepts: Int
    /// Words that are scored together; nil where an encoder reads the notes.
    public var window: Int?
    /// How words are read; nil where an encoder reads the notes.
    public var features: FeatureHashing?
    /// The encoder that reads the notes; nil where words are hashed.
    public var encoder: EncoderReading?

    init(_ graph: ConceptGraph, features: ConceptFeatures) {
      (width, concepts, window) = (graph.width, graph.conceptCount, ConceptGraph.window)
      self.features = FeatureHashing(features)
    }

    init(_ graph: EncoderConceptGraph, file: SourceFile) {
      (width, concepts) = (graph.width, graph.conceptCount)
      encoder = EncoderReading(graph.configuration, file: file)
    }
  }

  /// The encoder of a network, and what another runtime needs to make the graph's input.
  public struct EncoderReading: Sendable, Hashable, Codable {
    /// As `config.json` has it.
    public var configuration: EncoderConfiguration
    /// The file that its weights came from; they are in the graph, as they came.
    public var file: SourceFile
    /// Tokens that are read at once, special ones included.
    public var maximumLength: Int
    public var words = "longest runs of code points of the general categories L, M and N"
    public var folding =
      "each code point: full lower case, NFD, without U+0300 to U+036F; ß ss, æ ae, œ oe, ø o, đ d, ł l, ı i"
    public var input =
      "the folded words with blanks between, as vocab.txt and tokenizer_config.json make tokens of them"

    init(_ configuration: EncoderConfiguration, file: SourceFile) {
      self.configuration = configuration
      self.file = file
      maximumLength = EncoderConceptRun.maximumLength(of: configuration)
    }

    enum CodingKeys: String, CodingKey {
      case configuration = "config"
      case file
      case maximumLength = "maximum_length"
      case words, folding, input
    }
  }

  /// What another runtime needs to make the graph's input: the rules of the module's page in a few words.
  public struct FeatureHashing: Sendable, Hashable, Codable {
    public var bits: Int
    public var rows: Int
    public var padding = 0
    public var ngramLengths = [ConceptFeatures.ngramLengths.lowerBound, ConceptFeatures.ngramLengths.upperBound]
    public var mostFeaturesOfAWord = ConceptFeatures.mostFeatures
    public var hash = "FNV-1a, 32 bits, over the byte of the kind and the feature's UTF-8"
    public var row = "((h >> bits) xor h) mod 2^bits + 1"
    public var words = "longest runs of code points of the general categories L, M and N"
    public var folding =
      "each code point: full lower case, NFD, without U+0300 to U+036F; ß ss, æ ae, œ oe, ø o, đ d, ł l, ı i"
    public var kinds = [
      "1: the word",
      "2: the word before it, a blank and the word",
      "3: for each code point of <word> the n-grams of the lengths from it on, the shortest first",
    ]
    public var input = "int64 [notes, words, features]; words of a note and features of a word in order, padded behind"

    init(_ features: ConceptFeatures) {
      bits = features.bits
      rows = features.rowCount
    }

    enum CodingKeys: String, CodingKey {
      case bits, rows, padding
      case ngramLengths = "ngram_lengths"
      case mostFeaturesOfAWord = "most_features_of_a_word"
      case hash, row, words, folding, kinds, input
    }
  }

  /// What the model was trained on.
  public struct DataSummary: Sendable, Hashable, Codable {
    public var notes: SourceFile
    public var lexicon: SourceFile
    /// Nil where there were none.
    public var candidates: SourceFile?
    public var noteCount: Int
    /// By the languages' names.
    public var languages: [String: Int]
    public var skippedRows: Int
    /// Notes in which an alias stands.
    public var namedNotes: Int
    public var validationNotes: Int
    public var aliases: Int
    public var heldOutAliases: Int
    /// Candidates that name no concept.
    public var negativeCandidates: Int
    public var examplesPerEpoch: Int
    public var redactions: RedactionCounts

    enum CodingKeys: String, CodingKey {
      case notes, lexicon, candidates
      case noteCount = "note_count"
      case languages
      case skippedRows = "skipped_rows"
      case namedNotes = "named_notes"
      case validationNotes = "validation_notes"
      case aliases
      case heldOutAliases = "held_out_aliases"
      case negativeCandidates = "negative_candidates"
      case examplesPerEpoch = "examples_per_epoch"
      case redactions
    }
  }

  /// The names of the model's files in its directory.
  public enum Files {
    public static let name = "concept_model"
    public static let checkpoint = "\(name).pth"
    public static let graph = "model.onnx"
    public static let mapping = "concept_mapping.json"
    public static let examples = "training_examples.json"
    public static let report = "report.html"
    public static let testData = "test_data_set_0"
    public static let trainingState = "training_state.pth"
    /// Of a detector that reads with an encoder.
    public static let vocabulary = PretrainedEncoder.vocabularyName
    public static let tokenizer = "tokenizer_config.json"

    /// As the metadata list them.
    static let byRole = [
      "pth": checkpoint, "onnx": graph, "concepts": mapping, "examples": examples, "report": report,
      "test_data": testData, "training_state": trainingState,
    ]
  }

  /// The network that the metadata describe, without its parameters.
  public var graph: any DetectorGraph {
    if let encoder = network.encoder {
      return EncoderConceptGraph(
        configuration: encoder.configuration, conceptCount: network.concepts, opset: configuration.opset)
    }
    return ConceptGraph(
      featureRows: network.features?.rows ?? 1, width: network.width, conceptCount: network.concepts,
      opset: configuration.opset)
  }

  init(
    common: CommonMetadata, configuration: ConceptSettings, network: Network, data: DataSummary,
    history: [EpochRecord], bestEpoch: Int, validation: ConceptMeasures?, aliasChecks: AliasChecks
  ) {
    self.common = common
    self.configuration = configuration
    self.network = network
    self.data = data
    self.history = history
    self.bestEpoch = bestEpoch
    loss = history.isEmpty ? 0 : history[max(bestEpoch, 1) - 1].trainLoss
    self.validation = validation
    self.aliasChecks = aliasChecks
    self.common.headline =
      validation.map { .init(measure: "micro F1", value: $0.micro.f1, isShare: true, of: "aliases in validation") }
    if network.encoder != nil {
      self.common.files["vocabulary"] = Files.vocabulary
      self.common.files["tokenizer"] = Files.tokenizer
    }
  }

  private enum CodingKeys: String, CodingKey {
    case configuration, network, data, history
    case bestEpoch = "best_epoch"
    case loss, validation
    case aliasChecks = "alias_checks"
  }

  public func encode(to encoder: any Encoder) throws {
    try common.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(configuration, forKey: .configuration)
    try values.encode(network, forKey: .network)
    try values.encode(data, forKey: .data)
    try values.encode(history, forKey: .history)
    try values.encode(bestEpoch, forKey: .bestEpoch)
    try values.encode(loss, forKey: .loss)
    try values.encodeIfPresent(validation, forKey: .validation)
    try values.encode(aliasChecks, forKey: .aliasChecks)
  }

  public init(from decoder: any Decoder) throws {
    common = try CommonMetadata(from: decoder)
    let values = try decoder.container(keyedBy: CodingKeys.self)
    configuration = try values.decode(ConceptSettings.self, forKey: .configuration)
    network = try values.decode(Network.self, forKey: .network)
    data = try values.decode(DataSummary.self, forKey: .data)
    history = try values.decode([EpochRecord].self, forKey: .history)
    bestEpoch = try values.decode(Int.self, forKey: .bestEpoch)
    loss = try values.decode(Double.self, forKey: .loss)
    validation = try values.decodeIfPresent(ConceptMeasures.self, forKey: .validation)
    aliasChecks = try values.decode(AliasChecks.self, forKey: .aliasChecks)
    if let problem {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: problem))
    }
  }

  /// What would make a graph of these values impossible, so that a damaged file ends in a message.
  private var problem: String? {
    do { try configuration.validate() } catch { return "\(error)" }
    guard (1...1 << 14).contains(network.width) else { return "'width' is \(network.width)" }
    guard (1...1 << 20).contains(network.concepts) else { return "'concepts' is \(network.concepts)" }
    if let encoder = network.encoder {
      guard encoder.configuration.width == network.width else {
        return "'width' is \(network.width), the encoder's \(encoder.configuration.width)"
      }
      guard (3...encoder.configuration.maximumLength).contains(encoder.maximumLength) else {
        return "'maximum_length' is \(encoder.maximumLength)"
      }
      guard EncoderNetwork.supportedOpsets.contains(configuration.opset) else {
        return "'opset' is \(configuration.opset), too old for an encoder"
      }
      return nil
    }
    guard let features = network.features else { return "'network' has neither features nor an encoder" }
    guard (8...24).contains(features.bits), features.rows == 1 << features.bits + 1 else {
      return "'features' has \(features.bits) bits and \(features.rows) rows"
    }
    return nil
  }
}

extension ConceptMetadata: ModelMetadata {
  public static let modelType = "concept_detector"
  public static let kind = "concept detector"
  public static let trainingCommand = "ranker train concept --data-dir data --taxonomy taxonomy/lexicon_v1.json"

  public var fileName: String { MetadataFiles.ofDirectory }

  public func rebuilt(from checkpoint: StateDictionary) throws -> [RebuiltGraph] {
    let parameters = try checkpoint.parameters(graph.parameterShapes, source: common.checkpoint)
    var domains: [String: InputDomain] = [:]
    if let encoder = network.encoder?.configuration {
      domains[EncoderNetwork.tokenInput] = InputDomain(integers: 0..<Int64(encoder.vocabularySize))
      domains[EncoderNetwork.maskInput] = InputDomain(integers: 0..<2)
      domains[EncoderNetwork.typeInput] = InputDomain(integers: 0..<Int64(max(encoder.tokenTypeCount, 1)))
    } else if let features = network.features {
      domains[ConceptGraph.featureInput] = InputDomain(
        integers: 0..<Int64(features.rows), extents: ["features": 24])
    }
    return [
      RebuiltGraph(
        fileName: Files.graph, model: graph.detector(parameters), domains: domains, testData: Files.testData,
        leastTolerance: network.encoder == nil ? 0 : Self.encoderTolerance)
    ]
  }

  /// Six layers of single precision were seen to round hidden states 2e-5 away (of numbers of about 1); scores are
  /// products of them with concepts' embeddings of a length of about ten.
  private static let encoderTolerance = 1e-3
}

extension ModelFamily {
  /// Concept detectors: `PathVerifier(families: [.conceptDetector])` verifies their directories.
  public static let conceptDetector = ModelFamily(ConceptMetadata.self)
}
