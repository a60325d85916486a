// How much an interaction counts: less, the older it is.

import Glibc

extension Interactions {
  /// The interactions with strengths that halve every so many days, counted back from the latest interaction:
  /// `strength · 2^(-age / halfLife)`. Nil where there are no times.
  ///
  /// Two interactions keep their order whatever comes later, since all shrink by one factor.
  public func decayed(halfLifeInDays halfLife: Double) -> Interactions? {
    guard let timestamps else { return nil }
    var decayed = self
    guard let latest = timestamps.max() else { return decayed }
    for (row, time) in timestamps.enumerated() {
      // As numbers: the difference of two extreme times may leave the integers.
      let days = (Double(latest) - Double(time)) / 86_400
      let strength = Float(Double(strengths[row]) * exp2(-days / halfLife))
      decayed.strengths[row] = max(strength, .leastNormalMagnitude)
    }
    return decayed
  }
}
