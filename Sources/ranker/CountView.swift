// How far a long output is: one line in a terminal that is written over, nothing elsewhere.

import Foundation
import Reports

/// Counts on standard error what was done of a known total.
final class CountView {
  private let unit: String
  private let total: Int?
  private let isShown: Bool
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var drawn: ContinuousClock.Instant
  private var done = 0

  /// Fast enough for the eye.
  private static let redrawInterval = Duration.milliseconds(100)

  init(unit: String, total: Int?, isShown: Bool) {
    self.unit = unit
    self.total = total
    self.isShown = isShown && Terminal.isError && Terminal.isCapable
    start = clock.now
    drawn = start
  }

  func advance(by count: Int = 1) {
    done += count
    guard isShown, clock.now - drawn >= Self.redrawInterval else { return }
    drawn = clock.now
    guard let total else { return write("\r\u{1B}[K\(Figures.count(done)) \(unit)") }
    let elapsed = drawn - start
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    let left = seconds / Double(done) * Double(max(total - done, 0))
    write("\r\u{1B}[K\(Figures.count(done)) of \(Figures.count(total)) \(unit), \(Figures.duration(left)) left")
  }

  /// Takes the line away.
  func clear() { if isShown { write("\r\u{1B}[K") } }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
