// What a person can choose about a training of NCF.

import GraphEngine
import Training

/// The settings of a training. All of them but `threads` decide about the outcome.
public struct NCFSettings: Sendable, Hashable, Codable {
  /// The rules by which gradients change parameters.
  public enum OptimizerName: String, Sendable, Codable, CaseIterable {
    case adam
    case adamw
    /// Stochastic gradient descent with a momentum of 0.9.
    case sgd
  }

  public var architecture = NCFGraph.Architecture.mlp
  /// Numbers in a row of each embedding table.
  public var embeddingDimension = 64
  /// Outputs of each hidden layer, the first first; `gmf` has none.
  public var hiddenLayers = [128, 64, 32]
  public var loss = NCFGraph.Loss.bce
  /// Items drawn for each known pair, anew in each epoch.
  public var negativeRatio = 4
  public var epochs = 10
  public var batchSize = 256
  public var learningRate: Float = 0.001
  public var optimizer = OptimizerName.adam
  /// Of tables and weights, not of biases; nil takes the optimizer's custom: 0.01 for `adamw`, else 0.
  public var weightDecay: Float?
  public var dropout: Float = 0
  /// Weighs each pair by the strength of its interactions.
  public var isWeighted = false
  /// The share of the pairs held out, from 0 (none) to below 1.
  public var validationSplit = 0.2
  /// Holds out each user's latest item instead, to be ranked against 99 drawn ones.
  public var leavesOneOut = false
  /// Epochs without a better NDCG before the training stops.
  public var patience: Int?
  public var seed: UInt64 = 42
  public var opset = 17
  /// Threads that share the work; nil takes as many as the processor has. The outcome does not depend on it.
  public var threads: Int?

  public init() {}

  enum CodingKeys: String, CodingKey {
    case architecture
    case embeddingDimension = "embedding_dim"
    case hiddenLayers = "hidden_layers"
    case loss
    case negativeRatio = "negative_ratio"
    case epochs
    case batchSize = "batch_size"
    case learningRate = "learning_rate"
    case optimizer
    case weightDecay = "weight_decay"
    case dropout
    case isWeighted = "weighted"
    case validationSplit = "validation_split"
    case leavesOneOut = "leave_one_out"
    case patience, seed, opset
  }

  /// Drawn items that a user's latest one is ranked against (He et al. 2017).
  public static let leaveOneOutNegatives = 99
  /// Places of a ranking that the measures look at.
  public static let cutoff = 10

  /// Requires that every setting is in its range.
  /// - Throws: `RecommendationError.invalidSetting` for the first that is not.
  public func validate() throws(RecommendationError) {
    func require(_ condition: Bool, _ name: String, _ value: Any, _ expected: String) throws(RecommendationError) {
      guard condition else { throw .invalidSetting(name: name, value: "\(value)", expected: expected) }
    }
    try require(
      (1...Self.largestWidth).contains(embeddingDimension), "--embedding-dim", embeddingDimension, "1 to 8192")
    let layers = hiddenLayers.map(String.init).joined(separator: ",")
    try require(hiddenLayers.count <= Self.mostLayers, "--hidden-layers", layers, "at most 32 layers")
    try require(
      hiddenLayers.allSatisfy((1...Self.largestWidth).contains), "--hidden-layers", layers, "numbers of 1 to 8192")
    try require((1...1000).contains(negativeRatio), "--negative-ratio", negativeRatio, "1 to 1000")
    try require(epochs > 0, "--epochs", epochs, "at least 1")
    try require((1...Self.largestBatch).contains(batchSize), "--batch-size", batchSize, "1 to 1048576")
    try require(learningRate > 0 && learningRate.isFinite, "--learning-rate", learningRate, "a number above 0")
    try require(decay >= 0 && decay.isFinite, "--weight-decay", decay, "a number from 0")
    try require(dropout >= 0 && dropout < 1, "--dropout", dropout, "from 0 to below 1")
    try require(
      validationSplit >= 0 && validationSplit < 1, "--validation-split", validationSplit, "from 0 to below 1")
    if let patience {
      try require(patience > 0, "--patience", patience, "at least 1")
      try require(
        validationSplit > 0 || leavesOneOut, "--patience", patience,
        "a --validation-split above 0 or --leave-one-out with it: the validation tells when to stop")
    }
    try require(GraphBuilder.supportedOpsets.contains(opset), "--opset", opset, "13 to 21")
    if let threads { try require((1...256).contains(threads), "--threads", threads, "1 to 256") }
  }

  /// 8,192² weights are 256 MB: more than any network of this kind needs, and still computable.
  private static let largestWidth = 8192
  private static let mostLayers = 32
  private static let largestBatch = 1 << 20

  var decay: Float { weightDecay ?? (optimizer == .adamw ? 0.01 : 0) }

  var rule: Optimizer {
    switch optimizer {
    case .adam: .adam(weightDecay: decay)
    case .adamw: .adamW(weightDecay: decay)
    case .sgd: .sgd(momentum: 0.9, weightDecay: decay)
    }
  }

  /// The settings that the outcome depends on, by the names that a person knows them by. More epochs may be asked for
  /// when a training goes on.
  var identity: [String: String] {
    var identity = [
      "--architecture": architecture.rawValue, "--embedding-dim": "\(embeddingDimension)",
      "--hidden-layers": hiddenLayers.map(String.init).joined(separator: ","), "--loss": loss.rawValue,
      "--negative-ratio": "\(negativeRatio)", "--batch-size": "\(batchSize)", "--learning-rate": "\(learningRate)",
      "--optimizer": optimizer.rawValue, "--weight-decay": "\(decay)", "--dropout": "\(dropout)",
      "--weighted": "\(isWeighted)", "--seed": "\(seed)", "--opset": "\(opset)",
    ]
    identity[leavesOneOut ? "--leave-one-out" : "--validation-split"] = leavesOneOut ? "true" : "\(validationSplit)"
    if let patience { identity["--patience"] = "\(patience)" }
    return identity
  }

  /// The network of these settings.
  public func graph(userCount: Int, itemCount: Int) -> NCFGraph {
    NCFGraph(
      architecture: architecture, userCount: userCount, itemCount: itemCount, embeddingDimension: embeddingDimension,
      hiddenLayers: hiddenLayers, loss: loss, dropout: dropout, opset: opset)
  }
}
