// Distinct texts with a number each, without a String for every time one is met.

import Glibc

/// Byte strings numbered in the order in which they first come: a hash table with open addressing.
///
/// A slot holds a text of up to 16 bytes itself, as most ids are, so that a look-up touches one line of memory.
struct ByteDictionary {
  /// A text as a slot knows it.
  private struct Key {
    /// Up to 16 bytes: the first and the last eight, which may overlap. Longer: a hash, and where the bytes are.
    var low: UInt64
    var high: UInt64
    var length: UInt32
  }

  private struct Slot {
    var key = Key(low: 0, high: 0, length: 0)
    /// The text's number plus one, 0 for an empty slot.
    var number: UInt32 = 0
  }

  /// Where a text is, or would go.
  struct Place {
    fileprivate var slot = 0
    fileprivate var low: UInt64 = 0
    fileprivate var high: UInt64 = 0
    /// The number that the text has, -1 where it was not met before.
    fileprivate(set) var number: Int32 = -1

    var isNew: Bool { number < 0 }
  }

  private var bytes: [UInt8] = []
  /// Where each text ends in `bytes`.
  private var ends: [Int] = []
  /// A power of two of them, at most half full.
  private var slots = [Slot](repeating: Slot(), count: 64)

  /// Not the same in every process: a file can't be made so that its texts collide. Numbers do not depend on it.
  private let seed = Self.seed
  private static let seed: UInt64 = .random(in: .min ... .max)

  var count: Int { ends.count }

  /// Where a text is; valid until another one is inserted.
  func find(_ text: UnsafeRawBufferPointer) -> Place {
    let key = key(of: text)
    let mask = slots.count - 1
    return slots.withUnsafeBufferPointer { slots in
      var place = Place(slot: Int(truncatingIfNeeded: hash(key)) & mask, low: key.low, high: key.high)
      while slots[place.slot].number > 0 {
        let slot = slots[place.slot]
        if slot.key.low == key.low, slot.key.length == key.length,
          key.length <= 16 ? slot.key.high == key.high : isEqual(text, at: slot.key.high)
        {
          place.number = Int32(bitPattern: slot.number - 1)
          return place
        }
        place.slot = (place.slot + 1) & mask
      }
      return place
    }
  }

  /// The number of a text, which gets the next one where it is new.
  mutating func insert(_ text: UnsafeRawBufferPointer) -> Int32 { insert(text, at: find(text)) }

  /// The same for a text that was looked up before.
  mutating func insert(_ text: UnsafeRawBufferPointer, at place: Place) -> Int32 {
    if !place.isNew { return place.number }
    let number = UInt32(ends.count)
    let high = text.count <= 16 ? place.high : UInt64(bytes.count)
    slots[place.slot] = Slot(key: Key(low: place.low, high: high, length: UInt32(text.count)), number: number + 1)
    bytes.append(contentsOf: text)
    ends.append(bytes.count)
    if ends.count * 2 > slots.count { grow() }
    return Int32(number)
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

  private func isEqual(_ text: UnsafeRawBufferPointer, at start: UInt64) -> Bool {
    bytes.withUnsafeBytes { memcmp($0.baseAddress! + Int(start), text.baseAddress!, text.count) == 0 }
  }

  private mutating func grow() {
    var larger = [Slot](repeating: Slot(), count: slots.count * 2)
    let mask = larger.count - 1
    for slot in slots where slot.number > 0 {
      var index = Int(truncatingIfNeeded: hash(slot.key)) & mask
      while larger[index].number > 0 { index = (index + 1) & mask }
      larger[index] = slot
    }
    slots = larger
  }

  private func key(of text: UnsafeRawBufferPointer) -> Key {
    let count = text.count
    let length = UInt32(truncatingIfNeeded: count)
    if count > 16 { return Key(low: longHash(text), high: 0, length: length) }
    if count >= 8 {
      return Key(
        low: text.loadUnaligned(as: UInt64.self),
        high: text.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self), length: length)
    }
    if count >= 4 {
      let first = UInt64(text.loadUnaligned(as: UInt32.self))
      return Key(
        low: first << 32 | UInt64(text.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)), high: 0,
        length: length)
    }
    var word: UInt64 = 0
    for byte in text { word = word << 8 | UInt64(byte) }
    return Key(low: word, high: 0, length: length)
  }

  /// Of a long text its own hash, whose place is not known before it has one.
  private func hash(_ key: Key) -> UInt64 {
    key.length > 16 ? key.low : Self.fold(Self.fold(key.low ^ seed) ^ key.high ^ UInt64(key.length) << 59)
  }

  /// Folded 128-bit products of eight bytes at a time, as in wyhash.
  private func longHash(_ text: UnsafeRawBufferPointer) -> UInt64 {
    var state = seed ^ UInt64(truncatingIfNeeded: text.count)
    var position = 0
    while position + 8 <= text.count {
      state = Self.fold(state ^ text.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    return Self.fold(state ^ text.loadUnaligned(fromByteOffset: text.count - 8, as: UInt64.self))
  }

  private static func fold(_ word: UInt64) -> UInt64 {
    let product = (word ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }
}
