// What a popularity model's metadata say.

import Checkpoints
import ONNX
import Tensors
import Verification

/// The contents of `popularity_metadata.json`.
public struct PopularityMetadata: ModelMetadata {
  public var common: CommonMetadata
  public var settings: PopularitySettings
  public var data: RecommenderDataSummary
  /// The measures on what was held out.
  public var measures: RecommendationMeasures?

  public static let modelType = PopularityGraph.modelType
  public static let kind = "popularity model"
  public static let trainingCommand = "ranker train popular --data-path DATA --output-dir DIRECTORY"

  public init(
    common: CommonMetadata, settings: PopularitySettings, data: RecommenderDataSummary,
    measures: RecommendationMeasures?
  ) {
    self.common = common
    self.settings = settings
    self.data = data
    self.measures = measures
  }

  /// The names of the model's files: those of a factorisation, without a training state.
  public var files: ALSMetadata.Files { ALSMetadata.Files(name: common.modelName) }

  /// The graph that the metadata describe, without its parameter.
  public var graph: PopularityGraph { PopularityGraph(itemCount: data.items, opset: settings.opset) }

  public func rebuilt(from checkpoint: StateDictionary) throws -> [RebuiltGraph] {
    let parameters = try checkpoint.parameters(graph.parameterShapes, source: common.checkpoint)
    // Any user will do, also one that the training did not know.
    let domains = [
      "user": InputDomain(integers: -1..<Int64(data.users) + 1), "k": ALSMetadata.places(items: data.items),
    ]
    return [
      RebuiltGraph(
        fileName: files.scorer, model: graph.scorer().replacing(parameters), domains: domains, testData: files.testData
      ),
      RebuiltGraph(
        fileName: files.topItems, model: graph.topItems().replacing(parameters), domains: domains,
        testData: files.topItemsTestData),
    ]
  }
}

extension PopularityMetadata {
  private enum CodingKeys: String, CodingKey {
    case data, measures
  }

  public func encode(to encoder: any Encoder) throws {
    try common.encode(to: encoder)
    try settings.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(data, forKey: .data)
    try values.encodeIfPresent(measures, forKey: .measures)
  }

  public init(from decoder: any Decoder) throws {
    common = try CommonMetadata(from: decoder)
    settings = try PopularitySettings(from: decoder)
    let values = try decoder.container(keyedBy: CodingKeys.self)
    data = try values.decode(RecommenderDataSummary.self, forKey: .data)
    measures = try values.decodeIfPresent(RecommendationMeasures.self, forKey: .measures)
    do { try settings.validate() } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "\(error)"))
    }
    try data.requireCounts(decoder)
  }
}

extension ModelFamily {
  /// Popularity: `PathVerifier(families: [.popularity])` verifies its files.
  public static let popularity = ModelFamily(PopularityMetadata.self)
}
