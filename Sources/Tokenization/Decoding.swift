// Tokens back to text.

import Foundation

extension WordPieceTokenizer {
  /// The text of tokens, as far as it can be had back: pieces joined, words with a space between, no space before
  /// punctuation, as the WordPiece decoder of `tokenizers` writes it. What normalization took away stays away.
  ///
  /// - Parameter skippingSpecialTokens: leaves `[CLS]`, `[SEP]`, `[PAD]` and the like out.
  public func decode(_ ids: some Sequence<Int32>, skippingSpecialTokens: Bool = true) -> String {
    var text = ""
    for id in ids where !skippingSpecialTokens || !specialIDs.contains(id) {
      let token = vocabulary[id]
      if text.isEmpty {
        text += Self.tidied(token)
      } else {
        let goesOn = token.utf8.starts(with: "##".utf8)
        text += Self.tidied(goesOn ? String(token.unicodeScalars.dropFirst(2)) : " " + token)
      }
    }
    return text
  }

  /// A token with the space before it, without spaces that English does not have.
  private static func tidied(_ token: String) -> String {
    let replacements = [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
      (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ]
    guard token.utf8.first == UInt8(ascii: " ") else { return token }
    return replacements.reduce(token) { $0.replacingOccurrences(of: $1.0, with: $1.1, options: .literal) }
  }
}
