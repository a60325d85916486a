// Words and phrases found in notes, some of which name no concept.

import Checkpoints
import Datasets

/// The column `candidate` of a delimited file; further columns are passed over.
public struct Candidates: Sendable, Hashable {
  public let path: String
  /// The digest of the file.
  public let sha256: String
  /// In the order of the file, each once, in Unicode's composed form, redacted.
  public let phrases: [String]
  public let skipped: SkippedLines
  /// Rows that repeat the candidate of another.
  public let repeatedCount: Int

  /// - Throws: `DatasetError` where the file can't be read or has no such column; ``ConceptDataError`` where it holds
  ///   no candidate.
  public init(path: String, redacts: Bool = true) throws {
    try ConceptSample.check(path)
    let column = TableColumn("candidate", content: .texts, isRequired: true)
    let file = try DataFile(path: path)
    let read: (table: Table, skipped: SkippedLines)
    switch file.kind {
    case .directory, .parquet, .json:
      throw ConceptDataError.badForm(path: path, problem: "is no file of separated fields with a column \"candidate\"")
    case .text, .empty:
      do throws(DatasetError) {
        let delimited = try DelimitedFile(file, columns: [column])
        read = (delimited.table, delimited.skipped)
      } catch {
        guard case .empty = error else { throw error }
        read = (Table(rowCount: 0, columns: [.absent]), SkippedLines())
      }
    }
    var known: Set<String> = []
    var phrases: [String] = []
    var repeated = 0
    if case .ids(let places, let texts) = read.table.columns[0] {
      for place in places {
        let text = composed(texts[Int(place)])
        let phrase = redacts ? Redaction.redact(text) : text
        if known.insert(phrase).inserted { phrases.append(phrase) } else { repeated += 1 }
      }
    }
    guard !phrases.isEmpty else {
      throw ConceptDataError.badForm(
        path: path, problem: "holds no candidates; a column \"candidate\" of words or phrases was expected")
    }
    self.path = path
    sha256 = try SHA256.hexadecimal(ofFile: path)
    self.phrases = phrases
    skipped = read.skipped
    repeatedCount = repeated
  }
}
