// What a factorisation's metadata say: how it was made, from what, how good it is, what its files hash to.

import Checkpoints
import ONNX
import Tensors
import Training
import Verification

/// The contents of `als_metadata.json`.
public struct ALSMetadata: ModelMetadata {
  public var common: CommonMetadata
  public var settings: ALSSettings
  public var data: RecommenderDataSummary
  /// One record for each iteration: the loss after it, and the measures where something is held out.
  public var history: [EpochRecord]
  /// The measures of the trained factors on what was held out.
  public var measures: RecommendationMeasures?

  public static let modelType = ALSGraph.modelType
  public static let kind = "factorisation by alternating least squares"
  public static let trainingCommand = "ranker train als --data-path DATA --output-dir DIRECTORY"

  public init(
    common: CommonMetadata, settings: ALSSettings, data: RecommenderDataSummary, history: [EpochRecord],
    measures: RecommendationMeasures?
  ) {
    self.common = common
    self.settings = settings
    self.data = data
    self.history = history
    self.measures = measures
  }

  /// The names of the model's files in its directory.
  public struct Files: Sendable, Hashable {
    public var scorer: String
    public var topItems: String
    public var checkpoint: String
    public var interactions: String
    public var report: String
    public var testData: String
    public var topItemsTestData: String
    public var trainingState: String

    public init(name: String) {
      scorer = "\(name).onnx"
      topItems = "\(name)_top_k.onnx"
      checkpoint = "\(name).pt"
      interactions = "\(name)_interactions.safetensors"
      report = "\(name)_report.html"
      testData = "\(name)_test_data_set_0"
      topItemsTestData = "\(name)_top_k_test_data_set_0"
      trainingState = "\(name)_training_state.pth"
    }

    /// As the metadata list them.
    var byRole: [String: String] {
      [
        "onnx": scorer, "top_k_onnx": topItems, "pt": checkpoint, "interactions": interactions, "report": report,
        "test_data": testData, "top_k_test_data": topItemsTestData, "training_state": trainingState,
      ]
    }
  }

  public var files: Files { Files(name: common.modelName) }

  /// The graph that the metadata describe, without its parameters.
  public var graph: ALSGraph {
    ALSGraph(userCount: data.users, itemCount: data.items, factors: settings.factors, opset: settings.opset)
  }

  public func rebuilt(from checkpoint: StateDictionary) throws -> [RebuiltGraph] {
    let parameters = try checkpoint.parameters(graph.parameterShapes, source: common.checkpoint)
    let domains = [
      "user": InputDomain(integers: 0..<Int64(max(data.users, 1))), "k": Self.places(items: data.items),
    ]
    return [
      RebuiltGraph(
        fileName: files.scorer, model: graph.scorer().replacing(parameters), domains: domains, testData: files.testData
      ),
      RebuiltGraph(
        fileName: files.topItems, model: graph.topItems().replacing(parameters), domains: domains,
        testData: files.topItemsTestData, rankings: ["items": "scores"]),
    ]
  }

  /// Values of `k` to verify with.
  static func places(items: Int) -> InputDomain { InputDomain(integers: 1..<Int64(min(10, max(items, 1))) + 1) }
}

extension ALSMetadata {
  private enum CodingKeys: String, CodingKey {
    case data, history, measures
    case lossHistory = "loss_history"
  }

  public func encode(to encoder: any Encoder) throws {
    try common.encode(to: encoder)
    try settings.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(data, forKey: .data)
    try values.encode(history, forKey: .history)
    try values.encode(history.map(\.trainLoss), forKey: .lossHistory)
    try values.encodeIfPresent(measures, forKey: .measures)
  }

  public init(from decoder: any Decoder) throws {
    common = try CommonMetadata(from: decoder)
    settings = try ALSSettings(from: decoder)
    let values = try decoder.container(keyedBy: CodingKeys.self)
    data = try values.decode(RecommenderDataSummary.self, forKey: .data)
    history = try values.decode([EpochRecord].self, forKey: .history)
    measures = try values.decodeIfPresent(RecommendationMeasures.self, forKey: .measures)
    // What would make a graph of these values impossible ends in a message.
    do { try settings.validate() } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "\(error)"))
    }
    try data.requireCounts(decoder)
  }
}

extension RecommenderDataSummary {
  /// Requires counts that tables can have.
  func requireCounts(_ decoder: any Decoder) throws {
    for (name, count) in [("num_users", users), ("num_items", items)] where !(0...Int(Int32.max)).contains(count) {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(name) is \(count)"))
    }
  }
}

extension ModelFamily {
  /// The factorisation: `PathVerifier(families: [.als])` verifies its files.
  public static let als = ModelFamily(ALSMetadata.self)
}
