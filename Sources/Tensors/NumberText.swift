// Numbers as text and back, by the rules of ONNX's Cast.

/// Text of numbers. Shortest digits that read back as the same number, laid out as numpy and Python print them:
/// plain from 1e-4 up to 1e16 (`0.5`, `100.0`), scientific outside (`1e-05`), `nan`, `inf`, `-inf`.
enum NumberText {
  static func text(_ value: Double) -> String { layOut(value.description, value) }
  static func text(_ value: Float) -> String { layOut(value.description, Double(value)) }
  static func text(_ value: Float16) -> String { layOut(Float(value) == 0 ? "0.0" : value.description, Double(value)) }

  /// Takes the digits and the exponent out of Swift's shortest description and sets the point anew,
  /// because Swift turns to scientific notation at other bounds.
  private static func layOut(_ description: String, _ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    let sign = value.sign == .minus ? "-" : ""
    guard value != 0 else { return sign + "0.0" }
    let parts = description.drop { $0 == "-" }.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    var digits = Array(mantissa[0]) + (mantissa.count > 1 ? Array(mantissa[1]) : [])
    exponent += mantissa[0].count - 1
    while digits.count > 1, digits[0] == "0" {
      digits.removeFirst()
      exponent -= 1
    }
    while digits.count > 1, digits.last == "0" { digits.removeLast() }

    if exponent < -4 || exponent >= 16 {
      let fraction = digits.count > 1 ? "." + String(digits[1...]) : ""
      let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
      return sign + String(digits[0]) + fraction + "e" + (exponent < 0 ? "-" : "+") + size
    }
    if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + String(digits) }
    if digits.count <= exponent + 1 {
      return sign + String(digits) + String(repeating: "0", count: exponent + 1 - digits.count) + ".0"
    }
    return sign + String(digits[...exponent]) + "." + String(digits[(exponent + 1)...])
  }

  /// The number that a text stands for: plain or scientific decimals, `INF`, `+INF`, `-INF` and `NaN` in any case.
  static func double(_ text: String) -> Double? {
    switch text.lowercased() {
    case "inf", "+inf": return .infinity
    case "-inf": return -.infinity
    case "nan": return .nan
    default:
      let allowed = text.utf8.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")]
            .contains(byte)
      }
      return allowed ? Double(text) : nil
    }
  }
}
