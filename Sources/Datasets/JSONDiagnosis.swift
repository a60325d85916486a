// What to say about a text that is not JSON, found by a second, slower look at it.

import CSimdJSON
import Glibc

extension JSONFailure {
  /// The problem with `text`, which simdjson refused. NaN, infinities and numbers past a double's range are fatal:
  /// they come from a broken computation, and leaving their lines out would hide it.
  func problem(in text: UnsafeRawBufferPointer, maximumLength: Int) -> RecordProblem {
    switch self {
    case .empty: return RecordProblem(message: "not valid JSON: nothing there")
    case .tooLong: return RecordProblem(message: "the record is longer than \(maximumLength) bytes")
    case .tooDeep: return RecordProblem(message: "arrays and objects are nested deeper than 64 levels")
    case .notUTF8: return RecordProblem(message: "not valid UTF-8; convert the file, or write it anew as UTF-8")
    case .badString, .badLiteral, .badNumber, .syntax: break
    }
    if let token = NumberTokens(text: text).first(where: { $0.isNotFinite }) {
      let what =
        token.isName
        ? "\(token.text), which is not a number in JSON" : "\(token.text), which is beyond a 64-bit float's range"
      return RecordProblem(message: "holds \(what); every number must be finite", isFatal: true)
    }
    if text.first == UInt8(ascii: "{"), csimdjson_bracketed_length(text.baseAddress, text.count) == 0 {
      return RecordProblem(message: "not valid JSON: it ends before its object is closed (cut short?)")
    }
    if text.first != UInt8(ascii: "{") {
      return RecordProblem(message: "not valid JSON: an object was expected, found \(Self.excerpt(of: text))")
    }
    switch self {
    case .badString: return RecordProblem(message: "not valid JSON: a string with a bad escape or a control character")
    case .badLiteral: return RecordProblem(message: "not valid JSON: a word that is not true, false or null")
    case .badNumber: return RecordProblem(message: "not valid JSON: a number in a form that JSON does not have")
    default: return RecordProblem(message: "not valid JSON")
    }
  }

  /// The beginning of a text, safe to print.
  private static func excerpt(of text: UnsafeRawBufferPointer) -> String {
    let start = text.prefix(24).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }
    return "\"\(String(decoding: start, as: UTF8.self))\(text.count > 24 ? "…" : "")\""
  }
}

/// The runs of letters, digits, signs and points outside strings: numbers, literals, and what poses as them.
private struct NumberTokens: Sequence, IteratorProtocol {
  struct Token {
    let text: String

    var isName: Bool {
      let bare = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.dropFirst()) : text
      return ["nan", "inf", "infinity"].contains(bare.lowercased())
    }

    var isNotFinite: Bool {
      if isName { return true }
      guard let first = text.utf8.first(where: { $0 != UInt8(ascii: "-") }),
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
      else { return false }
      return text.utf8.allSatisfy { $0 < 0x80 } && strtod(text, nil).isInfinite
    }
  }

  let text: UnsafeRawBufferPointer
  var position = 0

  init(text: UnsafeRawBufferPointer) { self.text = text }

  mutating func next() -> Token? {
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        while position < text.count, text[position] != UInt8(ascii: "\"") {
          position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        position += 1
      } else if Self.isPartOfToken(byte) {
        let start = position
        while position < text.count, Self.isPartOfToken(text[position]) { position += 1 }
        let token = UnsafeRawBufferPointer(rebasing: text[start..<Swift.min(position, start + 400)])
        return Token(text: String(decoding: token, as: UTF8.self))
      } else {
        position += 1
      }
    }
    return nil
  }

  private static func isPartOfToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
