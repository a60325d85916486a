// Keeps what identifies a person out of notes: e-mail addresses, telephone, card and account numbers.

/// What was taken out of texts.
public struct RedactionCounts: Sendable, Hashable, Codable {
  public var emails = 0
  public var phones = 0
  public var cards = 0
  public var accounts = 0

  public init() {}

  public var total: Int { emails + phones + cards + accounts }

  public static func += (a: inout RedactionCounts, b: RedactionCounts) {
    a.emails += b.emails
    a.phones += b.phones
    a.cards += b.cards
    a.accounts += b.accounts
  }
}

/// Replaces what identifies a person by a mark that says what stood there.
///
/// ```swift
/// Redaction.redact("Call +44 20 7946 0958 or anne@example.com")  // Call [phone] or [email]
/// ```
///
/// - `[email]`: an e-mail address, quoted names and international domains included.
/// - `[account]`: an IBAN whose check digits hold (ISO 13616: mod 97 is 1); any that the word IBAN announces; a number
///   of at least six digits that a word for an account or a sort code announces.
/// - `[card]`: 13 to 19 digits whose check digit holds (ISO/IEC 7812, Luhn) and that begin as cards do; 12 to 19 that a
///   word for a card announces.
/// - `[phone]`: a number in international form (`+` or `00`), in the national forms of the United Kingdom, France,
///   Italy, Spain, Germany and North America, and any of at least five digits that a word for a telephone announces.
///
/// Prices, dates, times, sizes, weights and numbers that a word announces as a reference (`ref.`, `no.`, `Nr.`, `réf`,
/// `serial`, …) stay. Where a number could be either, it goes: a lost number costs a model nothing.
public enum Redaction {
  /// What stands in the place of what was taken out.
  public static let marks = ["[email]", "[account]", "[card]", "[phone]"]

  /// The text without what identifies a person. Redacting twice changes nothing more.
  public static func redact(_ text: String) -> String {
    var counts = RedactionCounts()
    return redact(text, counting: &counts)
  }

  /// As ``redact(_:)``, and counts what was taken out.
  public static func redact(_ text: String, counting counts: inout RedactionCounts) -> String {
    guard mayHoldSomething(text) else { return text }
    let scalars = Array(text.unicodeScalars)
    var result = String.UnicodeScalarView()
    var end = 0
    for found in findings(in: scalars) {
      result.append(contentsOf: scalars[end..<found.range.lowerBound])
      result.append(contentsOf: "[\(found.kind.rawValue)]".unicodeScalars)
      end = found.range.upperBound
      switch found.kind {
      case .email: counts.emails += 1
      case .account: counts.accounts += 1
      case .card: counts.cards += 1
      case .phone: counts.phones += 1
      }
    }
    result.append(contentsOf: scalars[end...])
    return String(result)
  }

  /// The text as a training reads it, with every word where it was: what ``redact(_:)`` would take out, and marks that
  /// stand in the text already, become as many commas as they have bytes of UTF-8.
  ///
  /// - Parameter redacts: false leaves what identifies a person, as a training without redaction does.
  static func blanked(_ text: String, redacts: Bool = true) -> String {
    var ranges: [Range<Int>] = []
    if redacts, mayHoldSomething(text) {
      let scalars = Array(text.unicodeScalars)
      var (position, bytes) = (0, 0)
      func byte(_ place: Int) -> Int {
        while position < place {
          bytes += UTF8.width(scalars[position])
          position += 1
        }
        return bytes
      }
      for found in findings(in: scalars) { ranges.append(byte(found.range.lowerBound)..<byte(found.range.upperBound)) }
    }
    guard !ranges.isEmpty || text.utf8.contains(UInt8(ascii: "[")) else { return text }
    var utf8 = Array(text.utf8)
    let comma = UInt8(ascii: ",")
    for range in ranges { for place in range { utf8[place] = comma } }
    for mark in marks.map({ Array($0.utf8) }) {
      for start in utf8.indices where utf8[start...].starts(with: mark) {
        for place in start..<start + mark.count { utf8[place] = comma }
      }
    }
    return String(decoding: utf8, as: UTF8.self)
  }

  /// What is taken out of a text.
  private enum Kind: String {
    case email, account, card, phone
  }

  /// What identifies a person, from left to right: which scalars.
  private static func findings(in scalars: [Unicode.Scalar]) -> [(range: Range<Int>, kind: Kind)] {
    var found: [(Range<Int>, Kind)] = []
    var position = 0
    // An address may begin before its @ by any length, so the addresses are known before the numbers are looked at.
    var addresses = EmailAddresses(in: scalars).ranges[...]
    while position < scalars.count {
      if let address = addresses.first, address.lowerBound == position {
        found.append((address, .email))
        position = address.upperBound
        addresses.removeFirst()
        continue
      }
      let end = addresses.first?.lowerBound ?? scalars.count
      guard let number = PersonalNumber(in: scalars, at: position, before: end) else {
        position += 1
        continue
      }
      let kind: Kind? =
        switch number.kind {
        case .account: .account
        case .card: .card
        case .phone: .phone
        case .harmless: nil
        }
      if let kind { found.append((position..<number.end, kind)) }
      position = number.end
    }
    return found
  }

  /// Most notes hold neither an @ nor five digits: they cost one pass over their bytes.
  private static func mayHoldSomething(_ text: String) -> Bool {
    var digits = 0
    for byte in text.utf8 {
      if byte == UInt8(ascii: "@") { return true }
      if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { digits += 1 }
      // Digits of other forms (full width) are not of ASCII.
      if digits >= 5 || byte == 0xEF { return true }
    }
    return false
  }
}

extension Unicode.Scalar {
  /// A decimal digit's value, full width included.
  var digit: Int? {
    switch value {
    case 0x30...0x39: Int(value - 0x30)
    case 0xFF10...0xFF19: Int(value - 0xFF10)
    default: nil
    }
  }

  var isWordPart: Bool {
    value < 0x80 ? FoldedScalars.ascii[Int(value)] != 0 : properties.isAlphabetic || properties.numericType != nil
  }

  /// A space within a line, also those that don't break.
  var isBlank: Bool {
    switch value {
    case 0x20, 0x09, 0xA0, 0x2007, 0x2009, 0x202F: true
    default: false
    }
  }

  var isHyphen: Bool { self == "-" || (0x2010...0x2015).contains(value) || value == 0x2212 }
}
