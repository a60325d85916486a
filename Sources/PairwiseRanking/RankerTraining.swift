// From a file of preference pairs to a verified model on the disk: the walk that every training takes.

import Checkpoints
import Datasets
import Foundation
import GraphEngine
import ONNX
import Reports
import Tensors
import Threads
import Training
import Verification

/// A training of the pairwise ranker, ready to run.
///
/// ```swift
/// var training = RankerTraining(input: "dataset.jsonl", output: "models/pairwise_ranker")
/// training.settings.epochs = 20
/// let outcome = try training.run { event in print(event) }
/// print(outcome.metadata.headline.measures.accuracy ?? 0)
/// ```
///
/// `run` blocks its thread; cancelling the task that it runs in stops it after the present batch with the state saved.
public struct RankerTraining: Sendable {
  public var settings: RankerSettings
  /// The file of pairs; `-` for standard input.
  public var input: String
  /// The directory that the model is written to.
  public var output: String
  /// The width that embeddings must have; nil takes the data's.
  public var embeddingDimension: Int?
  /// Makes the first bad line of the data an error.
  public var isStrict = false
  /// A file or a model's directory whose parameters the training starts from.
  public var initialParameters: String?
  /// Goes on where an interrupted training of the same settings and data stopped.
  public var resumes = false

  public init(input: String, output: String, settings: RankerSettings = RankerSettings()) {
    self.input = input
    self.output = output
    self.settings = settings
  }

  /// What a training reports while it runs.
  public enum Event: Sendable {
    /// The data is read and checked.
    case began(Beginning)
    /// The training goes on after this many epochs (of this fold).
    case resumed(epochs: Int, fold: Int?)
    /// A fold of the cross-validation begins, counted from 1.
    case fold(Int, of: Int)
    case progress(TrainingProgress, fold: Int?)
    /// A fold is done.
    case foldEnded(Int, of: Int, CrossValidation.Fold)
    /// The final model trains on everything for this many epochs.
    case finalModel(epochs: Int, CrossValidation)
    /// What is being done after the last epoch.
    case finishing(String)
  }

  /// What is known before the first step.
  public struct Beginning: Sendable {
    public var layout: FeatureLayout
    public var pairs: Int
    public var items: Int
    public var trainingPairs: Int
    public var validationPairs: Int
    public var parameterCount: Int
    public var warnings: [String]
  }

  /// What came of a training.
  public typealias Outcome = TrainingOutcome<RankerMetadata>

  /// Trains, writes and verifies.
  ///
  /// - Throws: `DatasetError`, `RankingError`, `CheckpointError`, `EngineError`; `CancellationError` where the task was
  ///   cancelled, with the state saved for `resumes`.
  public func run(report: @escaping (Event) -> Void = { _ in }) throws -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    try settings.validate()
    let directory = try ArtifactDirectory(path: output)
    let (data, checksum) = try readData()
    let groups = data.groups
    if let folds = settings.folds {
      let count = Set(groups).count
      guard count >= folds else { throw RankingError.tooFewPairs(groups: count, folds: folds) }
    }
    let split = Split.holdOut(
      groups: groups, fraction: settings.folds == nil ? settings.validationSplit : 0, seed: settings.seed)

    let graph = self.graph(data, split.training)
    let initial = try initialParameters.map { try InitialParameters.read($0, for: graph) }
    let initialSource = try initial.map {
      SourceFile(path: $0.file, sha256: try SHA256.hexadecimal(ofFile: $0.file))
    }
    let identity = self.identity(checksum: checksum, initial: initialSource)
    let statePath = directory.path(of: RankerMetadata.Files(name: settings.name).trainingState)
    let saved = try resumes ? SavedTraining(resumingAt: statePath, identity: identity) : nil
    if let saved, saved.isFinished, isDone(saved.state),
      let model = try? ModelDirectory<RankerMetadata>(path: directory.path(of: MetadataFiles.name(of: settings.name)))
    {
      return Outcome(directory: directory.path, metadata: model.metadata, wasFinished: true, files: [])
    }

    var warnings = data.warnings
    if settings.validationSplit > 0, settings.folds == nil, split.validation.isEmpty {
      warnings.append("all pairs are of the same two items: nothing can be held out, so nothing tells how good it is")
    }
    if !resumes, let warning = SavedTraining.replacementWarning(at: statePath, directory: directory.path) {
      warnings.append(warning)
    }
    report(
      .began(
        Beginning(
          layout: data.layout, pairs: data.pairs.count, items: data.itemCount, trainingPairs: split.training.count,
          validationPairs: split.validation.count,
          parameterCount: graph.parameterShapes.values.reduce(0) { $0 + $1.elementCount }, warnings: warnings)))

    let earlierSeconds = saved?.seconds ?? 0
    let drawing = BackgroundDrawing { graph.scorer().graphvizDot() }
    defer { drawing.wait() }
    let stages = Stages(
      training: self, data: data, initial: initial?.parameters, identity: identity,
      keeper: TrainingStateKeeper(path: statePath),
      seconds: { earlierSeconds + (clock.now - start).seconds }, report: report)
    let trained: Stages.Trained
    do {
      trained = try stages.run(split: split, from: saved)
    } catch is CancellationError {
      try stages.keeper.flush()
      throw CancellationError()
    }

    do {
      let metadata = metadata(
        trained, data: summary(data, split: split, checksum: checksum), initializedFrom: initialSource)
      var export = ModelExport(directory: directory, metadata: metadata)
      try export.write(
        parameters: trained.state.bestParameters, samples: samples(data, split), drawing: drawing,
        seconds: { earlierSeconds + (clock.now - start).seconds }, report: { report(.finishing($0)) })
      try stages.keeper.keep(trained.saved(isFinished: true))
      try stages.keeper.flush()
      return Outcome(
        directory: directory.path, metadata: export.metadata, wasFinished: false, files: export.directory.names)
    } catch {
      // What was trained is not lost where only the writing failed; the first error is the one to tell.
      try? stages.keeper.flush()
      throw error
    }
  }

  /// Whether no further epoch follows a finished training's state.
  private func isDone(_ state: TrainingState) -> Bool {
    if settings.folds != nil || state.history.count >= settings.epochs { return true }
    return settings.patience.map { state.history.count - state.bestEpoch >= $0 } ?? false
  }

  func graph(_ data: PairDataset, _ training: [Int]) -> RankerGraph {
    RankerGraph(
      layout: data.layout, scaling: MetricScaling(of: data, rows: data.items(of: training)),
      hiddenDimension: settings.hiddenDimension, dropout: settings.dropout, margin: settings.margin,
      opset: settings.opset)
  }

  /// Reads the data and hashes its file side by side.
  private func readData() throws -> (data: PairDataset, checksum: String?) {
    guard input != "-" else {
      guard !resumes else {
        throw TrainingError.cannotResume(
          path: output, problem: "the data came from standard input, which is read once; give a file to --input")
      }
      return (try PairDataset(path: input, embeddingDimension: embeddingDimension, isStrict: isStrict), nil)
    }
    let path = input
    let hash = Background { try SHA256.hexadecimal(ofFile: path) }
    defer { hash.wait() }
    let data = try PairDataset(path: input, embeddingDimension: embeddingDimension, isStrict: isStrict)
    return (data, try hash.value())
  }

  private func identity(checksum: String?, initial: SourceFile?) -> [String: String] {
    var identity = settings.identity
    identity["the data's SHA-256"] = checksum
    identity["--embedding-dim"] = embeddingDimension.map(String.init)
    identity["the SHA-256 of --init-from"] = initial?.sha256
    return identity
  }

  private func metadata(
    _ trained: Stages.Trained, data: RankerMetadata.DataSummary, initializedFrom: SourceFile?
  ) -> RankerMetadata {
    let files = RankerMetadata.Files(name: settings.name)
    let headline: CommonMetadata.Headline
    if let folds = trained.crossValidation {
      headline = .init(
        measure: "accuracy", value: folds.accuracy?.mean, isShare: true, of: "\(folds.folds.count) folds")
    } else {
      let (measures, part) = trained.validation.map { ($0, "validation") } ?? (trained.training, "training")
      headline = .init(measure: "accuracy", value: measures.accuracy, isShare: true, of: part)
    }
    let common = CommonMetadata(
      modelType: RankerMetadata.modelType, modelName: settings.name, checkpoint: files.checkpoint,
      files: files.byRole, parameterCount: trained.graph.parameterShapes.values.reduce(0) { $0 + $1.elementCount },
      trainedOn: "\(Figures.count(data.pairs)) pairs", headline: headline, createdAt: Timestamp.now().description,
      versions: .init(opset: settings.opset, irVersion: Int(trained.graph.scorer().irVersion)))
    return RankerMetadata(
      common: common, settings: settings, layout: trained.graph.layout, scaling: trained.graph.scaling, data: data,
      history: trained.state.history, bestEpoch: trained.state.bestEpoch, training: trained.training,
      validation: trained.validation, crossValidation: trained.crossValidation, initializedFrom: initializedFrom)
  }

  private func summary(_ data: PairDataset, split: Split, checksum: String?) -> RankerMetadata.DataSummary {
    let labels = data.labelCounts
    return RankerMetadata.DataSummary(
      source: SourceFile(path: input, sha256: checksum), pairs: data.pairs.count, items: data.itemCount,
      labels: .init(preferA: labels.preferA, equal: labels.equal, preferB: labels.preferB),
      skippedLines: data.skipped.count, missingMetrics: data.missingMetrics, trainingPairs: split.training.count,
      validationPairs: split.validation.count)
  }

  /// The pairs whose inputs and outputs are recorded beside the model: the first of those held out.
  private func samples(_ data: PairDataset, _ split: Split) -> [String: Tensor] {
    let chosen = Array((split.validation.isEmpty ? split.training : split.validation).prefix(Self.recordedPairs))
    func rows(_ item: KeyPath<PairDataset.Pair, Int32>) -> Tensor {
      let width = data.layout.count
      return data.features.withUnsafeElements(as: Float.self) { features in
        Tensor(
          chosen.flatMap { index in
            let row = Int(data.pairs[index][keyPath: item])
            return features[row * width..<(row + 1) * width]
          }, shape: [chosen.count, width])
      }
    }
    return ["input_a": rows(\.itemA), "input_b": rows(\.itemB)]
  }

  private static let recordedPairs = 8
}
