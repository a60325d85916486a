// How well a trained detector does on labelled notes, beside plain alias matching where the lexicon is known.

import Datasets

extension ConceptDetector {
  /// The measures on labelled notes.
  public struct Evaluation: Sendable {
    public var measures: ConceptMeasures
    /// Rows that were left out.
    public var skipped: SkippedLines
    public var warnings: [String]
    /// From which probability on a note was taken to have a concept.
    public var threshold: Double
  }

  /// Measures the detector on the notes of a file with a column `concepts`.
  ///
  /// - Parameter threshold: from which probability on a concept counts; nil takes the model's own.
  /// - Throws: what the reading of notes throws, also for a label that the model does not know.
  public func evaluate(
    path: String, threshold: Double? = nil, options: NoteReadOptions = NoteReadOptions()
  ) throws -> Evaluation {
    if let threshold, !(threshold > 0 && threshold < 1) { throw ConceptUseError.invalidThreshold(threshold) }
    let facts = try facts()
    var options = options
    options.isLabelled = true
    options.labels = facts.concepts.map(\.id)
    options.redacts = false
    let data = try NoteDataset(path: path, options: options)
    let threshold = threshold ?? facts.threshold
    let measures = ConceptMeasures(
      logits: try logits(data.notes.map(\.text)), actual: data.notes.map { Set($0.concepts ?? []) },
      languages: data.notes.map(\.language), concepts: facts.concepts, threshold: threshold)
    return Evaluation(measures: measures, skipped: data.skipped, warnings: data.warnings, threshold: threshold)
  }
}
