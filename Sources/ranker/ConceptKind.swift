// The training of concept detectors, as the service offers it: the options of `ranker train concept`, with bounds.

import ConceptDetection
import TrainingService

extension TrainingKind {
  static let concept: TrainingKind = {
    let settings = ConceptSettings()
    return TrainingKind(
      name: "concept", title: "Concept detector",
      summary: "Finds a lexicon’s concepts in notes of any languages, also where no alias stands word for word.",
      dataHelp: "a folder of notes (notes_clean.parquet, .jsonl or .csv; candidates.csv beside them)", hasSample: true,
      parameters: [
        TrainingParameter(
          "taxonomy", "Lexicon", .path(isNeededWithData: true), standard: nil,
          help: "A path in the data folder: the lexicon, or a folder with lexicon_v1.json."),
        TrainingParameter(
          "size", "Size", .choice(ConceptSettings.Size.allCases.map(\.rawValue)),
          standard: .string(settings.size.rawValue), help: "128 numbers in an embedding, or 384."),
        TrainingParameter(
          "epochs", "Epochs", .integer(1...10_000), standard: .integer(Int64(settings.epochs)),
          help: "Passes over the examples; the best one is kept."),
        TrainingParameter(
          "batch_size", "Batch size", .integer(1...4096), standard: .integer(Int64(settings.batchSize)),
          help: "Examples in a step."),
        TrainingParameter(
          "learning_rate", "Learning rate", .number(0.0000001...1), standard: .number(decimal(settings.learningRate)),
          help: "The length of an optimizer’s step at first; it falls to nothing."),
        TrainingParameter(
          "validation_split", "Held-out share", .number(0...0.9), standard: .number(settings.validationSplit),
          help: "The share of notes held out; 0 trains on everything."),
        TrainingParameter(
          "threshold", "Threshold", .number(0.001...0.999), standard: .number(settings.threshold),
          help: "From which probability on a note has a concept."),
        TrainingParameter(
          "patience", "Patience", .integer(1...10_000), standard: nil,
          help: "Stop after this many epochs without a better loss on what is held out."),
        TrainingParameter(
          "no_hold_out_aliases", "Train on every alias", .flag, standard: false,
          help: "Otherwise one alias of each concept is kept to measure with."),
        TrainingParameter(
          "no_redact", "Keep personal data", .flag, standard: false,
          help: "Leaves e-mail addresses, telephone, card and account numbers in what is trained on and written."),
        TrainingParameter(
          "seed", "Seed", .integer(0...Int64.max), standard: .integer(Int64(settings.seed)),
          help: "The same seed and data give the same files."),
        TrainingParameter(
          "strict", "Strict", .flag, standard: false, help: "Make the first bad row of the notes an error."),
      ], command: ["train", "concept"], dataOption: "--data-dir", outputOption: "--output", measures: [:],
      headline: Headline(title: "F1", paths: ["validation.micro.f1"]))
  }()
}
