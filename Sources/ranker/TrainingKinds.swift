// What `ranker serve` can train: the subcommands of `ranker train`, as the service knows them.

import PairwiseRanking
import TextClassification
import TrainingService

extension TrainingCatalogue {
  /// The trainings of this program, run by itself.
  static var own: TrainingCatalogue {
    TrainingCatalogue(
      kinds: [.popular, .als, .ncf, .pairwise, .classification, .concept], program: ownPath, predictions: .own)
  }
}

extension TrainingKind {
  static let pairwise: TrainingKind = {
    let settings = RankerSettings()
    return TrainingKind(
      name: "pairwise", title: "Pairwise ranker", summary: "A network that puts the better of two items first.",
      dataHelp: "preference pairs: the JSON lines that ranker export writes", hasSample: false,
      parameters: [
        TrainingParameter(
          "epochs", "Epochs", .integer(1...10_000), standard: .integer(Int64(settings.epochs)),
          help: "Passes over the data; the best one is kept."),
        TrainingParameter(
          "batch_size", "Batch size", .integer(1...65_536), standard: .integer(Int64(settings.batchSize)),
          help: "Pairs in a step."),
        TrainingParameter(
          "learning_rate", "Learning rate", .number(0.0000001...1),
          standard: .number(decimal(settings.learningRate)), help: "The length of an optimizer's step."),
        TrainingParameter(
          "hidden_dim", "Hidden width", .integer(1...4096), standard: .integer(Int64(settings.hiddenDimension)),
          help: "Numbers in each of the two hidden layers."),
        TrainingParameter(
          "margin", "Margin", .number(0...1000), standard: .number(decimal(settings.margin)),
          help: "By how much the winner's score should be ahead."),
        TrainingParameter(
          "dropout", "Dropout", .number(0...0.95), standard: .number(decimal(settings.dropout)),
          help: "The share of hidden numbers that a step drops."),
        TrainingParameter(
          "optimizer", "Optimizer", .choice(RankerSettings.OptimizerName.allCases.map(\.rawValue)),
          standard: .string(settings.optimizer.rawValue), help: "How a step follows from the gradient."),
        TrainingParameter(
          "validation_split", "Held-out share", .number(0...0.9), standard: .number(settings.validationSplit),
          help: "The share of pairs held out; 0 trains on everything."),
        TrainingParameter(
          "patience", "Patience", .integer(1...10_000), standard: nil,
          help: "Stop after this many epochs without a better validation loss."),
        TrainingParameter(
          "seed", "Seed", .integer(0...Int64.max), standard: .integer(Int64(settings.seed)),
          help: "The same seed and data give the same files."),
        TrainingParameter(
          "strict", "Strict", .flag, standard: false, help: "Make the first bad line of the data an error."),
      ], command: ["train", "pairwise"], dataOption: "--input", outputOption: "--output", measures: [:],
      headline: Headline(title: "accuracy", paths: ["validation.accuracy", "training.accuracy"]))
  }()

  static let classification: TrainingKind = {
    let settings = ClassificationSettings()
    return TrainingKind(
      name: "classification", title: "Text classifier",
      summary: "Fine-tunes a pretrained encoder to give texts their labels, or trains a small one from nothing.",
      dataHelp: "labelled texts: JSON, JSON lines, CSV or TSV", hasSample: true,
      parameters: [
        TrainingParameter(
          "epochs", "Epochs", .integer(1...1000), standard: .integer(Int64(settings.epochs)),
          help: "Passes over the data; the best one is kept."),
        TrainingParameter(
          "batch_size", "Batch size", .integer(1...512), standard: .integer(Int64(settings.batchSize)),
          help: "Texts in a step."),
        TrainingParameter(
          "learning_rate", "Learning rate", .number(0.0000001...1), standard: nil,
          help: "The length of a step at its height; 0.0001 where nothing is given, 0.0005 from scratch."),
        TrainingParameter(
          "from_scratch", "From scratch", .flag, standard: false,
          help: "A small encoder from nothing, its vocabulary learnt from the data."),
        TrainingParameter(
          "max_length", "Longest text", .integer(8...512), standard: .integer(Int64(settings.maximumLength)),
          help: "Tokens of a text that are read."),
        TrainingParameter(
          "validation_split", "Held-out share", .number(0...0.9), standard: .number(settings.validationSplit),
          help: "The share of texts held out; 0 trains on everything."),
        TrainingParameter(
          "target_size", "Target size", .integer(0...1_000_000), standard: .integer(Int64(settings.targetSize)),
          help: "Adds variations of the texts until there are so many; 0 adds none."),
        TrainingParameter(
          "patience", "Patience", .integer(1...1000), standard: nil,
          help: "Stop after this many epochs without a better F1."),
        TrainingParameter(
          "seed", "Seed", .integer(0...Int64.max), standard: .integer(Int64(settings.seed)),
          help: "The same seed and data give the same files."),
        TrainingParameter(
          "strict", "Strict", .flag, standard: false, help: "Make the first bad row of the data an error."),
      ], command: ["train", "classification"], dataOption: "--data-path", outputOption: "--output-dir", measures: [:],
      headline: Headline(title: "F1", paths: ["validation.micro.f1"]))
  }()
}
