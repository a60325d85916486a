// Texts to token ids: scanning, truncation, special tokens; one text or many on several threads.

import Synchronization
import Threads

/// Encodes one text after the other, in memory that it keeps.
struct TextEncoder<Choice: PlaceChoice>: ~Copyable {
  private var scanner: WordScanner<PieceSink<Choice>>
  private let clsID, sepID: Int32

  init(_ tokenizer: WordPieceTokenizer) {
    let trie = tokenizer.vocabulary.trie
    let sink = PieceSink<Choice>(
      trie: trie, continuation: trie.node("##".utf8), unknownID: tokenizer.unkID)
    scanner = WordScanner(sink, rules: tokenizer.rules)
    clsID = tokenizer.clsID
    sepID = tokenizer.sepID
  }

  mutating func encode(_ text: String, _ pair: String?, _ maxLength: Int?) -> TokenizedText {
    let added = pair == nil ? 2 : 3
    precondition(
      maxLength.map { $0 >= added } ?? true, "a maximum length of \(maxLength!) has no room for \(added) special tokens"
    )
    let limit = maxLength.map { $0 - added } ?? Int.max
    // Of two texts the longer one gives first, so both are read to their ends.
    scan(text, limit: pair == nil ? limit : Int.max)
    guard let pair else {
      let count = min(scanner.sink.ids.count, limit)
      return TokenizedText(
        ids: framed([scanner.sink.ids[..<count]]), firstCount: count + 2,
        isTruncated: scanner.sink.ids.count > limit, ranges: framedPlaces([scanner.sink.places.prefix(count)]))
    }
    let (firstIDs, firstPlaces) = (scanner.sink.ids, scanner.sink.places)
    scan(pair, limit: Int.max)
    let (first, second) = Self.share(firstIDs.count, scanner.sink.ids.count, limit)
    return TokenizedText(
      ids: framed([firstIDs[..<first], scanner.sink.ids[..<second]]), firstCount: first + 2,
      isTruncated: first < firstIDs.count || second < scanner.sink.ids.count,
      ranges: framedPlaces([firstPlaces.prefix(first), scanner.sink.places.prefix(second)]))
  }

  private mutating func scan(_ text: String, limit: Int) {
    scanner.sink.begin(limit: limit)
    text.utf8.span.withUnsafeBufferPointer { scanner.scan($0) }
  }

  /// How much of two texts stays when both together may have `limit` tokens: the longer one gives first, as in the
  /// strategy "longest first" of `tokenizers`.
  private static func share(_ first: Int, _ second: Int, _ limit: Int) -> (Int, Int) {
    guard first + second > limit else { return (first, second) }
    let shorter = min(first, second)
    let longer = max(shorter, limit - shorter)
    let shares = shorter + longer <= limit ? (shorter, longer) : (limit / 2, limit - limit / 2)
    return first <= second ? shares : (shares.1, shares.0)
  }

  private func framed(_ parts: [ArraySlice<Int32>]) -> [Int32] {
    let count = parts.reduce(1) { $0 + $1.count + 1 }
    return [Int32](unsafeUninitializedCapacity: count) { ids, initialized in
      ids[0] = clsID
      var place = 1
      for part in parts {
        _ = ids[place...].update(fromContentsOf: part)
        place += part.count
        ids[place] = sepID
        place += 1
      }
      initialized = count
    }
  }

  /// Nil where places are not wanted.
  private func framedPlaces(_ parts: [ArraySlice<Range<Int>>]) -> [Range<Int>]? {
    guard Choice.isWanted else { return nil }
    return [0..<0] + parts.flatMap { $0 + [0..<0] }
  }
}

extension WordPieceTokenizer {
  func encodeOne(_ text: String, _ pair: String?, _ maxLength: Int?, withRanges: Bool) -> TokenizedText {
    if withRanges {
      var encoder = TextEncoder<WithPlaces>(self)
      return encoder.encode(text, pair, maxLength)
    }
    var encoder = TextEncoder<WithoutPlaces>(self)
    return encoder.encode(text, pair, maxLength)
  }

  /// Encodes what `texts` gives for each number, in pieces: the next one to whichever thread is free.
  func encodeMany(
    _ count: Int, _ maxLength: Int?, threads: Int, _ texts: @Sendable (Int) -> (String, String?)
  ) -> [TokenizedText] {
    let piece = 64
    let pieces = (count + piece - 1) / piece
    let next = Atomic(0)
    let shares = concurrently(max(1, min(threads, pieces))) { _ in
      var encoder = TextEncoder<WithoutPlaces>(self)
      var done: [(number: Int, texts: [TokenizedText])] = []
      while true {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard number < pieces else { return done }
        var encoded: [TokenizedText] = []
        encoded.reserveCapacity(piece)
        for index in number * piece..<min(count, (number + 1) * piece) {
          let (text, pair) = texts(index)
          encoded.append(encoder.encode(text, pair, maxLength))
        }
        done.append((number, encoded))
      }
    }
    return shares.joined().sorted { $0.number < $1.number }.flatMap(\.texts)
  }
}
