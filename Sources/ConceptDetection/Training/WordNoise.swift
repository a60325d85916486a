// Words as hurried people write them: with a letter too many, too few or wrong, or with another ending.

import Datasets

/// Makes variations of folded words, so that a network learns to read past typos and inflections.
struct WordNoise {
  var generator: SeededGenerator

  /// A shorter word's letters are too few to tell it by when one is wrong.
  static let shortest = 4

  /// The endings that nouns, adjectives and verbs of Western Europe take most.
  private static let endings = [
    "s", "e", "en", "n", "er", "es", "i", "a", "o", "os", "as", "ing", "ed", "d", "t", "te", "em", "ne", "ni", "re",
    "ar", "ando", "ant", "ung",
  ].map { Array($0.unicodeScalars) }

  private static let letters = Array("abcdefghijklmnopqrstuvwxyz".unicodeScalars)

  /// One edit: a letter left out, put in or replaced, or two exchanged. The first letter, which people seldom get wrong,
  /// stays.
  mutating func typo(_ word: [UInt8]) -> [UInt8] {
    var letters = Self.scalars(word)
    guard letters.count >= Self.shortest else { return word }
    let place = 1 + generator.below(letters.count - 1)
    let kind = place + 1 < letters.count ? generator.below(4) : generator.below(3)
    switch kind {
    case 0: letters.remove(at: place)
    case 1: letters.insert(Self.letters[generator.below(Self.letters.count)], at: place)
    case 2: letters[place] = Self.letters[generator.below(Self.letters.count)]
    default: letters.swapAt(place, place + 1)
    }
    return Self.bytes(letters)
  }

  /// Another ending: one put behind the word, or in the place of its last letters.
  mutating func inflection(_ word: [UInt8]) -> [UInt8] {
    var letters = Self.scalars(word)
    guard letters.count > Self.shortest else { return word }
    if generator.uniform() >= 0.4 {
      letters.removeLast(1 + (generator.below(3) == 0 ? 1 : 0))
      if generator.uniform() < 0.3 { return Self.bytes(letters) }
    }
    letters += Self.endings[generator.below(Self.endings.count)]
    return Self.bytes(letters)
  }

  /// Either of both.
  mutating func variation(_ word: [UInt8]) -> [UInt8] { generator.below(2) == 0 ? typo(word) : inflection(word) }

  private static func scalars(_ word: [UInt8]) -> [Unicode.Scalar] {
    Array(String(decoding: word, as: UTF8.self).unicodeScalars)
  }

  private static func bytes(_ letters: [Unicode.Scalar]) -> [UInt8] {
    Array(String(String.UnicodeScalarView(letters)).utf8)
  }
}
