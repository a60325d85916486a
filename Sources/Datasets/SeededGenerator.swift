// Random numbers that are the same everywhere for the same seed: xoshiro256** 1.0, seeded by SplitMix64.

import Glibc

/// Pseudo-random numbers from a seed: the same seed gives the same numbers on every machine and in every version.
///
/// The generator is xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), its
/// state the first four outputs of SplitMix64 for the seed, as its authors advise. Use its own methods for shuffles and
/// ranges: those of the standard library may change how they draw.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Hashable, Codable {
  /// The four words that determine everything that follows: store them to continue later.
  public private(set) var state: [UInt64]

  public init(seed: UInt64) {
    var mixer = seed
    state = (0..<4).map { _ in
      mixer &+= 0x9E37_79B9_7F4A_7C15
      var word = mixer
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return word ^ (word >> 31)
    }
  }

  /// Continues where a generator with this `state` stood; nil unless it is four words, not all of them zero.
  public init?(state: [UInt64]) {
    guard state.count == 4, state.contains(where: { $0 != 0 }) else { return nil }
    self.state = state
  }

  public mutating func next() -> UInt64 {
    state.withUnsafeMutableBufferPointer { s in
      let result = Self.rotated(s[1] &* 5, by: 7) &* 9
      let shifted = s[1] << 17
      s[2] ^= s[0]
      s[3] ^= s[1]
      s[1] ^= s[2]
      s[0] ^= s[3]
      s[2] ^= shifted
      s[3] = Self.rotated(s[3], by: 45)
      return result
    }
  }

  private static func rotated(_ word: UInt64, by count: UInt64) -> UInt64 { (word << count) | (word >> (64 - count)) }

  /// A whole number from 0 to `bound - 1`, each as likely, by Lemire's multiplication ("Fast random integer generation
  /// in an interval", 2019).
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a range needs at least one number")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// A number in [0, 1): the highest 53 bits, each step as likely.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number of the standard normal distribution, by Box and Muller's transform of two uniform ones.
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// Fills memory with normal numbers of mean 0, both of each pair that Box and Muller's transform gives.
  public mutating func fillNormal(_ values: UnsafeMutableBufferPointer<Float>, standardDeviation: Double) {
    for index in stride(from: 0, to: values.count, by: 2) {
      let radius = standardDeviation * (-2 * log(1 - uniform())).squareRoot()
      let angle = 2 * Double.pi * uniform()
      values[index] = Float(radius * cos(angle))
      if index + 1 < values.count { values[index + 1] = Float(radius * sin(angle)) }
    }
  }

  /// The numbers from 0 to `count - 1` in random order, each order as likely (Fisher and Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<max(0, count))
    for last in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(last, below(last + 1)) }
    return order
  }
}
