// From a lexicon and notes to a verified detector on the disk: the walk that every training takes.

import Checkpoints
import Datasets
import Files
import Foundation
import GraphEngine
import Reports
import Tensors
import Threads
import Training
import Verification

/// A training of a concept detector, ready to run.
///
/// ```swift
/// let paths = try ConceptDataPaths(dataFolder: "data", taxonomy: "taxonomy/lexicon_v1.json")
/// var training = ConceptTraining(paths: paths, output: "models/concept_model_base")
/// training.settings.epochs = 40
/// let outcome = try training.run { event in print(event) }
/// print(outcome.metadata.aliasChecks)
/// ```
///
/// `run` blocks its thread; cancelling the task that it runs in stops it after the present batch, with the state after the
/// last whole epoch saved.
public struct ConceptTraining: Sendable {
  public var settings: ConceptSettings
  public var paths: ConceptDataPaths
  /// How the notes are read; whether they are redacted is a setting.
  public var readOptions = NoteReadOptions()
  /// The directory that the model is written to.
  public var output: String
  /// The directory of a pretrained encoder that reads the notes; nil trains a network that reads hashed words, of the
  /// size that the settings say.
  public var encoder: String?
  /// Goes on where an interrupted training of the same settings and data stopped.
  public var resumes = false

  public init(paths: ConceptDataPaths = .sample, output: String, settings: ConceptSettings = ConceptSettings()) {
    self.paths = paths
    self.output = output
    self.settings = settings
  }

  /// What a training reports while it runs.
  public typealias Event = TrainingEvent<Beginning>

  /// What is known before the first step.
  public struct Beginning: Sendable {
    public var data: ConceptMetadata.DataSummary
    public var concepts: Int
    /// Of those that the training changes.
    public var parameterCount: Int
    public var warnings: [String]
    public var notes: [String]
  }

  /// What came of a training.
  public typealias Outcome = TrainingOutcome<ConceptMetadata>

  /// The state of a training that a directory holds: what `resumes` goes on from.
  public static func statePath(in directory: String) -> String { "\(directory)/\(ConceptMetadata.Files.trainingState)" }

  /// Trains, writes and verifies.
  ///
  /// - Throws: `DatasetError`, ``ConceptDataError``, ``ConceptTrainingError``, `EncoderError`, `TrainingError`,
  ///   `CheckpointError`, `EngineError`; `CancellationError` where the task was cancelled.
  public func run(report: @escaping (Event) -> Void = { _ in }) throws -> Outcome {
    let clock = ContinuousClock()
    let beginning = clock.now
    try settings.validate()
    try DetectorStart.validate(settings, encoder: encoder)
    report(.preparing("reading the data"))
    let data = try ConceptTrainingData(paths, readOptions: readOptions, settings: settings)
    guard !(resumes && data.notes.sha256 == nil) else {
      throw TrainingError.cannotResume(path: output, problem: "the notes came from what is read only once")
    }
    let directory = try ArtifactDirectory(path: output)
    let mapping = ConceptMapping(data.lexicon, redacts: settings.redacts)
    if encoder != nil { report(.preparing("reading the encoder")) }
    let start = try DetectorStart(encoder: encoder, texts: data.texts, mapping: mapping, settings: settings)
    let (run, graph) = (start.run, start.graph)

    let identity = settings.identity.merging(data.identity) { $1 }.merging(start.identity) { $1 }
    let statePath = Self.statePath(in: directory.path)
    let saved = try resumes ? SavedTraining(resumingAt: statePath, identity: identity) : nil
    if saved?.isFinished == true, let model = try? ModelDirectory<ConceptMetadata>(path: directory.path) {
      return Outcome(directory: directory.path, metadata: model.metadata, wasFinished: true, files: [])
    }
    var warnings = data.warnings + run.warnings
    if !resumes, let warning = SavedTraining.replacementWarning(at: statePath, directory: directory.path) {
      warnings.append(warning)
    }

    let summary = data.summary(examplesPerEpoch: run.exampleCount)
    report(
      .began(
        Beginning(
          data: summary, concepts: graph.conceptCount, parameterCount: graph.trainedParameterCount,
          warnings: warnings, notes: data.lexicon.notes)))
    let earlierSeconds = saved?.seconds ?? 0
    func seconds() -> Double { earlierSeconds + (clock.now - beginning).seconds }
    let drawing = BackgroundDrawing { graph.drawn().graphvizDot() }
    defer { drawing.wait() }
    let keeper = TrainingStateKeeper(path: statePath, interval: Self.stateInterval)
    if let saved { report(.resumed(epochs: saved.state.history.count)) }
    let state: TrainingState
    do {
      state = try run.train(
        from: saved?.state, prepare: { report(.preparing($0)) },
        save: {
          try keeper.keep(SavedTraining(identity: identity, state: $0, seconds: seconds(), isFinished: false))
        }, report: { report(.progress($0)) })
    } catch is CancellationError {
      try keeper.flush()
      throw CancellationError()
    }

    do {
      report(.finishing("measuring it"))
      let parameters = state.bestParameters
      let metadata = ConceptMetadata(
        common: CommonMetadata(
          modelType: ConceptMetadata.modelType, modelName: ConceptMetadata.Files.name,
          checkpoint: ConceptMetadata.Files.checkpoint, files: ConceptMetadata.Files.byRole,
          parameterCount: graph.parameterCount,
          trainedOn: "\(Figures.count(summary.noteCount)) notes, \(graph.conceptCount) concepts", headline: nil,
          createdAt: Timestamp.now().description,
          versions: .init(opset: settings.opset, irVersion: Int(graph.drawn().irVersion))),
        configuration: settings,
        network: start.network, data: summary, history: state.history, bestEpoch: state.bestEpoch,
        validation: try run.measures(parameters), aliasChecks: try run.aliasChecks(parameters))
      var export = ModelExport(directory: directory, metadata: metadata)
      try export.write(
        parameters: run.allParameters(parameters), tokenizer: start.tokenizer, mapping: mapping,
        examples: TrainingExampleFile(run.drawing, mapping: mapping), samples: run.recorded(), drawing: drawing,
        seconds: seconds, report: { report(.finishing($0)) })
      // What is written now says that all is done; the parameters are in the model.
      let done = TrainingState(
        trainer: Trainer.State(step: state.trainer.step, parameters: [:], moments: [:]), history: state.history,
        bestEpoch: state.bestEpoch, bestParameters: [:])
      try SavedTraining(identity: identity, state: done, seconds: seconds(), isFinished: true).write(to: statePath)
      return Outcome(
        directory: directory.path, metadata: export.metadata, wasFinished: false, files: export.directory.names)
    } catch {
      // What was trained is not lost where only the writing failed; the first error is the one to tell.
      try? keeper.flush()
      throw error
    }
  }

  /// A state is three tables as large as the model: written too often, it would take longer than the training.
  private static let stateInterval = Duration.seconds(10)
}
