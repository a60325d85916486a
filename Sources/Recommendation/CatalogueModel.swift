// The writing of a recommender that scores every item at once: a factorisation, or popularity.

import Checkpoints
import ONNX
import Tensors
import Verification

/// What such a model consists of on the disk.
struct CatalogueModel {
  let state: StateDictionary
  /// Further entries of the checkpoint.
  let entries: [(String, CheckpointValue)]
  /// `user` to the scores of all items, and `user` and `k` to the best ones.
  let scorer, topItems: Model
  /// Users for the test data, int64 `[count]`.
  let sampleUsers: Tensor
  let files: ALSMetadata.Files
  let measures: RecommendationMeasures?
}

extension ModelExport {
  /// Writes and verifies a model: its checkpoint, both graphs with test data, who has seen what.
  mutating func write(
    _ model: CatalogueModel, of data: RecommenderData, seconds: () -> Double, report: (String) -> Void,
    page: (Metadata) throws -> String
  ) throws {
    let interactions = data.dataset.interactions
    let checkpoint = RecommenderCheckpoint.value(
      state: model.state, users: interactions.users, items: interactions.items,
      measures: model.measures.map(HeldOutEvaluation.named) ?? [:], others: model.entries)
    let seen = SeenItems(data.matrix)
    let count = Tensor([Int64(min(10, interactions.items.count))])
    try write(
      checkpoint: { try checkpoint.writePyTorch(to: $0) },
      graphs: [
        ExportedGraph(
          fileName: model.files.scorer, model: model.scorer,
          recording: .init(samples: ["user": model.sampleUsers], folder: model.files.testData)),
        ExportedGraph(
          fileName: model.files.topItems, model: model.topItems,
          recording: .init(samples: ["user": model.sampleUsers, "k": count], folder: model.files.topItemsTestData)),
      ], others: [File(model.files.interactions) { try seen.write(to: $0) }], seconds: seconds, report: report,
      page: page)
  }
}
