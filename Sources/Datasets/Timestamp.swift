// Moments in time as the files and the store write them: ISO 8601, in UTC, to the microsecond.

import Glibc

/// A moment in UTC, to the microsecond.
public struct Timestamp: Sendable, Hashable, Comparable {
  /// Microseconds since 1970-01-01T00:00:00Z.
  public let microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// The present, cut to the millisecond, as a person may have to read it.
  public static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000_000 * 1_000)
  }

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
}

extension Timestamp: LosslessStringConvertible {
  /// Reads `2026-01-31`, `2026-01-31T08:30`, `2026-01-31T08:30:00.25Z` and `2026-01-31 08:30:00+02:00`.
  /// Without an offset the time is UTC; digits past the microsecond are dropped. Nil for anything else, and for a date
  /// that does not exist.
  public init?(_ text: String) {
    var text = text
    guard let timestamp = text.withUTF8({ Timestamp(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
    self = timestamp
  }

  /// The same for bytes of UTF-8.
  public init?(utf8 text: UnsafeRawBufferPointer) {
    var scanner = DigitScanner(text: text)
    guard let year = scanner.digits(4), scanner.take("-"), let month = scanner.digits(2), scanner.take("-"),
      let day = scanner.digits(2), (1...12).contains(month),
      (1...Self.dayCount(year: year, month: month)).contains(day)
    else { return nil }
    var microseconds = Self.daysSinceEpoch(year: year, month: month, day: day) * 86_400_000_000

    if scanner.take("T") || scanner.take("t") || scanner.take(" ") {
      guard let hour = scanner.digits(2), hour < 24, scanner.take(":"), let minute = scanner.digits(2), minute < 60
      else { return nil }
      microseconds += (hour * 60 + minute) * 60_000_000
      if scanner.take(":") {
        guard let second = scanner.digits(2), second <= 60 else { return nil }  // 60: a leap second
        microseconds += second * 1_000_000
        if scanner.take(".") {
          guard let fraction = scanner.fraction() else { return nil }
          microseconds += fraction
        }
      }
      if !scanner.take("Z") && !scanner.take("z") && !scanner.isAtEnd {
        guard let sign = scanner.sign(), let hours = scanner.digits(2), hours < 24 else { return nil }
        let hasColon = scanner.take(":")
        let minutes = scanner.digits(2) ?? (hasColon ? 60 : 0)
        guard minutes < 60 else { return nil }
        microseconds -= sign * (hours * 60 + minutes) * 60_000_000
      }
    }
    guard scanner.isAtEnd else { return nil }
    self.init(microseconds: Int64(microseconds))
  }

  /// ISO 8601 with `Z`, and with as many digits of the second's fraction as say something.
  public var description: String {
    let (days, inDay) = Self.floored(Int(microseconds), by: 86_400_000_000)
    let (year, month, day) = Self.date(daysSinceEpoch: days)
    let (seconds, fraction) = inDay.quotientAndRemainder(dividingBy: 1_000_000)
    var text =
      "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
      + "T\(Self.padded(seconds / 3600, 2)):\(Self.padded(seconds / 60 % 60, 2)):\(Self.padded(seconds % 60, 2))"
    if fraction > 0 {
      var digits = Self.padded(fraction, 6)
      while digits.last == "0" { digits.removeLast() }
      text += ".\(digits)"
    }
    return text + "Z"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func floored(_ number: Int, by divisor: Int) -> (quotient: Int, remainder: Int) {
    let remainder = ((number % divisor) + divisor) % divisor
    return ((number - remainder) / divisor, remainder)
  }

  private static func dayCount(year: Int, month: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  /// Days of the proleptic Gregorian calendar. The year is taken to begin in March, so that the leap day ends it, and
  /// the months' lengths then follow `(153 m + 2) / 5`; 400 years are 146,097 days.
  private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
    let marchYear = month > 2 ? year : year - 1
    let (era, yearOfEra) = floored(marchYear, by: 400)
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func date(daysSinceEpoch days: Int) -> (year: Int, month: Int, day: Int) {
    let (era, dayOfEra) = floored(days + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (
      era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1
    )
  }
}

extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let timestamp = Timestamp(text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a date in the form of ISO 8601"))
    }
    self = timestamp
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// Takes digits and separators from the front of a text.
private struct DigitScanner {
  let text: UnsafeRawBufferPointer
  var position = 0

  var isAtEnd: Bool { position == text.count }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func sign() -> Int? { take("+") ? 1 : take("-") ? -1 : nil }

  /// Exactly `count` digits.
  mutating func digits(_ count: Int) -> Int? {
    guard position + count <= text.count else { return nil }
    var number = 0
    for digit in text[position..<position + count] {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      number = number * 10 + Int(digit - UInt8(ascii: "0"))
    }
    position += count
    return number
  }

  /// The digits after the point of a second, in microseconds.
  mutating func fraction() -> Int? {
    var microseconds = 0
    var unit = 100_000
    let start = position
    while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) {
      microseconds += Int(text[position] - UInt8(ascii: "0")) * unit
      unit /= 10
      position += 1
    }
    return position > start ? microseconds : nil
  }
}
