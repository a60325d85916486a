// A text's bytes to its words, normalized: the loop that everything else is built on.

/// What takes the words of a text.
protocol WordSink {
  /// Whether the sink wants to know where in the text a word's characters come from.
  static var wantsPlaces: Bool { get }

  /// Whether the rest of the text is not wanted.
  var isFull: Bool { get }

  /// A word, normalized.
  mutating func take(_ word: borrowing ScannedWord)

  /// A special token that is written in the text at these bytes.
  mutating func takeSpecial(_ id: Int32, at place: Range<Int>)
}

/// A word while it is put together. Its memory is used again for the next one.
struct ScannedWord: ~Copyable {
  /// A word of more characters is unknown to every BERT tokenizer.
  static let longest = 100

  fileprivate(set) var count = 0
  fileprivate var characters = 0
  /// The normalized bytes, as far as the word is not too long.
  let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: (Self.longest + 1) * 4)
  /// For each of the bytes, which bytes of the text its character comes from; filled in for sinks that want it.
  let starts = UnsafeMutablePointer<Int>.allocate(capacity: (Self.longest + 1) * 4)
  let ends = UnsafeMutablePointer<Int>.allocate(capacity: (Self.longest + 1) * 4)
  /// The bytes of the text that the word comes from.
  fileprivate(set) var start = 0
  fileprivate(set) var end = 0

  var isTooLong: Bool { characters > Self.longest }

  fileprivate init() {
    bytes.initialize(repeating: 0, count: (Self.longest + 1) * 4)
    starts.initialize(repeating: 0, count: (Self.longest + 1) * 4)
    ends.initialize(repeating: 0, count: (Self.longest + 1) * 4)
  }

  deinit {
    bytes.deallocate()
    starts.deallocate()
    ends.deallocate()
  }
}

/// What a scanner goes by, made once for a tokenizer.
struct ScanRules: Sendable {
  let normalization: Normalization
  let special: SpecialTokens
  /// What to do with a byte: a letter's byte after normalization, or one of the `Action`s, which are all below 32.
  fileprivate let actions: [UInt8]

  fileprivate enum Action {
    static let removed: UInt8 = 0
    static let space: UInt8 = 1
    static let punctuation: UInt8 = 2
    /// A byte that a special token starts with.
    static let special: UInt8 = 3
    /// The first byte of a character that is not ASCII.
    static let wide: UInt8 = 4
  }

  init(normalization: Normalization, special: SpecialTokens) {
    self.normalization = normalization
    self.special = special
    actions = (0..<256).map { special.starts[$0] ? Action.special : Self.action(UInt8($0), normalization) }
  }

  fileprivate static func action(_ byte: UInt8, _ normalization: Normalization) -> UInt8 {
    guard byte < 0x80 else { return Action.wide }
    switch CharacterFacts.category(of: Unicode.Scalar(byte)) {
    case .removed: return Action.removed
    case .whiteSpace: return Action.space
    case .punctuation: return Action.punctuation
    default: return normalization.lowercases && (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
    }
  }
}

/// Cuts texts into normalized words, as BERT's normalizer and pre-tokenizer do, in one pass and without a `String`.
///
/// Marks that stay (few do) are put in the order of their combining classes when they come, so no text needs a second
/// look. The work for a character is bounded: a word grows to 100 characters and is only counted from there on.
struct WordScanner<Sink: WordSink>: ~Copyable {
  var sink: Sink
  private let rules: ScanRules
  private var table: CharacterTable?
  private var word = ScannedWord()
  /// The marks at the word's end, in order: their combining classes, and where they begin.
  private var markClasses: [UInt8] = []
  private var markStarts: [Int] = []

  private typealias Action = ScanRules.Action

  init(_ sink: Sink, rules: ScanRules) {
    self.sink = sink
    self.rules = rules
  }

  /// Gives the sink all words of a text, or as many as it takes.
  mutating func scan(_ text: UnsafeBufferPointer<UInt8>) {
    let rules = rules
    rules.actions.withUnsafeBufferPointer { actions in
      var position = 0
      while position < text.count, !sink.isFull {
        let byte = text[position]
        var action = actions[Int(byte)]
        if action == Action.special {
          if let (id, count) = rules.special.match(text, at: position) {
            finishWord()
            if !sink.isFull { sink.takeSpecial(id, at: position..<position + count) }
            position += count
            continue
          }
          action = ScanRules.action(byte, rules.normalization)
        }
        if action >= 32 {
          append(action, position, position + 1)
          position += 1
        } else if action == Action.wide {
          position += scanWide(text, position)
        } else {
          if action != Action.removed { finishWord() }
          if action == Action.punctuation {
            append(byte, position, position + 1)
            finishWord()
          }
          position += 1
        }
      }
    }
    finishWord()
  }

  /// Takes a character of several bytes and returns how many.
  private mutating func scanWide(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
    let (scalar, count) = Self.decode(text, position)
    if table == nil { table = CharacterTable.shared(rules.normalization) }
    let table = table!
    let entry = table.entry(scalar)
    let kind = CharacterTable.kind(entry)
    let end = position + count
    if kind == .expanded {
      for part in table.expansion(entry) {
        withUnsafeBytes(of: part.utf8) { utf8 in
          let bytes = UnsafeBufferPointer(rebasing: utf8.assumingMemoryBound(to: UInt8.self)[..<Int(part.count)])
          take(part.kind, part.combiningClass, bytes, position, end)
        }
      }
    } else {
      take(
        kind, UInt8(truncatingIfNeeded: entry >> 8), UnsafeBufferPointer(rebasing: text[position..<end]), position, end)
    }
    return count
  }

  /// A scalar and the number of its bytes. The text is valid UTF-8.
  @inline(__always)
  private static func decode(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> (UInt32, Int) {
    let first = UInt32(text[position])
    let second = UInt32(text[position + 1] & 0x3F)
    if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
    let third = UInt32(text[position + 2] & 0x3F)
    if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
    return ((first & 0x07) << 18 | second << 12 | third << 6 | UInt32(text[position + 3] & 0x3F), 4)
  }

  @inline(__always)
  private mutating func take(
    _ kind: CharacterKind, _ combiningClass: UInt8, _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
  ) {
    switch kind {
    case .letter: append(bytes, start, end)
    case .single:
      finishWord()
      append(bytes, start, end)
      finishWord()
    case .space: finishWord()
    case .removed, .expanded: break
    case .removedStarter: forgetMarks()
    case .mark: insertMark(combiningClass, bytes, start, end)
    }
  }

  @inline(__always)
  private mutating func append(_ byte: UInt8, _ start: Int, _ end: Int) {
    beginCharacter(start, end)
    guard !word.isTooLong else { return }
    word.bytes[word.count] = byte
    if Sink.wantsPlaces {
      word.starts[word.count] = start
      word.ends[word.count] = end
    }
    word.count += 1
  }

  private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) {
    beginCharacter(start, end)
    guard !word.isTooLong else { return }
    put(bytes, at: word.count, start, end)
  }

  @inline(__always)
  private mutating func beginCharacter(_ start: Int, _ end: Int) {
    if word.characters == 0 { word.start = start }
    word.end = end
    word.characters += 1
    if !markClasses.isEmpty { forgetMarks() }
  }

  /// Puts a character's bytes into the word, before those that are already there.
  private mutating func put(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int, _ start: Int, _ end: Int) {
    for index in stride(from: word.count - 1, through: place, by: -1) {
      word.bytes[index + bytes.count] = word.bytes[index]
      word.starts[index + bytes.count] = word.starts[index]
      word.ends[index + bytes.count] = word.ends[index]
    }
    for (index, byte) in bytes.enumerated() {
      word.bytes[place + index] = byte
      if Sink.wantsPlaces {
        word.starts[place + index] = start
        word.ends[place + index] = end
      }
    }
    word.count += bytes.count
  }

  /// A mark goes before the marks of higher classes that it follows.
  private mutating func insertMark(
    _ combiningClass: UInt8, _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
  ) {
    if word.characters == 0 { word.start = start }
    word.end = end
    word.characters += 1
    guard !word.isTooLong else { return }
    var index = markClasses.count
    while index > 0, markClasses[index - 1] > combiningClass { index -= 1 }
    let place = index < markStarts.count ? markStarts[index] : word.count
    put(bytes, at: place, start, end)
    markClasses.insert(combiningClass, at: index)
    markStarts.insert(place, at: index)
    for later in index + 1..<max(markStarts.count, index + 1) { markStarts[later] += bytes.count }
  }

  private mutating func forgetMarks() {
    markClasses.removeAll(keepingCapacity: true)
    markStarts.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private mutating func finishWord() {
    guard word.characters > 0 else { return }
    if !sink.isFull { sink.take(word) }
    discardWord()
  }

  @inline(__always)
  private mutating func discardWord() {
    word.count = 0
    word.characters = 0
    if !markClasses.isEmpty { forgetMarks() }
  }
}
