// Damaged copies of files, the same for the same seed.

/// SplitMix64.
struct Random: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A copy with some bytes changed, taken out or doubled. The magic numbers and the footer's length stay, or the
  /// damage would be seen before anything is read.
  mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var body = Array(bytes[4..<bytes.count - 8])
    for _ in 0..<Int.random(in: 1...4, using: &self) where !body.isEmpty {
      let position = Int.random(in: body.indices, using: &self)
      switch Int.random(in: 0..<8, using: &self) {
      case 0: body[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &self)!
      case 1: body[position] &+= 1
      case 2: body[position] &-= 1
      case 3, 4: body[position] ^= 1 << UInt8.random(in: 0..<8, using: &self)
      case 5: body.remove(at: position)
      case 6: body.insert(UInt8.random(in: 0...255, using: &self), at: position)
      default: body[position] = UInt8.random(in: 0...255, using: &self)
      }
    }
    return bytes[..<4] + body + bytes[(bytes.count - 8)...]
  }
}
