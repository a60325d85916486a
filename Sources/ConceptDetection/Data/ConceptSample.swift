// The data that comes with this module, and the layout of a data folder.

import Files
import Glibc

/// The files that come with this module: their README says how they came about.
///
/// They stand with the package's resources beside the executable; reading them where they do not is an error that says
/// so.
public enum ConceptSample {
  /// 74 concepts of a shop for watches, jewellery and leather goods, with aliases in five languages.
  public static let lexiconPath = packageResource("lexicon_v1.json", of: "ConceptDetection")
  /// Notes of its client advisers in these languages.
  public static let notesPath = packageResource("notes_clean.jsonl", of: "ConceptDetection")
  /// Further notes, labelled by hand: the truth of evaluations.
  public static let labelsPath = packageResource("note_labels.jsonl", of: "ConceptDetection")
  /// Words and phrases of the notes.
  public static let candidatesPath = packageResource("candidates.csv", of: "ConceptDetection")

  /// - Throws: where a file of the sample is asked for and not there, as when the executable was copied without its
  ///   resources.
  static func check(_ path: String) throws(ConceptDataError) {
    guard [lexiconPath, notesPath, labelsPath, candidatesPath].contains(path), access(path, R_OK) != 0 else { return }
    throw .badForm(path: path, problem: "is not there; it comes with the package. Name your own file")
  }
}

/// Where the files of a data folder and a taxonomy are.
public struct ConceptDataPaths: Sendable, Hashable {
  public let notes: String
  /// Nil where the folder has none.
  public let candidates: String?
  public let lexicon: String

  /// The names under which notes are looked for, the first that is there wins.
  public static let noteNames = ["notes_clean.parquet", "notes_clean.jsonl", "notes_clean.csv"]

  /// The sample's.
  public static let sample = ConceptDataPaths(
    notes: ConceptSample.notesPath, candidates: ConceptSample.candidatesPath, lexicon: ConceptSample.lexiconPath)

  private init(notes: String, candidates: String?, lexicon: String) {
    self.notes = notes
    self.candidates = candidates
    self.lexicon = lexicon
  }

  /// The sample's notes with another lexicon.
  /// - Parameter taxonomy: a lexicon, or a folder with `lexicon_v1.json`.
  /// - Throws: where there is none.
  public init(taxonomy: String) throws(ConceptDataError) {
    self.init(
      notes: Self.sample.notes, candidates: Self.sample.candidates, lexicon: try Self.lexicon(taxonomy))
  }

  /// - Parameters:
  ///   - dataFolder: a folder with the notes and `candidates.csv` in `processed` (as `data/processed`), or with these
  ///     themselves.
  ///   - taxonomy: a lexicon, or a folder with `lexicon_v1.json`.
  /// - Throws: where a folder has no notes or no lexicon.
  public init(dataFolder: String, taxonomy: String) throws(ConceptDataError) {
    let folders = ["\(dataFolder)/processed", dataFolder]
    let found = folders.lazy.flatMap { folder in Self.noteNames.map { (folder, "\(folder)/\($0)") } }
      .first { Self.isFile($0.1) }
    guard let (folder, notes) = found else {
      throw .noFile(folder: "\(folders[0]) or \(folders[1])", names: Self.noteNames)
    }
    let candidates = "\(folder)/candidates.csv"
    self.init(
      notes: notes, candidates: Self.isFile(candidates) ? candidates : nil, lexicon: try Self.lexicon(taxonomy))
  }

  /// Whether a path is a folder in which notes are found.
  public static func seemsToBe(_ folder: String) -> Bool {
    ["\(folder)/processed", folder].contains { folder in noteNames.contains { isFile("\(folder)/\($0)") } }
  }

  private static func lexicon(_ taxonomy: String) throws(ConceptDataError) -> String {
    let path = isFolder(taxonomy) ? "\(taxonomy)/lexicon_v1.json" : taxonomy
    guard isFile(path) else { throw .noFile(folder: taxonomy, names: ["lexicon_v1.json"]) }
    return path
  }

  private static func isFile(_ path: String) -> Bool { mode(path) != nil && !isFolder(path) }
  private static func isFolder(_ path: String) -> Bool { mode(path) == S_IFDIR }

  private static func mode(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}
