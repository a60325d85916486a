// The trainings of recommenders, as the service offers them: the options of `ranker train`, with bounds.

import Recommendation
import TrainingService

extension TrainingKind {
  /// Measures by the names that a training's status has; a clickstream's are at 40, others at 10.
  private static let recommenderMeasures = [
    "recall_at_k": ["measures.recall", "test.recall", "validation.recall"],
    "precision_at_k": ["measures.precision", "test.precision", "validation.precision"],
    "f1_at_k": ["measures.f1", "test.f1", "validation.f1"],
  ]
  private static let recommenderHeadline = Headline(
    title: "NDCG", paths: ["measures.ndcg", "test.ndcg", "validation.ndcg"])
  private static let interactions =
    "interactions: a JSON, CSV, TSV or Parquet file, or a clickstream's folder (clickstream.pq and events.pq)"

  private static let leaveOneOut = TrainingParameter(
    "leave_one_out", "Leave one out", .flag, standard: false,
    help: "Set each user's latest item aside, to be found among 99 drawn ones.")
  private static let strict = TrainingParameter(
    "strict", "Strict", .flag, standard: false, help: "Make the first bad row of the data an error.")
  private static func seed(_ standard: UInt64) -> TrainingParameter {
    TrainingParameter(
      "seed", "Seed", .integer(0...Int64.max), standard: .integer(Int64(standard)),
      help: "The same seed and data give the same files.")
  }

  static let popular = TrainingKind(
    name: "popular", title: "Popularity",
    summary: "What most users turned to, the same for everyone: the bar that the others have to clear.",
    dataHelp: interactions, hasSample: true, parameters: [leaveOneOut, strict, seed(PopularitySettings().seed)],
    command: ["train", "popular"], dataOption: "--data-path", outputOption: "--output-dir", resumeOption: nil,
    threadsOption: nil, measures: recommenderMeasures, headline: recommenderHeadline)

  static let als: TrainingKind = {
    let settings = ALSSettings()
    return TrainingKind(
      name: "als", title: "Alternating least squares",
      summary: "Factors for users and items, solved for in turns. Quick, and hard to beat on implicit feedback.",
      dataHelp: interactions, hasSample: true,
      parameters: [
        TrainingParameter(
          "iterations", "Iterations", .integer(1...1000), standard: .integer(Int64(settings.iterations)),
          help: "Rounds of solving for users and items."),
        // 512 factors of 4 bytes for ten million users are 20 GB, about what a machine has.
        TrainingParameter(
          "factors", "Factors", .integer(1...512), standard: .integer(Int64(settings.factors)),
          help: "Numbers that stand for a user or an item."),
        TrainingParameter(
          "alpha", "Alpha", .number(0.0001...10_000), standard: .number(Double(settings.alpha)),
          help: "What an interaction of strength 1 weighs."),
        TrainingParameter(
          "unobserved_weight", "Unobserved weight", .number(0.000001...1000),
          standard: .number(decimal(settings.unobservedWeight)), help: "What a pair weighs that the data does not have."
        ),
        TrainingParameter(
          "regularization", "Regularization", .number(0.000001...1000),
          standard: .number(decimal(settings.regularization)), help: "How strongly factors are held near zero."),
        TrainingParameter(
          "frequency_scaling", "Frequency scaling", .number(0...1),
          standard: .number(decimal(settings.frequencyScaling)),
          help: "The power of its frequency that a row's regularisation grows with."),
        TrainingParameter(
          "solver", "Solver", .choice(ALSSettings.Solver.allCases.map(\.rawValue)),
          standard: .string(settings.solver.rawValue),
          help: "How rows are solved: exactly, or more quickly with many factors."),
        leaveOneOut, strict, seed(settings.seed),
      ], command: ["train", "als"], dataOption: "--data-path", outputOption: "--output-dir",
      measures: recommenderMeasures, headline: recommenderHeadline)
  }()

  static let ncf: TrainingKind = {
    let settings = NCFSettings()
    return TrainingKind(
      name: "ncf", title: "Neural collaborative filtering",
      summary: "A network over rows of users and items, which learns to tell known pairs from drawn ones.",
      dataHelp: interactions, hasSample: true,
      parameters: [
        TrainingParameter(
          "epochs", "Epochs", .integer(1...1000), standard: .integer(Int64(settings.epochs)),
          help: "Passes over the data; the best one is kept."),
        TrainingParameter(
          "batch_size", "Batch size", .integer(1...65_536), standard: .integer(Int64(settings.batchSize)),
          help: "Samples in a step."),
        TrainingParameter(
          "learning_rate", "Learning rate", .number(0.0000001...1), standard: .number(decimal(settings.learningRate)),
          help: "The length of an optimizer's step."),
        TrainingParameter(
          "architecture", "Architecture", .choice(NCFGraph.Architecture.allCases.map(\.rawValue)),
          standard: .string(settings.architecture.rawValue),
          help: "Layers over both rows, a weighted product, or both."),
        TrainingParameter(
          "embedding_dim", "Embedding width", .integer(1...512),
          standard: .integer(Int64(settings.embeddingDimension)), help: "Numbers in the row of a user or an item."),
        TrainingParameter(
          "hidden_layers", "Hidden layers", .integers(1...4096, atMost: 8),
          standard: .string(settings.hiddenLayers.map(String.init).joined(separator: ",")),
          help: "Outputs of the hidden layers, with commas."),
        TrainingParameter(
          "loss", "Loss", .choice(NCFGraph.Loss.allCases.map(\.rawValue)), standard: .string(settings.loss.rawValue),
          help: "Is a pair known or drawn, or which of two is the known one."),
        TrainingParameter(
          "negative_ratio", "Negative ratio", .integer(1...100), standard: .integer(Int64(settings.negativeRatio)),
          help: "Items drawn for each known pair, in each epoch."),
        TrainingParameter(
          "dropout", "Dropout", .number(0...0.95), standard: .number(decimal(settings.dropout)),
          help: "The share of hidden numbers that a step drops."),
        TrainingParameter(
          "patience", "Patience", .integer(1...1000), standard: nil,
          help: "Stop after this many epochs without a better NDCG."),
        leaveOneOut, strict, seed(settings.seed),
      ], command: ["train", "ncf"], dataOption: "--data-path", outputOption: "--output-path", outputFile: "ncf.pt",
      measures: recommenderMeasures, headline: recommenderHeadline)
  }()

  /// The number as it was written in decimals: 0.15, where the nearest double to the float is 0.15000000596.
  static func decimal(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }
}
