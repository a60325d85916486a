// Frequent neighbours become one piece: the loop that learns a vocabulary.

/// Words as pieces, and the pieces so far.
struct PairMerging {
  private struct Word {
    var pieces: [Int32]
    let count: Int
  }

  /// Two neighbouring pieces.
  private struct Pair: Hashable {
    let first, second: Int32
  }

  private struct Candidate {
    let pair: Pair
    let count: Int

    /// Whether this one is merged before another one.
    func precedes(_ other: Candidate) -> Bool {
      if count != other.count { return count > other.count }
      return (pair.first, pair.second) < (other.pair.first, other.pair.second)
    }
  }

  private static let prefix = Array("##".utf8)

  /// The tokens' bytes by id.
  private(set) var pieces: [[UInt8]] = []
  private var ids: [[UInt8]: Int32] = [:]
  private var words: [Word] = []
  private var counts: [Pair: Int] = [:]
  /// The words in which a pair is, or was.
  private var places: [Pair: Set<Int32>] = [:]
  private var candidates = Heap<Candidate> { $0.precedes($1) }

  /// Starts with the special tokens, the characters, and the characters within words, in the order of code points.
  ///
  /// - Parameter words: all different, with how often they are there.
  init(special: [[UInt8]], words: [(bytes: [UInt8], count: Int)], alphabetLimit: Int) {
    for token in special { _ = id(of: token) }
    let characters = words.map { word in
      String(decoding: word.bytes, as: UTF8.self).unicodeScalars.map { Array(String($0).utf8) }
    }
    var frequencies: [[UInt8]: Int] = [:]
    for (word, characters) in zip(words, characters) {
      for character in characters { frequencies[character, default: 0] += word.count }
    }
    // The order of UTF-8's bytes is that of the code points.
    let common = frequencies.sorted {
      $0.value != $1.value ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
    }.prefix(alphabetLimit)
    let alphabet = Set(common.map(\.key))
    for character in alphabet.sorted(by: { $0.lexicographicallyPrecedes($1) }) { _ = id(of: character) }
    let inner = Set(characters.lazy.flatMap { $0.dropFirst() }).intersection(alphabet)
    for character in inner.sorted(by: { $0.lexicographicallyPrecedes($1) }) { _ = id(of: Self.prefix + character) }

    for (word, characters) in zip(words, characters) {
      // Characters outside the alphabet are passed over.
      let pieces = characters.enumerated().filter { alphabet.contains($1) }.map { index, character in
        ids[index == 0 ? character : Self.prefix + character]!
      }
      self.words.append(Word(pieces: pieces, count: word.count))
    }
    for index in self.words.indices { count(index, sign: 1) }
    for (pair, count) in counts { candidates.push(Candidate(pair: pair, count: count)) }
  }

  /// Merges the most frequent pair, again and again.
  mutating func merge(until size: Int, minimumFrequency: Int) {
    while pieces.count < size, let best = candidates.pop() {
      let count = counts[best.pair] ?? 0
      guard count == best.count else {
        // The pair has become rarer since it was put there.
        if count > 0 { candidates.push(Candidate(pair: best.pair, count: count)) }
        continue
      }
      guard count >= max(minimumFrequency, 1) else { return }
      merge(best.pair)
    }
  }

  private mutating func merge(_ pair: Pair) {
    let second = pieces[Int(pair.second)]
    let merged = pieces[Int(pair.first)] + (second.starts(with: Self.prefix) ? second.dropFirst(2) : second[...])
    let id = id(of: merged)
    var changed: Set<Pair> = []
    for index in places.removeValue(forKey: pair) ?? [] {
      let index = Int(index)
      count(index, sign: -1)
      words[index].pieces = Self.joining(pair, as: id, in: words[index].pieces)
      count(index, sign: 1)
      let pieces = words[index].pieces
      for (first, second) in zip(pieces, pieces.dropFirst()) where first == id || second == id {
        changed.insert(Pair(first: first, second: second))
      }
    }
    for pair in changed { candidates.push(Candidate(pair: pair, count: counts[pair]!)) }
  }

  private static func joining(_ pair: Pair, as id: Int32, in pieces: [Int32]) -> [Int32] {
    var joined: [Int32] = []
    for piece in pieces {
      if piece == pair.second, joined.last == pair.first {
        joined[joined.count - 1] = id
      } else {
        joined.append(piece)
      }
    }
    return joined
  }

  /// Adds a word's pairs to the counts, or takes them away.
  private mutating func count(_ index: Int, sign: Int) {
    let word = words[index]
    for (first, second) in zip(word.pieces, word.pieces.dropFirst()) {
      let pair = Pair(first: first, second: second)
      counts[pair, default: 0] += sign * word.count
      if sign > 0 { places[pair, default: []].insert(Int32(index)) } else if counts[pair] == 0 { counts[pair] = nil }
    }
  }

  private mutating func id(of piece: [UInt8]) -> Int32 {
    if let id = ids[piece] { return id }
    let id = Int32(pieces.count)
    ids[piece] = id
    pieces.append(piece)
    return id
  }
}

/// A binary heap: the element that goes before all others first.
struct Heap<Element> {
  private var elements: [Element] = []
  private let precedes: (Element, Element) -> Bool

  init(_ precedes: @escaping (Element, Element) -> Bool) { self.precedes = precedes }

  mutating func push(_ element: Element) {
    elements.append(element)
    var place = elements.count - 1
    while place > 0, precedes(elements[place], elements[(place - 1) / 2]) {
      elements.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func pop() -> Element? {
    guard let first = elements.first else { return nil }
    let last = elements.removeLast()
    guard !elements.isEmpty else { return first }
    elements[0] = last
    var place = 0
    while true {
      var next = place
      for child in [2 * place + 1, 2 * place + 2] where child < elements.count {
        if precedes(elements[child], elements[next]) { next = child }
      }
      if next == place { return first }
      elements.swapAt(place, next)
      place = next
    }
  }
}
