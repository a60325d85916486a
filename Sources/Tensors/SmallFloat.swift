// Floating-point formats of 16 bits and fewer, decoded to and encoded from double precision.

/// A binary floating-point format: sign, exponent, fraction, and what its highest codes mean.
struct SmallFloat: Sendable {
  /// How the format spends the codes that IEEE 754 gives to infinity and NaN.
  enum Specials: Sendable {
    /// Infinity and NaN as in IEEE 754.
    case ieee
    /// "FN": no infinity; all ones is NaN.
    case nanOnly
    /// "FNUZ": no infinity, no negative zero; the code of negative zero is NaN.
    case negativeZeroIsNaN
    /// Every code is a finite number.
    case none
  }

  let exponentBits: Int
  let fractionBits: Int
  let bias: Int
  let specials: Specials

  static let float16 = SmallFloat(exponentBits: 5, fractionBits: 10, bias: 15, specials: .ieee)
  static let bfloat16 = SmallFloat(exponentBits: 8, fractionBits: 7, bias: 127, specials: .ieee)

  /// The formats of at most 8 bits, apart from `float8e8m0`, which has neither sign nor fraction.
  init?(_ elementType: ElementType) {
    switch elementType {
    case .float8e4m3fn: self.init(exponentBits: 4, fractionBits: 3, bias: 7, specials: .nanOnly)
    case .float8e4m3fnuz: self.init(exponentBits: 4, fractionBits: 3, bias: 8, specials: .negativeZeroIsNaN)
    case .float8e5m2: self.init(exponentBits: 5, fractionBits: 2, bias: 15, specials: .ieee)
    case .float8e5m2fnuz: self.init(exponentBits: 5, fractionBits: 2, bias: 16, specials: .negativeZeroIsNaN)
    case .float4e2m1: self.init(exponentBits: 2, fractionBits: 1, bias: 1, specials: .none)
    default: return nil
    }
  }

  private init(exponentBits: Int, fractionBits: Int, bias: Int, specials: Specials) {
    self.exponentBits = exponentBits
    self.fractionBits = fractionBits
    self.bias = bias
    self.specials = specials
  }

  private var signBit: UInt16 { 1 << (exponentBits + fractionBits) }
  private var allOnes: UInt16 { signBit - 1 }
  private var infinity: UInt16 { ((1 << exponentBits) - 1) << fractionBits }

  /// The code of the largest finite number.
  private var largest: UInt16 {
    switch specials {
    case .ieee: infinity - 1
    case .nanOnly: allOnes - 1
    case .negativeZeroIsNaN, .none: allOnes
    }
  }

  /// The code of NaN. A format without one gives its largest number, as ONNX's page on `float4e2m1` says.
  private var nan: UInt16 {
    switch specials {
    case .ieee: infinity | (1 << (fractionBits - 1))
    case .nanOnly, .none: allOnes
    case .negativeZeroIsNaN: signBit
    }
  }

  /// The number that a code stands for, exactly.
  func decode(_ code: UInt16) -> Double {
    let magnitude = code & allOnes
    let negative = code & signBit != 0
    switch specials {
    case .ieee where magnitude >= infinity:
      return magnitude > infinity ? .nan : negative ? -.infinity : .infinity
    case .nanOnly where magnitude == allOnes: return .nan
    case .negativeZeroIsNaN where code == signBit: return .nan
    default: break
    }
    let biased = Int(magnitude >> fractionBits)
    let fraction = Int(magnitude & ((1 << fractionBits) - 1))
    let significand = Double(biased == 0 ? fraction : fraction + (1 << fractionBits))
    let value = Double(sign: .plus, exponent: Swift.max(biased, 1) - bias - fractionBits, significand: significand)
    return negative ? -value : value
  }

  /// The code of the nearest number, ties to even.
  ///
  /// - Parameter saturate: what passes the largest number becomes the largest number (infinity too);
  ///   otherwise infinity where the format has it, else NaN.
  /// - Note: for the two formats without infinity or negative zero, ONNX's table for Cast sends a saturated infinity
  ///   to NaN, while ONNX's own conversion, its node tests and other runtimes send it to the largest number.
  ///   This follows the tests.
  func encode(_ value: Double, saturate: Bool) -> UInt16 {
    guard !value.isNaN else { return nan }
    let sign = value.sign == .minus ? signBit : 0
    guard value != 0 else { return specials == .negativeZeroIsNaN ? 0 : sign }
    guard value.isFinite else { return overflow(sign, saturate) }
    let exponent = Swift.max(Int(value.exponent), 1 - bias)
    // In units of the last place: an integer below 2^(fractionBits + 1), rounded once.
    let units = Double(sign: .plus, exponent: fractionBits - exponent, significand: value.magnitude)
      .rounded(.toNearestOrEven)
    // A subnormal has the exponent 1 - bias, so that the sum below is the code in every case, carries too.
    let code = (exponent + bias - 1) << fractionBits + Int(units)
    guard code <= Int(largest) else { return overflow(sign, saturate) }
    return code == 0 && specials == .negativeZeroIsNaN ? 0 : sign | UInt16(code)
  }

  private func overflow(_ sign: UInt16, _ saturate: Bool) -> UInt16 {
    if saturate || specials == .none { return sign | largest }
    return specials == .ieee ? sign | infinity : nan
  }
}

/// `float8e8m0`: a power of two, `2^(code - 127)`; 255 is NaN. It has neither sign nor zero.
enum PowerOfTwo {
  static func decode(_ code: UInt8) -> Double {
    code == 255 ? .nan : Double(sign: .plus, exponent: Int(code) - 127, significand: 1)
  }

  /// The code of the smallest power of two that is not below the magnitude (ONNX's default, `round_mode = "up"`).
  /// Infinity and NaN become NaN; what passes 2^127 becomes 2^127 or, without `saturate`, NaN.
  static func encode(_ value: Double, saturate: Bool) -> UInt8 {
    guard value.isFinite else { return 255 }
    guard value != 0 else { return 0 }
    let exponent = Int(value.exponent) + (value.significand == 1 ? 0 : 1) + 127
    return exponent > 254 ? (saturate ? 254 : 255) : UInt8(Swift.max(exponent, 0))
  }
}
