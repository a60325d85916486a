// How often each account may ask.

import Synchronization

/// Token buckets, one an account: each holds a minute's worth of requests, and fills again evenly.
///
/// Source: the algorithm of RFC 2697 with one rate and one burst.
final class RateLimit: Sendable {
  private struct Bucket {
    /// Requests that may be made at once.
    var level: Double
    var filledAt: ContinuousClock.Instant
  }

  private let perMinute: Double
  private let buckets = Mutex<[Int64: Bucket]>([:])

  /// - Parameter perMinute: 0 for no limit.
  init(perMinute: Int) { self.perMinute = Double(perMinute) }

  /// Takes a request out of an account's bucket.
  /// - Returns: nil where it may be made; otherwise how many whole seconds to wait.
  func take(_ account: Int64, at now: ContinuousClock.Instant = .now) -> Int? {
    guard perMinute > 0 else { return nil }
    return buckets.withLock { buckets in
      var bucket = buckets[account] ?? Bucket(level: perMinute, filledAt: now)
      let passed = now - bucket.filledAt
      bucket.level = min(perMinute, bucket.level + perMinute / 60 * Double(passed.milliseconds) / 1000)
      bucket.filledAt = now
      defer { buckets[account] = bucket }
      guard bucket.level < 1 else {
        bucket.level -= 1
        return nil
      }
      return max(1, Int(((1 - bucket.level) / (perMinute / 60)).rounded(.up)))
    }
  }
}
