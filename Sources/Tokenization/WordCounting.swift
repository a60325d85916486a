// How often each word is in the texts.

/// Counts the words of texts, normalized, those of more than 100 characters left out.
struct WordCounter: WordSink {
  static var wantsPlaces: Bool { false }
  var isFull: Bool { false }
  private(set) var counts: [[UInt8]: Int] = [:]

  mutating func takeSpecial(_ id: Int32, at place: Range<Int>) {}

  mutating func take(_ word: borrowing ScannedWord) {
    guard !word.isTooLong else { return }
    counts[Array(UnsafeBufferPointer(start: word.bytes, count: word.count)), default: 0] += 1
  }

  static func counts(in texts: some Sequence<String>, _ normalization: Normalization) -> [[UInt8]: Int] {
    let rules = ScanRules(normalization: normalization, special: SpecialTokens([]))
    var scanner = WordScanner(WordCounter(), rules: rules)
    for text in texts { text.utf8.span.withUnsafeBufferPointer { scanner.scan($0) } }
    return scanner.sink.counts
  }
}
