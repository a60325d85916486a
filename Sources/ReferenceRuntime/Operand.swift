// A tensor inside the reference runtime: elements in a wide form, under the type that the graph declares.

import ONNX
import Tensors

/// A tensor while it flows between nodes.
///
/// Floating-point elements are doubles whatever their declared type: they are rounded to that type when they leave the
/// graph or when a Cast says so, never between. Integers and booleans (0 and 1) are exact mathematical values that
/// every operator brings back into the range of their type.
struct Operand: Sendable {
  enum Elements: Sendable {
    case floats([Double])
    case integers([Int128])
    case strings([ByteString])
  }

  var shape: Shape
  let elementType: ElementType
  var elements: Elements

  /// Floating-point elements.
  init(_ floats: [Double], _ shape: Shape, _ elementType: ElementType) {
    self.shape = shape
    self.elementType = elementType
    elements = .floats(floats)
  }

  /// Integers or booleans, within the range of their type.
  init(integers: [Int128], _ shape: Shape, _ elementType: ElementType) {
    self.shape = shape
    self.elementType = elementType
    elements = .integers(integers)
  }

  init(indices: [Int], _ shape: Shape, _ elementType: ElementType = .int64) {
    self.init(integers: indices.map { Int128($0) }, shape, elementType)
  }

  init(booleans: [Bool], _ shape: Shape) {
    self.init(integers: booleans.map { $0 ? 1 : 0 }, shape, .bool)
  }

  init(strings: [ByteString], _ shape: Shape) {
    self.shape = shape
    elementType = .string
    elements = .strings(strings)
  }

  /// The elements of another operand under a new shape.
  init(_ elements: Elements, _ shape: Shape, _ elementType: ElementType) {
    self.shape = shape
    self.elementType = elementType
    self.elements = elements
  }

  var count: Int {
    switch elements {
    case .floats(let values): values.count
    case .integers(let values): values.count
    case .strings(let values): values.count
    }
  }

  var rank: Int { shape.rank }

  /// The type and shape as messages show them: `float[2, 3]`.
  var summary: String { "\(elementType)\(shape)" }

  func reshaped(_ shape: Shape) -> Operand { Operand(elements, shape, elementType) }

  /// The elements at flat positions, under a new shape; at a negative position, the only element of `filler`.
  func picking(_ positions: [Int], _ shape: Shape, filler: Operand? = nil) -> Operand {
    func pick<Element>(_ values: [Element], _ filler: Element?) -> [Element] {
      guard let filler else { return positions.map { values[$0] } }
      return positions.map { $0 < 0 ? filler : values[$0] }
    }
    switch (elements, filler?.elements) {
    case (.floats(let values), .floats(let fill)?): return Operand(pick(values, fill[0]), shape, elementType)
    case (.integers(let values), .integers(let fill)?):
      return Operand(integers: pick(values, fill[0]), shape, elementType)
    case (.strings(let values), .strings(let fill)?): return Operand(strings: pick(values, fill[0]), shape)
    case (.floats(let values), _): return Operand(pick(values, nil), shape, elementType)
    case (.integers(let values), _): return Operand(integers: pick(values, nil), shape, elementType)
    case (.strings(let values), _): return Operand(strings: pick(values, nil), shape)
    }
  }

  /// The elements of several operands of one type, one operand after the other.
  static func joined(_ parts: [Operand], _ shape: Shape, _ elementType: ElementType) -> Operand {
    var (floats, integers, strings): ([Double], [Int128], [ByteString]) = ([], [], [])
    for part in parts {
      switch part.elements {
      case .floats(let values): floats += values
      case .integers(let values): integers += values
      case .strings(let values): strings += values
      }
    }
    if elementType == .string { return Operand(strings: strings, shape) }
    return elementType.isFloatingPoint
      ? Operand(floats, shape, elementType) : Operand(integers: integers, shape, elementType)
  }

  /// One zero (or empty string) of a type, without axes.
  static func zero(_ elementType: ElementType) -> Operand {
    if elementType == .string { return Operand(strings: [""], .scalar) }
    return elementType.isFloatingPoint
      ? Operand([0], .scalar, elementType) : Operand(integers: [0], .scalar, elementType)
  }
}

extension Operand {
  /// The wide form of a tensor, or nil for the types that nothing here computes with (complex, undefined)
  /// and for shapes past `Call.maximumElements`.
  init?(_ tensor: Tensor) {
    guard tensor.shape.isManageable else { return nil }
    switch tensor.elementType {
    case .complex64, .complex128, .undefined: return nil
    case .string: self.init(strings: tensor.strings, tensor.shape)
    case .uint64:
      self.init(integers: tensor.int64s().map { Int128(UInt64(bitPattern: $0)) }, tensor.shape, .uint64)
    case let type where type.isFloatingPoint: self.init(tensor.doubles(), tensor.shape, type)
    default: self.init(integers: tensor.int64s().map { Int128($0) }, tensor.shape, tensor.elementType)
    }
  }

  /// The tensor of the declared type, rounded now.
  func tensor(saturate: Bool = true) -> Tensor {
    switch elements {
    case .floats(let values):
      Tensor(doubles: values, shape: shape, elementType: elementType, saturate: saturate)
    case .integers(let values):
      Tensor(int64s: values.map { Int64(truncatingIfNeeded: $0) }, shape: shape, elementType: elementType)
    case .strings(let values): Tensor(strings: values, shape: shape)
    }
  }

  /// The elements rounded to the precision of their declared type, still in wide form. For operators that jump
  /// (comparisons, floors, orderings): what the declared type can't tell apart is equal.
  var rounded: Operand {
    guard case .floats(let values) = elements, elementType != .double else { return self }
    return Operand(
      Tensor(doubles: values, shape: shape, elementType: elementType).doubles(), shape, elementType)
  }
}

extension ElementType {
  /// An integer brought into this type's range by dropping higher bits, as two's complement does.
  func wrap(_ value: Int128) -> Int128 {
    switch self {
    case .bool: value == 0 ? 0 : 1
    case .uint8: Int128(UInt8(truncatingIfNeeded: value))
    case .int8: Int128(Int8(truncatingIfNeeded: value))
    case .uint16: Int128(UInt16(truncatingIfNeeded: value))
    case .int16: Int128(Int16(truncatingIfNeeded: value))
    case .uint32: Int128(UInt32(truncatingIfNeeded: value))
    case .int32: Int128(Int32(truncatingIfNeeded: value))
    case .uint64: Int128(UInt64(truncatingIfNeeded: value))
    case .uint4: value & 15
    case .uint2: value & 3
    case .int4: (value & 15) - (value & 8 != 0 ? 16 : 0)
    case .int2: (value & 3) - (value & 2 != 0 ? 4 : 0)
    default: Int128(Int64(truncatingIfNeeded: value))
    }
  }

  /// The smallest and largest integer of this type; 0 and 0 where it is no integer.
  var integerBounds: (lowest: Int128, highest: Int128) {
    guard isInteger, let bits = bitWidth else { return (0, 0) }
    let signed = wrap(-1) == -1
    return signed ? (-(1 << (bits - 1)), 1 << (bits - 1) - 1) : (0, 1 << bits - 1)
  }

  /// A number brought into this type's range by going to the nearer bound.
  func saturated(_ value: Int128) -> Int128 {
    let (lowest, highest) = integerBounds
    return Swift.min(Swift.max(value, lowest), highest)
  }

  /// A double as an integer of this type: towards zero, the nearer bound where it is out of range, 0 for NaN.
  func truncated(_ value: Double) -> Int128 {
    let (lowest, highest) = integerBounds
    if value.isNaN { return 0 }
    if value <= Double(lowest) { return lowest }
    if value >= Double(highest) { return highest }
    return Int128(value.rounded(.towardZero))
  }

  /// The largest finite number of a floating-point type.
  var largestFinite: Double {
    switch self {
    case .double: .greatestFiniteMagnitude
    case .float: Double(Float.greatestFiniteMagnitude)
    default: Tensor(doubles: [1e300], shape: .scalar, elementType: self, saturate: true).doubles()[0]
    }
  }
}
