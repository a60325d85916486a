// A tensor's elements as doubles or as 64-bit integers, whatever type they are stored in.

extension Tensor {
  /// The elements as doubles in row-major order: booleans as 0 and 1, complex numbers as real and imaginary part
  /// in turn (two per element). Exact for every type but 64-bit integers, which are rounded to the nearest double.
  /// - Precondition: the elements are numbers or booleans (neither `string` nor `undefined`).
  public func doubles() -> [Double] {
    switch elementType {
    case .float, .complex64: return widened(from: Float.self) { Double($0) }
    case .double, .complex128: return widened(from: Double.self) { $0 }
    case .float16: return singles().map(Double.init)
    case .bfloat16: return singles().map(Double.init)
    case .bool: return widened(from: UInt8.self) { $0 == 0 ? 0 : 1 }
    case .uint8: return widened(from: UInt8.self) { Double($0) }
    case .int8: return widened(from: Int8.self) { Double($0) }
    case .uint16: return widened(from: UInt16.self) { Double($0) }
    case .int16: return widened(from: Int16.self) { Double($0) }
    case .uint32: return widened(from: UInt32.self) { Double($0) }
    case .int32: return widened(from: Int32.self) { Double($0) }
    case .uint64: return widened(from: UInt64.self) { Double($0) }
    case .int64: return widened(from: Int64.self) { Double($0) }
    case .uint4, .int4, .uint2, .int2: return int64s().map(Double.init)
    case .float8e8m0: return widened(from: UInt8.self) { PowerOfTwo.decode($0) }
    case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz:
      guard let format = SmallFloat(elementType) else { return [] }
      let table = (0..<256).map { format.decode($0) }
      return widened(from: UInt8.self) { table[Int($0)] }
    case .float4e2m1:
      guard let format = SmallFloat(elementType) else { return [] }
      let table = (0..<16).map { format.decode($0) }
      return codes(bits: 4).map { table[Int($0)] }
    case .string, .undefined: preconditionFailure("\(elementType) elements are not numbers")
    }
  }

  /// The elements as 64-bit integers in row-major order, exactly: booleans as 0 and 1; a `uint64` as its bit pattern,
  /// so that what passes `Int64.max` is negative here.
  /// - Precondition: the elements are integers or booleans.
  public func int64s() -> [Int64] {
    switch elementType {
    case .bool: return widened(from: UInt8.self) { $0 == 0 ? 0 : 1 }
    case .uint8: return widened(from: UInt8.self) { Int64($0) }
    case .int8: return widened(from: Int8.self) { Int64($0) }
    case .uint16: return widened(from: UInt16.self) { Int64($0) }
    case .int16: return widened(from: Int16.self) { Int64($0) }
    case .uint32: return widened(from: UInt32.self) { Int64($0) }
    case .int32: return widened(from: Int32.self) { Int64($0) }
    case .uint64: return widened(from: UInt64.self) { Int64(bitPattern: $0) }
    case .int64: return widened(from: Int64.self) { $0 }
    case .uint4: return codes(bits: 4).map(Int64.init)
    case .int4: return codes(bits: 4).map { (Int64($0) << 60) >> 60 }
    case .uint2: return codes(bits: 2).map(Int64.init)
    case .int2: return codes(bits: 2).map { (Int64($0) << 62) >> 62 }
    default: preconditionFailure("\(elementType) elements are not integers")
    }
  }

  /// The elements of a float16 or bfloat16 tensor in single precision.
  func singles() -> [Float] {
    let count = elementCount
    return [Float](unsafeUninitializedCapacity: count) { target, initialized in
      withUnsafeBytes { bytes in
        let source = bytes.bindMemory(to: UInt16.self)
        target.withMemoryRebound(to: UInt32.self) { bits in
          let bits = UnsafeMutableBufferPointer(rebasing: bits[0..<count])
          if elementType == .float16 {
            HalfPrecision.widen(source, into: bits)
          } else {
            HalfPrecision.widenBrain(source, into: bits)
          }
        }
      }
      initialized = count
    }
  }

  private func widened<Stored: BitwiseCopyable, Wide>(
    from type: Stored.Type, _ widen: (Stored) -> Wide
  ) -> [Wide] {
    withUnsafeBytes { $0.bindMemory(to: type).map(widen) }
  }

  /// Codes narrower than a byte, unpacked: the first element is in the lowest bits.
  private func codes(bits: Int) -> [UInt8] {
    let perByte = 8 / bits
    let mask = UInt8(1 << bits - 1)
    return withUnsafeBytes { bytes in
      (0..<elementCount).map { bytes[$0 / perByte] >> (($0 % perByte) * bits) & mask }
    }
  }
}
