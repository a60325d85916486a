// Numbers of a few bits each, packed from the lowest bit on, back to whole ones.
//
// All of it loads whole words: behind the packed bytes there must be `Workspace.slack` bytes that may be read.

/// Unpacks `count` numbers of `width` bits (0 to 32). Writes whole groups of eight: `target` needs room for `count`
/// rounded up to eight.
///
/// Eight numbers take exactly `width` bytes. A load of 64 bits from a byte's start holds 8, 4 or 2 of them whole,
/// whatever the bits before the first.
func unpack(_ source: UnsafeRawPointer, width: Int, count: Int, to target: UnsafeMutablePointer<UInt32>) {
  if width == 0 {
    target.update(repeating: 0, count: (count + 7) & ~7)
  } else if width <= 8 {
    unpackGroups(source, width, count, target, perLoad: 8)
  } else if width <= 16 {
    unpackGroups(source, width, count, target, perLoad: 4)
  } else if width <= 28 {
    unpackGroups(source, width, count, target, perLoad: 2)
  } else {
    unpackGroups(source, width, count, target, perLoad: 1)
  }
}

@inline(__always)
private func unpackGroups(
  _ source: UnsafeRawPointer, _ width: Int, _ count: Int, _ target: UnsafeMutablePointer<UInt32>, perLoad: Int
) {
  let mask: UInt64 = (1 << UInt64(width)) &- 1
  let wide = UInt64(width)
  var source = source
  var target = target
  var left = count
  while left > 0 {
    var bit = 0
    var slot = 0
    while slot < 8 {
      var word = source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self) &>> UInt64(bit & 7)
      for index in 0..<perLoad {
        target[slot &+ index] = UInt32(truncatingIfNeeded: word & mask)
        word = word &>> wide
      }
      slot &+= perLoad
      bit &+= perLoad &* width
    }
    source += width
    target += 8
    left &-= 8
  }
}

/// One number of `width` bits (0 to 64) that starts at bit `bit`.
@inline(__always)
func unpackOne(_ source: UnsafeRawPointer, width: Int, bit: Int) -> UInt64 {
  if width == 0 { return 0 }
  let mask = UInt64.max &>> UInt64(64 &- width)
  let start = source + (bit &>> 3)
  let shift = UInt64(bit & 7)
  var word = start.loadUnaligned(as: UInt64.self) &>> shift
  if shift != 0, width > 56 {
    word |= UInt64((start + 8).load(as: UInt8.self)) &<< (64 &- shift)
  }
  return word & mask
}

/// Booleans of a bit each to bytes of 0 and 1.
func unpackBits(_ source: UnsafeRawPointer, count: Int, to target: UnsafeMutablePointer<UInt8>) {
  for index in 0..<count {
    target[index] = ((source + (index &>> 3)).load(as: UInt8.self) &>> UInt8(index & 7)) & 1
  }
}
