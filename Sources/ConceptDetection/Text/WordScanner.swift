// Cuts UTF-8 into words and folds them, in one pass over the bytes.

/// Goes from word to word of a text: the longest runs of letters, marks and digits, folded (``FoldedScalars``).
///
/// What is not valid UTF-8 separates words, so any bytes can be scanned.
struct WordScanner {
  /// The folded bytes of the word that ``next(in:)`` found; kept from word to word, so that no word costs an
  /// allocation.
  private(set) var word: [UInt8] = []
  /// Where the word stands in the text, in bytes.
  private(set) var range = 0..<0
  private var position = 0

  init() { word.reserveCapacity(64) }

  /// Starts anew, at the beginning of another text.
  mutating func restart() { position = 0 }

  /// Finds the next word.
  ///
  /// - Returns: false at the end of the text.
  mutating func next(in text: UnsafeBufferPointer<UInt8>) -> Bool {
    let count = text.count
    FoldedScalars.ascii.withUnsafeBufferPointer { ascii in
      while true {
        word.removeAll(keepingCapacity: true)
        var start = position
        var isInside = false
        while position < count {
          let byte = text[position]
          if byte < 0x80 {
            let folded = ascii[Int(byte)]
            if folded == 0 {
              if isInside { break }
            } else {
              if !isInside { (isInside, start) = (true, position) }
              word.append(folded)
            }
            position += 1
            continue
          }
          let (scalar, length) = Self.scalar(at: position, in: text)
          if append(scalar) {
            if !isInside { (isInside, start) = (true, position) }
          } else if isInside {
            break
          }
          position += length
        }
        range = start..<position
        // A run of nothing but dropped marks is no word.
        if !word.isEmpty || position >= count { return }
      }
    }
    return !word.isEmpty
  }

  /// Appends what a code point becomes.
  ///
  /// - Returns: false where it separates words.
  private mutating func append(_ scalar: UInt32) -> Bool {
    if scalar < 0x600 {
      var entry = FoldedScalars.table[Int(scalar)]
      if entry == FoldedScalars.separates { return false }
      for _ in 0..<(entry & 0xFF) {
        entry >>= 8
        word.append(UInt8(truncatingIfNeeded: entry))
      }
      return true
    }
    guard let scalar = Unicode.Scalar(scalar), let folded = FoldedScalars.folded(scalar) else { return false }
    word.append(contentsOf: folded)
    return true
  }

  /// The code point at a position and its length in bytes; U+FFFD, one byte long, where the bytes are no UTF-8.
  private static func scalar(at position: Int, in text: UnsafeBufferPointer<UInt8>) -> (UInt32, Int) {
    let first = UInt32(text[position])
    let (length, lowest): (Int, UInt32)
    switch first {
    case 0xC2...0xDF: (length, lowest) = (2, 0x80)
    case 0xE0...0xEF: (length, lowest) = (3, 0x800)
    case 0xF0...0xF4: (length, lowest) = (4, 0x10000)
    default: return (0xFFFD, 1)
    }
    guard position + length <= text.count else { return (0xFFFD, 1) }
    var code = first & (0x7F >> UInt32(length))
    for offset in 1..<length {
      let byte = UInt32(text[position + offset])
      guard byte & 0xC0 == 0x80 else { return (0xFFFD, 1) }
      code = code << 6 | byte & 0x3F
    }
    return code >= lowest && Unicode.Scalar(code) != nil ? (code, length) : (0xFFFD, 1)
  }

  /// The folded words of a text.
  static func words(of text: String) -> [[UInt8]] {
    var text = text
    return text.withUTF8 { utf8 in
      var scanner = WordScanner()
      var words: [[UInt8]] = []
      while scanner.next(in: utf8) { words.append(scanner.word) }
      return words
    }
  }
}
