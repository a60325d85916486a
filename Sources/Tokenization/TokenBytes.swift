// Many byte strings in one piece of memory.

import Glibc

/// The tokens' UTF-8 bytes, one behind the other, by number. Not `String`s: those count é and e with an accent as the
/// same, and two tokens are the same only where their bytes are.
struct TokenBytes: Hashable, Sendable {
  private(set) var bytes: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }

  mutating func append(_ token: some Sequence<UInt8>) {
    bytes.append(contentsOf: token)
    ends.append(bytes.count)
  }

  mutating func removeLast() {
    let range = range(count - 1)
    bytes.removeLast(range.count)
    ends.removeLast()
  }

  func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  func count(_ index: Int) -> Int { range(index).count }

  func byte(_ index: Int, at place: Int) -> UInt8 { bytes[range(index).lowerBound + place] }

  subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }

  func string(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

  /// The tokens' numbers in the order of their bytes; equal ones in the order of their numbers.
  func sortedOrder() -> [Int32] {
    bytes.withUnsafeBufferPointer { bytes in
      (0..<Int32(count)).sorted { a, b in
        let (first, second) = (range(Int(a)), range(Int(b)))
        let common = min(first.count, second.count)
        if common > 0, let start = bytes.baseAddress {
          let order = memcmp(start + first.lowerBound, start + second.lowerBound, common)
          if order != 0 { return order < 0 }
        }
        return (first.count, a) < (second.count, b)
      }
    }
  }
}
