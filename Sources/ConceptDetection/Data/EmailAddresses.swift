// E-mail addresses in running text.

/// The e-mail addresses of a text: `local@domain.tld` (RFC 5321, with the letters of any language as of RFC 6531).
struct EmailAddresses {
  private(set) var ranges: [Range<Int>] = []

  init(in text: [Unicode.Scalar]) {
    var from = 0
    for at in text.indices where text[at] == "@" && at >= from {
      guard let start = Self.start(of: text, before: at, from: from), let end = Self.end(of: text, behind: at) else {
        continue
      }
      ranges.append(start..<end)
      from = end
    }
  }

  /// Where the local part begins: a quoted text, or letters, digits and the marks that are allowed, no point at its
  /// ends.
  private static func start(of text: [Unicode.Scalar], before at: Int, from: Int) -> Int? {
    if at - 2 > from, text[at - 1] == "\"" {
      guard let quote = text[from..<(at - 1)].lastIndex(of: "\"") else { return nil }
      return quote
    }
    var start = at
    while start > from, isLocalPart(text[start - 1]) { start -= 1 }
    // Marks before the address, as in "mail:'anne@…".
    while start < at, !text[start].isWordPart, text[start] != "_", text[start] != "+" { start += 1 }
    return start < at ? start : nil
  }

  /// Where the domain ends: at least two labels, the last one not of digits alone.
  private static func end(of text: [Unicode.Scalar], behind at: Int) -> Int? {
    var end = at + 1
    while end < text.count, text[end].isWordPart || text[end].isHyphen || text[end] == "." { end += 1 }
    // A full stop or a hyphen behind the address ends the sentence, not the domain.
    while end > at + 1, !text[end - 1].isWordPart { end -= 1 }
    let labels = text[(at + 1)..<end].split(separator: ".", omittingEmptySubsequences: false)
    guard labels.count >= 2, labels.allSatisfy({ !$0.isEmpty }), let last = labels.last, last.count >= 2,
      last.contains(where: { $0.digit == nil })
    else { return nil }
    return end
  }

  private static func isLocalPart(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isWordPart { return true }
    switch scalar {
    case ".", "_", "%", "+", "-", "'", "!", "#", "$", "&", "*", "/", "=", "?", "^", "`", "{", "|", "}", "~": return true
    default: return false
    }
  }
}
