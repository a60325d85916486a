// `ranker train ncf`: arguments in, a training run, a line that says how well it ranks.

import ArgumentParser
import Foundation
import Recommendation

struct TrainNCF: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ncf",
    abstract: "Train a recommender on interactions: neural collaborative filtering.",
    discussion: """
      Users and items get rows of numbers, and a network scores a pair of them (He et al., 2017). It learns to tell what \
      a user turned to from items drawn at random, anew in each epoch, and never one that the user has.

      Beside the checkpoint (.pt, for PyTorch) come the graph (.onnx; inputs user and item, output score), metadata, a \
      report to open in a browser, what the users have seen, and test data that any ONNX runtime can replay. The export \
      is verified before the training says that it succeeded.

      Ctrl-C saves the state; the same command with --resume goes on and ends in the same bytes.
      """)

  @Option(
    help: ArgumentHelp(
      "The interactions: JSON, CSV, TSV or Parquet, or a clickstream's directory; - for standard input (default: a "
        + "sample that was made up).",
      valueName: "path"))
  var dataPath = DataPath()

  @OptionGroup var interactions: InteractionOptions

  @Option(help: ArgumentHelp("The checkpoint to write; the other files go beside it.", valueName: "model.pt"))
  var outputPath: String

  @Option(help: "The network: mlp (layers over both rows), gmf (a weighted product) or neumf (both).")
  var architecture = NCFSettings().architecture

  @Option(help: ArgumentHelp("Numbers in the row of a user or an item.", valueName: "n"))
  var embeddingDim = NCFSettings().embeddingDimension

  @Option(help: ArgumentHelp("Outputs of the hidden layers, with commas.", valueName: "n,n,…"))
  var hiddenLayers = LayerWidths(NCFSettings().hiddenLayers)

  @Option(help: "The loss: bce (is it known or drawn) or bpr (which of the two is known).")
  var loss = NCFSettings().loss

  @Option(help: ArgumentHelp("Items drawn for each known pair, in each epoch.", valueName: "n"))
  var negativeRatio = NCFSettings().negativeRatio

  @Option(help: ArgumentHelp("Passes over the data; the best one is kept.", valueName: "n"))
  var epochs = NCFSettings().epochs

  @Option(help: ArgumentHelp("Samples in a step.", valueName: "n"))
  var batchSize = NCFSettings().batchSize

  @Option(help: ArgumentHelp("The length of an optimizer's step.", valueName: "x"))
  var learningRate = NCFSettings().learningRate

  @Option(help: "The optimizer: adam, adamw or sgd (with momentum 0.9).")
  var optimizer = NCFSettings().optimizer

  @Option(help: ArgumentHelp("Decay of tables and weights, not biases (default: 0; 0.01 for adamw).", valueName: "x"))
  var weightDecay: Float?

  @Option(help: ArgumentHelp("The share of hidden numbers that a step drops.", valueName: "x"))
  var dropout = NCFSettings().dropout

  @Flag(help: "Weigh a pair by the strength of its interactions.")
  var weighted = false

  @Option(help: ArgumentHelp("The share of pairs held out; 0 trains on everything.", valueName: "x"))
  var validationSplit = NCFSettings().validationSplit

  @Flag(help: "Hold out each user's latest item instead, to be ranked against 99 drawn ones.")
  var leaveOneOut = false

  @Option(help: ArgumentHelp("Stop after this many epochs without a better NDCG.", valueName: "n"))
  var patience: Int?

  @OptionGroup var runOptions: TrainingRunOptions

  @Option(
    help: ArgumentHelp("Start from an earlier model; new users and items extend its tables.", valueName: "model.pt"))
  var initFrom: String?

  @Flag(help: "Make the first bad row of the data an error, instead of leaving it out.")
  var strict = false

  @Option(help: ArgumentHelp("The operator set of the exported graph, 13 to 21.", valueName: "n"))
  var opset = NCFSettings().opset

  @OptionGroup var verbosity: TrainingOutputOptions

  private var training: NCFTraining {
    var settings = NCFSettings()
    settings.architecture = architecture
    settings.embeddingDimension = embeddingDim
    settings.hiddenLayers = hiddenLayers.widths
    settings.loss = loss
    settings.negativeRatio = negativeRatio
    settings.epochs = epochs
    settings.batchSize = batchSize
    settings.learningRate = learningRate
    settings.optimizer = optimizer
    settings.weightDecay = weightDecay
    settings.dropout = dropout
    settings.isWeighted = weighted
    settings.validationSplit = validationSplit
    settings.leavesOneOut = leaveOneOut
    settings.patience = patience
    settings.seed = runOptions.seed
    settings.opset = opset
    settings.threads = runOptions.threads
    var training = NCFTraining(dataPath: dataPath.path, outputPath: outputPath, settings: settings)
    training.readOptions = interactions.reading(isStrict: strict)
    training.initialModel = initFrom
    training.resumes = runOptions.resume
    return training
  }

  func validate() throws {
    do { try training.settings.validate() } catch { throw ValidationError("\(error).") }
    try runOptions.validate(reading: dataPath.path)
  }

  func run() throws {
    let training = training
    let mode = verbosity.mode
    let outcome = try runTraining(mode, wording: NCFTrainingView.wording) { view in
      let view = NCFTrainingView(view: view)
      return try training.run { view.show($0) }
    }
    NCFTrainingSummary(outcome).printOut(mode)
  }
}

extension NCFGraph.Architecture: ExpressibleByArgument {}
extension NCFGraph.Loss: ExpressibleByArgument {}
extension NCFSettings.OptimizerName: ExpressibleByArgument {}

/// Widths of layers as one argument: `128,64,32`.
struct LayerWidths: ExpressibleByArgument {
  let widths: [Int]

  init(_ widths: [Int]) { self.widths = widths }

  init?(argument: String) {
    var widths: [Int] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let width = Int(part.trimmingCharacters(in: .whitespaces)) else { return nil }
      widths.append(width)
    }
    self.widths = widths
  }

  var defaultValueDescription: String { widths.map(String.init).joined(separator: ",") }
}
