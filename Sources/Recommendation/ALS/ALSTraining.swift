// From interactions to verified factors on the disk: the walk that every training takes.

import Checkpoints
import Datasets
import Foundation
import GraphEngine
import ONNX
import Reports
import Tensors
import Training
import Verification

/// A training by alternating least squares, ready to run.
///
/// ```swift
/// var training = ALSTraining(data: "interactions.csv", output: "ml_models")
/// training.settings.factors = 64
/// let outcome = try training.run { event in print(event) }
/// print(outcome.metadata.measures?.ndcg ?? 0)
/// ```
///
/// `run` blocks its thread; cancelling the task that it runs in stops it after the present iteration with the state saved.
public struct ALSTraining: Sendable {
  public var settings: ALSSettings
  /// The data: a file, or a clickstream's directory; `-` for standard input.
  public var data: String
  public var options = InteractionReadOptions()
  /// The directory that the model is written to.
  public var output: String
  /// Goes on where an interrupted training of the same settings and data stopped.
  public var resumes = false

  public init(data: String, output: String, settings: ALSSettings = ALSSettings()) {
    self.data = data
    self.output = output
    self.settings = settings
  }

  /// What a training reports while it runs.
  public enum Event: Sendable {
    /// The data is read and checked.
    case began(RecommenderBeginning)
    /// The training goes on after this many iterations.
    case resumed(iterations: Int)
    case progress(TrainingProgress)
    /// What is being done after the last iteration.
    case finishing(String)
  }

  /// What came of a training.
  public typealias Outcome = TrainingOutcome<ALSMetadata>

  /// Trains, writes and verifies.
  ///
  /// - Throws: `DatasetError`, `InteractionError`, `RecommendationError`, `EngineError`, `ModelError`, `MemoryShortage`
  ///   where it can't be done within the process's limit of memory; `CancellationError`
  ///   where the task was cancelled, with the state saved for `resumes`.
  public func run(report: @escaping (Event) -> Void = { _ in }) throws -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    try settings.validate()
    let directory = try ArtifactDirectory(path: output)
    let data = try RecommenderData(
      path: data, options: options, eventWeights: settings.eventWeights, halfLife: settings.halfLife,
      leavesOneOut: settings.leavesOneOut, seed: settings.seed)
    let files = ALSMetadata.Files(name: settings.name)
    let identity = self.identity(checksum: data.checksum)
    let statePath = directory.path(of: files.trainingState)
    if resumes, self.data == "-" {
      throw TrainingError.cannotResume(
        path: statePath, problem: "the data came from standard input, which is read once; give a file to --data-path")
    }
    let saved = try resumes ? SavedTraining(resumingAt: statePath, identity: identity) : nil
    if let saved, saved.isFinished, saved.state.history.count >= settings.iterations,
      let model = try? ModelDirectory<ALSMetadata>(path: directory.path(of: MetadataFiles.name(of: settings.name)))
    {
      return Outcome(directory: directory.path, metadata: model.metadata, wasFinished: true, files: [])
    }

    // The factors, in the solver, in the state that is kept, in what is written and in what is verified; of each
    // interaction a place and a weight, by users and by items, and where it was read to.
    let rows = data.matrix.rowCount + data.matrix.columnCount
    try MemoryBudget.require(
      16 * Double(rows) * Double(settings.factors) + 28 * Double(data.matrix.count),
      for: "\(settings.factors) factors of \(data.matrix.rowCount) users and \(data.matrix.columnCount) items",
      advice: "take fewer factors")
    let solver = try ALSSolver(data.matrix, settings: settings, parameters: saved?.state.trainer.parameters)
    var warnings = data.warnings
    if !resumes, let warning = SavedTraining.replacementWarning(at: statePath, directory: directory.path) {
      warnings.append(warning)
    }
    let parameterCount = solver.graph.parameterShapes.reduce(0) { $0 + $1.shape.elementCount }
    report(.began(RecommenderBeginning(data: data.summary, parameterCount: parameterCount, warnings: warnings)))

    let earlierSeconds = saved?.seconds ?? 0
    let seconds = { earlierSeconds + (clock.now - start).seconds }
    let graph = solver.graph
    let drawing = BackgroundDrawing { graph.scorer().graphvizDot() }
    defer { drawing.wait() }
    let keeper = TrainingStateKeeper(path: statePath)
    let trained = try iterate(
      solver, data: data, from: saved?.state,
      save: { try keeper.keep(SavedTraining(identity: identity, state: $0, seconds: seconds())) }, flush: keeper.flush,
      report: report)

    do {
      let metadata = metadata(trained, data: data, graph: graph, parameterCount: parameterCount)
      var export = ModelExport(directory: directory, metadata: metadata)
      try export.write(
        parameters: trained.state.bestParameters, data: data, drawing: drawing, seconds: seconds,
        report: { report(.finishing($0)) })
      try keeper.keep(
        SavedTraining(identity: identity, state: trained.state, seconds: seconds(), isFinished: true))
      try keeper.flush()
      return Outcome(
        directory: directory.path, metadata: export.metadata, wasFinished: false, files: export.directory.names)
    } catch {
      // What was trained is not lost where only the writing failed; the first error is the one to tell.
      try? keeper.flush()
      throw error
    }
  }

  private typealias Trained = (state: TrainingState, measures: RecommendationMeasures?)

  /// Does the iterations that are not done yet.
  private func iterate(
    _ solver: ALSSolver, data: RecommenderData, from state: TrainingState?, save: (TrainingState) throws -> Void,
    flush: () throws -> Void, report: (Event) -> Void
  ) throws -> Trained {
    let evaluator = try ALSEvaluator(
      data.evaluation, seen: data.matrix, graph: solver.graph, threads: settings.threads)
    var state = state ?? Self.state(solver, history: [])
    let done = state.history.count
    if done > 0 {
      try solver.restore(state.trainer.parameters, iteration: done)
      report(.resumed(iterations: done))
    }
    var measures = done > 0 ? try evaluator.measures(of: solver.parameters) : nil
    let clock = ContinuousClock()
    let start = clock.now
    while state.history.count < settings.iterations {
      do { try Task.checkCancellation() } catch {
        try flush()
        throw error
      }
      let loss = try solver.iterate()
      guard loss.isFinite else {
        throw RecommendationError.lossNotFinite(iteration: solver.iteration, value: loss)
      }
      let parameters = solver.parameters
      measures = try evaluator.measures(of: parameters)
      let record = EpochRecord(
        epoch: solver.iteration, trainLoss: loss, metrics: measures.map(HeldOutEvaluation.named) ?? [:])
      state = Self.state(solver, history: state.history + [record])
      try save(state)
      let pace = (clock.now - start).seconds / Double(solver.iteration - done)
      report(
        .progress(
          TrainingProgress(
            epoch: solver.iteration, epochs: settings.iterations, batch: 1, batches: 1, loss: loss,
            samplesPerSecond: pace > 0 ? Double(data.matrix.count) / pace : 0,
            secondsLeft: pace * Double(settings.iterations - solver.iteration), record: record)))
    }
    return (state, measures)
  }

  /// Every iteration improves the loss, so the last one's factors are those to keep.
  private static func state(_ solver: ALSSolver, history: [EpochRecord]) -> TrainingState {
    let parameters = solver.parameters
    return TrainingState(
      trainer: Trainer.State(step: solver.iteration, parameters: parameters, moments: [:]), history: history,
      bestEpoch: history.count, bestParameters: parameters)
  }

  private func identity(checksum: String?) -> [String: String] {
    var identity = settings.identity
    identity["the data's SHA-256"] = checksum
    identity["--columns"] = options.columns.isEmpty ? nil : options.columns.joined(separator: ",")
    identity["--separator"] = options.separator
    identity["--header"] = options.hasHeader.map(String.init)
    identity["--use-ratings"] = options.usesRatings ? "true" : nil
    identity["--eval-days"] = "\(options.evaluationDays)"
    return identity
  }

  private func metadata(
    _ trained: Trained, data: RecommenderData, graph: ALSGraph, parameterCount: Int
  ) -> ALSMetadata {
    let files = ALSMetadata.Files(name: settings.name)
    let summary = data.summary
    let common = CommonMetadata(
      modelType: ALSMetadata.modelType, modelName: settings.name, checkpoint: files.checkpoint,
      checkpointKey: RecommenderCheckpoint.stateKey, files: files.byRole, parameterCount: parameterCount,
      trainedOn: "\(Figures.count(summary.trainingPairs)) pairs",
      headline: data.evaluation.headline(trained.measures), createdAt: Timestamp.now().description,
      versions: .init(opset: settings.opset, irVersion: Int(graph.scorer().irVersion)))
    return ALSMetadata(
      common: common, settings: settings, data: summary, history: trained.state.history, measures: trained.measures)
  }
}

/// What is known before the first iteration of a recommender's training.
public struct RecommenderBeginning: Sendable {
  public var data: RecommenderDataSummary
  public var parameterCount: Int
  public var warnings: [String]
}

extension HeldOutEvaluation {
  /// The measure that one would tell first; nil where nothing is held out.
  func headline(_ measures: RecommendationMeasures?) -> CommonMetadata.Headline? {
    guard let measures else { return nil }
    return .init(
      measure: headlineName, value: Self.named(measures)[headlineName], isShare: source == .lastDays,
      of: source.rawValue.replacingOccurrences(of: "_", with: " "))
  }
}

extension ModelExport<ALSMetadata> {
  /// Writes and verifies the factorisation.
  fileprivate mutating func write(
    parameters: [String: Tensor], data: RecommenderData, drawing: BackgroundDrawing, seconds: () -> Double,
    report: (String) -> Void
  ) throws {
    let graph = metadata.graph
    try write(
      CatalogueModel(
        state: StateDictionary(graph.parameterShapes.map { ($0.name, parameters[$0.name]!) }),
        entries: [("factors", .int(graph.factors))], scorer: graph.scorer().replacing(parameters),
        topItems: graph.topItems().replacing(parameters), sampleUsers: Tensor(0..<Int64(min(8, graph.userCount))),
        files: metadata.files, measures: metadata.measures),
      of: data, seconds: seconds, report: report, page: { ALSReport.html($0, drawing: drawing.markup) })
  }
}
