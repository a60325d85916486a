// Numbers as people read them.

import Foundation

/// Numbers as text, the same in every locale.
public enum Figures {
  /// A number with so many significant digits: `0.4127`, `12.35`, `1.2e-07`; an en dash for nil.
  public static func number(_ value: Double?, digits: Int = 4) -> String {
    guard let value else { return "–" }
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "−∞" : "∞" }
    if value == 0 { return "0" }
    let exponent = floor(log10(value.magnitude))
    if exponent < -4 || exponent >= 7 { return String(format: "%.\(max(digits - 2, 0))e", value) }
    return String(format: "%.\(max(0, digits - 1 - Int(exponent)))f", value)
  }

  /// A share as percents with one decimal; an en dash for nil.
  public static func percent(_ share: Double?) -> String {
    share.map { String(format: "%.1f%%", $0 * 100) } ?? "–"
  }

  /// A whole number with separators: `1,234,567`.
  public static func count(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return value < 0 ? "-" + text : text
  }

  /// A duration: `0.8 s`, `12 s`, `3 min 5 s`, `2 h 7 min`.
  public static func duration(_ seconds: Double) -> String {
    if seconds < 10 { return String(format: "%.1f s", max(seconds, 0)) }
    let whole = Int(min(seconds.rounded(), 1e9))
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  /// A coordinate of a drawing: at most two decimals, no trailing zeros.
  static func coordinate(_ value: Double) -> String {
    var text = String(format: "%.2f", value)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : text
  }
}
