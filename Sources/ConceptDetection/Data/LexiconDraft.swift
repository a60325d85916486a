// From a lexicon's file to concepts, with an eye on what is odd about them.

import Datasets
import Foundation

/// Concepts in the making.
struct LexiconDraft {
  private(set) var concepts: [Concept] = []
  private(set) var warnings: [String] = []
  /// Aliases that were not in the composed form.
  private var recomposed = 0
  /// Aliases that a concept has more than once.
  private var repeated = 0

  /// - Parameter found: takes what is wrong with a concept, which is then left out; nil makes the first one an error.
  init(
    _ tree: JSONTree, path: String, found: ((_ id: String, ConceptDataError) -> Void)? = nil
  ) throws(ConceptDataError) {
    guard case .object(let fields) = tree else {
      throw .badLexicon(
        path: path,
        problem:
          "is \(tree.kindName); an object of concepts was expected: {\"concept id\": {\"label\": …, \"aliases\": …, "
          + "\"bucket\": …}}")
    }
    var ids: Set<String> = []
    for field in fields {
      do throws(ConceptDataError) { try add(field, ids: &ids, path: path) } catch {
        guard let found else { throw error }
        found(field.key, error)
      }
    }
  }

  private mutating func add(_ field: JSONField, ids: inout Set<String>, path: String) throws(ConceptDataError) {
    let id = composed(field.key)
    func problem(_ text: String) -> ConceptDataError { .badConcept(path: path, id: id, problem: text) }
    guard id.contains(where: { !$0.isWhitespace }) else { throw problem("an id is empty; name the concept") }
    guard ids.insert(id).inserted else { throw problem("the id stands there twice; an id names one concept") }
    guard case .object(let entries) = field.value else {
      throw problem("is \(field.value.kindName); an object of label, aliases and bucket was expected")
    }
    try add(id: id, entries: entries, problem: problem)
  }

  init(_ given: [Concept]) throws(ConceptDataError) {
    var ids: Set<String> = []
    for concept in given {
      let id = composed(concept.id)
      func problem(_ text: String) -> ConceptDataError { .badConcept(path: "the lexicon", id: id, problem: text) }
      guard ids.insert(id).inserted else { throw problem("the id stands there twice; an id names one concept") }
      try add(
        Concept(id: id, label: concept.label, bucket: concept.bucket, aliases: concept.aliases), problem: problem)
    }
  }

  private mutating func add(
    id: String, entries: [JSONField], problem: (String) -> ConceptDataError
  ) throws(ConceptDataError) {
    func entry(_ key: String) throws(ConceptDataError) -> JSONTree? {
      let found = entries.filter { $0.key == key }
      guard found.count < 2 else { throw problem("\"\(key)\" stands there twice") }
      return found.first?.value
    }
    var label = id
    switch try entry("label") {
    case .string(let text): label = composed(text)
    case nil, .null: warnings.append("concept \"\(id.shortened)\" has no label; its id stands for it")
    case let value?: throw problem("\"label\" must be a string, found \(value.kindName)")
    }
    guard case .string(let name) = try entry("bucket") ?? .null else {
      throw problem("\"bucket\" must be one of \(Self.bucketNames)")
    }
    guard let bucket = ConceptBucket(rawValue: name) else {
      throw problem("the bucket \"\(name.shortened)\" is unknown; there are \(Self.bucketNames)")
    }
    let aliases: [String]
    switch try entry("aliases") {
    case .string(let text): aliases = text.split(separator: "|").map(String.init)
    case .array(let elements):
      var texts: [String] = []
      for (index, element) in elements.enumerated() {
        guard case .string(let text) = element else {
          throw problem("\"aliases[\(index)]\" must be a string, found \(element.kindName)")
        }
        texts.append(text)
      }
      aliases = texts
    case nil, .null: aliases = []
    case let value?:
      throw problem("\"aliases\" must be an array of strings or one string such as \"a|b|c\", found \(value.kindName)")
    }
    try add(Concept(id: id, label: label, bucket: bucket, aliases: aliases), problem: problem)
  }

  private static let bucketNames = ConceptBucket.allCases.map(\.rawValue).joined(separator: ", ")

  /// Adds a concept, its aliases trimmed, composed, each once.
  private mutating func add(
    _ concept: Concept, problem: (String) -> ConceptDataError
  ) throws(ConceptDataError) {
    var aliases: [String] = []
    var known: Set<[[UInt8]]> = []
    for alias in concept.aliases {
      let whole = composed(alias)
      let text = whole.trimmingCharacters(in: .whitespacesAndNewlines)
      let words = WordScanner.words(of: text)
      guard !words.isEmpty else {
        if !text.isEmpty {
          warnings.append(
            "concept \"\(concept.id.shortened)\" has the alias \"\(text.shortened)\" without a word; left out")
        }
        continue
      }
      if !whole.unicodeScalars.elementsEqual(alias.unicodeScalars) { recomposed += 1 }
      guard known.insert(words).inserted else {
        repeated += 1
        continue
      }
      aliases.append(text)
    }
    guard !aliases.isEmpty else {
      throw problem("has no aliases; at least one word or phrase that names it was expected")
    }
    var concept = concept
    concept.aliases = aliases
    concepts.append(concept)
  }

  /// What is worth saying of the whole: shared aliases, and what was made alike.
  func notes(of concepts: [Concept]) -> [String] {
    var notes: [String] = []
    var owners: [[[UInt8]]: [Int]] = [:]
    var order: [(words: [[UInt8]], alias: String)] = []
    for (place, concept) in concepts.enumerated() {
      for alias in concept.aliases {
        let words = WordScanner.words(of: alias)
        if owners[words] == nil { order.append((words, alias)) }
        owners[words, default: []].append(place)
      }
    }
    for (words, alias) in order {
      let places = owners[words]!
      guard places.count > 1 else { continue }
      let names = places.map { "\"\(concepts[$0].id.shortened)\"" }.joined(separator: " and ")
      notes.append("the alias \"\(alias.shortened)\" names \(names); where it stands, all of them are meant")
    }
    if recomposed > 0 {
      notes.append(
        "\(recomposed) alias\(recomposed == 1 ? " was" : "es were") brought to Unicode's composed form (NFC)")
    }
    if repeated > 0 {
      notes.append(
        "\(repeated) alias\(repeated == 1 ? " repeats" : "es repeat") another of the same concept (case and accents "
          + "aside) and \(repeated == 1 ? "was" : "were") left out")
    }
    return notes
  }
}

/// The text in Unicode's composed form (NFC).
func composed(_ text: String) -> String { text.precomposedStringWithCanonicalMapping }
