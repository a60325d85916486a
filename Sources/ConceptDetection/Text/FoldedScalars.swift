// What becomes of each code point before words are compared or hashed: lower case, no accents, plain letters.

import Foundation

/// The folding of single code points. It looks at no neighbour, so any runtime can do it with a table:
///
/// 1. The code point's full lower case (Unicode's default mapping of it alone).
/// 2. The canonical decomposition (NFD) of that.
/// 3. Combining marks of U+0300 to U+036F are taken out.
/// 4. `ß` becomes `ss`, `æ` `ae`, `œ` `oe`, `ø` `o`, `đ` `d`, `ł` `l`, `ı` `i`.
///
/// A code point is part of a word where its general category is a letter, a mark or a number (L, M, N).
enum FoldedScalars {
  /// What a code point becomes; nil where it is no part of a word. Empty for a mark that is dropped.
  static func folded(_ scalar: Unicode.Scalar) -> [UInt8]? {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
      .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber:
      break
    default: return nil
    }
    var bytes: [UInt8] = []
    let lower = scalar.properties.lowercaseMapping
    for part in lower.decomposedStringWithCanonicalMapping.unicodeScalars {
      if (0x300...0x36F).contains(part.value) { continue }
      bytes.append(contentsOf: (plain[part] ?? String(part)).utf8)
    }
    return bytes
  }

  private static let plain: [Unicode.Scalar: String] = [
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i",
  ]

  /// For each byte of ASCII what it becomes; 0 where it separates words.
  static let ascii: [UInt8] = (0..<128).map { folded(Unicode.Scalar(UInt8($0)))?.first ?? 0 }

  /// The code points that are looked up rather than asked Unicode about: Latin, Greek, Cyrillic and Hebrew, with the
  /// marks; at most three bytes come of each. The lowest byte says how many, `separates` that it is none of a word.
  static let table: [UInt32] = (0..<0x600).map { code in
    guard let bytes = folded(Unicode.Scalar(UInt32(code)) ?? " ") else { return separates }
    precondition(bytes.count <= 3, "U+\(String(code, radix: 16)) folds to more than three bytes")
    return bytes.enumerated().reduce(UInt32(bytes.count)) { $0 | UInt32($1.element) << (8 * UInt32($1.offset + 1)) }
  }

  static let separates: UInt32 = 0xFF
}
