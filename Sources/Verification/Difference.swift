// How far two tensors are from each other, and where.

import Tensors

/// The largest differences between an output and what it should be.
public struct OutputDifference: Sendable, Codable, Equatable {
  /// One of the largest differences and the element that has it.
  public struct Extreme: Sendable, Codable, Equatable {
    public var value: Double
    /// The element's index along each axis.
    public var index: [Int]
    public var expected: Double
    public var found: Double
  }

  /// The output's name.
  public var name: String
  /// Elements compared.
  public var count: Int
  /// Elements outside the tolerance.
  public var mismatches: Int
  public var largestAbsolute: Extreme?
  public var largestRelative: Extreme?
  /// In units in the last place of the output's own type; only for floating-point outputs.
  public var largestULP: Extreme?
  /// Of the elements outside the tolerance, the one that is furthest outside: its difference over what is allowed.
  public var worstMismatch: Extreme?
  /// What makes the two incomparable: another type or shape, or strings that differ.
  public var problem: String?

  public var matches: Bool { problem == nil && mismatches == 0 }

  enum CodingKeys: String, CodingKey {
    case name, count, mismatches, problem
    case largestAbsolute = "largest_absolute"
    case largestRelative = "largest_relative"
    case largestULP = "largest_ulp"
    case worstMismatch = "worst_mismatch"
  }
}

/// When two numbers count as equal: `|found - expected| ≤ absolute + relative · |expected|` (NumPy's `allclose`).
/// NaN equals NaN, and an infinity only itself. Integers and booleans must be equal whatever the tolerance.
public struct Tolerance: Sendable, Codable, Equatable {
  public var relative: Double
  public var absolute: Double

  /// The defaults leave room for the order of single-precision sums over a few thousand terms and for nothing else.
  public init(relative: Double = 1e-4, absolute: Double = 1e-5) {
    self.relative = relative
    self.absolute = absolute
  }

  /// No room at all.
  public static let exact = Tolerance(relative: 0, absolute: 0)

  func accepts(_ found: Double, _ expected: Double) -> Bool {
    if found == expected || (found.isNaN && expected.isNaN) { return true }
    let difference = abs(found - expected)
    return difference.isFinite && difference <= allowance(expected)
  }

  /// How far from `expected` a number may be.
  func allowance(_ expected: Double) -> Double { absolute + relative * abs(expected) }
}

extension OutputDifference {
  /// Compares an output with what it should be, element by element.
  public init(name: String, expected: Tensor, found: Tensor, tolerance: Tolerance) {
    self.init(name: name, count: expected.elementCount, mismatches: 0)
    guard expected.elementType == found.elementType else {
      problem = "is \(found.elementType), expected \(expected.elementType)"
      return
    }
    guard expected.shape == found.shape else {
      problem = "has the shape \(found.shape), expected \(expected.shape)"
      return
    }
    guard expected.elementType != .string else {
      compareStrings(expected, found)
      return
    }
    // Integers and booleans are counted, not measured: nothing but equal will do.
    let tolerance = expected.elementType.isFloatingPoint ? tolerance : .exact
    let ulpOf = Self.ulpDistance(for: expected.elementType)
    let (expectedValues, foundValues) = (expected.doubles(), found.doubles())
    let unequal = Self.unequalIntegers(expected, found)
    for position in expectedValues.indices {
      let (wanted, value) = (expectedValues[position], foundValues[position])
      let isMismatch = !tolerance.accepts(value, wanted) || unequal.contains(position)
      let equal = value == wanted || (value.isNaN && wanted.isNaN)
      let absolute = equal ? 0 : abs(value - wanted)
      // A NaN on one side is further away than any number.
      let difference = absolute.isNaN ? .infinity : absolute
      let relative = difference == 0 ? 0 : difference / max(abs(wanted), .leastNormalMagnitude)
      func keepLarger(_ extreme: inout Extreme?, _ candidate: Double) {
        if extreme == nil || candidate > extreme!.value {
          extreme = Extreme(
            value: candidate, index: Self.index(of: position, in: expected.shape), expected: wanted, found: value)
        }
      }
      if isMismatch {
        mismatches += 1
        keepLarger(&worstMismatch, difference / max(tolerance.allowance(wanted), .leastNormalMagnitude))
      }
      keepLarger(&largestAbsolute, difference)
      keepLarger(&largestRelative, relative.isNaN ? .infinity : relative)
      if let ulpOf { keepLarger(&largestULP, equal ? 0 : ulpOf(value, wanted)) }
    }
  }

  private init(name: String, count: Int, mismatches: Int) {
    self.name = name
    self.count = count
    self.mismatches = mismatches
  }

  /// An output that is missing, or cannot be compared for another reason.
  public init(name: String, problem: String) {
    self.init(name: name, count: 0, mismatches: 0)
    self.problem = problem
  }

  /// The elements of 64-bit integers that differ though they are the same as doubles.
  private static func unequalIntegers(_ expected: Tensor, _ found: Tensor) -> Set<Int> {
    switch expected.elementType {
    case .int64: unequal(expected.elements(as: Int64.self), found.elements(as: Int64.self))
    case .uint64: unequal(expected.elements(as: UInt64.self), found.elements(as: UInt64.self))
    default: []
    }
  }

  private static func unequal<Element: Equatable>(_ a: [Element], _ b: [Element]) -> Set<Int> {
    Set(a.indices.filter { a[$0] != b[$0] })
  }

  private mutating func compareStrings(_ expected: Tensor, _ found: Tensor) {
    for (position, (wanted, text)) in zip(expected.strings, found.strings).enumerated() where wanted != text {
      mismatches += 1
      problem = problem ?? "element \(Self.index(of: position, in: expected.shape)) is '\(text)', expected '\(wanted)'"
    }
  }

  private static func index(of position: Int, in shape: Shape) -> [Int] {
    zip(shape.strides, shape).map { stride, extent in position / stride % Swift.max(extent, 1) }
  }

  /// The distance of two numbers in units in the last place of a type: how many of its numbers lie between them.
  private static func ulpDistance(for type: ElementType) -> ((Double, Double) -> Double)? {
    switch type {
    case .float: { distance(ordered(Float($0).bitPattern), ordered(Float($1).bitPattern), $0, $1) }
    case .double: { distance(ordered($0.bitPattern), ordered($1.bitPattern), $0, $1) }
    case .float16: { distance(ordered(Float16($0).bitPattern), ordered(Float16($1).bitPattern), $0, $1) }
    case .bfloat16:
      {
        distance(
          ordered(BFloat16(Float($0)).bitPattern), ordered(BFloat16(Float($1)).bitPattern), $0, $1)
      }
    default: nil
    }
  }

  private static func distance(_ a: Double, _ b: Double, _ x: Double, _ y: Double) -> Double {
    x.isNaN || y.isNaN ? .infinity : abs(a - b)
  }

  /// Maps bit patterns of sign and magnitude to a line on which neighbours differ by one.
  private static func ordered<Bits: FixedWidthInteger & UnsignedInteger>(_ bits: Bits) -> Double {
    let sign = Bits(1) << (Bits.bitWidth - 1)
    return bits & sign == 0 ? Double(bits) : -Double(bits & ~sign)
  }
}
