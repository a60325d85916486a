// What the network reads of a text: its words, pairs of words and character n-grams, hashed into a table.

/// The features of a text.
public struct TextFeatures: Sendable, Hashable {
  /// A word of the text and its features.
  public struct Word: Sendable, Hashable {
    /// Where it stands, in bytes of the text's UTF-8.
    public var bytes: Range<Int>
    /// Its places in ``TextFeatures/ids``.
    public var features: Range<Int>
  }

  /// Rows of the table of embeddings, from 1, in the order of the words, repeated as often as they occur.
  public var ids: [Int32] = []
  public var words: [Word] = []

  /// Of no text.
  public init() {}
}

/// Turns texts into features: the one description of it that any runtime can follow is on the page of this module.
///
/// ```swift
/// let features = ConceptFeatures().features(of: "Geburtstagsgeschenk für sie")
/// print(features.ids.count, features.words.count)
/// ```
public struct ConceptFeatures: Sendable, Hashable, Codable {
  /// How many rows the hash chooses among, as a power of two: `2^bits`.
  public let bits: Int

  /// The row that stands for nothing: padding behind the features of a shorter text.
  public static let padding: Int32 = 0

  /// As many as give the ten thousands of n-grams of a few hundred notes a row of their own mostly, and a table that is
  /// still small (2^16 rows of 128 floats are 33 MB).
  public static let defaultBits = 16

  /// The lengths of character n-grams, in code points. (fastText takes 3 to 6; the sixth adds a fifth of the features
  /// and little for words that are inflected.)
  public static let ngramLengths = 3...5

  /// The most features of a word that count: those of some 43 letters. What is longer is no word that a person wrote.
  public static let mostFeatures = 128

  /// - Precondition: `bits` from 8 to 24.
  public init(bits: Int = Self.defaultBits) {
    precondition((8...24).contains(bits), "2^\(bits) rows; bits from 8 to 24 were expected")
    self.bits = bits
  }

  /// The rows of the table of embeddings, with the one of padding.
  public var rowCount: Int { 1 << bits + 1 }

  /// The features of a text and the words that they come from.
  public func features(of text: some StringProtocol) -> TextFeatures {
    var features = TextFeatures()
    append(of: text, to: &features)
    return features
  }

  /// Appends the features of a text behind those of others.
  public func append(of text: some StringProtocol, to features: inout TextFeatures) {
    let done: Void? = text.utf8.withContiguousStorageIfAvailable { append(of: $0, to: &features) }
    guard done == nil else { return }
    var copy = String(text)
    copy.withUTF8 { append(of: $0, to: &features) }
  }

  /// Appends the features of UTF-8, without an allocation where `features` has room.
  public func append(of text: UnsafeBufferPointer<UInt8>, to features: inout TextFeatures) {
    var scanner = WordScanner()
    var previous: [UInt8] = []
    while scanner.next(in: text) {
      let start = features.ids.count
      append(scanner.word, after: previous, to: &features.ids)
      features.words.append(.init(bytes: scanner.range, features: start..<features.ids.count))
      previous.removeAll(keepingCapacity: true)
      previous.append(contentsOf: scanner.word)
    }
  }

  /// Appends the features of one folded word behind another one; the first word of a text stands behind an empty one.
  func append(_ word: [UInt8], after previous: [UInt8], to ids: inout [Int32]) {
    let start = ids.count
    word.withUnsafeBufferPointer { word in
      ids.append(row(FNV1a(kind: .word).adding(word).value))
      if !previous.isEmpty {
        let pair = previous.withUnsafeBufferPointer { FNV1a(kind: .pair).adding($0) }
        ids.append(row(pair.adding(UInt8(ascii: " ")).adding(word).value))
      }
      appendNgrams(of: word, to: &ids)
    }
    if ids.count > start + Self.mostFeatures { ids.removeLast(ids.count - start - Self.mostFeatures) }
  }

  /// Appends the n-grams of `<word>`: for each start those of three, four and five code points.
  ///
  /// A longer n-gram's hash goes on from the shorter one's, so that each start costs one pass over five code points.
  private func appendNgrams(of word: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
    let count = word.count + 2
    func byte(_ position: Int) -> UInt8 {
      position == 0 ? UInt8(ascii: "<") : position == count - 1 ? UInt8(ascii: ">") : word[position - 1]
    }
    for start in 0..<count where !Self.isContinuation(byte(start)) {
      var hash = FNV1a(kind: .ngram)
      var length = 0
      var position = start
      while position < count {
        hash = hash.adding(byte(position))
        position += 1
        while position < count, Self.isContinuation(byte(position)) {
          hash = hash.adding(byte(position))
          position += 1
        }
        length += 1
        if length < Self.ngramLengths.lowerBound { continue }
        ids.append(row(hash.value))
        if length == Self.ngramLengths.upperBound { break }
      }
    }
  }

  /// Whether a byte goes on a code point that began before it.
  @inline(__always)
  private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

  /// Folds a hash to the table: all of its bits count (the way of FNV's authors for sizes other than 32 bits).
  @inline(__always)
  private func row(_ hash: UInt32) -> Int32 {
    Int32((hash >> UInt32(bits) ^ hash) & (1 << UInt32(bits) - 1)) + 1
  }
}

/// The 32-bit hash FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv): for each byte `hash = (hash xor byte) · 16777619`.
struct FNV1a {
  /// What a feature is: its first byte, so that a word and an n-gram of the same letters are two features.
  enum Kind: UInt8 {
    case word = 1
    case pair = 2
    case ngram = 3
  }

  private(set) var value: UInt32 = 2_166_136_261

  init(kind: Kind) { self = adding(kind.rawValue) }

  private init(value: UInt32) { self.value = value }

  @inline(__always)
  func adding(_ byte: UInt8) -> FNV1a { FNV1a(value: (value ^ UInt32(byte)) &* 16_777_619) }

  @inline(__always)
  func adding(_ bytes: UnsafeBufferPointer<UInt8>) -> FNV1a {
    var hash = self
    for byte in bytes { hash = hash.adding(byte) }
    return hash
  }
}
