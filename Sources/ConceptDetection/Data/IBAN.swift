// International bank account numbers.

/// An IBAN (ISO 13616): two letters of a country, two check digits, up to 30 letters and digits, often in groups of
/// four.
enum IBAN {
  /// Behind the IBAN that begins at `position`; nil where there is none.
  ///
  /// Where no word announces it, the check digits must hold; a longer run of groups is tried from its longest beginning
  /// down, as a word may follow (`GB82 WEST 1234 5698 7654 32 thanks`).
  static func end(in text: [Unicode.Scalar], at position: Int, before limit: Int) -> Int? {
    guard position + 15 <= limit, isLetter(text[position]), isLetter(text[position + 1]) else { return nil }
    guard let checkFirst = skippingBlank(text, position + 2, limit), text[checkFirst].digit != nil,
      checkFirst + 1 < limit, text[checkFirst + 1].digit != nil
    else { return nil }
    var characters: [UInt32] = []
    // Behind which characters it could end: where a word ends.
    var ends: [(count: Int, end: Int)] = []
    var index = position
    while index < limit, characters.count < 34 {
      if let value = value(of: text[index]) {
        characters.append(value)
        index += 1
        if index == limit || !text[index].isWordPart { ends.append((characters.count, index)) }
      } else if text[index].isBlank || text[index].isHyphen, index + 1 < limit, value(of: text[index + 1]) != nil {
        index += 1
      } else {
        break
      }
    }
    let long = ends.filter { $0.count >= 15 }
    if let valid = long.last(where: { holds(Array(characters[..<$0.count])) }) { return valid.end }
    // Announced as an IBAN, mistyped: the groups up to the first that has no digit.
    guard case .account? = Announcement(before: position, in: text) else { return nil }
    return long.last { end in characters[..<end.count].suffix(4).contains { $0 < 10 } }?.end
  }

  /// The check: the first four characters moved to the end, letters as 10 to 35, the whole number mod 97 is 1.
  static func holds(_ characters: [UInt32]) -> Bool {
    let remainder = (characters[4...] + characters[..<4]).reduce(UInt32(0)) { remainder, value in
      (remainder * (value < 10 ? 10 : 100) + value) % 97
    }
    return remainder == 1
  }

  private static func skippingBlank(_ text: [Unicode.Scalar], _ index: Int, _ limit: Int) -> Int? {
    let behind = text[index].isBlank ? index + 1 : index
    return behind < limit ? behind : nil
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    ("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar)
  }

  private static func value(of scalar: Unicode.Scalar) -> UInt32? {
    switch scalar.value {
    case 0x30...0x39: scalar.value - 0x30
    case 0x41...0x5A: scalar.value - 0x41 + 10
    case 0x61...0x7A: scalar.value - 0x61 + 10
    default: nil
    }
  }
}
