// Finds the aliases of a lexicon in texts, word for word: how training finds its contexts, and the baseline of
// evaluations.

/// An alias found in a text.
public struct AliasMatch: Sendable, Hashable {
  /// Places in the lexicon's concepts that the alias names, ascending.
  public var concepts: [Int]
  /// Where it stands, in bytes of the text's UTF-8.
  public var bytes: Range<Int>
  /// Which words of the text it covers.
  public var words: Range<Int>
}

/// Plain alias matching: a tree of the aliases' words, walked from each word of the text.
///
/// Words are compared folded (letter case, accents and Unicode's forms aside) and whole: `art` is not found in `party`,
/// nor `ring` in `rings`. From left to right the longest alias wins, and its words name nothing else: `wedding
/// anniversary` is no `wedding`.
public struct AliasMatcher: Sendable {
  private struct Step: Hashable {
    var node: Int32
    var word: [UInt8]
  }

  /// From a node by a word to the next; 0 is the root.
  private var steps: [Step: Int32] = [:]
  /// For each node the concepts that an alias ending there names.
  private var concepts: [[Int]] = [[]]
  /// Words that an alias begins with: most words of a text are none, and are passed over at the cost of one look-up.
  private var firstWords: Set<[UInt8]> = []

  public init(_ lexicon: Lexicon) {
    self.init(
      lexicon.concepts.enumerated().flatMap { place, concept in
        concept.aliases.map { (words: WordScanner.words(of: $0), concept: place) }
      })
  }

  /// - Parameter aliases: folded words, at least one each, with the places of the concepts that they name.
  init(_ aliases: [(words: [[UInt8]], concept: Int)]) {
    for alias in aliases { insert(alias.words, concept: alias.concept) }
  }

  private mutating func insert(_ words: [[UInt8]], concept: Int) {
    firstWords.insert(words[0])
    var node: Int32 = 0
    for word in words {
      let step = Step(node: node, word: word)
      if let next = steps[step] {
        node = next
      } else {
        node = Int32(concepts.count)
        steps[step] = node
        concepts.append([])
      }
    }
    if !concepts[Int(node)].contains(concept) { concepts[Int(node)].append(concept) }
  }

  /// The aliases in a text, from left to right, none overlapping another.
  public func matches(in text: some StringProtocol) -> [AliasMatch] {
    var text = String(text)
    var words: [[UInt8]] = []
    var ranges: [Range<Int>] = []
    text.withUTF8 { utf8 in
      var scanner = WordScanner()
      while scanner.next(in: utf8) {
        words.append(scanner.word)
        ranges.append(scanner.range)
      }
    }
    return matches(of: words).map { match in
      AliasMatch(
        concepts: match.concepts,
        bytes: ranges[match.words.lowerBound].lowerBound..<ranges[match.words.upperBound - 1].upperBound,
        words: match.words)
    }
  }

  /// The aliases among folded words: which words each covers, and the concepts that it names.
  func matches(of words: [[UInt8]]) -> [(words: Range<Int>, concepts: [Int])] {
    var matches: [(Range<Int>, [Int])] = []
    var start = 0
    while start < words.count {
      guard firstWords.contains(words[start]), let (end, found) = longest(from: start, of: words) else {
        start += 1
        continue
      }
      matches.append((start..<end, found))
      start = end
    }
    return matches
  }

  /// The concepts whose aliases stand in a text.
  public func concepts(in text: some StringProtocol) -> Set<Int> {
    matches(in: text).reduce(into: []) { $0.formUnion($1.concepts) }
  }

  private func longest(from start: Int, of words: [[UInt8]]) -> (end: Int, concepts: [Int])? {
    var node: Int32 = 0
    var best: (Int, [Int])?
    var end = start
    while end < words.count, let next = steps[Step(node: node, word: words[end])] {
      node = next
      end += 1
      if !concepts[Int(node)].isEmpty { best = (end, concepts[Int(node)].sorted()) }
    }
    return best
  }
}
