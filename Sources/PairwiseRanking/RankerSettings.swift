// What a person can choose about a training of the pairwise ranker.

import GraphEngine
import Training

/// The settings of a training. All of them but `threads` decide about the outcome.
public struct RankerSettings: Sendable, Hashable, Codable {
  /// The rules by which gradients change parameters.
  public enum OptimizerName: String, Sendable, Codable, CaseIterable {
    case adam
    case adamw
    /// Stochastic gradient descent with a momentum of 0.9.
    case sgd
  }

  /// The stem of the files' names.
  public var name = "pairwise_ranker"
  public var hiddenDimension = 256
  public var learningRate: Float = 0.001
  public var batchSize = 32
  public var epochs = 50
  /// By how much the winner's score should be ahead.
  public var margin: Float = 1
  public var dropout: Float = 0.2
  public var optimizer = OptimizerName.adam
  /// Of the weights, not of the biases; nil takes the optimizer's custom: 0.01 for `adamw`, else 0.
  public var weightDecay: Float?
  /// The share of the pairs held out, from 0 (none) to below 1.
  public var validationSplit = 0.2
  /// Trains this many times, each with another part held out, to see how much the measures vary.
  public var folds: Int?
  /// Epochs without a better validation loss before the training stops.
  public var patience: Int?
  public var seed: UInt64 = 42
  public var opset = 17
  /// Threads that share the work; nil takes as many as the processor has. The outcome does not depend on it.
  public var threads: Int?

  public init() {}

  enum CodingKeys: String, CodingKey {
    case name = "model_name"
    case hiddenDimension = "hidden_dim"
    case learningRate = "learning_rate"
    case batchSize = "batch_size"
    case epochs, margin, dropout, optimizer
    case weightDecay = "weight_decay"
    case validationSplit = "validation_split"
    case folds, patience, seed, opset
  }

  /// Requires that every setting is in its range.
  /// - Throws: `RankingError.invalidSetting` for the first that is not.
  public func validate() throws(RankingError) {
    func require(_ condition: Bool, _ name: String, _ value: Any, _ expected: String) throws(RankingError) {
      guard condition else { throw .invalidSetting(name: name, value: "\(value)", expected: expected) }
    }
    let isFileName = !name.isEmpty && !name.hasPrefix(".") && !name.contains("/") && !name.contains("\0")
    try require(isFileName, "--name", "\"\(name)\"", "a file name without '/' and without a leading dot")
    try require((1...Self.largestDimension).contains(hiddenDimension), "--hidden-dim", hiddenDimension, "1 to 65536")
    try require(learningRate > 0 && learningRate.isFinite, "--learning-rate", learningRate, "a number above 0")
    try require((1...Self.largestBatch).contains(batchSize), "--batch-size", batchSize, "1 to 1048576")
    try require(epochs > 0, "--epochs", epochs, "at least 1")
    try require(margin > 0 && margin.isFinite, "--margin", margin, "a number above 0")
    try require(dropout >= 0 && dropout < 1, "--dropout", dropout, "from 0 to below 1")
    try require(decay >= 0 && decay.isFinite, "--weight-decay", decay, "a number from 0")
    try require(
      validationSplit >= 0 && validationSplit < 1, "--validation-split", validationSplit, "from 0 to below 1")
    if let folds { try require(folds >= 2, "--folds", folds, "at least 2") }
    if let patience {
      try require(patience > 0, "--patience", patience, "at least 1")
      try require(
        validationSplit > 0 || folds != nil, "--patience", patience,
        "a --validation-split above 0 with it: the validation loss tells when to stop")
    }
    try require(GraphBuilder.supportedOpsets.contains(opset), "--opset", opset, "13 to 21")
    if let threads { try require((1...256).contains(threads), "--threads", threads, "1 to 256") }
  }

  /// 65,536² weights are 16 GiB: more than any ranker of pairs needs, and still computable.
  private static let largestDimension = 65536
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
  /// when a training goes on, but not where they decide about the folds that are done.
  var identity: [String: String] {
    var identity = [
      "--name": name, "--hidden-dim": "\(hiddenDimension)", "--learning-rate": "\(learningRate)",
      "--batch-size": "\(batchSize)", "--margin": "\(margin)", "--dropout": "\(dropout)",
      "--optimizer": optimizer.rawValue, "--weight-decay": "\(decay)", "--validation-split": "\(validationSplit)",
      "--seed": "\(seed)", "--opset": "\(opset)",
    ]
    if let folds { (identity["--folds"], identity["--epochs"]) = ("\(folds)", "\(epochs)") }
    if let patience { identity["--patience"] = "\(patience)" }
    return identity
  }
}
