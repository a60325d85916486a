// Random numbers by position: any of them can be drawn alone, so that what a sample draws hangs on nothing else.

import Glibc

/// A stream of random words, each a hash of the stream's key and the word's position.
///
/// The hash is SplitMix64's (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): three
/// multiplications a word, and it passes the usual batteries of tests.
struct NoiseStream: Sendable, Hashable {
  private let key: UInt64
  private var position: UInt64 = 0

  init(key: UInt64) { self.key = Self.mixed(key &+ Self.increment) }

  /// The stream of a place (an epoch, a sample) below another one.
  init(key: UInt64, _ place: UInt64) { self.init(key: Self.mixed(key) ^ (place &* Self.increment)) }

  private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

  @inline(__always)
  static func mixed(_ word: UInt64) -> UInt64 {
    var word = word
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// The word at a position.
  @inline(__always)
  subscript(position: UInt64) -> UInt64 { Self.mixed(key &+ (position &+ 1) &* Self.increment) }

  @inline(__always)
  mutating func next() -> UInt64 {
    defer { position &+= 1 }
    return self[position]
  }

  /// A whole number from 0 to `bound - 1`: the word's share of the range. With bounds below 2³², no number is more likely
  /// than another by more than 2⁻³².
  @inline(__always)
  static func scaled(_ word: UInt64, below bound: Int) -> Int {
    Int(truncatingIfNeeded: word.multipliedFullWidth(by: UInt64(truncatingIfNeeded: bound)).high)
  }

  /// Fills with numbers uniform in `±bound`.
  mutating func fillUniform(_ values: UnsafeMutableBufferPointer<Float>, bound: Float) {
    // The highest 24 bits: as many steps as single precision has in [0, 1), each as likely.
    for index in values.indices { values[index] = (Float(next() >> 40) * 0x1p-23 - 1) * bound }
  }

  /// Fills with numbers of a normal distribution around 0 (Box and Muller, 1958).
  mutating func fillNormal(_ values: UnsafeMutableBufferPointer<Float>, deviation: Float) {
    for index in stride(from: 0, to: values.count, by: 2) {
      let word = next()
      // In (0, 1], so that the logarithm is finite.
      let radius = (-2 * logf(Float((word >> 40) + 1) * 0x1p-24)).squareRoot() * deviation
      let angle = Float(word & 0xFF_FFFF) * (0x1p-23 * Float.pi)
      values[index] = radius * cosf(angle)
      if index + 1 < values.count { values[index + 1] = radius * sinf(angle) }
    }
  }
}
