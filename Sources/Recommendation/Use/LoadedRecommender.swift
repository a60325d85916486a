// A recommender as it is in memory: ids, what was seen, and scores.

import Checkpoints
import Foundation
import Tensors
import Threads
import Verification

/// The contents of a model's files, held against their checksums.
struct LoadedRecommender: Sendable {
  let modelType: String
  let users: Vocabulary
  let items: Vocabulary
  let seen: SeenItems
  let scoring: any ItemScoring
  /// Nil where the model has no table of items.
  let similarity: ItemSimilarity?
  private let path: String
  /// Places of all items, the most popular first.
  private let popularItems: [Int32]

  /// - Throws: `ModelError` where the path names no recommender; `CheckpointError` and `SeenItemsError` where a file is
  ///   damaged.
  init(path: String, threads: Int?) throws {
    self.path = path
    let threads = threads ?? processorCount
    let (file, metadata) = try RecommenderFiles.open(path)
    let folder = (file as NSString).deletingLastPathComponent
    func checked(_ name: String) throws -> String {
      try metadata.checksums.verify(name, in: folder.isEmpty ? "." : folder)
      return folder.isEmpty ? name : "\(folder)/\(name)"
    }
    let checkpoint = try checked(metadata.checkpoint)
    modelType = metadata.modelType
    switch modelType {
    case NCFGraph.modelType:
      let model = try NCFCheckpoint(contentsOf: checkpoint)
      (users, items) = (model.users, model.items)
      scoring = try NCFScorer(graph: model.graph, parameters: model.parameters, threads: threads)
      similarity = ItemSimilarity(model.graph.itemTables.map { model.parameters[$0]! })
    case ALSGraph.modelType:
      let model = try RecommenderCheckpoint(contentsOf: checkpoint)
      (users, items) = (model.users, model.items)
      let factors = try model.tensor(ALSGraph.itemTable, rows: items.count)
      scoring = FactorScoring(
        userFactors: try model.tensor(ALSGraph.userTable, rows: users.count), itemFactors: factors,
        settings: try ALSMetadata(contentsOf: file).settings, threads: threads)
      similarity = ItemSimilarity([factors])
    default:
      let model = try RecommenderCheckpoint(contentsOf: checkpoint)
      (users, items) = (model.users, model.items)
      scoring = PopularityScoring(
        itemScores: try model.tensor(PopularityGraph.parameter, rows: items.count, rank: 1).elements(), threads: threads
      )
      similarity = nil
    }
    let record = try checked(RecommenderFiles.seenItems(name: metadata.modelName))
    seen = try SeenItems(contentsOf: record)
    guard seen.userCount == users.count, seen.itemCount == items.count else {
      throw SeenItemsError(
        path: record,
        problem: "it is of \(seen.userCount) users and \(seen.itemCount) items, the model of \(users.count) and "
          + "\(items.count)")
    }
    popularItems = seen.itemsByPopularity
  }

  /// The best of all items' scores.
  func entries(
    _ scores: UnsafeBufferPointer<Float>, count: Int, leavingOut hidden: ArraySlice<Int32>
  ) -> [Recommender.Entry] {
    topPlaces(scores, count: count, leavingOut: hidden).map {
      Recommender.Entry(item: items.ids[$0], score: scores[$0])
    }
  }

  /// What most users turned to, with the share of them that did.
  func popular(user: String, count: Int, leavingOut hidden: ArraySlice<Int32>) -> Recommender.Recommendation {
    let left = Set(hidden)
    let places = popularItems.lazy.filter { !left.contains($0) }.prefix(max(count, 0))
    return Recommender.Recommendation(
      user: user, source: .popularity,
      entries: places.map { Recommender.Entry(item: items.ids[Int($0)], score: share(of: Int($0))) })
  }

  /// The share of the users that turned to an item.
  func share(of item: Int) -> Float { Float(seen.itemCounts[item]) / Float(max(users.count, 1)) }

  /// The ids that are no item of the model, each once, in their order.
  func unknown(_ ids: [String]) -> [String] {
    var told: Set<String> = []
    return ids.filter { items[$0] == nil && told.insert($0).inserted }
  }

  func refusal(of ids: [String]) -> RecommendationError { .unknownItems(ids, path: path, count: items.count) }
}
