// Where an axis begins and ends, and which of its values are written beside it.

import Foundation

/// A linear axis over a range of values, with round numbers as ticks.
struct Axis {
  let range: ClosedRange<Double>
  let ticks: [Double]
  private let decimals: Int

  /// An axis that covers all finite values, with about `count` ticks at multiples of 1, 2 or 5 times a power of ten
  /// (after Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990).
  ///
  /// - Parameters:
  ///   - rounds: widens the range to the ticks around it.
  ///   - whole: ticks are whole numbers.
  init(covering values: some Sequence<Double>, count: Int, rounds: Bool, whole: Bool = false) {
    let finite = values.filter(\.isFinite)
    var low = finite.min() ?? 0
    var high = finite.max() ?? 1
    if low == high {
      let room = low == 0 ? 1 : low.magnitude * 0.1
      (low, high) = whole ? (low, low + 1) : (low - room, high + room)
    }
    let raw = (high - low) / Double(max(count, 1))
    let power = pow(10, floor(log10(raw)))
    let mantissa = raw / power
    var step = (mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10) * power
    if whole { step = max(1, step.rounded()) }
    let first = rounds ? floor(low / step) : ceil(low / step - 1e-9)
    let last = rounds ? ceil(high / step) : floor(high / step + 1e-9)
    ticks = first > last ? [low] : (0...Int(last - first)).map { (first + Double($0)) * step }
    range = rounds ? (first * step)...(last * step) : low...high
    decimals = max(0, Int(-floor(log10(step) + 1e-9)))
  }

  /// A tick's text.
  func label(_ tick: Double) -> String {
    if tick.magnitude >= 1e7 { return Figures.number(tick, digits: 3) }
    let text = String(format: "%.\(min(decimals, 9))f", tick)
    return text.allSatisfy { "-0.".contains($0) } ? text.replacingOccurrences(of: "-", with: "") : text
  }

  /// Where a value lies, 0 at the start and 1 at the end.
  func position(_ value: Double) -> Double {
    (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  }
}
