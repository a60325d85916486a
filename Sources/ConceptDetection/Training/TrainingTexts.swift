// What a training makes its examples of: aliases, notes with their parts, and phrases that name nothing.

import Datasets

/// Folded words of a text with the aliases among them.
struct TrainingText: Sendable {
  enum Kind: String, Sendable, Codable {
    case alias, compound, note, sentence, clause, joined, candidate, common
  }

  var kind: Kind
  var words: [[UInt8]]
  /// Ascending.
  var concepts: [Int]
  /// Which words name concepts.
  var matches: [Range<Int>] = []
  /// Concepts that the note has and that no alias names in this part of it: the part may speak of them in other words,
  /// or not. Ascending.
  var undecided: [Int] = []
}

/// The texts of a training, those that only measure it set apart.
struct TrainingTexts: Sendable {
  /// An alias that no example of the training contains.
  struct HeldOutAlias: Sendable {
    var alias: String
    var concept: Int
  }

  let conceptCount: Int
  /// Aliases, then notes with their sentences and clauses, then candidates.
  private(set) var training: [TrainingText] = []
  /// Whole notes.
  private(set) var validation: [TrainingText] = []
  let heldOutAliases: [HeldOutAlias]
  /// The aliases that are trained on.
  let aliases: [(alias: String, concept: Int)]
  /// The words of the notes that are trained on, each once, long enough for a part of a compound, with the concepts that
  /// each names alone.
  private(set) var noteWords: [(word: [UInt8], concepts: [Int])] = []
  /// Words that go with several concepts, and so speak for none of them: articles, prepositions, days of the week.
  private(set) var commonWords: [[UInt8]] = []
  private(set) var noteCount = 0
  /// Notes in which an alias stands.
  private(set) var namedCount = 0
  /// Notes and parts of them that held-out aliases kept from training.
  private(set) var leftOutCount = 0
  private(set) var candidateCount = 0

  init(lexicon: Lexicon, notes: [Note], candidates: Candidates?, settings: ConceptSettings) {
    conceptCount = lexicon.concepts.count
    var generator = SeededGenerator(seed: settings.seed)
    var held: [HeldOutAlias] = []
    var kept: [(alias: String, concept: Int)] = []
    for (place, concept) in lexicon.concepts.enumerated() {
      let out =
        settings.holdsOutAliases && concept.aliases.count >= Self.fewestAliases
        ? generator.below(concept.aliases.count) : nil
      for (index, given) in concept.aliases.enumerated() {
        let alias = settings.redacts ? Redaction.redact(given) : given
        guard !WordScanner.words(of: Self.withoutMarks(alias)).isEmpty else { continue }
        if index == out { held.append(HeldOutAlias(alias: alias, concept: place)) } else { kept.append((alias, place)) }
      }
    }
    (heldOutAliases, aliases) = (held, kept)
    let folded = kept.map { (words: Self.words(of: $0.alias), concept: $0.concept) }
    let matcher = AliasMatcher(folded)
    let heldMatcher = AliasMatcher(held.map { (words: Self.words(of: $0.alias), concept: $0.concept) })
    func text(_ kind: TrainingText.Kind, _ words: [[UInt8]], alsoNaming concept: Int? = nil) -> TrainingText {
      let matches = matcher.matches(of: words)
      let concepts = Set(matches.flatMap(\.concepts) + (concept.map { [$0] } ?? [])).sorted()
      return TrainingText(kind: kind, words: words, concepts: concepts, matches: matches.map(\.words))
    }
    training = folded.map { text(.alias, $0.words, alsoNaming: $0.concept) }

    let count = Int(settings.validationSplit * Double(notes.count))
    let apart = Set(generator.permutation(notes.count).prefix(count))
    for (index, note) in notes.enumerated() {
      let whole = Self.withoutMarks(note.text)
      let words = WordScanner.words(of: whole)
      guard !words.isEmpty else { continue }
      noteCount += 1
      let found = text(.note, words)
      if !found.concepts.isEmpty { namedCount += 1 }
      if apart.contains(index) {
        validation.append(found)
        continue
      }
      var parts = [found]
      for sentence in SentenceSplitter.sentences(of: whole) {
        let clauses = Self.clauses(of: String(sentence))
        parts.append(text(.sentence, clauses.flatMap(\.self)))
        parts += clauses.map { text(.clause, $0) }
      }
      // A note of one sentence, or a sentence of one clause, is one text.
      var known: Set<[[UInt8]]> = []
      parts = parts.filter { known.insert($0.words).inserted }
      for index in parts.indices {
        let named = Set(parts[index].concepts)
        parts[index].undecided = found.concepts.filter { !named.contains($0) }
      }
      // What a held-out alias stands in would teach that it names nothing, or give it away.
      let usable = parts.filter { heldMatcher.matches(of: $0.words).isEmpty }
      leftOutCount += parts.count - usable.count
      training += usable
    }
    var known: Set<[UInt8]> = []
    for word in training.lazy.filter({ $0.kind == .note }).flatMap(\.words)
    where word.count >= WordNoise.shortest && known.insert(word).inserted {
      noteWords.append((word, matcher.matches(of: [word]).flatMap(\.concepts)))
    }
    commonWords = Self.commonWords(of: training, matcher: matcher)
    for phrase in candidates?.phrases ?? [] {
      let words = WordScanner.words(of: Self.withoutMarks(phrase))
      let found = text(.candidate, words)
      guard !words.isEmpty, found.concepts.isEmpty, heldMatcher.matches(of: words).isEmpty else { continue }
      training.append(found)
      candidateCount += 1
    }
  }

  /// A word that stands with so many concepts says nothing about any. (The commonest words that mean something, such as
  /// those of metals, stand with two or three.)
  private static let fewestCompanions = 5

  /// The words that stand with several concepts and name none alone, in the order in which they first come.
  private static func commonWords(of texts: [TrainingText], matcher: AliasMatcher) -> [[UInt8]] {
    var companions: [[UInt8]: Set<Int>] = [:]
    var order: [[UInt8]] = []
    for text in texts where text.kind == .alias || text.kind == .clause || text.kind == .sentence {
      for word in text.words {
        if companions[word] == nil { order.append(word) }
        companions[word, default: []].formUnion(text.concepts)
      }
    }
    return order.filter { companions[$0]!.count >= fewestCompanions && matcher.matches(of: [$0]).isEmpty }
  }

  /// With fewer aliases a concept keeps them all for its training.
  private static let fewestAliases = 3

  /// The folded words of an alias.
  static func words(of alias: String) -> [[UInt8]] { WordScanner.words(of: withoutMarks(alias)) }

  /// The marks that redaction leaves are no words of the note.
  private static func withoutMarks(_ text: String) -> String {
    guard text.contains("[") else { return text }
    return Redaction.marks.reduce(text) { $0.replacing($1, with: ",") }
  }

  /// The words between the commas, colons and other stops of a sentence.
  private static func clauses(of sentence: String) -> [[[UInt8]]] {
    var sentence = sentence
    return sentence.withUTF8 { utf8 in
      var scanner = WordScanner()
      var clauses: [[[UInt8]]] = [[]]
      var end = 0
      while scanner.next(in: utf8) {
        let isNew = utf8[end..<scanner.range.lowerBound].contains { stops.contains($0) }
        if isNew, !clauses[clauses.count - 1].isEmpty { clauses.append([]) }
        clauses[clauses.count - 1].append(scanner.word)
        end = scanner.range.upperBound
      }
      return clauses.filter { !$0.isEmpty }
    }
  }

  private static let stops = Set(",.:;!?()".utf8)
}
