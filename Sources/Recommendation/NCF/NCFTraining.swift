// From a file of interactions to a verified model on the disk: the walk that every training takes.

import Checkpoints
import Datasets
import Files
import Foundation
import GraphEngine
import ONNX
import Reports
import Tensors
import Threads
import Training
import Verification

/// A training of an NCF recommender, ready to run.
///
/// ```swift
/// var training = NCFTraining(dataPath: "interactions.json", outputPath: "models/ncf_benchmark_v1.pt")
/// training.settings.architecture = .neumf
/// let outcome = try training.run { event in print(event) }
/// print(outcome.metadata.validation?.ndcg ?? 0)
/// ```
///
/// `run` blocks its thread; cancelling the task that it runs in stops it after the present batch with the state saved.
public struct NCFTraining: Sendable {
  public var settings: NCFSettings
  /// The interactions, in any form that ``InteractionDataset`` reads.
  public var dataPath: String
  /// How they are read.
  public var readOptions = InteractionReadOptions()
  /// The checkpoint that is written, `….pt`; the model's other files go beside it.
  public var outputPath: String
  /// An earlier model's checkpoint: its users and items keep their rows, new ones extend the tables.
  public var initialModel: String?
  /// Goes on where an interrupted training of the same settings and data stopped.
  public var resumes = false

  public init(dataPath: String, outputPath: String, settings: NCFSettings = NCFSettings()) {
    self.dataPath = dataPath
    self.outputPath = outputPath
    self.settings = settings
  }

  /// What a training reports while it runs.
  public enum Event: Sendable {
    /// The data is read and split.
    case began(Beginning)
    /// The training goes on after this many epochs.
    case resumed(epochs: Int)
    case progress(TrainingProgress)
    /// What is being done after the last epoch.
    case finishing(String)
  }

  /// What is known before the first step.
  public struct Beginning: Sendable {
    public var data: NCFMetadata.DataSummary
    public var users: Int
    public var items: Int
    public var parameterCount: Int
    public var warnings: [String]
  }

  /// What came of a training.
  public typealias Outcome = TrainingOutcome<NCFMetadata>

  /// Trains, writes and verifies.
  ///
  /// - Throws: `DatasetError`, `InteractionError`, `RecommendationError`, `TrainingError`, `CheckpointError`, `EngineError`;
  ///   `CancellationError` where the task was cancelled, with the state saved for `resumes`.
  public func run(report: @escaping (Event) -> Void = { _ in }) throws -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    try settings.validate()
    let (folder, name) = try Self.place(of: outputPath)
    let directory = try ArtifactDirectory(path: folder)
    let (data, checksum) = try readData()
    let initial = try initialModel.map { path in
      (
        checkpoint: try NCFCheckpoint(contentsOf: path),
        source: SourceFile(
          path: path, sha256: try SHA256.hexadecimal(ofFile: path))
      )
    }
    let prepared = try NCFPreparedData(
      data, settings: settings, initial: initial?.checkpoint, initialPath: initialModel ?? "")

    let files = NCFMetadata.Files(checkpoint: (outputPath as NSString).lastPathComponent, name: name)
    let identity = self.identity(checksum: checksum, initial: initial?.source)
    let statePath = directory.path(of: files.trainingState)
    let saved = try resumes ? SavedTraining(resumingAt: statePath, identity: identity) : nil
    if let saved, saved.isFinished, isDone(saved.state),
      let model = try? ModelDirectory<NCFMetadata>(path: directory.path(of: MetadataFiles.name(of: name)))
    {
      return Outcome(directory: directory.path, metadata: model.metadata, wasFinished: true, files: [])
    }

    let graph = prepared.graph
    var summary = prepared.summary
    summary.source = SourceFile(path: dataPath, sha256: checksum)
    let parameterCount = graph.parameterShapes.reduce(0) { $0 + $1.shape.elementCount }
    // Each parameter with the optimizer's two moments, as the best so far, in what is written, and in what is verified.
    try MemoryBudget.require(
      24 * Double(parameterCount), for: "the network's \(parameterCount) parameters",
      advice: "take a smaller embedding_dim or hidden_layers")
    var warnings = prepared.warnings
    if !resumes, let warning = SavedTraining.replacementWarning(at: statePath, directory: directory.path) {
      warnings.append(warning)
    }
    report(
      .began(
        Beginning(
          data: summary, users: graph.userCount, items: graph.itemCount, parameterCount: parameterCount,
          warnings: warnings)))

    let earlierSeconds = saved?.seconds ?? 0
    func seconds() -> Double { earlierSeconds + (clock.now - start).seconds }
    let drawing = BackgroundDrawing { graph.smallest.scorer().graphvizDot() }
    defer { drawing.wait() }
    let keeper = TrainingStateKeeper(path: statePath)
    func record(_ state: TrainingState, isFinished: Bool) -> SavedTraining {
      SavedTraining(identity: identity, state: state, seconds: seconds(), isFinished: isFinished)
    }
    let state: TrainingState
    do {
      if let saved { report(.resumed(epochs: saved.state.history.count)) }
      state = try train(
        prepared, initial: initial?.checkpoint, from: saved?.state,
        save: { try keeper.keep(record($0, isFinished: false)) }, report: { report(.progress($0)) })
    } catch is CancellationError {
      try keeper.flush()
      throw CancellationError()
    }

    do {
      let parameters = state.bestParameters
      let metadata = NCFMetadata(
        common: CommonMetadata(
          modelType: NCFMetadata.modelType, modelName: name, checkpoint: files.checkpoint,
          checkpointKey: NCFCheckpoint.stateKey, files: files.byRole, parameterCount: parameterCount,
          trainedOn: "\(Figures.count(summary.trainingPairs)) pairs", headline: nil,
          createdAt: Timestamp.now().description,
          versions: .init(opset: settings.opset, irVersion: Int(graph.scorer().irVersion))),
        settings: settings, userCount: graph.userCount, itemCount: graph.itemCount, data: summary,
        history: state.history, bestEpoch: state.bestEpoch,
        validation: try prepared.validation.measures(of: graph, parameters, threads: settings.threads),
        test: try prepared.test.measures(of: graph, parameters, threads: settings.threads),
        initializedFrom: initial?.source)
      var export = ModelExport(directory: directory, metadata: metadata)
      let checkpoint = NCFCheckpoint(
        graph: graph, parameters: parameters, users: prepared.interactions.users, items: prepared.interactions.items,
        metrics: metadata.metrics)
      try export.write(
        checkpoint: { try checkpoint.write(to: $0) },
        graphs: [
          ExportedGraph(
            fileName: files.graph, model: graph.scorer().replacing(parameters),
            recording: .init(samples: prepared.recordedPairs, folder: files.testData))
        ], others: [.init(files.interactions) { try SeenItems(prepared.interactions).write(to: $0) }],
        seconds: seconds, report: { report(.finishing($0)) },
        page: { NCFReport.html($0, drawing: drawing.markup) })
      try keeper.keep(record(state, isFinished: true))
      try keeper.flush()
      return Outcome(
        directory: directory.path, metadata: export.metadata, wasFinished: false, files: export.directory.names)
    } catch {
      // What was trained is not lost where only the writing failed; the first error is the one to tell.
      try? keeper.flush()
      throw error
    }
  }

  /// The folder and the stem of the files' names that a checkpoint's path gives.
  static func place(of path: String) throws(RecommendationError) -> (folder: String, name: String) {
    let file = (path as NSString).lastPathComponent
    let name = (file as NSString).deletingPathExtension
    let isFile = ["pt", "pth"].contains((file as NSString).pathExtension) && !name.isEmpty && !name.hasPrefix(".")
    guard isFile, !path.contains("\0") else {
      throw .invalidSetting(
        name: "--output-path", value: "\"\(path)\"",
        expected: "the path of a checkpoint to write, such as models/ncf.pt")
    }
    let folder = (path as NSString).deletingLastPathComponent
    return (folder.isEmpty ? "." : folder, name)
  }

  /// Whether no further epoch follows a finished training's state.
  private func isDone(_ state: TrainingState) -> Bool {
    if state.history.count >= settings.epochs { return true }
    return settings.patience.map { state.history.count - state.bestEpoch >= $0 } ?? false
  }

  /// Reads the data and hashes its file side by side.
  private func readData() throws -> (data: InteractionDataset, checksum: String?) {
    guard dataPath != "-" else {
      guard !resumes else {
        throw TrainingError.cannotResume(
          path: outputPath,
          problem: "the data came from standard input, which is read once; give a file to --data-path")
      }
      return (try InteractionDataset(path: dataPath, options: readOptions), nil)
    }
    let path = dataPath
    let hash = Background { try SHA256.hexadecimal(ofFile: path) }
    defer { hash.wait() }
    let data = try InteractionDataset(path: path, options: readOptions)
    return (data, data.format == .clickstream ? nil : try hash.value())
  }

  private func identity(checksum: String?, initial: SourceFile?) -> [String: String] {
    var identity = settings.identity
    identity["the data's SHA-256"] = checksum
    identity["how the data is read"] =
      "\(readOptions.columns) \(readOptions.separator ?? "") \(readOptions.usesRatings) \(readOptions.evaluationDays)"
    identity["the SHA-256 of --init-from"] = initial?.sha256
    return identity
  }

  private func train(
    _ data: NCFPreparedData, initial: NCFCheckpoint?, from state: TrainingState?,
    save: (TrainingState) throws -> Void, report: (TrainingProgress) -> Void
  ) throws -> TrainingState {
    let graph = data.graph
    let samples = data.samples
    var parameters = graph.initialParameters(seed: settings.seed, positiveShare: samples.positiveShare)
    if let initial { Self.take(initial, into: &parameters) }
    let trainer = try Trainer(
      graph.training(isWeighted: samples.isWeighted).replacing(parameters), loss: NCFGraph.lossName,
      parameters: graph.parameterNames,
      options: Trainer.Options(
        optimizer: settings.rule, undecayed: Set(graph.parameterNames.filter { $0.hasSuffix(".bias") }),
        seed: settings.seed, threads: settings.threads))
    parameters = [:]
    let loop = TrainingLoop(
      epochs: settings.epochs, batchSize: settings.batchSize, learningRate: settings.learningRate,
      patience: data.validation.cases.isEmpty ? nil : settings.patience,
      monitor: data.validation.cases.isEmpty ? nil : (metric: Self.monitored, largerIsBetter: true),
      seed: settings.seed)
    let (seed, loss) = (settings.seed, settings.loss)
    // The epoch that the batches are of; set where the loop asks for its order.
    var epoch = samples.epoch(1)
    return try loop.run(
      trainer,
      over: TrainingLoop.Samples(
        count: samples.count,
        order: { number in
          epoch = samples.epoch(number)
          // Each epoch's order hangs on its number alone, so that a resumed training draws the same.
          var generator = SeededGenerator(seed: seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
          return generator.permutation(samples.count)
        },
        specs: { batch in
          var specs = [
            "user": TensorSpec(.int64, [batch.count]), "item": TensorSpec(.int64, [batch.count]),
          ]
          if loss == .bce {
            specs["label"] = TensorSpec(.float, [batch.count])
          } else {
            specs["negative"] = TensorSpec(.int64, [batch.count])
          }
          if samples.isWeighted { specs["weight"] = TensorSpec(.float, [batch.count]) }
          return specs
        },
        fill: { plan, batch in
          plan.withUnsafeMutableInput("user", as: Int64.self) { users in
            plan.withUnsafeMutableInput("item", as: Int64.self) { items in
              func fill(_ weights: UnsafeMutableBufferPointer<Float>?) {
                if loss == .bce {
                  plan.withUnsafeMutableInput("label", as: Float.self) { labels in
                    epoch.fill(batch, users: users, items: items, labels: labels, negatives: nil, weights: weights)
                  }
                } else {
                  plan.withUnsafeMutableInput("negative", as: Int64.self) { negatives in
                    epoch.fill(batch, users: users, items: items, labels: nil, negatives: negatives, weights: weights)
                  }
                }
              }
              if samples.isWeighted {
                plan.withUnsafeMutableInput("weight", as: Float.self) { fill($0) }
              } else {
                fill(nil)
              }
            }
          }
        }),
      from: state,
      evaluate: { parameters in
        var metrics: [String: Double] = [:]
        if let measures = try data.validation.measures(of: graph, parameters, threads: settings.threads) {
          metrics[Self.monitored] = measures.ndcg
          metrics["hit_rate@10"] = measures.hitRate
        }
        return EpochEvaluation(metrics: metrics)
      }, save: save, report: report)
  }

  /// The measure that marks the best epoch.
  private static let monitored = "ndcg@10"

  /// Puts an earlier model's rows and layers in the place of the drawn ones; rows beyond its tables stay as drawn.
  private static func take(_ initial: NCFCheckpoint, into parameters: inout [String: Tensor]) {
    for (name, tensor) in initial.parameters {
      tensor.withUnsafeBytes { rows in
        parameters[name]!.withUnsafeMutableBytes { $0.copyMemory(from: rows) }
      }
    }
  }
}
