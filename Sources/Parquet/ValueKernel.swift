// From the values of a column as the file has them to those of a Swift type, a block at a time.

/// A stretch of bytes inside a buffer.
struct Slice {
  var offset: Int
  var count: Int
}

/// How the values of one column become those of one Swift type.
struct ValueKernel: Sendable {
  /// Converts packed values of the column's physical width. Returns the index of one that has no equal, if any.
  typealias Convert =
    @Sendable (_ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer) -> Int?
  /// The same for byte arrays, which lie at slices of `base`.
  typealias ConvertSlices =
    @Sendable (
      _ base: UnsafeRawPointer, _ slices: UnsafePointer<Slice>, _ count: Int, _ target: UnsafeMutableRawPointer
    ) -> Int?

  let movement: Movement
  /// Nil for byte arrays.
  var convert: Convert?
  var convertSlices: ConvertSlices?
  /// Whether `convert` only copies, so that values may be decoded into their place at once.
  var isCopy = false
  /// What a value without an equal is to be told of.
  var wanted = ""

  /// Nil where the kind could lose something of the column's type, or has nothing to do with it.
  init?(_ kind: ParquetValueKind, _ field: ParquetField) {
    movement = kind.movement
    switch (kind.kind, field.physicalType) {
    case (.boolean, .boolean):
      copy(1)
    case (.integer(let bits, let isSigned), .int32), (.integer(let bits, let isSigned), .int64):
      guard fits(field.integerRange, bits, isSigned) else { return nil }
      convertIntegers(field, bits, isSigned)
    case (.integer(64, true), .int96):
      wanted = "nanoseconds in 64 bits, which hold the years 1677 to 2262"
      convert = nanoseconds
    case (.integer(64, true), .fixedLengthByteArray), (.integer(64, true), .byteArray):
      guard case .decimal = field.type else { return nil }
      wanted = "a decimal of 64 bits"
      convertDecimals(field.typeLength)
    case (.float, .float): copy(4)
    case (.double, .double): copy(8)
    case (.double, .float): widen(Float.self) { Double($0) }
    case (.float, .fixedLengthByteArray), (.double, .fixedLengthByteArray):
      guard case .float16 = field.type else { return nil }
      if kind.kind == .float { widen(UInt16.self, halfToFloat) } else { widen(UInt16.self) { Double(halfToFloat($0)) } }
    case (.double, .int32):
      guard case .integer(_, let isSigned) = field.type else { return nil }
      if isSigned { widen(Int32.self) { Double($0) } } else { widen(UInt32.self) { Double($0) } }
    case (.string, .byteArray):
      guard field.type == .string || field.type == .bytes else { return nil }
      wanted = "UTF-8 (read the column as [UInt8] to have its bytes)"
      convertSlices = toStrings
    case (.bytes, .byteArray): convertSlices = toBytes
    case (.bytes, .fixedLengthByteArray): convert = { toBytes($0, width: field.typeLength, $1, $2) }
    default: return nil
    }
  }

  /// Timestamps and dates as whole numbers of `unit` since 1970.
  ///
  /// - Parameter roundingDown: whether what is finer than the unit is cut off rather than an error.
  init?(timestamps field: ParquetField, in unit: ParquetTimeUnit, roundingDown: Bool) {
    guard let base = ValueKernel(Int64.parquetKind, field), let convert = base.convert else { return nil }
    let (multiplier, divisor): (Int64, Int64)
    switch field.type {
    case .date: (multiplier, divisor) = (86400 * unit.perSecond, 1)
    case .timestamp(let own, _):
      (multiplier, divisor) = (max(1, unit.perSecond / own.perSecond), max(1, own.perSecond / unit.perSecond))
    default: return nil
    }
    self = base
    wanted = "\(unit) in 64 bits\(roundingDown ? "" : ", without a rest (or pass roundingDown: true)")"
    if multiplier == 1, divisor == 1 { return }
    isCopy = false
    self.convert = { source, count, target in
      if let bad = convert(source, count, target) { return bad }
      let target = target.assumingMemoryBound(to: Int64.self)
      return divisor == 1 ? multiply(target, count, multiplier) : divide(target, count, divisor, roundingDown)
    }
  }

  private mutating func copy(_ width: Int) {
    isCopy = true
    convert = { source, count, target in
      target.copyMemory(from: source, byteCount: count &* width)
      return nil
    }
  }

  private mutating func widen<Stored: BitwiseCopyable, Value: ParquetValue>(
    _ stored: Stored.Type, _ change: @escaping @Sendable (Stored) -> Value
  ) {
    convert = { source, count, target in
      let target = target.assumingMemoryBound(to: Value.self)
      for index in 0..<count {
        target[index] = change(
          source.loadUnaligned(fromByteOffset: index &* MemoryLayout<Stored>.size, as: Stored.self))
      }
      return nil
    }
  }

  private mutating func convertIntegers(_ field: ParquetField, _ bits: Int, _ isSigned: Bool) {
    let range = field.integerRange
    if field.physicalType == .int64 {
      // Only 64 bits hold 64 bits.
      copy(8)
    } else if range.bits == 32 {
      if bits == 32 {
        copy(4)
      } else if range.isSigned {
        widen(Int32.self) { Int64($0) }
      } else {
        widen(UInt32.self) { Int64($0) }
      }
    } else {
      wanted = "\(field.type), which the column is said to be"
      let (low, high): (Int32, Int32) =
        range.isSigned ? (-1 << Int32(range.bits - 1), 1 << Int32(range.bits - 1) - 1) : (0, 1 << Int32(range.bits) - 1)
      switch bits {
      case 8: narrow(UInt8.self, low, high)
      case 16: narrow(UInt16.self, low, high)
      case 32: narrow(UInt32.self, low, high)
      default: narrow(UInt64.self, low, high)
      }
    }
  }

  /// Narrow integers are stored in 32 bits; those outside of the column's own range are damage.
  private mutating func narrow<Bits: FixedWidthInteger & SendableMetatype>(
    _ bits: Bits.Type, _ low: Int32, _ high: Int32
  ) {
    convert = { source, count, target in
      let target = target.assumingMemoryBound(to: Bits.self)
      for index in 0..<count {
        let value = source.loadUnaligned(fromByteOffset: index &* 4, as: Int32.self)
        guard value >= low, value <= high else { return index }
        target[index] = Bits(truncatingIfNeeded: value)
      }
      return nil
    }
  }

  private mutating func convertDecimals(_ width: Int) {
    convert = { source, count, target in
      let target = target.assumingMemoryBound(to: Int64.self)
      for index in 0..<count {
        guard let value = bigEndian(source + index &* width, width) else { return index }
        target[index] = value
      }
      return nil
    }
    convertSlices = { base, slices, count, target in
      let target = target.assumingMemoryBound(to: Int64.self)
      for index in 0..<count {
        guard let value = bigEndian(base + slices[index].offset, slices[index].count) else { return index }
        target[index] = value
      }
      return nil
    }
  }
}

extension ParquetField {
  /// The bits and sign of the integers that are stored; 64 signed for what is none.
  fileprivate var integerRange: (bits: Int, isSigned: Bool) {
    if case .integer(let bits, let isSigned) = type { return (bits, isSigned) }
    return (physicalType == .int32 ? 32 : 64, true)
  }
}

/// Whether integers of `bits` hold all of a range.
private func fits(_ range: (bits: Int, isSigned: Bool), _ bits: Int, _ isSigned: Bool) -> Bool {
  if range.isSigned == isSigned { return bits >= range.bits }
  return isSigned && bits > range.bits
}

/// A two's complement number of any number of bytes, the highest first; nil where 64 bits don't hold it.
private func bigEndian(_ source: UnsafeRawPointer, _ count: Int) -> Int64? {
  guard count > 0 else { return 0 }
  let sign: UInt8 = source.load(as: UInt8.self) >= 0x80 ? 0xFF : 0
  var value: UInt64 = sign == 0 ? 0 : .max
  for index in 0..<count {
    let byte = source.load(fromByteOffset: index, as: UInt8.self)
    if index < count - 8, byte != sign { return nil }
    value = value << 8 | UInt64(byte)
  }
  let result = Int64(bitPattern: value)
  return (result < 0) == (sign != 0) ? result : nil
}

/// 96-bit timestamps: nanoseconds of the day in 64 bits, then the Julian day in 32.
private let nanoseconds: ValueKernel.Convert = { source, count, target in
  let target = target.assumingMemoryBound(to: Int64.self)
  for index in 0..<count {
    let inDay = source.loadUnaligned(fromByteOffset: index &* 12, as: Int64.self)
    // The Julian day of 1970-01-01 is 2,440,588.
    let day = Int64(source.loadUnaligned(fromByteOffset: index &* 12 &+ 8, as: UInt32.self)) - 2_440_588
    let (start, overflow) = day.multipliedReportingOverflow(by: 86_400_000_000_000)
    let (sum, secondOverflow) = start.addingReportingOverflow(inDay)
    if overflow || secondOverflow { return index }
    target[index] = sum
  }
  return nil
}

private func multiply(_ target: UnsafeMutablePointer<Int64>, _ count: Int, _ factor: Int64) -> Int? {
  for index in 0..<count {
    let (product, overflow) = target[index].multipliedReportingOverflow(by: factor)
    if overflow { return index }
    target[index] = product
  }
  return nil
}

private func divide(
  _ target: UnsafeMutablePointer<Int64>, _ count: Int, _ divisor: Int64, _ roundingDown: Bool
) -> Int? {
  for index in 0..<count {
    let (quotient, rest) = target[index].quotientAndRemainder(dividingBy: divisor)
    if rest != 0, !roundingDown { return index }
    target[index] = rest < 0 ? quotient - 1 : quotient
  }
  return nil
}

/// A number of 16 bits of IEEE 754.
@Sendable private func halfToFloat(_ bits: UInt16) -> Float {
  let sign = UInt32(bits & 0x8000) << 16
  let exponent = UInt32(bits >> 10) & 0x1F
  let fraction = UInt32(bits & 0x3FF)
  switch exponent {
  case 0:
    // Zero, or a fraction of 2^-24.
    let magnitude = Float(fraction) * 0x1p-24
    return sign == 0 ? magnitude : -magnitude
  case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}

private let toStrings: ValueKernel.ConvertSlices = { base, slices, count, target in
  let target = target.assumingMemoryBound(to: String.self)
  for index in 0..<count {
    let bytes = UnsafeRawBufferPointer(start: base + slices[index].offset, count: slices[index].count)
    guard let text = String(validating: bytes, as: UTF8.self) else { return index }
    target[index] = text
  }
  return nil
}

private let toBytes: ValueKernel.ConvertSlices = { base, slices, count, target in
  let target = target.assumingMemoryBound(to: [UInt8].self)
  for index in 0..<count {
    target[index] = Array(UnsafeRawBufferPointer(start: base + slices[index].offset, count: slices[index].count))
  }
  return nil
}

private func toBytes(_ source: UnsafeRawPointer, width: Int, _ count: Int, _ target: UnsafeMutableRawPointer) -> Int? {
  let target = target.assumingMemoryBound(to: [UInt8].self)
  for index in 0..<count {
    target[index] = Array(UnsafeRawBufferPointer(start: source + index &* width, count: width))
  }
  return nil
}
