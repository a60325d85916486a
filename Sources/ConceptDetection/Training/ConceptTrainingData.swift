// The files of a training, read and made ready.

import Datasets
import Verification

/// The lexicon, the notes and the candidates of a training, with the texts that examples are made of.
struct ConceptTrainingData: Sendable {
  let lexicon: Lexicon
  let notes: NoteDataset
  let candidates: Candidates?
  let texts: TrainingTexts
  let warnings: [String]

  /// The lexicon is read first: it is the smallest, and the one that a person writes by hand.
  init(_ paths: ConceptDataPaths, readOptions: NoteReadOptions, settings: ConceptSettings) throws {
    var options = readOptions
    options.redacts = settings.redacts
    lexicon = try Lexicon(path: paths.lexicon)
    notes = try NoteDataset(path: paths.notes, options: options)
    candidates = try paths.candidates.map { try Candidates(path: $0, redacts: settings.redacts) }
    texts = TrainingTexts(lexicon: lexicon, notes: notes.notes, candidates: candidates, settings: settings)
    var warnings = lexicon.warnings + notes.warnings
    if texts.namedCount == 0 {
      warnings.append("no alias of the lexicon stands in any note: the model learns from the aliases alone")
    }
    if settings.validationSplit > 0, texts.validation.isEmpty {
      warnings.append("nothing could be held out of so few notes, so nothing tells when to stop")
    }
    self.warnings = warnings
  }

  /// What the outcome depends on beside the settings.
  var identity: [String: String] {
    var identity: [String: String] = [:]
    identity["the notes' SHA-256"] = notes.sha256
    identity["the lexicon's SHA-256"] = lexicon.sha256
    identity["the candidates' SHA-256"] = candidates?.sha256
    return identity
  }

  func summary(examplesPerEpoch: Int) -> ConceptMetadata.DataSummary {
    ConceptMetadata.DataSummary(
      notes: SourceFile(path: notes.path, sha256: notes.sha256),
      lexicon: SourceFile(path: lexicon.path, sha256: lexicon.sha256),
      candidates: candidates.map { SourceFile(path: $0.path, sha256: $0.sha256) }, noteCount: notes.notes.count,
      languages: notes.languageCounts, skippedRows: notes.skipped.count, namedNotes: texts.namedCount,
      validationNotes: texts.validation.count, aliases: texts.aliases.count + texts.heldOutAliases.count,
      heldOutAliases: texts.heldOutAliases.count, negativeCandidates: texts.candidateCount,
      examplesPerEpoch: examplesPerEpoch, redactions: notes.redactions)
  }
}
