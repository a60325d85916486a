// What a model's directory says about the model: how it was made, from what, how good it is, and what its files hash to.

import Checkpoints
import Foundation
import Training
import Verification

/// The contents of `{name}_metadata.json`.
public struct RankerMetadata: Sendable, Codable {
  public var common: CommonMetadata
  public var settings: RankerSettings
  public var layout: FeatureLayout
  public var scaling: MetricScaling
  public var data: DataSummary
  public var history: [EpochRecord]
  /// The epoch whose parameters were kept, counted from 1.
  public var bestEpoch: Int
  /// The kept parameters on the pairs that were trained on.
  public var training: PairMeasures
  /// The kept parameters on the pairs held out.
  public var validation: PairMeasures?
  public var crossValidation: CrossValidation?
  public var initializedFrom: SourceFile?

  /// What the model was trained on, and what was left out.
  public struct DataSummary: Sendable, Hashable, Codable {
    public var source: SourceFile
    public var pairs: Int
    public var items: Int
    public var labels: Labels
    public var skippedLines: Int
    /// Items without a metric, by its name.
    public var missingMetrics: [String: Int]
    public var trainingPairs: Int
    public var validationPairs: Int

    /// Pairs of each label.
    public struct Labels: Sendable, Hashable, Codable {
      public var preferA: Int
      public var equal: Int
      public var preferB: Int

      enum CodingKeys: String, CodingKey {
        case preferA = "prefer_a"
        case equal
        case preferB = "prefer_b"
      }
    }

    enum CodingKeys: String, CodingKey {
      case source, pairs, items, labels
      case skippedLines = "skipped_lines"
      case missingMetrics = "missing_metrics"
      case trainingPairs = "training_pairs"
      case validationPairs = "validation_pairs"
    }
  }

  /// The names of the model's files in its directory.
  public struct Files: Sendable, Hashable {
    public var comparer: String
    public var scorer: String
    public var checkpoint: String
    public var report: String
    public var testData: String
    public var trainingState: String

    init(name: String) {
      comparer = "\(name).onnx"
      scorer = "\(name)_scorer.onnx"
      checkpoint = "\(name).pth"
      report = "\(name)_report.html"
      testData = "test_data_set_0"
      trainingState = "\(name)_training_state.pth"
    }

    /// As the metadata list them.
    var byRole: [String: String] {
      [
        "onnx": comparer, "scorer_onnx": scorer, "pth": checkpoint, "report": report, "test_data": testData,
        "training_state": trainingState,
      ]
    }
  }

  public var files: Files { Files(name: common.modelName) }

  /// The graph that the metadata describes, without its parameters.
  public var graph: RankerGraph {
    RankerGraph(
      layout: layout, scaling: scaling, hiddenDimension: settings.hiddenDimension, dropout: settings.dropout,
      margin: settings.margin, opset: settings.opset)
  }

  /// The measure of quality that one would tell first: held-out accuracy where there is one.
  public var headline: (name: String, measures: PairMeasures) {
    validation.map { ("validation", $0) } ?? ("training", training)
  }
}

extension RankerMetadata {
  private enum CodingKeys: String, CodingKey {
    case inputDimension = "input_dim"
    case datasetSize = "dataset_size"
    case lossHistory = "loss_history"
    case metricMeans = "metric_means"
    case metricDeviations = "metric_stds"
    case data, history
    case bestEpoch = "best_epoch"
    case training, validation
    case crossValidation = "cross_validation"
    case initializedFrom = "init_from"
  }

  public func encode(to encoder: any Encoder) throws {
    try common.encode(to: encoder)
    try settings.encode(to: encoder)
    try layout.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(layout.count, forKey: .inputDimension)
    try values.encode(data.pairs, forKey: .datasetSize)
    try values.encode(history.map(\.trainLoss), forKey: .lossHistory)
    // As doubles: their digits give back every bit of the float.
    try values.encode(scaling.means.map(Double.init), forKey: .metricMeans)
    try values.encode(scaling.standardDeviations.map(Double.init), forKey: .metricDeviations)
    try values.encode(data, forKey: .data)
    try values.encode(history, forKey: .history)
    try values.encode(bestEpoch, forKey: .bestEpoch)
    try values.encode(training, forKey: .training)
    try values.encodeIfPresent(validation, forKey: .validation)
    try values.encodeIfPresent(crossValidation, forKey: .crossValidation)
    try values.encodeIfPresent(initializedFrom, forKey: .initializedFrom)
  }

  public init(from decoder: any Decoder) throws {
    common = try CommonMetadata(from: decoder)
    settings = try RankerSettings(from: decoder)
    let decodedLayout = try FeatureLayout(from: decoder)
    let values = try decoder.container(keyedBy: CodingKeys.self)
    scaling = MetricScaling(
      means: try values.decode([Double].self, forKey: .metricMeans).map(Float.init),
      standardDeviations: try values.decode([Double].self, forKey: .metricDeviations).map(Float.init))
    data = try values.decode(DataSummary.self, forKey: .data)
    history = try values.decode([EpochRecord].self, forKey: .history)
    bestEpoch = try values.decode(Int.self, forKey: .bestEpoch)
    training = try values.decode(PairMeasures.self, forKey: .training)
    validation = try values.decodeIfPresent(PairMeasures.self, forKey: .validation)
    crossValidation = try values.decodeIfPresent(CrossValidation.self, forKey: .crossValidation)
    initializedFrom = try values.decodeIfPresent(SourceFile.self, forKey: .initializedFrom)
    let problem = Self.problem(settings: settings, layout: decodedLayout, scaling: scaling)
    // The names come sorted from any file that this type wrote.
    layout = decodedLayout
    if let problem {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: problem))
    }
  }

  /// What would make a graph of these values impossible, so that a damaged file ends in a message.
  private static func problem(settings: RankerSettings, layout: FeatureLayout, scaling: MetricScaling) -> String? {
    do { try settings.validate() } catch { return "\(error)" }
    let metrics = layout.metricNames.count
    if !(0...(1 << 24)).contains(layout.embeddingDimension) {
      return "embedding_dim is \(layout.embeddingDimension)"
    }
    if layout.count == 0 { return "there are no features" }
    if scaling.means.count != metrics || scaling.standardDeviations.count != metrics {
      return "\(metrics) metric names, \(scaling.means.count) means, \(scaling.standardDeviations.count) deviations"
    }
    return nil
  }
}

/// What the folds of a cross-validation gave.
public struct CrossValidation: Sendable, Hashable, Codable {
  /// One fold: its best epoch, and that epoch's parameters on the part held out.
  public struct Fold: Sendable, Hashable, Codable {
    public var bestEpoch: Int
    public var epochs: Int
    public var validation: PairMeasures

    enum CodingKeys: String, CodingKey {
      case bestEpoch = "best_epoch"
      case epochs, validation
    }
  }

  /// The mean of a measure over the folds, and its standard deviation (of a sample: divided by n - 1).
  public struct Spread: Sendable, Hashable, Codable {
    public var mean: Double
    public var standardDeviation: Double

    enum CodingKeys: String, CodingKey {
      case mean
      case standardDeviation = "sd"
    }

    /// Nil without values.
    init?(_ values: [Double]) {
      guard !values.isEmpty else { return nil }
      let center = values.reduce(0, +) / Double(values.count)
      mean = center
      let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
      standardDeviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
    }
  }

  public let folds: [Fold]
  public let loss: Spread?
  public let accuracy: Spread?
  public let kendallTau: Spread?
  /// The mean of the folds' best epochs, rounded: how long the final model trains.
  public let finalEpochs: Int

  enum CodingKeys: String, CodingKey {
    case folds, loss, accuracy
    case kendallTau = "kendall_tau"
    case finalEpochs = "final_epochs"
  }

  /// - Precondition: at least one fold.
  init(folds: [Fold]) {
    self.folds = folds
    loss = Spread(folds.map(\.validation.loss))
    accuracy = Spread(folds.compactMap(\.validation.accuracy))
    kendallTau = Spread(folds.compactMap(\.validation.kendallTau))
    let mean = Double(folds.reduce(0) { $0 + $1.bestEpoch }) / Double(folds.count)
    finalEpochs = max(1, Int(mean.rounded()))
  }
}
