// The different values of a column, found by hashing, and the index of each value among them.

/// A dictionary and the indices of all values in it.
struct BuiltDictionary {
  /// The different values in the order of their first appearance.
  var values: PlainValues
  var indices: [UInt32]

  /// A dictionary page larger than this falls out of the cache when it is looked up in.
  private static let largestSize = 1 << 20
  /// After this many values it is decided for the first time whether there are few different ones.
  private static let sample = 1 << 14

  /// Nil where a dictionary doesn't pay: it and the indices would not be clearly smaller than the values.
  init?(_ values: PlainValues) {
    guard values.count > 8, !values.isBoolean, values.width == nil || values.width == 4 || values.width == 8 else {
      return nil
    }
    self.values = PlainValues(bytes: [], width: values.width)
    indices = []
    indices.reserveCapacity(values.count)
    let isComplete = values.bytes.withUnsafeBytes { bytes in
      switch values.width {
      case 4?: buildNumbers(bytes.assumingMemoryBound(to: UInt32.self))
      case 8?: buildNumbers(bytes.assumingMemoryBound(to: UInt64.self))
      default: buildSlices(bytes, values)
      }
    }
    let width = indexWidth
    guard isComplete, self.values.plainSize + values.count * width / 8 < values.plainSize / 10 * 9 else { return nil }
  }

  /// The bits of an index.
  var indexWidth: Int { Int.bitWidth - max(0, values.count - 1).leadingZeroBitCount }

  private func isTooLarge(_ different: Int, _ size: Int, after seen: Int) -> Bool {
    size > Self.largestSize || seen == Self.sample && different > Self.sample / 2
  }

  private mutating func buildNumbers<Number: FixedWidthInteger & UnsignedInteger>(
    _ numbers: UnsafeBufferPointer<Number>
  ) -> Bool {
    var table = HashTable()
    var different: [Number] = []
    for (seen, number) in numbers.enumerated() {
      let hash = HashTable.mix(UInt64(number))
      let index = table.index(hash) { different[$0] == number }
      indices.append(UInt32(index))
      if index == different.count {
        different.append(number)
        table.growIfNeeded { HashTable.mix(UInt64(different[$0])) }
      }
      if isTooLarge(different.count, different.count * Number.bitWidth / 8, after: seen) { return false }
    }
    values.bytes = different.withUnsafeBytes { Array($0) }
    return true
  }

  private mutating func buildSlices(_ bytes: UnsafeRawBufferPointer, _ all: PlainValues) -> Bool {
    var table = HashTable()
    var firsts: [Range<Int>] = []
    var size = 0
    for seen in 0..<all.count {
      let slice = all.slice(seen)
      let value = UnsafeRawBufferPointer(rebasing: bytes[slice])
      let index = table.index(HashTable.mix(value)) { bytes[firsts[$0]].elementsEqual(value) }
      indices.append(UInt32(index))
      if index == firsts.count {
        firsts.append(slice)
        size += slice.count + 4
        table.growIfNeeded { HashTable.mix(UnsafeRawBufferPointer(rebasing: bytes[firsts[$0]])) }
      }
      if isTooLarge(firsts.count, size, after: seen) { return false }
    }
    for slice in firsts {
      values.bytes += bytes[slice]
      values.ends.append(values.bytes.count)
    }
    return true
  }
}

/// Open addressing: numbers of entries by hash. The entries are kept by whoever uses it.
private struct HashTable {
  /// The entry's number and 1; 0 where there is none.
  private var slots = [UInt32](repeating: 0, count: 1024)
  private var count = 0

  static func mix(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }

  static func mix(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = UInt64(bytes.count)
    var position = 0
    while position + 8 <= bytes.count {
      hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    var rest: UInt64 = 0
    while position < bytes.count {
      rest = rest << 8 | UInt64(bytes[position])
      position += 1
    }
    return mix(hash ^ rest)
  }

  /// The entry's number, or the next free number, which it then has.
  mutating func index(_ hash: UInt64, isSame: (Int) -> Bool) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let entry = Int(slots[slot]) - 1
      if isSame(entry) { return entry }
      slot = (slot + 1) & mask
    }
    count += 1
    slots[slot] = UInt32(count)
    return count - 1
  }

  /// Keeps half of the slots free.
  mutating func growIfNeeded(_ hash: (Int) -> UInt64) {
    if count * 2 < slots.count { return }
    slots = [UInt32](repeating: 0, count: slots.count * 4)
    let mask = slots.count - 1
    for entry in 0..<count {
      var slot = Int(truncatingIfNeeded: hash(entry)) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = UInt32(entry + 1)
    }
  }
}
