// The concepts that are to be found, and the words that are known to name them.

import Checkpoints
import Datasets

/// What a concept is about.
public enum ConceptBucket: String, Sendable, Hashable, Codable, CaseIterable {
  case intent, occasion, preferences, constraints, lifestyle
  case nextAction = "next_action"
  case other
}

/// Something that a note may speak of.
public struct Concept: Sendable, Hashable, Codable {
  public var id: String
  /// What a person reads for it.
  public var label: String
  public var bucket: ConceptBucket
  /// Words and phrases that name it, in any language, in Unicode's composed form (NFC), each once.
  public var aliases: [String]

  public init(id: String, label: String, bucket: ConceptBucket, aliases: [String]) {
    self.id = id
    self.label = label
    self.bucket = bucket
    self.aliases = aliases
  }
}

/// A lexicon: concepts by id.
///
/// ```swift
/// let lexicon = try Lexicon(path: "taxonomy/lexicon_v1.json")
/// for warning in lexicon.warnings { print(warning) }
/// print(lexicon.concepts.count, lexicon["gift"]?.aliases ?? [])
/// ```
public struct Lexicon: Sendable {
  /// Where it came from.
  public let path: String
  /// The digest of the file; nil for one that was not read from a file.
  public let sha256: String?
  /// Ordered by the bytes of their ids: the order of the file has no part in it.
  public let concepts: [Concept]
  /// What a person should know before trusting a model of this lexicon.
  public let warnings: [String]
  /// What is worth saying and no reason to worry.
  public let notes: [String]
  private let places: [String: Int]

  /// Reads `{"concept id": {"label": …, "aliases": ["…"] or "a|b|c", "bucket": …}}`.
  ///
  /// - Throws: `DatasetError` where the file can't be read or is not JSON, ``ConceptDataError`` where it holds no
  ///   concept, an id twice, a concept without aliases, or a bucket that there is not.
  public init(path: String) throws {
    try ConceptSample.check(path)
    let tree = try JSONTree(path: path)
    let digest = try SHA256.hexadecimal(ofFile: path)
    try self.init(LexiconDraft(tree, path: path), path: path, sha256: digest)
  }

  /// A lexicon of concepts that are at hand, checked as one that is read.
  ///
  /// - Throws: as for a file.
  public init(concepts: [Concept]) throws(ConceptDataError) {
    try self.init(LexiconDraft(concepts), path: "the lexicon", sha256: nil)
  }

  private init(_ draft: LexiconDraft, path: String, sha256: String?) throws(ConceptDataError) {
    guard !draft.concepts.isEmpty else {
      throw .badLexicon(
        path: path,
        problem: "is an empty lexicon; at least one concept was expected, such as "
          + "{\"gift\": {\"label\": \"Gift\", \"aliases\": [\"present\"], \"bucket\": \"intent\"}}")
    }
    self.path = path
    self.sha256 = sha256
    concepts = draft.concepts.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    places = Dictionary(uniqueKeysWithValues: concepts.enumerated().map { ($1.id, $0) })
    var warnings = draft.warnings
    if concepts.count == 1 {
      warnings.append("there is only one concept, \"\(concepts[0].id.shortened)\"; nothing can be told apart")
    }
    self.warnings = warnings
    notes = draft.notes(of: concepts)
  }

  /// The place of a concept in ``concepts``.
  public func place(of id: String) -> Int? { places[id] }

  public subscript(id: String) -> Concept? { places[id].map { concepts[$0] } }
}
