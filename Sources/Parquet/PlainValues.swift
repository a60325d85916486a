// The values of a column that are not null, as bytes, to be written.

/// Values as the format stores them, one after another.
struct PlainValues {
  /// Of fixed width: the values. Byte arrays: their bytes. Booleans: a byte each.
  var bytes: [UInt8]
  /// Nil where `ends` tells.
  var width: Int?
  /// Where each byte array ends in `bytes`.
  var ends: [Int] = []
  var isBoolean = false

  var count: Int { width.map { bytes.count / $0 } ?? ends.count }

  /// Bytes that the values take in the plain encoding.
  var plainSize: Int { isBoolean ? (bytes.count + 7) / 8 : bytes.count + 4 * ends.count }

  func slice(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  /// Appends a range of the values in the plain encoding.
  func append(_ range: Range<Int>, to page: inout [UInt8]) {
    if isBoolean {
      for start in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
        var byte: UInt8 = 0
        for index in start..<min(start + 8, range.upperBound) { byte |= bytes[index] << UInt8(index - start) }
        page.append(byte)
      }
    } else if let width {
      page += bytes[range.lowerBound * width..<range.upperBound * width]
    } else {
      for index in range {
        let slice = slice(index)
        page.appendLittleEndian(UInt32(slice.count))
        page += bytes[slice]
      }
    }
  }
}

extension PlainValues {
  /// The values of a column as those of a field.
  ///
  /// - Throws: `Fault` where the field doesn't hold all that the type can.
  init<Value: ParquetValue>(_ column: ParquetColumn<Value>, _ field: ParquetField) throws {
    func refused() -> Fault {
      .conversion("values", found: "\(Value.self)", asked: "\(field.type), which may not hold all of them")
    }
    let validity = column.validity
    switch (Value.parquetKind.kind, field.physicalType) {
    case (.boolean, .boolean):
      self.init(column.values, validity, stored: 1)
      isBoolean = true
    case (.integer(let bits, let isSigned), .int32), (.integer(let bits, let isSigned), .int64):
      let stored = field.physicalType == .int32 ? 4 : 8
      guard field.holds(bits: bits, isSigned: isSigned) else { throw refused() }
      self.init(column.values, validity, stored: stored, isSigned: isSigned)
    case (.float, .float): self.init(column.values, validity, stored: 4)
    case (.double, .double): self.init(column.values, validity, stored: 8)
    case (.float, .double):
      let wide = (column.values as! [Float]).map(Double.init)
      self.init(wide, validity, stored: 8)
    case (.string, .byteArray):
      self.init(bytes: [], width: nil)
      gather(column.values as! [String], validity) { $0.utf8 }
    case (.bytes, .byteArray) where field.type == .bytes:
      self.init(bytes: [], width: nil)
      gather(column.values as! [[UInt8]], validity) { $0 }
    case (.bytes, .fixedLengthByteArray):
      self.init(bytes: [], width: field.typeLength)
      for (row, value) in (column.values as! [[UInt8]]).enumerated() where validity?[row] != false {
        guard value.count == field.typeLength else {
          throw Fault.conversion("row \(row)", found: "\(value.count) bytes", asked: "\(field.type)")
        }
        bytes += value
      }
    default: throw refused()
    }
  }

  private mutating func gather<Value, Bytes: Collection<UInt8>>(
    _ values: [Value], _ validity: [Bool]?, _ content: (Value) -> Bytes
  ) {
    ends.reserveCapacity(values.count)
    for (row, value) in values.enumerated() where validity?[row] != false {
      bytes += content(value)
      ends.append(bytes.count)
    }
  }

  /// Numbers, widened to `stored` bytes, without the nulls.
  private init<Value>(_ values: [Value], _ validity: [Bool]?, stored: Int, isSigned: Bool = true) {
    let count = values.count
    let own = MemoryLayout<Value>.stride
    bytes = [UInt8](unsafeUninitializedCapacity: count * stored) { buffer, used in
      used = count * stored
      guard let target = UnsafeMutableRawPointer(buffer.baseAddress) else { return }
      values.withUnsafeBytes { source in
        let source = source.baseAddress!
        switch (own, stored, isSigned) {
        case (1, 4, true): widen(source, Int8.self, target, Int32.self, count)
        case (1, 4, false): widen(source, UInt8.self, target, Int32.self, count)
        case (2, 4, true): widen(source, Int16.self, target, Int32.self, count)
        case (2, 4, false): widen(source, UInt16.self, target, Int32.self, count)
        case (1, 8, true): widen(source, Int8.self, target, Int64.self, count)
        case (1, 8, false): widen(source, UInt8.self, target, Int64.self, count)
        case (2, 8, true): widen(source, Int16.self, target, Int64.self, count)
        case (2, 8, false): widen(source, UInt16.self, target, Int64.self, count)
        case (4, 8, true): widen(source, Int32.self, target, Int64.self, count)
        case (4, 8, false): widen(source, UInt32.self, target, Int64.self, count)
        default: target.copyMemory(from: source, byteCount: count * stored)
        }
      }
      guard let validity else { return }
      used = stored * compact(target, validity, stored)
    }
    width = stored
  }
}

extension ParquetField {
  /// Whether the column's integers hold all of `bits`.
  fileprivate func holds(bits: Int, isSigned: Bool) -> Bool {
    if case .integer(let own, let ownSigned) = type {
      return ownSigned == isSigned ? bits <= own : ownSigned && bits < own
    }
    // Dates, times and decimals are signed.
    let own = physicalType == .int32 ? 32 : 64
    return isSigned ? bits <= own : bits < own
  }
}

private func widen<From: FixedWidthInteger, To: FixedWidthInteger>(
  _ source: UnsafeRawPointer, _: From.Type, _ target: UnsafeMutableRawPointer, _: To.Type, _ count: Int
) {
  let source = source.assumingMemoryBound(to: From.self)
  let target = target.bindMemory(to: To.self, capacity: count)
  for index in 0..<count { target[index] = To(truncatingIfNeeded: source[index]) }
}

/// Moves the valid values to the front; returns how many they are.
private func compact(_ memory: UnsafeMutableRawPointer, _ validity: [Bool], _ width: Int) -> Int {
  var present = 0
  for (row, isValid) in validity.enumerated() where isValid {
    if present < row { (memory + present * width).copyMemory(from: memory + row * width, byteCount: width) }
    present += 1
  }
  return present
}
