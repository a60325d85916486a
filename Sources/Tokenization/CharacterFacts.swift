// What BERT's tokenizer takes Unicode to say about a character.

import Foundation

/// Facts about single characters, as Hugging Face's `tokenizers` (0.23) knows them.
///
/// That library asks three Unicode tables of different age: general categories of version 8, decompositions and
/// combining classes of version 9, and lower case of the present version. Swift's tables are newer. A character that
/// came later than a table's version is unknown to it; what else changed since is in the exceptions.
/// `tools/crosscheck/tokenizer.py` compares every code point.
enum CharacterFacts {
  enum Category {
    case removed, whiteSpace, punctuation, nonspacingMark, other
  }

  /// What the cleaning step, the accents' removal and the cutting into words want to know.
  static func category(of scalar: Unicode.Scalar) -> Category {
    let properties = scalar.properties
    switch scalar.value {
    case 0, 0xFFFD: return .removed
    case 0x09, 0x0A, 0x0D: return .whiteSpace
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return .punctuation
    // Categories that were others in Unicode 8.
    case 0x166D, 0x111C9: return .punctuation
    case 0x1734, 0x1171E: return .nonspacingMark
    case 0x1885, 0x1886, 0xA9BD: return .other
    default: break
    }
    guard isKnown(properties, to: 8) else { return .other }
    switch properties.generalCategory {
    case .control, .format, .privateUse: return .removed
    case .nonspacingMark: return .nonspacingMark
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return .punctuation
    default: return properties.isWhitespace ? .whiteSpace : .other
    }
  }

  /// The order among the marks on one letter, 0 for what is none.
  static func combiningClass(of scalar: Unicode.Scalar) -> UInt8 {
    let properties = scalar.properties
    return isKnown(properties, to: 9) ? properties.canonicalCombiningClass.rawValue : 0
  }

  /// The character in parts (form D).
  static func decomposition(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    switch scalar.value {
    case 0..<0xC0, 0x3400..<0xA000: return [scalar]
    case 0xAC00...0xD7A3: return hangulParts(scalar.value - 0xAC00)
    default: break
    }
    guard isKnown(scalar.properties, to: 9) else { return [scalar] }
    return Array(String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars)
  }

  static func lowercase(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    Array(scalar.properties.lowercaseMapping.unicodeScalars)
  }

  /// The blocks that count as Chinese characters. That U+2B820 to U+2B91F are missing is so in the original too.
  static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B920...0x2CEAF,
      0x2F800...0x2FA1F:
      true
    default: false
    }
  }

  /// A syllable by the arithmetic of the Unicode Standard, section 3.12.
  private static func hangulParts(_ index: UInt32) -> [Unicode.Scalar] {
    let (leading, vowel, trailing) = (index / 588, index % 588 / 28, index % 28)
    let parts = [0x1100 + leading, 0x1161 + vowel] + (trailing > 0 ? [0x11A7 + trailing] : [])
    return parts.map { Unicode.Scalar($0)! }
  }

  /// Whether the character was in this version of Unicode.
  private static func isKnown(_ properties: Unicode.Scalar.Properties, to version: Int) -> Bool {
    guard let (major, minor) = properties.age else { return false }
    return (major, minor) <= (version, 0)
  }
}
