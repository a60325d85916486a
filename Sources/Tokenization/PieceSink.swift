// Words to pieces: the longest token first, from the left.

/// Whether the places of tokens in the text are asked for; two types, so that the loop without them has no trace of them.
protocol PlaceChoice {
  static var isWanted: Bool { get }
}

enum WithPlaces: PlaceChoice { static var isWanted: Bool { true } }
enum WithoutPlaces: PlaceChoice { static var isWanted: Bool { false } }

/// Cuts each word into the tokens of a vocabulary: the longest token that the word begins with, then the longest with
/// "##" before it that the rest begins with, and so on. A word that can't be cut so, or is too long, is unknown whole.
struct PieceSink<Choice: PlaceChoice>: WordSink {
  static var wantsPlaces: Bool { Choice.isWanted }

  private let trie: PieceTrie
  /// Where the trie goes on within a word, behind "##"; -1 where no token begins so.
  private let continuation: Int32
  private let unknownID: Int32

  private(set) var ids: [Int32] = []
  private(set) var places: [Range<Int>] = []
  /// The most tokens that are wanted. One more may be in `ids`, so that it shows that the text has more.
  private(set) var limit = Int.max

  init(trie: PieceTrie, continuation: Int32, unknownID: Int32) {
    self.trie = trie
    self.continuation = continuation
    self.unknownID = unknownID
  }

  /// Starts a new text, of which at most so many tokens are wanted.
  mutating func begin(limit: Int) {
    ids.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    self.limit = limit
  }

  var isFull: Bool { ids.count > limit }

  mutating func takeSpecial(_ id: Int32, at place: Range<Int>) {
    ids.append(id)
    if Self.wantsPlaces { places.append(place) }
  }

  mutating func take(_ word: borrowing ScannedWord) {
    let before = ids.count
    if !word.isTooLong, appendPieces(of: word) { return }
    ids.removeLast(ids.count - before)
    ids.append(unknownID)
    if Self.wantsPlaces {
      places.removeLast(places.count - before)
      places.append(word.start..<word.end)
    }
  }

  /// False where the word can't be cut.
  private mutating func appendPieces(of word: borrowing ScannedWord) -> Bool {
    let (bytes, count) = (word.bytes, word.count)
    var start = 0
    var node = PieceTrie.root
    while start < count, node >= 0 {
      var id: Int32 = -1
      var end = start
      var position = start
      while position < count {
        node = trie.child(of: node, by: bytes[position])
        if node < 0 { break }
        position += 1
        let found = trie.id(at: node)
        if found >= 0 { (id, end) = (found, position) }
      }
      if id < 0 { return false }
      ids.append(id)
      if Self.wantsPlaces { places.append(word.starts[start]..<word.ends[end - 1]) }
      start = end
      node = continuation
    }
    return start == count
  }
}
