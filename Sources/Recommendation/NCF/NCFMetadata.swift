// What a model's metadata file says of an NCF model: how it was made, from what, how good it is.

import Checkpoints
import Foundation
import ONNX
import Tensors
import Training
import Verification

/// The contents of an NCF model's `{name}_metadata.json`.
public struct NCFMetadata: Sendable, Codable {
  public var common: CommonMetadata
  public var settings: NCFSettings
  public var userCount: Int
  public var itemCount: Int
  public var data: DataSummary
  public var history: [EpochRecord]
  /// The epoch whose parameters were kept, counted from 1.
  public var bestEpoch: Int
  /// The kept parameters on what was held out to choose the epoch by.
  public var validation: RecommendationMeasures?
  /// The kept parameters on the cases that the data itself holds out.
  public var test: RecommendationMeasures?
  public var initializedFrom: SourceFile?

  /// What the model was trained on.
  public struct DataSummary: Sendable, Hashable, Codable {
    public var source: SourceFile
    /// `json`, `csv`, …
    public var format: String
    /// Rows of the data.
    public var interactions: Int
    /// Distinct pairs of a user and an item.
    public var pairs: Int
    public var skippedRows: Int
    /// Pairs that were trained on.
    public var trainingPairs: Int
    /// Known and drawn pairs of an epoch.
    public var samplesPerEpoch: Int
    /// Users whose held-out items measure an epoch.
    public var validationUsers: Int
    /// Users with cases that the data holds out.
    public var testUsers: Int

    enum CodingKeys: String, CodingKey {
      case source, format, interactions, pairs
      case skippedRows = "skipped_rows"
      case trainingPairs = "training_pairs"
      case samplesPerEpoch = "samples_per_epoch"
      case validationUsers = "validation_users"
      case testUsers = "test_users"
    }
  }

  /// The names of the model's files in its directory.
  public struct Files: Sendable, Hashable {
    public var checkpoint: String
    public var graph: String
    public var interactions: String
    public var report: String
    public var testData: String
    public var trainingState: String

    init(checkpoint: String, name: String) {
      self.checkpoint = checkpoint
      graph = "\(name).onnx"
      interactions = "\(name)_interactions.safetensors"
      report = "\(name)_report.html"
      testData = "\(name)_test_data_set_0"
      trainingState = "\(name)_training_state.pth"
    }

    /// As the metadata list them.
    var byRole: [String: String] {
      [
        "pt": checkpoint, "onnx": graph, "interactions": interactions, "report": report, "test_data": testData,
        "training_state": trainingState,
      ]
    }
  }

  public var files: Files { Files(checkpoint: common.checkpoint, name: common.modelName) }

  /// The network that the metadata describe, without its parameters.
  public var graph: NCFGraph { settings.graph(userCount: userCount, itemCount: itemCount) }

  /// The measures that one would tell first: those of the test where there is one.
  public var headline: (name: String, measures: RecommendationMeasures)? {
    test.map { ("test", $0) } ?? validation.map { ("validation", $0) }
  }

  /// The measures by the names that the checkpoint has for them.
  public var metrics: [String: Double] {
    guard let (_, measures) = headline else { return [:] }
    return ["ndcg@10": measures.ndcg, "hit_rate@10": measures.hitRate]
  }

  init(
    common: CommonMetadata, settings: NCFSettings, userCount: Int, itemCount: Int, data: DataSummary,
    history: [EpochRecord], bestEpoch: Int, validation: RecommendationMeasures?, test: RecommendationMeasures?,
    initializedFrom: SourceFile?
  ) {
    self.common = common
    self.settings = settings
    self.userCount = userCount
    self.itemCount = itemCount
    self.data = data
    self.history = history
    self.bestEpoch = bestEpoch
    self.validation = validation
    self.test = test
    self.initializedFrom = initializedFrom
    if let (part, measures) = headline {
      self.common.headline = .init(measure: "ndcg@10", value: measures.ndcg, isShare: false, of: part)
    }
  }

  private enum CodingKeys: String, CodingKey {
    case userCount = "num_users"
    case itemCount = "num_items"
    case data, history
    case bestEpoch = "best_epoch"
    case validation, test
    case initializedFrom = "init_from"
  }

  public func encode(to encoder: any Encoder) throws {
    try common.encode(to: encoder)
    try settings.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(userCount, forKey: .userCount)
    try values.encode(itemCount, forKey: .itemCount)
    try values.encode(data, forKey: .data)
    try values.encode(history, forKey: .history)
    try values.encode(bestEpoch, forKey: .bestEpoch)
    try values.encodeIfPresent(validation, forKey: .validation)
    try values.encodeIfPresent(test, forKey: .test)
    try values.encodeIfPresent(initializedFrom, forKey: .initializedFrom)
  }

  public init(from decoder: any Decoder) throws {
    common = try CommonMetadata(from: decoder)
    settings = try NCFSettings(from: decoder)
    let values = try decoder.container(keyedBy: CodingKeys.self)
    userCount = try values.decode(Int.self, forKey: .userCount)
    itemCount = try values.decode(Int.self, forKey: .itemCount)
    data = try values.decode(DataSummary.self, forKey: .data)
    history = try values.decode([EpochRecord].self, forKey: .history)
    bestEpoch = try values.decode(Int.self, forKey: .bestEpoch)
    validation = try values.decodeIfPresent(RecommendationMeasures.self, forKey: .validation)
    test = try values.decodeIfPresent(RecommendationMeasures.self, forKey: .test)
    initializedFrom = try values.decodeIfPresent(SourceFile.self, forKey: .initializedFrom)
    if let problem = Self.problem(settings: settings, userCount: userCount, itemCount: itemCount) {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: problem))
    }
  }

  /// What would make a graph of these values impossible, so that a damaged file ends in a message.
  private static func problem(settings: NCFSettings, userCount: Int, itemCount: Int) -> String? {
    do { try settings.validate() } catch { return "\(error)" }
    // What the tables of the largest machines hold; their zeros are made before the checkpoint's shapes are compared.
    let rows = 1...(1 << 30)
    guard rows.contains(userCount), rows.contains(itemCount) else {
      return "num_users is \(userCount) and num_items \(itemCount)"
    }
    return nil
  }
}

extension NCFMetadata: ModelMetadata {
  public static let modelType = NCFGraph.modelType
  public static let kind = "neural collaborative filter"
  public static let trainingCommand = "ranker train ncf --data-path interactions.json --output-path models/ncf.pt"

  public func rebuilt(from checkpoint: StateDictionary) throws -> [RebuiltGraph] {
    let parameters = try checkpoint.parameters(graph.parameterShapes, source: common.checkpoint)
    return [
      RebuiltGraph(
        fileName: files.graph, model: graph.scorer().replacing(parameters),
        domains: [
          "user": InputDomain(integers: 0..<Int64(userCount)), "item": InputDomain(integers: 0..<Int64(itemCount)),
        ], testData: files.testData)
    ]
  }
}

extension ModelFamily {
  /// Neural collaborative filtering: `PathVerifier(families: [.ncf])` verifies its models.
  public static let ncf = ModelFamily(NCFMetadata.self)
}
