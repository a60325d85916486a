// From a file of labelled texts to a verified classifier on the disk: the walk that every training takes.

import Checkpoints
import Datasets
import Encoders
import Files
import Foundation
import GraphEngine
import ONNX
import Reports
import Tensors
import Threads
import Training
import Verification

/// A training of a classifier, ready to run.
///
/// ```swift
/// var training = ClassificationTraining(dataPath: "reviews.json", output: "models/classification/reviews")
/// training.settings.epochs = 4
/// let outcome = try training.run { event in print(event) }
/// print(outcome.metadata.validation?.micro.f1 ?? 0)
/// ```
///
/// `run` blocks its thread; cancelling the task that it runs in stops it after the present batch, with the state after the
/// last whole epoch saved.
public struct ClassificationTraining: Sendable {
  public var settings: ClassificationSettings
  /// The labelled texts, in any form that ``ClassificationDataset`` reads.
  public var dataPath: String
  /// How they are read.
  public var readOptions = ClassificationReadOptions()
  /// The directory that the model is written to.
  public var output: String
  /// The directory of the encoder to start from; nil takes `DefaultEncoder`.
  public var encoder: String?
  /// The directory of a trained classifier that a smaller one learns from.
  public var teacher: String?
  /// In which numbers the graph is written.
  public var precision = ExportPrecision.float32
  /// Goes on where an interrupted training of the same settings and data stopped.
  public var resumes = false

  public init(dataPath: String, output: String, settings: ClassificationSettings = ClassificationSettings()) {
    self.dataPath = dataPath
    self.output = output
    self.settings = settings
  }

  /// What a training reports while it runs.
  public typealias Event = TrainingEvent<Beginning>

  /// What is known before the first step.
  public struct Beginning: Sendable {
    public var data: ClassificationMetadata.DataSummary
    public var labels: [String]
    public var encoder: ClassificationMetadata.Encoder
    public var layers: Int
    public var parameterCount: Int
    public var trainedParameterCount: Int
    public var warnings: [String]
    public var notes: [String]
  }

  /// What came of a training.
  public typealias Outcome = TrainingOutcome<ClassificationMetadata>

  /// Trains, writes and verifies.
  ///
  /// - Throws: `DatasetError`, `ClassificationDataError`, `ClassificationError`, `EncoderError`, `TrainingError`,
  ///   `CheckpointError`, `EngineError`; `CancellationError` where the task was cancelled.
  public func run(report: @escaping (Event) -> Void = { _ in }) throws -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    try settings.validate()
    // What is missing is told before any work is done.
    let source = try StartingPoint.Source(self)
    let directory = try ArtifactDirectory(path: output)
    report(.preparing("reading the data"))
    let data = try ClassificationDataset(path: dataPath, options: readOptions)
    guard !(resumes && data.sha256 == nil) else {
      throw TrainingError.cannotResume(
        path: output, problem: "the data came from what is read only once; give a file to --data-path")
    }
    let prepared = try PreparedTexts(data, settings: settings)
    report(.preparing("reading the encoder"))
    let beginning = try StartingPoint(source, labels: data.labels, texts: prepared.trainingTexts, settings: settings)
    let graph = beginning.graph

    let identity = self.identity(data: data, encoder: beginning.encoder)
    let statePath = directory.path(of: ClassificationMetadata.Files.trainingState)
    let saved = try resumes ? SavedTraining(resumingAt: statePath, identity: identity) : nil
    if saved?.isFinished == true,
      let model = try? ModelDirectory<ClassificationMetadata>(
        path: directory.path(of: MetadataFiles.name(of: ClassificationMetadata.Files.name)))
    {
      return Outcome(directory: directory.path, metadata: model.metadata, wasFinished: true, files: [])
    }

    report(.preparing("taking texts apart into tokens"))
    let tokenized = prepared.tokenized(by: beginning.tokenizer, settings: settings)
    try requireMemory(graph.configuration, texts: tokenized.training)
    let summary = prepared.summary(of: data, cutTexts: tokenized.cutTexts)
    let trained = graph.trainedParameters(frozen: settings.frozenLayers)
    var warnings = data.warnings + prepared.warnings + beginning.warnings
    if !resumes, let warning = SavedTraining.replacementWarning(at: statePath, directory: directory.path) {
      warnings.append(warning)
    }
    let shapes = Dictionary(uniqueKeysWithValues: graph.parameterShapes.map { ($0.name, $0.shape) })
    report(
      .began(
        Beginning(
          data: summary, labels: data.labels, encoder: beginning.encoder, layers: graph.configuration.layerCount,
          parameterCount: graph.parameterCount,
          trainedParameterCount: trained.reduce(0) { $0 + shapes[$1]!.elementCount }, warnings: warnings,
          notes: data.notes)))

    let earlierSeconds = saved?.seconds ?? 0
    func seconds() -> Double { earlierSeconds + (clock.now - start).seconds }
    let drawing = BackgroundDrawing { graph.drawn().graphvizDot() }
    defer { drawing.wait() }
    let keeper = TrainingStateKeeper(path: statePath)
    let run = ClassifierRun(
      graph: graph, start: beginning, texts: tokenized, sources: prepared, settings: settings,
      trainedParameters: trained)
    if let saved { report(.resumed(epochs: saved.state.history.count)) }
    let state: TrainingState
    do {
      state = try run.train(
        from: saved?.state,
        save: {
          try keeper.keep(
            SavedTraining(identity: identity, state: $0, seconds: seconds(), isFinished: false))
        }, report: report)
    } catch is CancellationError {
      try keeper.flush()
      throw CancellationError()
    }

    do {
      try keeper.flush()
      let parameters = run.allParameters(state.bestParameters)
      let outcome = try run.outcome(parameters)
      var metadata = self.metadata(
        graph, state, beginning, data: summary, thresholds: outcome.thresholds, validation: outcome.measures)
      if precision == .int8 {
        report(.finishing("measuring it in 8 bits"))
        metadata.quantized = .init(validation: try run.quantizedMeasures(parameters))
      }
      var export = ModelExport(directory: directory, metadata: metadata)
      try export.write(
        parameters: parameters, tokenizer: beginning.tokenizer, samples: tokenized.recorded(graph),
        drawing: drawing, seconds: seconds, report: { report(.finishing($0)) })
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

  /// The values that a step keeps from its way there for its way back: of the batch with the longest text, to whose length
  /// the others are padded.
  private func requireMemory(_ network: EncoderConfiguration, texts: TokenizedTexts) throws(MemoryShortage) {
    let rows = min(settings.batchSize, texts.count)
    let length = (0..<texts.count).map { texts.length($0) }.max() ?? 0
    // Of a token in a layer: queries, keys, values, what attention gives, both normalised sums; the inner layer before
    // and after its activation; and a weight for each head and token.
    let perToken = 6 * network.width + 2 * network.innerWidth + network.headCount * length
    try MemoryBudget.require(
      4 * Double(rows) * Double(length) * Double(network.layerCount) * Double(perToken),
      for: "\(rows) texts of up to \(length) tokens in a step",
      advice: "take a smaller batch_size or max_length")
  }

  private func identity(data: ClassificationDataset, encoder: ClassificationMetadata.Encoder) -> [String: String] {
    var identity = settings.identity
    identity["the data's SHA-256"] = data.sha256
    identity["how the data is read"] =
      "\(readOptions.columns) \(readOptions.separator ?? "") \(readOptions.labelSeparator ?? "")"
    identity["the SHA-256 of the encoder"] = encoder.sha256
    if precision != .float32 { identity["--precision"] = precision.rawValue }
    return identity
  }

  private func metadata(
    _ graph: ClassifierGraph, _ state: TrainingState, _ start: StartingPoint, data: ClassificationMetadata.DataSummary,
    thresholds: [Double], validation: ClassificationMeasures?
  ) -> ClassificationMetadata {
    ClassificationMetadata(
      common: CommonMetadata(
        modelType: ClassificationMetadata.modelType, modelName: ClassificationMetadata.Files.name,
        checkpoint: ClassificationMetadata.Files.checkpoint, files: ClassificationMetadata.Files.byRole,
        parameterCount: graph.parameterCount, trainedOn: "\(Figures.count(data.trainingSamples)) texts", headline: nil,
        createdAt: Timestamp.now().description,
        versions: .init(opset: settings.opset, irVersion: Int(graph.drawn().irVersion))),
      settings: settings, configuration: graph.configuration, thresholds: thresholds, encoder: start.encoder,
      data: data,
      history: state.history, bestEpoch: state.bestEpoch, validation: validation)
  }
}
