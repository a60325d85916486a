// Tensors of any numeric type made from doubles or from 64-bit integers.

extension Tensor {
  /// A tensor of doubles converted to `elementType` as ONNX's Cast converts them:
  ///
  /// - to floating point: nearest, ties to even, infinity past the range; float8 and float4 by `saturate`;
  /// - to integers of 8 bits and more: towards zero; to narrower ones: nearest, ties to even, as ONNX's own
  ///   conversion does. Cast leaves what is out of range undefined; here it becomes the nearest bound, and NaN 0;
  /// - to booleans: false for 0 and -0, true for all else.
  ///
  /// - Parameter saturate: for float8 types, whether what passes the largest number becomes the largest number
  ///   or else infinity or NaN.
  /// - Precondition: there are as many values as the shape has elements (complex: two per element, real part first),
  ///   and the type is neither `string` nor `undefined`.
  public init(doubles: [Double], shape: Shape, elementType: ElementType, saturate: Bool = true) {
    let perElement = elementType == .complex64 || elementType == .complex128 ? 2 : 1
    precondition(
      doubles.count == shape.elementCount * perElement, "\(doubles.count) values for \(elementType)\(shape)")
    self.init(uninitialized: shape, elementType: elementType) { bytes in
      switch elementType {
      case .float, .complex64: Self.fill(bytes, doubles) { Float($0) }
      case .double, .complex128: Self.fill(bytes, doubles) { $0 }
      case .float16: Self.fill(bytes, doubles) { SmallFloat.float16.encode($0, saturate: false) }
      case .bfloat16: Self.fill(bytes, doubles) { SmallFloat.bfloat16.encode($0, saturate: false) }
      case .bool: Self.fill(bytes, doubles) { UInt8($0 == 0 ? 0 : 1) }
      case .uint8: Self.fill(bytes, doubles) { Self.truncated($0, to: UInt8.self) }
      case .int8: Self.fill(bytes, doubles) { Self.truncated($0, to: Int8.self) }
      case .uint16: Self.fill(bytes, doubles) { Self.truncated($0, to: UInt16.self) }
      case .int16: Self.fill(bytes, doubles) { Self.truncated($0, to: Int16.self) }
      case .uint32: Self.fill(bytes, doubles) { Self.truncated($0, to: UInt32.self) }
      case .int32: Self.fill(bytes, doubles) { Self.truncated($0, to: Int32.self) }
      case .uint64: Self.fill(bytes, doubles) { Self.truncated($0, to: UInt64.self) }
      case .int64: Self.fill(bytes, doubles) { Self.truncated($0, to: Int64.self) }
      case .uint4: Self.pack(bytes, doubles.map { Self.rounded($0, 0...15) }, bits: 4)
      case .int4: Self.pack(bytes, doubles.map { Self.rounded($0, -8...7) }, bits: 4)
      case .uint2: Self.pack(bytes, doubles.map { Self.rounded($0, 0...3) }, bits: 2)
      case .int2: Self.pack(bytes, doubles.map { Self.rounded($0, -2...1) }, bits: 2)
      case .float8e8m0: Self.fill(bytes, doubles) { PowerOfTwo.encode($0, saturate: saturate) }
      case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz:
        guard let format = SmallFloat(elementType) else { return }
        Self.fill(bytes, doubles) { UInt8(format.encode($0, saturate: saturate)) }
      case .float4e2m1:
        guard let format = SmallFloat(elementType) else { return }
        Self.pack(bytes, doubles.map { UInt8(format.encode($0, saturate: saturate)) }, bits: 4)
      case .string, .undefined: preconditionFailure("\(elementType) elements are not numbers")
      }
    }
  }

  /// A tensor of integers converted to `elementType` as ONNX's Cast converts them: to integers by dropping the
  /// higher bits (200 becomes -56 as `int8`), to floating point by rounding to the nearest, ties to even,
  /// to booleans by comparing with 0.
  ///
  /// - Parameter unsigned: the values are bit patterns of `uint64`.
  /// - Precondition: there are as many values as the shape has elements, and the type is a real number or boolean.
  public init(
    int64s: [Int64], shape: Shape, elementType: ElementType, unsigned: Bool = false, saturate: Bool = true
  ) {
    precondition(int64s.count == shape.elementCount, "\(int64s.count) values for \(elementType)\(shape)")
    switch elementType {
    case .float:
      self.init(
        int64s.map { unsigned ? Float(UInt64(bitPattern: $0)) : Float($0) }, shape: shape)
      return
    case _ where !elementType.isInteger && elementType != .bool:
      let exact = elementType == .double
      let wide = int64s.map { value -> Double in
        let magnitude = unsigned ? UInt64(bitPattern: value) : value.magnitude
        let double = exact ? Double(magnitude) : Self.roundedToOdd(magnitude)
        return !unsigned && value < 0 ? -double : double
      }
      self.init(doubles: wide, shape: shape, elementType: elementType, saturate: saturate)
      return
    default: break
    }
    self.init(uninitialized: shape, elementType: elementType) { bytes in
      switch elementType {
      case .bool: Self.fill(bytes, int64s) { UInt8($0 == 0 ? 0 : 1) }
      case .uint8, .int8: Self.fill(bytes, int64s) { UInt8(truncatingIfNeeded: $0) }
      case .uint16, .int16: Self.fill(bytes, int64s) { UInt16(truncatingIfNeeded: $0) }
      case .uint32, .int32: Self.fill(bytes, int64s) { UInt32(truncatingIfNeeded: $0) }
      case .uint4, .int4: Self.pack(bytes, int64s.map { UInt8(truncatingIfNeeded: $0) & 15 }, bits: 4)
      case .uint2, .int2: Self.pack(bytes, int64s.map { UInt8(truncatingIfNeeded: $0) & 3 }, bits: 2)
      default: Self.fill(bytes, int64s) { $0 }
      }
    }
  }

  private static func fill<Wide, Stored: BitwiseCopyable>(
    _ bytes: UnsafeMutableRawBufferPointer, _ values: [Wide], _ narrow: (Wide) -> Stored
  ) {
    let target = bytes.bindMemory(to: Stored.self)
    for index in values.indices { target[index] = narrow(values[index]) }
  }

  private static func pack(_ bytes: UnsafeMutableRawBufferPointer, _ codes: [UInt8], bits: Int) {
    let perByte = 8 / bits
    for index in bytes.indices { bytes[index] = 0 }
    for (index, code) in codes.enumerated() { bytes[index / perByte] |= code << ((index % perByte) * bits) }
  }

  private static func truncated<Integer: FixedWidthInteger>(_ value: Double, to type: Integer.Type) -> Integer {
    let whole = value.rounded(.towardZero)
    return Integer(exactly: whole) ?? (value.isNaN ? 0 : value < 0 ? .min : .max)
  }

  /// The nearest integer within narrow bounds, as a code of two's complement.
  private static func rounded(_ value: Double, _ bounds: ClosedRange<Int>) -> UInt8 {
    guard !value.isNaN else { return 0 }
    let nearest = value.rounded(.toNearestOrEven)
    let whole = Int(Swift.min(Swift.max(nearest, Double(bounds.lowerBound)), Double(bounds.upperBound)))
    return UInt8(truncatingIfNeeded: whole & (bounds.upperBound - bounds.lowerBound))
  }

  /// An integer as a double whose last bit says whether anything was cut off, so that rounding it once more
  /// to a narrower format rounds as if from the integer itself.
  private static func roundedToOdd(_ value: UInt64) -> Double {
    let surplus = Swift.max(0, 64 - 53 - value.leadingZeroBitCount)
    guard surplus > 0 else { return Double(value) }
    let kept = value >> surplus
    let sticky: UInt64 = kept << surplus == value ? 0 : 1
    return Double((kept | sticky) << surplus)
  }
}
