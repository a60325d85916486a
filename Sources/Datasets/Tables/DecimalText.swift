// Numbers from their digits, quickly where they are short.

import Glibc

enum DecimalText {
  /// A decimal number with an optional sign, fraction and exponent, and nothing else: no `nan`, `inf` or hexadecimal.
  /// Correctly rounded.
  static func double(_ text: UnsafeRawBufferPointer) -> Double? {
    var position = 0
    let isNegative = text.first == UInt8(ascii: "-")
    if isNegative || text.first == UInt8(ascii: "+") { position = 1 }
    var mantissa: UInt64 = 0
    var digitCount = 0
    var fractionDigits = 0
    var hasPoint = false
    while position < text.count {
      let byte = text[position]
      if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
        mantissa = mantissa &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
        digitCount += 1
        if hasPoint { fractionDigits += 1 }
      } else if byte == UInt8(ascii: "."), !hasPoint {
        hasPoint = true
      } else {
        break
      }
      position += 1
    }
    guard digitCount > 0 else { return nil }
    if position == text.count, digitCount <= 15 {
      // Both are exact as doubles, so their quotient is rounded once (Clinger 1990).
      let value = Double(mantissa) / powersOfTen[fractionDigits]
      return isNegative ? -value : value
    }
    if position < text.count {
      guard text[position] | 0x20 == UInt8(ascii: "e") else { return nil }
      position += 1
      if position < text.count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
        position += 1
      }
      let digits = text[position...]
      guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
        return nil
      }
    }
    return String(decoding: text, as: UTF8.self).withCString { strtod($0, nil) }
  }

  /// A whole number with an optional sign that 64 bits hold.
  static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
    var position = 0
    let isNegative = text.first == UInt8(ascii: "-")
    if isNegative || text.first == UInt8(ascii: "+") { position = 1 }
    guard position < text.count else { return nil }
    var value: Int64 = 0
    while position < text.count {
      let digit = text[position] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      let (next, carry) = shifted.subtractingReportingOverflow(Int64(digit))
      guard !overflow, !carry else { return nil }
      value = next  // negative throughout, as there is one negative number more
      position += 1
    }
    return isNegative ? value : value == .min ? nil : -value
  }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
  ]
}
