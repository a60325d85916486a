// What a person can choose about a training of a concept detector.

import Training

/// The settings of a training. All of them but `threads` decide about the outcome.
public struct ConceptSettings: Sendable, Hashable, Codable {
  /// How large the network is.
  public enum Size: String, Sendable, Hashable, Codable, CaseIterable {
    case base, large

    /// Numbers in an embedding.
    public var width: Int {
      switch self {
      case .base: 128
      case .large: 384
      }
    }
  }

  public var size = Size.base
  public var epochs = 30
  public var batchSize = 16
  public var learningRate: Float = 0.001
  /// The share of the notes held out, from 0 (none) to below 1.
  public var validationSplit = 0.1
  /// Keeps one alias of each concept that has three or more out of the training, to measure with.
  public var holdsOutAliases = true
  /// From which probability on a note has a concept.
  public var threshold = 0.5
  /// Epochs without a better loss on what is held out before the training stops.
  public var patience: Int?
  /// Keeps e-mail addresses, telephone, card and account numbers out of everything.
  public var redacts = true
  public var seed: UInt64 = 42
  public var opset = 17
  /// Threads that share the work; nil takes as many as the processor has. The outcome does not depend on it.
  public var threads: Int?

  public init() {}

  enum CodingKeys: String, CodingKey {
    case size, epochs
    case batchSize = "batch_size"
    case learningRate = "learning_rate"
    case validationSplit = "validation_split"
    case holdsOutAliases = "hold_out_aliases"
    case threshold, patience
    case redacts = "redact"
    case seed, opset
  }

  /// The operator sets that the graph is the same in.
  public static let supportedOpsets = 13...21

  /// Requires that every setting is in its range.
  /// - Throws: ``ConceptTrainingError/invalidSetting(name:value:expected:)`` for the first that is not.
  public func validate() throws(ConceptTrainingError) {
    func require(_ condition: Bool, _ name: String, _ value: Any, _ expected: String) throws(ConceptTrainingError) {
      guard condition else { throw .invalidSetting(name: name, value: "\(value)", expected: expected) }
    }
    try require(epochs > 0, "--epochs", epochs, "at least 1")
    try require((1...4096).contains(batchSize), "--batch-size", batchSize, "1 to 4096")
    try require(learningRate > 0 && learningRate.isFinite, "--learning-rate", learningRate, "a number above 0")
    try require(
      validationSplit >= 0 && validationSplit < 1, "--validation-split", validationSplit, "from 0 to below 1")
    try require(threshold > 0 && threshold < 1, "--threshold", threshold, "a number between 0 and 1")
    if let patience {
      try require(patience > 0, "--patience", patience, "at least 1")
      try require(
        validationSplit > 0, "--patience", patience,
        "a --validation-split above 0 with it: what is held out tells when to stop")
    }
    try require(Self.supportedOpsets.contains(opset), "--opset", opset, "13 to 21")
    if let threads { try require((1...256).contains(threads), "--threads", threads, "1 to 256") }
  }

  /// The settings that the outcome depends on, by the names that a person knows them by.
  var identity: [String: String] {
    var identity = [
      "--size": size.rawValue, "--epochs": "\(epochs)", "--batch-size": "\(batchSize)",
      "--learning-rate": "\(learningRate)", "--validation-split": "\(validationSplit)",
      "--hold-out-aliases": "\(holdsOutAliases)", "--threshold": "\(threshold)", "--redact": "\(redacts)",
      "--seed": "\(seed)", "--opset": "\(opset)",
    ]
    if let patience { identity["--patience"] = "\(patience)" }
    return identity
  }
}
