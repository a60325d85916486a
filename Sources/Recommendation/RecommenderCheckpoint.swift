// The checkpoint of a recommender of one table or two, as `torch.load` gives it.

import Checkpoints
import Tensors

/// What every recommender's `.pt` has: tensors, ids with their places, measures.
struct RecommenderCheckpoint: Sendable {
  let path: String
  /// Everything, as `torch.load` gives it.
  let value: CheckpointValue
  let users: Vocabulary
  let items: Vocabulary

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

  // MARK: Reading

  /// Reads a checkpoint, also one that PyTorch wrote.
  /// - Throws: `CheckpointError` where it can't be read; `RecommendationError.notACheckpoint` where it is something else.
  init(contentsOf path: String) throws {
    self.path = path
    value = try CheckpointValue(contentsOf: path)
    users = try Self.vocabulary("user", in: value, path)
    items = try Self.vocabulary("item", in: value, path)
  }

  /// A tensor of the state dict with a row for each user or item, in single precision.
  /// - Throws: `RecommendationError.notACheckpoint` where it is missing or of another shape.
  func tensor(_ name: String, rows: Int, rank: Int = 2) throws -> Tensor {
    guard let tensor = value[Self.stateKey]?[name]?.tensor else {
      throw Self.damaged(path, "'\(Self.stateKey)' has no tensor '\(name)'")
    }
    guard tensor.shape.rank == rank, tensor.shape[0] == rows, tensor.elementType.isFloatingPoint else {
      throw Self.damaged(path, "'\(name)' is \(tensor.elementType)\(tensor.shape), expected \(rows) rows of floats")
    }
    return tensor.elementType == .float ? tensor : try tensor.converted(to: .float)
  }

  /// The ids of `num_users` or `num_items` rows, from `user_id_map` or `item_id_map`.
  static func vocabulary(_ what: String, in value: CheckpointValue, _ path: String) throws -> Vocabulary {
    let (map, size) = ("\(what)_id_map", "num_\(what)s")
    guard let count = value[size]?.int, (1...Int(Int32.max)).contains(count) else {
      throw damaged(path, "'\(size)' is missing, or no number of rows")
    }
    guard let places = value[map]?.dictionary else { throw damaged(path, "'\(map)' is missing, or no dict") }
    guard places.count == count else { throw damaged(path, "'\(map)' has \(places.count) ids for \(count) rows") }
    var ids = [String?](repeating: nil, count: count)
    for (id, place) in places {
      guard let place = place.int, ids.indices.contains(place), ids[place] == nil else {
        throw damaged(path, "'\(map)' does not give each of the \(count) rows to one id")
      }
      switch id {
      case .string(let id): ids[place] = id
      case .int(let id): ids[place] = String(id)
      }
    }
    let vocabulary = Vocabulary(ids.compactMap { $0 })
    guard vocabulary.count == count else { throw damaged(path, "'\(map)' has ids that are the same as text") }
    return vocabulary
  }

  private static func damaged(_ path: String, _ problem: String) -> RecommendationError {
    .notACheckpoint(path: path, problem: problem)
  }

  // MARK: Writing

  private static func dictionary(_ entries: [(String, CheckpointValue)]) -> CheckpointValue {
    .dictionary(CheckpointDictionary(entries.map { (.string($0.0), $0.1) }))
  }

  private static func places(of vocabulary: Vocabulary) -> CheckpointValue {
    .dictionary(
      CheckpointDictionary(vocabulary.ids.enumerated().lazy.map { (.string($0.element), .int($0.offset)) }))
  }
}
