// `ranker train concept`: arguments in, a training run, a line that says how well it knows its concepts.

import ArgumentParser
import ConceptDetection
import Foundation

struct TrainConcept: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "concept",
    abstract: "Train a detector of a lexicon's concepts from notes in any languages.",
    discussion: """
      The lexicon names concepts by their aliases; the notes show in which words people write of them. The detector also \
      finds them where no alias stands word for word: with typos, other endings, and other words for the same thing.

        {"gift": {"label": "Gift", "aliases": ["present", "cadeau"], "bucket": "intent"}, …}

      Notes are Parquet, JSON lines or CSV with the columns text, language and client_id. The data folder has them as \
      notes_clean.parquet, .jsonl or .csv, and may have candidates.csv, phrases of the notes (column candidate) of which \
      those that name no concept are learnt as such; each in the folder or in processed below it. Without options it \
      trains on the bundled sample.

      Beside the weights (concept_model.pth) come the graph (model.onnx), concept_mapping.json, training_examples.json, \
      metadata, a report to open in a browser, and test data that any ONNX runtime can replay. The export is verified \
      before the training says that it succeeded.

      With --encoder a pretrained encoder reads the notes instead, such as the one that tools/fetch-encoder obtains (for \
      English only): it knows more of a language than some hundred notes teach, and takes longer.

      Ctrl-C keeps the state after the last whole epoch; the same command with --resume goes on and ends in the same bytes.
      """)

  @Option(
    help: ArgumentHelp("The folder of the notes (default: the bundled sample).", valueName: "directory"))
  var dataDir: String?

  @Option(
    help: ArgumentHelp(
      "The lexicon, or a folder with lexicon_v1.json (default: taxonomy, or the bundled one with the bundled notes).",
      valueName: "file"))
  var taxonomy: String?

  @Option(
    help: ArgumentHelp(
      "The directory to write the model to (default: models/concept_model_SIZE_TIME).", valueName: "directory"))
  var output: String?

  @Option(
    help: "How large the network is: base (128 numbers in an embedding) or large (384); an encoder has its own size.")
  var size = ConceptSettings().size

  @Option(
    help: ArgumentHelp(
      "Read the notes with this pretrained encoder (a BERT or DistilBERT as Hugging Face lays it out) instead of by hashed "
        + "words; it stays as it is, and is part of the exported graph.", valueName: "directory"))
  var encoder: String?

  @Option(help: ArgumentHelp("Passes over the examples.", valueName: "n"))
  var epochs = ConceptSettings().epochs

  @Option(help: ArgumentHelp("Examples in a step.", valueName: "n"))
  var batchSize = ConceptSettings().batchSize

  @Option(
    help: ArgumentHelp("The length of an optimizer's step at first; it falls to nothing.", valueName: "x"))
  var learningRate = ConceptSettings().learningRate

  @Option(help: ArgumentHelp("The share of notes held out; 0 trains on everything.", valueName: "x"))
  var validationSplit = ConceptSettings().validationSplit

  @Flag(
    inversion: .prefixedNo,
    help: "Keep one alias of each concept that has three or more out of the training, to measure with.")
  var holdOutAliases = ConceptSettings().holdsOutAliases

  @Option(help: ArgumentHelp("From which probability on a note has a concept.", valueName: "x"))
  var threshold = ConceptSettings().threshold

  @Option(
    help: ArgumentHelp(
      "Stop after this many epochs without a better loss on what is held out, and keep the best one (default: the one "
        + "with the lowest training loss, which is about the last).", valueName: "n"))
  var patience: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Keep e-mail addresses, telephone, card and account numbers out of the training and of every file.")
  var redact = ConceptSettings().redacts

  @OptionGroup var runOptions: TrainingRunOptions

  @Flag(help: "Make the first bad row of the notes an error, instead of leaving it out.")
  var strict = false

  @Option(help: ArgumentHelp("The operator set of the exported graph, 13 to 21.", valueName: "n"))
  var opset = ConceptSettings().opset

  @OptionGroup var verbosity: TrainingOutputOptions

  private var settings: ConceptSettings {
    var settings = ConceptSettings()
    settings.size = size
    settings.epochs = epochs
    settings.batchSize = batchSize
    settings.learningRate = learningRate
    settings.validationSplit = validationSplit
    settings.holdsOutAliases = holdOutAliases
    settings.threshold = threshold
    settings.patience = patience
    settings.redacts = redact
    settings.seed = runOptions.seed
    settings.opset = opset
    settings.threads = runOptions.threads
    return settings
  }

  func validate() throws {
    do { try settings.validate() } catch { throw ValidationError("\(error).") }
  }

  func run() throws {
    let directory = try output ?? (runOptions.resume ? ConceptModelFolder.latest(kind) : ConceptModelFolder.new(kind))
    var training = ConceptTraining(paths: try paths(), output: directory, settings: settings)
    training.encoder = encoder
    training.readOptions.isStrict = strict
    training.resumes = runOptions.resume
    let mode = verbosity.mode
    let ready = training
    let outcome = try runTraining(mode, wording: ConceptTrainingView.wording) { view in
      let view = ConceptTrainingView(view: view)
      return try ready.run { view.show($0) }
    }
    ConceptTrainingSummary(outcome).printOut(mode)
  }

  /// What the network is called in the names of folders.
  private var kind: String { encoder == nil ? size.rawValue : "encoder" }

  private func paths() throws -> ConceptDataPaths {
    guard dataDir != nil || taxonomy != nil else { return .sample }
    guard let dataDir else { return try ConceptDataPaths(taxonomy: taxonomy!) }
    return try ConceptDataPaths(dataFolder: dataDir, taxonomy: taxonomy ?? "taxonomy")
  }
}

extension ConceptSettings.Size: ExpressibleByArgument {}

/// The folders that trainings write to where none is named.
enum ConceptModelFolder {
  private static let parent = "models"

  private static func stem(_ kind: String) -> String { "concept_model_\(kind)_" }

  /// One for the present second.
  static func new(_ kind: String) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "UTC")
    format.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
    return "\(parent)/\(stem(kind))\(format.string(from: Date()))"
  }

  /// The last one with a training's state.
  static func latest(_ kind: String) throws -> String {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    let found = names.filter { $0.hasPrefix(stem(kind)) }.sorted().map { "\(parent)/\($0)" }
      .last { FileManager.default.fileExists(atPath: ConceptTraining.statePath(in: $0)) }
    guard let found else {
      throw ValidationError(
        "--resume finds no training in \(parent)/\(stem(kind))…; name the directory of one with --output.")
    }
    return found
  }
}
