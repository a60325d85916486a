// How an exported ranker is rebuilt from metadata and checkpoint, to be compared with its files.

import Checkpoints
import Foundation
import ONNX
import Tensors
import Verification

extension ModelFamily {
  /// The pairwise ranker: `PathVerifier(families: [.pairwiseRanker])` verifies its directories.
  public static let pairwiseRanker = ModelFamily(modelType: RankerGraph.modelType) { metadata, checkpoint in
    try JSONDecoder().decode(RankerMetadata.self, from: metadata).rebuilt(from: checkpoint)
  }
}

extension RankerMetadata {
  /// The graphs that should have been exported, built without looking at the files.
  ///
  /// - Throws: `RankingError.parametersDoNotFit` where the checkpoint is not of this network.
  func rebuilt(from checkpoint: StateDictionary) throws -> [RebuiltGraph] {
    let shapes = graph.parameterShapes
    var parameters: [String: Tensor] = [:]
    var problems: [String] = []
    for name in RankerGraph.parameterNames {
      let tensor = checkpoint[name]
      if let tensor, tensor.elementType == .float, tensor.shape == shapes[name]! {
        parameters[name] = tensor
      } else {
        problems.append(
          "'\(name)' is \(tensor.map { "\($0.elementType)\($0.shape)" } ?? "missing"), expected float\(shapes[name]!)")
      }
    }
    guard problems.isEmpty else { throw RankingError.parametersDoNotFit(path: files.checkpoint, problems: problems) }
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
