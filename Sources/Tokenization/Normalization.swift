// What happens to a text before it is cut into words.

/// How a text's characters are changed before its words are looked up: the settings of BERT's normalizer.
///
/// Whatever they are, control characters, private-use characters, U+0000 and U+FFFD are left out, and white space of
/// every kind separates words.
public struct Normalization: Hashable, Sendable {
  /// Upper case becomes lower case, character by character: a sigma at a word's end is σ.
  public var lowercases: Bool
  /// Characters are decomposed (Unicode's form D) and marks without width are left out: é becomes e.
  public var stripsAccents: Bool
  /// Each Chinese character is a word of its own.
  public var isolatesIdeographs: Bool

  /// - Parameter stripsAccents: nil does as the original BERT did: accents go where upper case goes.
  public init(lowercases: Bool = true, stripsAccents: Bool? = nil, isolatesIdeographs: Bool = true) {
    self.lowercases = lowercases
    self.stripsAccents = stripsAccents ?? lowercases
    self.isolatesIdeographs = isolatesIdeographs
  }
}
