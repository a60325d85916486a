// Levels and dictionary indices to runs and bit-packed groups.

extension [UInt8] {
  /// Appends numbers of `width` bits: eight or more equal ones as a run, the others packed.
  mutating func appendRuns<Number: FixedWidthInteger & UnsignedInteger>(
    _ numbers: UnsafeBufferPointer<Number>, width: Int
  ) {
    var packedStart = 0
    var index = 0
    while index < numbers.count {
      let value = numbers[index]
      var end = index + 1
      while end < numbers.count, numbers[end] == value { end += 1 }
      // Packed numbers come in groups of eight: a run first fills the group before it.
      let missing = (8 - (index - packedStart) % 8) % 8
      if end - index >= 8 + missing {
        index += missing
        appendPacked(numbers, packedStart..<index, width)
        appendVariable(UInt64(end - index) << 1)
        for byte in 0..<(width + 7) / 8 { append(UInt8(truncatingIfNeeded: value >> Number(8 * byte))) }
        packedStart = end
      }
      index = end
    }
    appendPacked(numbers, packedStart..<numbers.count, width)
  }

  private mutating func appendPacked<Number: FixedWidthInteger & UnsignedInteger>(
    _ numbers: UnsafeBufferPointer<Number>, _ range: Range<Int>, _ width: Int
  ) {
    if range.isEmpty { return }
    let groups = (range.count + 7) / 8
    appendVariable(UInt64(groups) << 1 | 1)
    var word: UInt64 = 0
    var bits = 0
    for index in range.lowerBound..<range.lowerBound + groups * 8 {
      if index < range.upperBound { word |= UInt64(numbers[index]) << UInt64(bits) }
      bits += width
      while bits >= 8 {
        append(UInt8(truncatingIfNeeded: word))
        word >>= 8
        bits -= 8
      }
    }
  }

  /// Appends levels of a page of version 1: their length in four bytes, then runs.
  mutating func appendLevels(_ levels: ArraySlice<UInt8>, maximum: UInt8) {
    if maximum == 0 { return }
    var runs: [UInt8] = []
    levels.withUnsafeBufferPointer { runs.appendRuns($0, width: bitWidth(of: maximum)) }
    appendLittleEndian(UInt32(runs.count))
    self += runs
  }
}
