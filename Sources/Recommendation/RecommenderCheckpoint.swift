// The checkpoint of a recommender of one table or two, as `torch.load` gives it.

import Checkpoints
import Tensors

/// What every recommender's `.pt` has beside its tensors.
enum RecommenderCheckpoint {
  /// Where the tensors are in the checkpoint.
  static let stateKey = "model_state_dict"

  /// - Parameters:
  ///   - state: the tensors.
  ///   - measures: `training_metrics`, by name.
  ///   - others: further entries.
  static func value(
    state: StateDictionary, users: Vocabulary, items: Vocabulary, measures: [String: Double],
    others: [(String, CheckpointValue)]
  ) -> CheckpointValue {
    let entries: [(String, CheckpointValue)] =
      [
        (stateKey, .stateDictionary(state)), ("user_id_map", places(of: users)), ("item_id_map", places(of: items)),
        ("num_users", .int(users.count)), ("num_items", .int(items.count)),
      ] + others + [
        ("training_metrics", dictionary(measures.sorted { $0.key < $1.key }.map { ($0.key, .float($0.value)) }))
      ]
    return dictionary(entries)
  }

  private static func dictionary(_ entries: [(String, CheckpointValue)]) -> CheckpointValue {
    .dictionary(CheckpointDictionary(entries.map { (.string($0.0), $0.1) }))
  }

  private static func places(of vocabulary: Vocabulary) -> CheckpointValue {
    .dictionary(
      CheckpointDictionary(vocabulary.ids.enumerated().lazy.map { (.string($0.element), .int($0.offset)) }))
  }
}
