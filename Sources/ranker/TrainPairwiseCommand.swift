// `ranker train pairwise`: arguments in, a training run, a line that says how well it went.

import ArgumentParser
import Foundation
import PairwiseRanking

struct TrainPairwise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pairwise",
    abstract: "Train a ranker from preference pairs.",
    discussion: """
      Reads the pairs that `ranker export` writes. An item is its embedding and its metrics, in the sorted order of their \
      names; either alone is enough. A shared network scores both items of a pair, and the margin ranking loss pushes \
      the winner's score ahead. A tie pulls the two scores together: its loss is their distance.

      The directory gets the graph (.onnx, and a scorer that takes one item), the parameters (.pth for PyTorch), \
      metadata, a report to open in a browser, and test data that any ONNX runtime can replay. The export is verified \
      before the training says that it succeeded.

      Ctrl-C saves the state; the same command with --resume goes on and ends in the same bytes.
      """)

  @Option(help: ArgumentHelp("The pairs, JSON lines; - for standard input.", valueName: "file.jsonl"))
  var input: String

  @Option(help: ArgumentHelp("The directory for the model; made where it does not exist.", valueName: "directory"))
  var output: String

  @Option(help: "The stem of the files' names.")
  var name = RankerSettings().name

  @Option(help: ArgumentHelp("The width that embeddings must have (default: the data's).", valueName: "n"))
  var embeddingDim: Int?

  @Option(help: ArgumentHelp("Numbers in each of the two hidden layers.", valueName: "n"))
  var hiddenDim = RankerSettings().hiddenDimension

  @Option(help: ArgumentHelp("The length of an optimizer's step.", valueName: "x"))
  var learningRate = RankerSettings().learningRate

  @Option(help: ArgumentHelp("Pairs in a step.", valueName: "n"))
  var batchSize = RankerSettings().batchSize

  @Option(help: ArgumentHelp("Passes over the data; the best one is kept.", valueName: "n"))
  var epochs = RankerSettings().epochs

  @Option(help: ArgumentHelp("By how much the winner's score should be ahead.", valueName: "x"))
  var margin = RankerSettings().margin

  @Option(help: ArgumentHelp("The share of hidden numbers that a step drops.", valueName: "x"))
  var dropout = RankerSettings().dropout

  @Option(help: "The optimizer: adam, adamw or sgd (with momentum 0.9).")
  var optimizer = RankerSettings().optimizer

  @Option(help: ArgumentHelp("Decay of weights, not biases (default: 0; 0.01 for adamw).", valueName: "x"))
  var weightDecay: Float?

  @Option(help: ArgumentHelp("The share of pairs held out; 0 trains on everything.", valueName: "x"))
  var validationSplit = RankerSettings().validationSplit

  @Option(help: ArgumentHelp("Cross-validate in this many folds, then train on everything.", valueName: "k"))
  var folds: Int?

  @Option(help: ArgumentHelp("Stop after this many epochs without a better validation loss.", valueName: "n"))
  var patience: Int?

  @OptionGroup var runOptions: TrainingRunOptions

  @Option(help: ArgumentHelp("Start from the parameters of a .pth or .onnx file, or a model.", valueName: "model"))
  var initFrom: String?

  @Option(help: ArgumentHelp("The operator set of the exported graph, 13 to 21.", valueName: "n"))
  var opset = RankerSettings().opset

  @Flag(help: "Make the first bad line of the data an error, instead of leaving it out.")
  var strict = false

  @OptionGroup var verbosity: TrainingOutputOptions

  private var training: RankerTraining {
    var settings = RankerSettings()
    settings.name = name
    settings.hiddenDimension = hiddenDim
    settings.learningRate = learningRate
    settings.batchSize = batchSize
    settings.epochs = epochs
    settings.margin = margin
    settings.dropout = dropout
    settings.optimizer = optimizer
    settings.weightDecay = weightDecay
    settings.validationSplit = validationSplit
    settings.folds = folds
    settings.patience = patience
    settings.seed = runOptions.seed
    settings.opset = opset
    settings.threads = runOptions.threads
    var training = RankerTraining(input: input, output: output, settings: settings)
    training.embeddingDimension = embeddingDim
    training.initialParameters = initFrom
    training.resumes = runOptions.resume
    training.isStrict = strict
    return training
  }

  func validate() throws {
    do { try training.settings.validate() } catch { throw ValidationError("\(error).") }
    if let embeddingDim, embeddingDim < 1 {
      throw ValidationError("--embedding-dim is \(embeddingDim); expected 1 or more.")
    }
    try runOptions.validate(reading: input)
  }

  func run() throws {
    let training = training
    let mode = verbosity.mode
    let outcome = try runTraining(mode, wording: PairwiseTrainingView.wording) { view in
      let view = PairwiseTrainingView(view: view)
      return try training.run { view.show($0) }
    }
    PairwiseTrainingSummary(outcome).printOut(mode)
  }
}

extension RankerSettings.OptimizerName: ExpressibleByArgument {}
