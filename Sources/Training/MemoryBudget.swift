// What a training may allocate, so that one that can't be is refused before it starts.

import Glibc

/// The limit of memory that a training runs under.
public enum MemoryBudget {
  /// Bytes of data that this process may allocate (`ulimit -d`, getrlimit(2)); nil where there is no limit.
  public static var limit: Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else {
      return nil
    }
    return Int(limit.rlim_cur)
  }

  /// Requires that what a training is sure to need is within the limit.
  ///
  /// - Parameters:
  ///   - bytes: what it needs at the least, by its settings and its data.
  ///   - what: that needs them: `512 factors of 1,000,000 users and 20,000 items`.
  ///   - advice: what to try.
  /// - Throws: ``MemoryShortage``.
  public static func require(_ bytes: Double, for what: String, advice: String) throws(MemoryShortage) {
    guard let limit, bytes > Double(limit) else { return }
    throw MemoryShortage(needed: bytes, limit: limit, what: what, advice: advice)
  }
}

/// A training that needs more memory than it may have.
public struct MemoryShortage: Error, Sendable, Hashable, CustomStringConvertible {
  public let needed: Double
  public let limit: Int
  public let what: String
  public let advice: String

  public var description: String {
    "\(what) need \(Int((needed / 1_000_000).rounded(.up))) MB of memory at the least, and this training may have "
      + "\(limit / 1_000_000) MB; \(advice)"
  }
}
