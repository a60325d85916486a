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
  private let seed = Self.seed
  private static let seed: UInt64 = .random(in: .min ... .max)

  var count: Int { ends.count }

  /// Where a text is, or would go.
  struct Place {
    fileprivate var hash: UInt32 = 0
    fileprivate var slot = 0
    /// Whether the text was not met before.
    private(set) var isNew = true

    init() {}

    fileprivate init(hash: UInt32, slot: Int, isNew: Bool) {
      (self.hash, self.slot, self.isNew) = (hash, slot, isNew)
    }
  }

  /// Where a text is; valid until another one is inserted.
  func find(_ text: UnsafeRawBufferPointer) -> Place {
    let hash = hash(text)
    let slot = find(text, hash: hash)
    return Place(hash: hash, slot: slot, isNew: slots[slot] == 0)
  }

  /// The number of a text, which gets the next one where it is new.
  mutating func insert(_ text: UnsafeRawBufferPointer) -> Int32 { insert(text, at: find(text)) }

  /// The same for a text that was looked up before.
  mutating func insert(_ text: UnsafeRawBufferPointer, at place: Place) -> Int32 {
    if !place.isNew { return slots[place.slot] - 1 }
    let hash = place.hash
    var slot = place.slot
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
  func visitAll(_ body: (UnsafeRawBufferPointer) -> Void) {
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
    visitAll { strings.append(String(decoding: $0, as: UTF8.self)) }
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
  private func hash(_ text: UnsafeRawBufferPointer) -> UInt32 {
    var state = seed ^ UInt64(truncatingIfNeeded: text.count)
    var position = 0
    while position + 8 <= text.count {
      state = Self.fold(state ^ text.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    var rest: UInt64 = 0
    while position < text.count {
      rest = rest << 8 | UInt64(text[position])
      position += 1
    }
    state = Self.fold(state ^ rest)
    return UInt32(truncatingIfNeeded: state ^ state >> 32)
  }

  private static func fold(_ word: UInt64) -> UInt64 {
    let product = (word ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }
}
