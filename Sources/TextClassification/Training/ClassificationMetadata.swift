// What a classifier's metadata file says: how it was made, from what, how good it is.

import Checkpoints
import Encoders
import Foundation
import ONNX
import Tensors
import Training
import Verification

/// The contents of `text_classifier_metadata.json`.
public struct ClassificationMetadata: Sendable, Codable {
  public var common: CommonMetadata
  public var settings: ClassificationSettings
  /// The network, as `config.json` has it, labels included.
  public var configuration: EncoderConfiguration
  /// From which probability on each label is taken as given, in the labels' order.
  public var thresholds: [Double]
  public var encoder: Encoder
  public var data: DataSummary
  public var history: [EpochRecord]
  /// The epoch whose parameters were kept, counted from 1.
  public var bestEpoch: Int
  /// The kept parameters on what was held out; nil where nothing was.
  public var validation: ClassificationMeasures?
  /// The graph in 8 bits; nil where none was asked for.
  public var quantized: Quantized? {
    didSet { common.files["onnx_int8"] = quantized == nil ? nil : Files.quantizedGraph }
  }

  /// What is known of the graph in 8 bits.
  public struct Quantized: Sendable, Hashable, Codable {
    /// The same measures on the same texts as those of the graph in single precision; nil where nothing was held out.
    public var validation: ClassificationMeasures?

    public init(validation: ClassificationMeasures?) { self.validation = validation }
  }

  /// What the training started from.
  public struct Encoder: Sendable, Hashable, Codable {
    public enum Origin: String, Sendable, Hashable, Codable {
      /// A directory of a pretrained encoder.
      case pretrained
      /// Random numbers, and a vocabulary learnt from the data.
      case scratch
      /// Layers of a larger classifier, whose outputs it learnt from.
      case distilled
    }

    public var origin: Origin
    /// The directory; nil where nothing was read.
    public var path: String?
    /// Of the file with the weights.
    public var sha256: String?

    public init(origin: Origin, path: String? = nil, sha256: String? = nil) {
      self.origin = origin
      self.path = path
      self.sha256 = sha256
    }
  }

  /// What the model was trained on.
  public struct DataSummary: Sendable, Hashable, Codable {
    public var source: SourceFile
    public var samples: Int
    public var skippedRows: Int
    /// Samples that were trained on, variations among them.
    public var trainingSamples: Int
    /// Variations that the training made.
    public var variations: Int
    public var validationSamples: Int
    /// Samples of each label to train on, in the labels' order.
    public var labelCounts: [Int]
    /// Texts that have more tokens than are read.
    public var cutTexts: Int

    enum CodingKeys: String, CodingKey {
      case source, samples
      case skippedRows = "skipped_rows"
      case trainingSamples = "training_samples"
      case variations
      case validationSamples = "validation_samples"
      case labelCounts = "label_counts"
      case cutTexts = "cut_texts"
    }
  }

  /// The names of the model's files in its directory.
  public enum Files {
    public static let name = "text_classifier"
    public static let checkpoint = "pytorch_model.bin"
    public static let graph = "model.onnx"
    public static let quantizedGraph = "model_int8.onnx"
    public static let configuration = EncoderConfiguration.fileName
    public static let vocabulary = PretrainedEncoder.vocabularyName
    public static let tokenizer = "tokenizer_config.json"
    public static let labelMap = "label_map.json"
    public static let report = "\(name)_report.html"
    public static let testData = "test_data_set_0"
    public static let quantizedTestData = "int8_test_data_set_0"
    public static let trainingState = "\(name)_training_state.pth"

    /// As the metadata list them.
    static let byRole = [
      "pth": checkpoint, "onnx": graph, "config": configuration, "vocabulary": vocabulary, "tokenizer": tokenizer,
      "labels": labelMap, "report": report, "test_data": testData, "training_state": trainingState,
    ]
  }

  /// The network that the metadata describe, without its parameters.
  public var graph: ClassifierGraph { ClassifierGraph(configuration: configuration, opset: settings.opset) }

  public var labels: [String] { configuration.labels ?? [] }

  init(
    common: CommonMetadata, settings: ClassificationSettings, configuration: EncoderConfiguration, thresholds: [Double],
    encoder: Encoder, data: DataSummary, history: [EpochRecord], bestEpoch: Int, validation: ClassificationMeasures?
  ) {
    self.common = common
    self.settings = settings
    self.configuration = configuration
    self.thresholds = thresholds
    self.encoder = encoder
    self.data = data
    self.history = history
    self.bestEpoch = bestEpoch
    self.validation = validation
    self.common.headline = validation.map {
      .init(measure: "micro F1", value: $0.micro.f1, isShare: true, of: "validation")
    }
  }

  private enum CodingKeys: String, CodingKey {
    case configuration = "config"
    case thresholds, encoder, data, history
    case bestEpoch = "best_epoch"
    case validation
    case quantized = "int8"
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    try common.encode(to: encoder)
    try settings.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(configuration, forKey: .configuration)
    try values.encode(thresholds, forKey: .thresholds)
    try values.encode(self.encoder, forKey: .encoder)
    try values.encode(data, forKey: .data)
    try values.encode(history, forKey: .history)
    try values.encode(bestEpoch, forKey: .bestEpoch)
    try values.encodeIfPresent(validation, forKey: .validation)
    try values.encodeIfPresent(quantized, forKey: .quantized)
  }

  public init(from decoder: any Decoder) throws {
    common = try CommonMetadata(from: decoder)
    settings = try ClassificationSettings(from: decoder)
    let values = try decoder.container(keyedBy: CodingKeys.self)
    configuration = try values.decode(EncoderConfiguration.self, forKey: .configuration)
    thresholds = try values.decode([Double].self, forKey: .thresholds)
    encoder = try values.decode(Encoder.self, forKey: .encoder)
    data = try values.decode(DataSummary.self, forKey: .data)
    history = try values.decode([EpochRecord].self, forKey: .history)
    bestEpoch = try values.decode(Int.self, forKey: .bestEpoch)
    validation = try values.decodeIfPresent(ClassificationMeasures.self, forKey: .validation)
    quantized = try values.decodeIfPresent(Quantized.self, forKey: .quantized)
    if let problem {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: problem))
    }
  }

  /// What would make a graph of these values impossible, so that a damaged file ends in a message.
  private var problem: String? {
    do { try settings.validate() } catch { return "\(error)" }
    guard !labels.isEmpty else { return "'config' has no labels" }
    guard thresholds.count == labels.count else { return "\(thresholds.count) thresholds for \(labels.count) labels" }
    return nil
  }
}

extension ClassificationMetadata: ModelMetadata {
  public static let modelType = "text_classifier"
  public static let kind = "text classifier"
  public static let trainingCommand = "ranker train classification --data-path DATA --output-dir DIRECTORY"

  /// How far hidden states may be from those of `transformers`: six layers of single precision on tokens drawn at random
  /// were seen to round 2e-5 away.
  private static let leastTolerance = 1e-4

  public func rebuilt(from checkpoint: StateDictionary) throws -> [RebuiltGraph] {
    let parameters = try checkpoint.parameters(graph.parameterShapes, source: common.checkpoint)
    // Texts as they come: every token, and a mask with holes, since nothing in the graph relies on none.
    let domains = [
      EncoderNetwork.tokenInput: InputDomain(integers: 0..<Int64(configuration.vocabularySize)),
      EncoderNetwork.maskInput: InputDomain(integers: 0..<2),
      EncoderNetwork.typeInput: InputDomain(integers: 0..<Int64(max(configuration.tokenTypeCount, 1))),
    ]
    let exported = RebuiltGraph(
      fileName: Files.graph, model: graph.classifier(parameters), domains: domains, testData: Files.testData,
      leastTolerance: Self.leastTolerance)
    guard quantized != nil else { return [exported] }
    return [
      exported,
      RebuiltGraph(
        fileName: Files.quantizedGraph, model: graph.quantizedClassifier(parameters), domains: domains,
        testData: Files.quantizedTestData, leastTolerance: Self.leastTolerance),
    ]
  }
}

extension ModelFamily {
  /// Classifiers of texts: `PathVerifier(families: [.textClassifier])` verifies their directories.
  public static let textClassifier = ModelFamily(ClassificationMetadata.self)
}
