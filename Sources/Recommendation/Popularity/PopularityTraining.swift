// From interactions to a verified popularity model: counted, written, proved.

import Checkpoints
import Datasets
import Foundation
import ONNX
import Reports
import Tensors
import Training
import Verification

/// The making of a popularity model, ready to run: what every other recommender has to beat.
///
/// ```swift
/// let outcome = try PopularityTraining(data: "interactions.csv", output: "ml_models").run()
/// print(outcome.metadata.measures?.ndcg ?? 0)
/// ```
public struct PopularityTraining: Sendable {
  public var settings: PopularitySettings
  /// The data: a file, or a clickstream's directory; `-` for standard input.
  public var data: String
  public var options = InteractionReadOptions()
  /// The directory that the model is written to.
  public var output: String

  public init(data: String, output: String, settings: PopularitySettings = PopularitySettings()) {
    self.data = data
    self.output = output
    self.settings = settings
  }

  /// What it reports while it runs.
  public enum Event: Sendable {
    /// The data is read and checked.
    case began(RecommenderBeginning)
    /// What is being done.
    case finishing(String)
  }

  /// What came of it.
  public struct Outcome: Sendable {
    public var directory: String
    public var metadata: PopularityMetadata
    /// Files that were written, relative to the directory.
    public var files: [String]
  }

  /// Counts, writes and verifies.
  ///
  /// - Throws: `DatasetError`, `InteractionError`, `RecommendationError`, `EngineError`, `ModelError`.
  public func run(report: @escaping (Event) -> Void = { _ in }) throws -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    try settings.validate()
    let directory = try ArtifactDirectory(path: output)
    let data = try RecommenderData(
      path: data, options: options, eventWeights: settings.eventWeights, halfLife: settings.halfLife,
      leavesOneOut: settings.leavesOneOut, seed: settings.seed)
    report(
      .began(
        RecommenderBeginning(data: data.summary, parameterCount: data.matrix.columnCount, warnings: data.warnings)))
    let graph = PopularityGraph(itemCount: data.matrix.columnCount, opset: settings.opset)
    let drawing = BackgroundDrawing { graph.scorer().graphvizDot() }
    defer { drawing.wait() }
    let scores = Self.scores(of: data.matrix, by: settings.effectiveMeasure)
    let measures = RecommendationMeasures.evaluate(
      cases: data.evaluation.cases, k: data.evaluation.k, seen: data.matrix
    ) { heldOut in heldOut.candidates.isEmpty ? scores : heldOut.candidates.map { scores[Int($0)] } }
    let metadata = metadata(measures, data: data, graph: graph)
    var export = ModelExport(directory: directory, metadata: metadata)
    try export.write(
      scores: scores, data: data, drawing: drawing, seconds: { (clock.now - start).seconds },
      report: { report(.finishing($0)) })
    return Outcome(directory: directory.path, metadata: export.metadata, files: export.directory.names)
  }

  /// The score of each item.
  ///
  /// - Parameter matrix: users by items, the values the pairs' strengths.
  public static func scores(of matrix: InteractionMatrix, by measure: PopularitySettings.Measure) -> [Float] {
    var sums = [Double](repeating: 0, count: matrix.columnCount)
    for (column, value) in zip(matrix.columns, matrix.values) {
      sums[Int(column)] += measure == .users ? 1 : Double(value)
    }
    return sums.map(Float.init)
  }

  private func metadata(
    _ measures: RecommendationMeasures?, data: RecommenderData, graph: PopularityGraph
  ) -> PopularityMetadata {
    let files = ALSMetadata.Files(name: settings.name)
    var roles = files.byRole
    roles["training_state"] = nil
    let summary = data.summary
    let common = CommonMetadata(
      modelType: PopularityMetadata.modelType, modelName: settings.name, checkpoint: files.checkpoint,
      checkpointKey: RecommenderCheckpoint.stateKey, files: roles, parameterCount: graph.itemCount,
      trainedOn: "\(Figures.count(summary.trainingPairs)) pairs", headline: data.evaluation.headline(measures),
      createdAt: Timestamp.now().description,
      versions: .init(opset: settings.opset, irVersion: Int(graph.scorer().irVersion)))
    return PopularityMetadata(common: common, settings: settings, data: summary, measures: measures)
  }
}

extension ModelExport<PopularityMetadata> {
  /// Writes and verifies the model.
  fileprivate mutating func write(
    scores: [Float], data: RecommenderData, drawing: BackgroundDrawing, seconds: () -> Double,
    report: (String) -> Void
  ) throws {
    let graph = metadata.graph
    let parameters = [PopularityGraph.parameter: Tensor(scores)]
    try write(
      CatalogueModel(
        state: StateDictionary([(PopularityGraph.parameter, Tensor(scores))]), entries: [],
        scorer: graph.scorer().replacing(parameters), topItems: graph.topItems().replacing(parameters),
        sampleUsers: Tensor([0, 1, -1] as [Int64]), files: metadata.files, measures: metadata.measures),
      of: data, seconds: seconds, report: report, page: { PopularityReport.html($0, drawing: drawing.markup) })
  }
}
