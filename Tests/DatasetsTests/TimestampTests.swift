// Moments as text.

import Datasets
import Foundation
import Testing

@Suite("Timestamps")
struct TimestampTests {
  @Test(
    "the forms of ISO 8601 that files hold are read",
    arguments: [
      ("2026-01-31", "2026-01-31T00:00:00Z"), ("2026-01-31T08:30", "2026-01-31T08:30:00Z"),
      ("2026-01-31 08:30:15.250000", "2026-01-31T08:30:15.25Z"),
      ("2026-01-31T08:30:00+02:00", "2026-01-31T06:30:00Z"), ("2026-01-31T23:30:00-0130", "2026-02-01T01:00:00Z"),
      ("2024-02-29T00:00:00z", "2024-02-29T00:00:00Z"), ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
      ("0000-01-01", "0000-01-01T00:00:00Z"), ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"),
    ])
  func read(_ text: String, _ written: String) throws {
    #expect(Timestamp(text)?.description == written)
  }

  @Test(
    "what is no date is refused",
    arguments: [
      "", "yesterday", "2026-13-01", "2026-02-29", "1900-02-29", "2026-01-00", "2026-01-01T24:00", "2026-01-01T10",
      "2026-01-01T10:00:61", "2026-01-01T10:00:00.", "2026-01-01T10:00+2:00", "2026-01-01T10:00:00Zjunk", "2026-1-1",
      "２０２６-01-01", "2026-01-01T10:00+",
    ])
  func refuse(_ text: String) {
    #expect(Timestamp(text) == nil)
  }

  // Foundation goes over to the Julian calendar before 1582; ISO 8601 does not.
  @Test("dates of eight thousand years agree with Foundation's calendar")
  func calendar() throws {
    let format = Date.ISO8601FormatStyle()
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<2_000 {
      let seconds = generator.below(250_000_000_000) - 11_676_096_000  // from 1600 on
      let text = Timestamp(microseconds: Int64(seconds) * 1_000_000).description
      #expect(text == Date(timeIntervalSince1970: Double(seconds)).formatted(format))
      #expect(Timestamp(text)?.microseconds == Int64(seconds) * 1_000_000)
    }
  }
}
