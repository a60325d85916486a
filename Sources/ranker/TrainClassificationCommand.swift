// `ranker train classification`: arguments in, a training run, a line that says how well it decides.

import ArgumentParser
import Foundation
import TextClassification

struct TrainClassification: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classification",
    abstract: "Train a classifier of texts: fine-tune a pretrained encoder.",
    discussion: """
      A text may have several labels. An encoder of the BERT family is read as Hugging Face lays it out (config.json, \
      model.safetensors or pytorch_model.bin, vocab.txt, tokenizer_config.json), all of it is trained, and what comes out \
      is such a directory again: transformers opens it as a sequence classifier.

      Beside the weights comes the graph (model.onnx; inputs input_ids, attention_mask and, for BERT, token_type_ids; \
      outputs logits and probabilities), metadata, a report to open in a browser, and test data that any ONNX runtime can \
      replay. The export is verified before the training says that it succeeded.

      Ctrl-C keeps the state after the last whole epoch; the same command with --resume goes on and ends in the same bytes.
      """)

  @Option(
    help: ArgumentHelp(
      "The labelled texts: JSON, JSON lines, CSV or TSV (default: 200 texts of ten Dewey classes).", valueName: "path"))
  var dataPath = LabelledTextPath()

  @OptionGroup var table: TableOptions

  @OptionGroup var labels: LabelOptions

  @Option(help: ArgumentHelp("The directory to write the model to.", valueName: "directory"))
  var outputDir = "models/classification/benchmark_v1"

  @Option(
    help: ArgumentHelp(
      "The directory of the encoder to start from (default: all-MiniLM-L6-v2, which tools/fetch-encoder obtains).",
      valueName: "directory"))
  var encoder: String?

  @Flag(help: "Train a small encoder from nothing, with a vocabulary learnt from the data.")
  var fromScratch = false

  @Option(help: ArgumentHelp("Train a smaller encoder on this classifier's outputs.", valueName: "directory"))
  var distilFrom: String?

  @Option(help: ArgumentHelp("Layers of the smaller encoder (default: half of the larger one's).", valueName: "n"))
  var layers: Int?

  @Option(help: ArgumentHelp("Passes over the data; the best one is kept.", valueName: "n"))
  var epochs = ClassificationSettings().epochs

  @Option(help: ArgumentHelp("Texts in a step.", valueName: "n"))
  var batchSize = ClassificationSettings().batchSize

  @Option(
    help: ArgumentHelp(
      "The length of an optimizer's step at its height (default: 1e-4; 5e-4 from scratch).", valueName: "x"))
  var learningRate: Float?

  @Option(help: ArgumentHelp("Tokens of a text that are read, two special ones among them.", valueName: "n"))
  var maxLength = ClassificationSettings().maximumLength

  @Option(help: ArgumentHelp("The share of texts held out; 0 trains on everything.", valueName: "x"))
  var validationSplit = ClassificationSettings().validationSplit

  @Option(
    help: ArgumentHelp(
      "From which probability on a text has a label: a number, or 'tuned' for one of each label, tuned on what is held "
        + "out.", valueName: "x"))
  var threshold = ThresholdChoice(value: ClassificationSettings().threshold)

  @Option(help: ArgumentHelp("The share of the steps over which the learning rate rises.", valueName: "x"))
  var warmup = ClassificationSettings().warmup

  @Option(help: ArgumentHelp("Decay of weights, not of biases and layer normalisations.", valueName: "x"))
  var weightDecay = ClassificationSettings().weightDecay

  @Option(help: ArgumentHelp("The largest norm of a step's gradient; 0 leaves it.", valueName: "x"))
  var gradientClip = ClassificationSettings().gradientClip

  @Option(help: ArgumentHelp("Leave the tables and so many layers as they are.", valueName: "n"))
  var freezeLayers = ClassificationSettings().frozenLayers

  @Option(help: ArgumentHelp("Stop after this many epochs without a better F1.", valueName: "n"))
  var patience: Int?

  @Option(help: ArgumentHelp("Add variations until there are so many texts to train on; 0 adds none.", valueName: "n"))
  var targetSize = ClassificationSettings().targetSize

  @Option(help: ArgumentHelp("int8 writes model_int8.onnx too, a quarter of the size.", valueName: "name"))
  var precision = ExportPrecision.float32

  @OptionGroup var runOptions: TrainingRunOptions

  @Flag(help: "Make the first bad row of the data an error, instead of leaving it out.")
  var strict = false

  @Option(help: ArgumentHelp("The operator set of the exported graph, 17 to 21.", valueName: "n"))
  var opset = ClassificationSettings().opset

  @OptionGroup var verbosity: TrainingOutputOptions

  private var training: ClassificationTraining {
    var settings = ClassificationSettings()
    settings.epochs = epochs
    settings.batchSize = batchSize
    settings.learningRate = learningRate
    settings.maximumLength = maxLength
    settings.validationSplit = validationSplit
    settings.threshold = threshold.value
    settings.warmup = warmup
    settings.weightDecay = weightDecay
    settings.gradientClip = gradientClip
    settings.frozenLayers = freezeLayers
    settings.patience = patience
    settings.targetSize = targetSize
    settings.startsFromScratch = fromScratch
    settings.studentLayers = layers
    settings.seed = runOptions.seed
    settings.opset = opset
    settings.threads = runOptions.threads
    var training = ClassificationTraining(dataPath: dataPath.path, output: outputDir, settings: settings)
    training.readOptions = labels.reading(table, isStrict: strict)
    training.encoder = encoder
    training.teacher = distilFrom
    training.precision = precision
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
    let outcome = try runTraining(mode, wording: ClassificationTrainingView.wording) { view in
      let view = ClassificationTrainingView(view: view)
      return try training.run { view.show($0) }
    }
    ClassificationTrainingSummary(outcome).printOut(mode)
  }
}

/// The path of labelled texts, that of the bundled ones where none is named.
struct LabelledTextPath: ExpressibleByArgument {
  var path = ClassificationDataset.samplePath

  init() {}
  init(argument: String) { path = argument }

  /// The help names the bundled ones; where they lie on this machine would only be noise.
  var defaultValueDescription: String { "" }
}

extension ExportPrecision: ExpressibleByArgument {}

/// A threshold as an argument: a number, or `tuned`.
struct ThresholdChoice: ExpressibleByArgument {
  /// Nil where it is tuned.
  let value: Double?

  init(value: Double?) { self.value = value }

  init?(argument: String) {
    if argument == "tuned" {
      value = nil
    } else {
      guard let number = Double(argument) else { return nil }
      value = number
    }
  }

  var defaultValueDescription: String { value.map { "\($0)" } ?? "tuned" }
}
