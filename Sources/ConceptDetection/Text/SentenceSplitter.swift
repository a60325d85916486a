// Where a note's sentences end.

/// Splits notes into sentences by rules that hold for the languages of Western Europe alike.
///
/// A sentence ends at a line break, and behind `.`, `!`, `?` or `…` (with closing quotes and brackets) before white
/// space or the end. A full stop does not end one where it belongs to an abbreviation (`Mr.`, `z. B.`, `sig.ra`), a
/// single letter (`E. M.`), a number that a small letter follows (`am 3. um elf`), or the word for a number before one
/// (`no. 3`).
enum SentenceSplitter {
  /// The sentences of a text that have a word, white space around them taken off.
  static func sentences(of text: String) -> [Substring] {
    let scalars = text.unicodeScalars
    var sentences: [Substring] = []
    var start = scalars.startIndex
    var position = start
    func close(_ end: String.Index) {
      if let sentence = trimmed(text[start..<end]) { sentences.append(sentence) }
      start = end
    }
    while position < scalars.endIndex {
      let scalar = scalars[position]
      let next = scalars.index(after: position)
      if isLineBreak(scalar) {
        close(position)
        position = next
        continue
      }
      guard isEnd(scalar) else {
        position = next
        continue
      }
      var end = next
      while end < scalars.endIndex, isEnd(scalars[end]) || isClosing(scalars[end]) { end = scalars.index(after: end) }
      let isStop = scalar == "." && end == next
      let isFollowedBySpace = end == scalars.endIndex || scalars[end].properties.isWhitespace
      if isFollowedBySpace, !(isStop && belongsToWord(scalars[start..<position], followedBy: scalars[end...])) {
        close(end)
      }
      position = end
    }
    close(scalars.endIndex)
    return sentences
  }

  /// Whether a full stop goes with what stands before it rather than ending a sentence.
  private static func belongsToWord(
    _ before: Substring.UnicodeScalarView, followedBy behind: Substring.UnicodeScalarView
  ) -> Bool {
    let start = before.lastIndex { $0.properties.isWhitespace || isOpening($0) }.map(before.index(after:))
    let word = Substring(before[(start ?? before.startIndex)...]).lowercased()
    if abbreviations.contains(word) { return true }
    if word.unicodeScalars.count == 1, word.first!.isLetter { return true }
    guard let next = behind.first(where: { !$0.properties.isWhitespace }) else { return false }
    if numbering.contains(word) { return ("0"..."9").contains(next) }
    return word.unicodeScalars.last.map { ("0"..."9").contains($0) } == true && next.properties.isLowercase
  }

  /// Taken without their last full stop, in small letters: what people write in notes of five languages.
  private static let abbreviations: Set<String> = [
    "mr", "mrs", "ms", "dr", "prof", "st", "approx", "incl", "excl", "vs", "e.g", "i.e", "mme", "mlle", "mm", "env",
    "p.ex", "sig", "sig.ra", "sig.na", "dott", "dott.ssa", "avv", "ca", "p.es", "sr", "sra", "srta", "dña", "aprox",
    "p.ej", "hr", "fr", "bzw", "z.b", "d.h", "u.a", "inkl", "geb", "verh", "evtl", "ggf", "sog", "vgl",
  ]

  /// Abbreviations before a number, and words elsewhere (`no`).
  private static let numbering: Set<String> = ["no", "nr", "núm", "ref", "réf", "rif", "tel", "tél", "max", "min", "n"]

  private static func isEnd(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case ".", "!", "?", "…": true
    default: false
    }
  }

  private static func isClosing(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\"", "'", ")", "]", "»", "”", "’": true
    default: false
    }
  }

  private static func isOpening(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\"", "(", "[", "«", "“", "„": true
    default: false
    }
  }

  private static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\n", "\r", "\u{2028}", "\u{2029}": true
    default: false
    }
  }

  /// Nil where there is no word in it.
  private static func trimmed(_ sentence: Substring) -> Substring? {
    var rest = sentence.unicodeScalars
    while rest.first?.properties.isWhitespace == true { rest.removeFirst() }
    while rest.last?.properties.isWhitespace == true { rest.removeLast() }
    let hasWord = rest.contains { scalar in
      scalar.value < 0x80 ? FoldedScalars.ascii[Int(scalar.value)] != 0 : FoldedScalars.folded(scalar)?.isEmpty == false
    }
    return hasWord ? Substring(rest) : nil
  }
}
