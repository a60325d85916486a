// Moments as data files write them: numbers of some unit since 1970, or dates.

/// Seconds since 1970 from whatever stands for a moment.
enum Moments {
  /// A whole number of seconds, or of milliseconds, microseconds or nanoseconds where it has at least 12, 15 or 18
  /// digits: seconds of 12 digits would be in the year 5138. Rounded down.
  static func seconds(ofWhole number: Int64) -> Int64 {
    let unit: Int64 =
      switch number.magnitude {
      case ..<100_000_000_000: 1
      case ..<100_000_000_000_000: 1_000
      case ..<100_000_000_000_000_000: 1_000_000
      default: 1_000_000_000
      }
    return floored(number, by: unit)
  }

  /// A date in the form of ISO 8601, or a number in decimal digits.
  static func seconds(of text: String) -> Int64? {
    if let number = Int64(text) { return seconds(ofWhole: number) }
    return Timestamp(text).map { floored($0.microseconds, by: 1_000_000) }
  }

  static func floored(_ number: Int64, by divisor: Int64) -> Int64 {
    let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
