// What a person can choose about a training of a classifier.

import Encoders
import Training

/// The settings of a training. All of them but `threads` decide about the outcome.
public struct ClassificationSettings: Sendable, Hashable, Codable {
  public var epochs = 3
  public var batchSize = 16
  /// Nil takes 1e-4 for a pretrained encoder (on the bundled texts three epochs of 2e-5 end before MiniLM has learnt all
  /// that it can), and 5e-4 where nothing is trained yet.
  public var learningRate: Float?
  /// Tokens of a text that are read, the two special ones among them; what is beyond is cut off.
  public var maximumLength = 128
  /// The share of the samples held out, from 0 (none) to below 1.
  public var validationSplit = 0.2
  /// From which probability on a text has a label; nil tunes a threshold for each label on what is held out.
  public var threshold: Double? = 0.5
  /// The share of the steps over which the learning rate rises to its full height.
  public var warmup = 0.1
  /// Of the weights, not of biases and layer normalisations.
  public var weightDecay: Float = 0.01
  /// Gradients are scaled down together where their joint Euclidean norm is larger; 0 leaves them.
  public var gradientClip: Float = 1
  /// Layers from the tokens on, with the tables before them, that stay as they are.
  public var frozenLayers = 0
  /// Epochs without a better F1 before the training stops.
  public var patience: Int?
  /// Variations are added until there are so many samples to train on; 0 adds none.
  public var targetSize = 500
  /// Trains a small encoder from nothing, with a vocabulary learnt from the data.
  public var startsFromScratch = false
  /// Layers of the smaller encoder where a larger one is distilled; nil takes half of the larger one's.
  public var studentLayers: Int?
  public var seed: UInt64 = 42
  public var opset = 17
  /// Threads that share the work; nil takes as many as the processor has. The outcome does not depend on it.
  public var threads: Int?

  public init() {}

  enum CodingKeys: String, CodingKey {
    case epochs
    case batchSize = "batch_size"
    case learningRate = "learning_rate"
    case maximumLength = "max_length"
    case validationSplit = "validation_split"
    case threshold, warmup
    case weightDecay = "weight_decay"
    case gradientClip = "gradient_clip"
    case frozenLayers = "freeze_layers"
    case patience
    case targetSize = "target_size"
    case startsFromScratch = "from_scratch"
    case studentLayers = "student_layers"
    case seed, opset
  }

  /// The learning rate that is used.
  public var rate: Float { learningRate ?? (startsFromScratch ? 5e-4 : 1e-4) }

  /// Requires that every setting is in its range.
  /// - Throws: `ClassificationError.invalidSetting` for the first that is not.
  public func validate() throws(ClassificationError) {
    func require(_ condition: Bool, _ name: String, _ value: Any, _ expected: String) throws(ClassificationError) {
      guard condition else { throw .invalidSetting(name: name, value: "\(value)", expected: expected) }
    }
    try require(epochs > 0, "--epochs", epochs, "at least 1")
    try require((1...4096).contains(batchSize), "--batch-size", batchSize, "1 to 4096")
    try require(rate > 0 && rate.isFinite, "--learning-rate", rate, "a number above 0")
    try require(maximumLength >= 3, "--max-length", maximumLength, "at least 3: two special tokens and one of the text")
    try require(
      validationSplit >= 0 && validationSplit < 1, "--validation-split", validationSplit, "from 0 to below 1")
    if let threshold {
      try require(threshold > 0 && threshold < 1, "--threshold", threshold, "a number between 0 and 1, or 'tuned'")
    } else {
      try require(validationSplit > 0, "--threshold", "tuned", "a --validation-split above 0 with it")
    }
    try require(warmup >= 0 && warmup < 1, "--warmup", warmup, "from 0 to below 1")
    try require(weightDecay >= 0 && weightDecay.isFinite, "--weight-decay", weightDecay, "a number from 0")
    try require(gradientClip >= 0 && gradientClip.isFinite, "--gradient-clip", gradientClip, "a number from 0")
    try require(frozenLayers >= 0, "--freeze-layers", frozenLayers, "a number from 0")
    if let patience {
      try require(patience > 0, "--patience", patience, "at least 1")
      try require(
        validationSplit > 0, "--patience", patience,
        "a --validation-split above 0 with it: what is held out tells when to stop")
    }
    try require((0...1 << 24).contains(targetSize), "--target-size", targetSize, "0 to 16777216")
    if let studentLayers { try require(studentLayers > 0, "--layers", studentLayers, "at least 1") }
    try require(EncoderNetwork.supportedOpsets.contains(opset), "--opset", opset, "17 to 21")
    if let threads { try require((1...256).contains(threads), "--threads", threads, "1 to 256") }
  }

  /// The settings that the outcome depends on, by the names that a person knows them by. The learning rate falls over all
  /// epochs, so their number is one of them.
  var identity: [String: String] {
    var identity = [
      "--epochs": "\(epochs)", "--batch-size": "\(batchSize)", "--learning-rate": "\(rate)",
      "--max-length": "\(maximumLength)", "--validation-split": "\(validationSplit)",
      "--threshold": threshold.map { "\($0)" } ?? "tuned", "--warmup": "\(warmup)", "--weight-decay": "\(weightDecay)",
      "--gradient-clip": "\(gradientClip)", "--freeze-layers": "\(frozenLayers)", "--target-size": "\(targetSize)",
      "--seed": "\(seed)", "--opset": "\(opset)",
    ]
    if let patience { identity["--patience"] = "\(patience)" }
    if startsFromScratch { identity["--from-scratch"] = "true" }
    if let studentLayers { identity["--layers"] = "\(studentLayers)" }
    return identity
  }

  /// The optimizer: AdamW with PyTorch's defaults.
  var rule: Optimizer { .adamW(weightDecay: weightDecay) }
}
