// The checkpoint of an NCF model as PyTorch's users know it: parameters, ids, sizes and measures in one dictionary.

import Checkpoints
import Tensors

/// The contents of an NCF model's `.pt`: what `torch.load(path, weights_only=True)` gives.
///
/// Keys: `model_state_dict`, `user_id_map` and `item_id_map` (id to row), `num_users`, `num_items`, `embedding_dim`,
/// `hidden_layers`, `architecture`, `training_metrics` (`ndcg@10`, `hit_rate@10`).
public struct NCFCheckpoint: Sendable {
  public var graph: NCFGraph
  public var parameters: [String: Tensor]
  public var users: Vocabulary
  public var items: Vocabulary
  /// Measures by name.
  public var metrics: [String: Double]

  public init(
    graph: NCFGraph, parameters: [String: Tensor], users: Vocabulary, items: Vocabulary, metrics: [String: Double]
  ) {
    self.graph = graph
    self.parameters = parameters
    self.users = users
    self.items = items
    self.metrics = metrics
  }

  /// The key of the parameters.
  public static let stateKey = RecommenderCheckpoint.stateKey

  /// Writes the file, whole or not at all. The same values give the same bytes.
  /// - Throws: `CheckpointError`.
  public func write(to path: String) throws {
    let checkpoint = RecommenderCheckpoint.value(
      state: StateDictionary(graph.parameterNames.map { ($0, parameters[$0]!) }), users: users, items: items,
      measures: metrics,
      others: [
        ("embedding_dim", .int(graph.embeddingDimension)),
        ("hidden_layers", .list(graph.hiddenLayers.map { .int($0) })),
        ("architecture", .string(graph.architecture.rawValue)),
      ])
    try checkpoint.writePyTorch(to: path)
  }

  /// Reads a file of this form, also one that PyTorch wrote. Without `architecture` it is a multilayer perceptron.
  /// - Throws: `CheckpointError` where it cannot be read; `RecommendationError.notACheckpoint` where its values do not fit together.
  public init(contentsOf path: String) throws {
    let checkpoint = try CheckpointValue(contentsOf: path)
    func damaged(_ problem: String) -> RecommendationError { .notACheckpoint(path: path, problem: problem) }
    func required<Value>(_ key: String, _ expected: String, _ value: Value?) throws -> Value {
      guard let value else {
        throw damaged(checkpoint[key] == nil ? "'\(key)' is missing" : "'\(key)' is not \(expected)")
      }
      return value
    }
    func count(_ key: String) throws -> Int {
      let count = try required(key, "a number", checkpoint[key]?.int)
      guard (1...Int(Int32.max)).contains(count) else { throw damaged("'\(key)' is \(count)") }
      return count
    }
    let name = checkpoint["architecture"]?.string ?? NCFGraph.Architecture.mlp.rawValue
    guard let architecture = NCFGraph.Architecture(rawValue: name) else {
      throw damaged("'architecture' is '\(name)', expected mlp, gmf or neumf")
    }
    let layers = try required("hidden_layers", "a list", checkpoint["hidden_layers"]?.elements).map { layer in
      guard let width = layer.int, (1...1 << 20).contains(width) else {
        throw damaged("'hidden_layers' holds something else than widths")
      }
      return width
    }
    let userCount = try count("num_users")
    let itemCount = try count("num_items")
    let graph = NCFGraph(
      architecture: architecture, userCount: userCount, itemCount: itemCount,
      embeddingDimension: try count("embedding_dim"), hiddenLayers: layers)
    let state = try required(Self.stateKey, "a dict", checkpoint[Self.stateKey]?.dictionary)
    var parameters: [String: Tensor] = [:]
    for (name, shape) in graph.parameterShapes {
      guard let tensor = state[name]?.tensor else { throw damaged("'\(Self.stateKey)' has no tensor '\(name)'") }
      guard tensor.shape == shape, tensor.elementType.isFloatingPoint else {
        throw damaged("'\(name)' is \(tensor.elementType)\(tensor.shape), expected float\(shape)")
      }
      parameters[name] = tensor.elementType == .float ? tensor : try tensor.converted(to: .float)
    }
    var metrics: [String: Double] = [:]
    for (key, value) in checkpoint["training_metrics"]?.dictionary ?? CheckpointDictionary() {
      if case .string(let key) = key, let value = value.float { metrics[key] = value }
    }
    self.init(
      graph: graph, parameters: parameters, users: try RecommenderCheckpoint.vocabulary("user", in: checkpoint, path),
      items: try RecommenderCheckpoint.vocabulary("item", in: checkpoint, path), metrics: metrics)
  }
}
