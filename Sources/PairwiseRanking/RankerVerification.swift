// How an exported ranker is rebuilt from metadata and checkpoint, to be compared with its files.

import Checkpoints
import ONNX
import Tensors
import Verification

extension ModelFamily {
  /// The pairwise ranker: `PathVerifier(families: [.pairwiseRanker])` verifies its directories.
  public static let pairwiseRanker = ModelFamily(RankerMetadata.self)
}

extension RankerMetadata: ModelMetadata {
  public static let modelType = RankerGraph.modelType
  public static let kind = "pairwise ranker"
  public static let trainingCommand = "ranker train pairwise --input dataset.jsonl --output DIRECTORY"

  public func rebuilt(from checkpoint: StateDictionary) throws -> [RebuiltGraph] {
    let shapes = graph.parameterShapes
    let parameters = try checkpoint.parameters(
      RankerGraph.parameterNames.map { ($0, shapes[$0]!) }, source: common.checkpoint)
    let mayBeMissing = layout.metricNames.isEmpty ? nil : layout.metricColumns
    let domain = InputDomain(columnsThatMayBeMissing: mayBeMissing)
    return [
      RebuiltGraph(
        fileName: files.comparer, model: graph.comparer().replacing(parameters),
        domains: ["input_a": domain, "input_b": domain], testData: files.testData),
      RebuiltGraph(
        fileName: files.scorer, model: graph.scorer().replacing(parameters), domains: ["input": domain]),
    ]
  }
}
