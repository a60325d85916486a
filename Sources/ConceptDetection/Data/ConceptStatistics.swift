// What the data of a training looks like: how much there is of what, and how far the aliases reach.

import Datasets

/// The shape of notes, a lexicon and candidates.
public struct ConceptStatistics: Sendable, Hashable, Codable {
  /// A part of the data by its name, and how much of it there is.
  public struct Count: Sendable, Hashable, Codable {
    public let name: String
    public let count: Int
  }

  /// A concept: its aliases, and the notes that an alias of it stands in.
  public struct ConceptCount: Sendable, Hashable, Codable {
    public let id: String
    public let bucket: ConceptBucket
    public let aliases: Int
    public let notes: Int
  }

  public let notes: Int
  /// In the order of their names; notes that do not say are under the empty one.
  public let languages: [Count]
  public let sentences: Int
  public let wordsPerNote: Quantiles
  /// Notes whose text another has too.
  public let repeatedNotes: Int
  /// Notes in which an alias stands.
  public let namedNotes: Int
  public let redactions: RedactionCounts
  /// Rows of notes that were left out.
  public let skippedRows: Int

  /// In the order of their ids.
  public let concepts: [ConceptCount]
  /// Concepts of each bucket that has any.
  public let buckets: [Count]
  public let aliases: Int
  public let aliasesPerConcept: Quantiles
  /// Aliases that name two concepts or more.
  public let sharedAliases: Int

  /// Nil where there are no candidates.
  public let candidates: Int?
  /// Candidates in which an alias stands, so that they are no examples of what names nothing.
  public let namingCandidates: Int?

  public init(lexicon: Lexicon, notes data: NoteDataset, candidates phrases: Candidates?) {
    let matcher = AliasMatcher(lexicon)
    let found = data.notes.map { matcher.concepts(in: $0.text) }
    var named = [Int](repeating: 0, count: lexicon.concepts.count)
    for concepts in found { for concept in concepts { named[concept] += 1 } }
    notes = data.notes.count
    languages = data.languageCounts.sorted { $0.key < $1.key }.map { Count(name: $0.key, count: $0.value) }
    sentences = data.notes.reduce(0) { $0 + $1.sentences.count }
    wordsPerNote = Quantiles(data.notes.map { WordScanner.words(of: $0.text).count }.sorted())
    repeatedNotes = data.notes.count - Set(data.notes.lazy.map(\.text)).count
    namedNotes = found.count { !$0.isEmpty }
    redactions = data.redactions
    skippedRows = data.skipped.count

    concepts = zip(lexicon.concepts, named).map {
      ConceptCount(id: $0.id, bucket: $0.bucket, aliases: $0.aliases.count, notes: $1)
    }
    buckets = ConceptBucket.allCases.compactMap { bucket in
      let count = lexicon.concepts.count { $0.bucket == bucket }
      return count == 0 ? nil : Count(name: bucket.rawValue, count: count)
    }
    aliases = lexicon.concepts.reduce(0) { $0 + $1.aliases.count }
    aliasesPerConcept = Quantiles(lexicon.concepts.map(\.aliases.count).sorted())
    var owners: [[[UInt8]]: Set<String>] = [:]
    for concept in lexicon.concepts {
      for alias in concept.aliases { owners[WordScanner.words(of: alias), default: []].insert(concept.id) }
    }
    sharedAliases = owners.count { $0.value.count > 1 }
    candidates = phrases?.phrases.count
    namingCandidates = phrases.map { $0.phrases.count { !matcher.concepts(in: $0).isEmpty } }
  }
}
