// Distinct texts with a number each, without a String for every time one is met.

import Glibc

/// Byte strings numbered in the order in which they first come: a hash table with open addressing over one buffer.
struct ByteDictionary {
  private var bytes: [UInt8] = []
  /// Where each text ends in `bytes`.
  private var ends: [Int] = []
  private var hashes: [UInt32] = []
  /// The number of a text plus one, 0 for an empty slot; a power of two of them, at most half full.
  private var slots: [Int32] = [Int32](repeating: 0, count: 64)

  /// Not the same in every process: a file can't be made so that its texts collide. Numbers do not depend on it.
  private static let seed: UInt64 = .random(in: .min ... .max)

  var count: Int { ends.count }

  /// The number of a text that was met before.
  func number(of text: UnsafeRawBufferPointer) -> Int32? {
    let slot = slots[find(text, hash: Self.hash(text))]
    return slot > 0 ? slot - 1 : nil
  }

  /// The number of a text, which gets the next one where it is new.
  mutating func insert(_ text: UnsafeRawBufferPointer) -> Int32 {
    let hash = Self.hash(text)
    var slot = find(text, hash: hash)
    if slots[slot] > 0 { return slots[slot] - 1 }
    let number = Int32(ends.count)
    bytes.append(contentsOf: text)
    ends.append(bytes.count)
    hashes.append(hash)
    if ends.count * 2 > slots.count {
      grow()
      slot = find(text, hash: hash)
    }
    slots[slot] = number + 1
    return number
  }

  /// Calls `body` with each text, in the order of their numbers.
  func forEachText(_ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes { bytes in
      var start = 0
      for end in ends {
        body(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        start = end
      }
    }
  }

  /// The texts by number.
  var strings: [String] {
    var strings: [String] = []
    strings.reserveCapacity(count)
    forEachText { strings.append(String(decoding: $0, as: UTF8.self)) }
    return strings
  }

  private func find(_ text: UnsafeRawBufferPointer, hash: UInt32) -> Int {
    let mask = slots.count - 1
    var slot = Int(hash) & mask
    while slots[slot] > 0 {
      let number = Int(slots[slot] - 1)
      if hashes[number] == hash {
        let start = number == 0 ? 0 : ends[number - 1]
        let isEqual =
          ends[number] - start == text.count
          && (text.isEmpty
            || bytes.withUnsafeBytes { memcmp($0.baseAddress! + start, text.baseAddress!, text.count) == 0 })
        if isEqual { return slot }
      }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: slots.count * 2)
    let mask = slots.count - 1
    // The last text, which is being inserted, has no slot yet.
    for number in 0..<ends.count - 1 {
      var slot = Int(hashes[number]) & mask
      while slots[slot] > 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(number) + 1
    }
  }

  /// Folded 128-bit products of eight bytes at a time, as in wyhash.
  private static func hash(_ text: UnsafeRawBufferPointer) -> UInt32 {
    var state = seed ^ UInt64(truncatingIfNeeded: text.count)
    var position = 0
    while position + 8 <= text.count {
      state = fold(state ^ text.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    var rest: UInt64 = 0
    while position < text.count {
      rest = rest << 8 | UInt64(text[position])
      position += 1
    }
    state = fold(state ^ rest)
    return UInt32(truncatingIfNeeded: state ^ state >> 32)
  }

  private static func fold(_ word: UInt64) -> UInt64 {
    let product = (word ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }
}
