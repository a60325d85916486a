// Whole arrays between single precision and the two 16-bit formats: branch-free, so that the compiler vectorises.

enum HalfPrecision {
  /// float16 to single precision, exactly.
  ///
  /// The half's exponent and fraction land in the single's; a product with 2^112 repairs the exponent's bias and
  /// normalises subnormals; infinities and NaNs get the highest exponent.
  static func widen(_ source: UnsafeBufferPointer<UInt16>, into target: UnsafeMutableBufferPointer<UInt32>) {
    for index in 0..<source.count {
      let half = UInt32(source[index])
      let shifted = (half & 0x7FFF) << 13
      let scaled = (Float(bitPattern: shifted) * 0x1p112).bitPattern
      let special = shifted >= 0x0F80_0000
      target[index] = (special ? shifted | 0x7F80_0000 : scaled) | (half & 0x8000) << 16
    }
  }

  /// Single precision to float16: nearest, ties to even; infinity past 65504; NaN stays NaN (quiet).
  static func narrow(_ source: UnsafeBufferPointer<UInt32>, into target: UnsafeMutableBufferPointer<UInt16>) {
    for index in 0..<source.count {
      let bits = source[index]
      let magnitude = bits & 0x7FFF_FFFF
      // Normal results: rebias, then add just under half of what is cut off (half, where the last kept bit is odd).
      let normal = (magnitude &- 0x3800_0000 &+ 0x0FFF &+ ((magnitude >> 13) & 1)) >> 13
      // Subnormal results: adding 0.5 leaves the rounded units of 2^-24 in the low bits of the sum.
      let subnormal = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3F00_0000
      let finite = magnitude < 0x3880_0000 ? subnormal : normal
      // 65520 and above round to infinity.
      let large: UInt32 = magnitude > 0x7F80_0000 ? 0x7E00 | (magnitude >> 13) & 0x3FF : 0x7C00
      let code = magnitude >= 0x477F_F000 ? large : finite
      target[index] = UInt16(truncatingIfNeeded: code | (bits >> 16) & 0x8000)
    }
  }

  /// bfloat16 to single precision, exactly.
  static func widenBrain(_ source: UnsafeBufferPointer<UInt16>, into target: UnsafeMutableBufferPointer<UInt32>) {
    for index in 0..<source.count { target[index] = UInt32(source[index]) << 16 }
  }

  /// Single precision to bfloat16: nearest, ties to even; NaN stays NaN (quiet).
  static func narrowBrain(_ source: UnsafeBufferPointer<UInt32>, into target: UnsafeMutableBufferPointer<UInt16>) {
    for index in 0..<source.count {
      let bits = source[index]
      let rounded = (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16
      let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
      target[index] = UInt16(truncatingIfNeeded: isNaN ? bits >> 16 | 0x0040 : rounded)
    }
  }
}
