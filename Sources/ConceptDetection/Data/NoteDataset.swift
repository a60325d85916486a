// Notes read from a file of any form that is understood, checked, redacted.

import Checkpoints
import Datasets
import Glibc
import Threads

/// What somebody wrote about a client.
public struct Note: Sendable, Hashable {
  public var text: String
  /// As the data calls it, such as `fr`; nil where it does not say.
  public var language: String?
  public var clientID: String?
  /// Places in ``NoteDataset/labels`` of the concepts that a person found in it, ascending; nil for notes without
  /// labels.
  public var concepts: [Int]?

  public init(text: String, language: String? = nil, clientID: String? = nil, concepts: [Int]? = nil) {
    self.text = text
    self.language = language
    self.clientID = clientID
    self.concepts = concepts
  }

  /// The sentences of the text, each with a word at least.
  public var sentences: [Substring] { SentenceSplitter.sentences(of: text) }
}

/// What notes are stored in.
public enum NoteFormat: String, Sendable, Hashable, Codable {
  case parquet, json, csv
}

/// The notes of a file, and what is to be known of them.
///
/// ```swift
/// let data = try NoteDataset(path: "data/processed/notes_clean.parquet")
/// for warning in data.warnings { print(warning) }
/// print(data.notes.count, data.redactions)
/// ```
public struct NoteDataset: Sendable {
  /// With fewer notes a warning says so.
  public static let fewNotes = 50

  /// Where the notes came from.
  public let path: String
  /// The digest of the file; nil for what can be read only once.
  public let sha256: String?
  public let format: NoteFormat
  /// In the order of the file.
  public let notes: [Note]
  /// The ids of concepts that labelled notes name, ordered by their bytes; those that were asked for where they were.
  public let labels: [String]
  /// What was taken out of the texts; all zero where nothing was to be.
  public let redactions: RedactionCounts
  /// Rows that were left out, with reasons.
  public let skipped: SkippedLines
  /// What a person should know before trusting a model of this data.
  public let warnings: [String]

  /// Reads notes; the content tells the form, not the name.
  ///
  /// - Parameter path: Parquet, JSON (an array, or a note a line) or separated fields; `-` for standard input.
  /// - Throws: `DatasetError`, `ParquetError` and ``ConceptDataError`` where the file can't be read, has no column for
  ///   the text or holds no note, and, with `options.isStrict`, for the first bad row.
  public init(path: String, options: NoteReadOptions = NoteReadOptions()) throws {
    let columns = try NoteColumns(options)
    try ConceptSample.check(path)
    let hash = Self.isRegularFile(path) ? Background { try SHA256.hexadecimal(ofFile: path) } : nil
    defer { hash?.wait() }
    let file = try DataFile(path: path)
    let read: NoteRows
    switch file.kind {
    case .directory:
      throw ConceptDataError.badForm(
        path: path, problem: "is a directory; a file of notes was expected (Parquet, JSON lines or CSV)")
    case .parquet:
      format = .parquet
      read = try NoteRows(parquet: path, columns: columns, options: options)
    case .json:
      format = .json
      read = try NoteRows(json: file, columns: columns, options: options)
    case .text, .empty:
      format = .csv
      read = try NoteRows(delimited: file, columns: columns, options: options)
    }
    self.path = file.path
    var draft = try NoteDraft(read, path: file.path, options: options)
    guard !draft.notes.isEmpty else {
      throw ConceptDataError.noNotes(path: file.path, expected: columns.expectation, skipped: draft.skipped)
    }
    draft.judge(fewNotes: options.isLabelled ? 0 : Self.fewNotes)
    notes = draft.notes
    labels = draft.labels
    redactions = draft.redactions
    skipped = draft.skipped
    warnings = draft.warnings
    sha256 = try hash?.value()
  }

  /// How many notes there are of each language, by name; those without one are counted under the empty name.
  public var languageCounts: [String: Int] {
    notes.reduce(into: [:]) { counts, note in counts[note.language ?? "", default: 0] += 1 }
  }

  private static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return path != "-" && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
