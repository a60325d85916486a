// Rows that belong to indices, brought together: each index once, ascending, with the sum of its rows.

import CKernels
import Tensors

/// Sorts the indices of rows and sums the rows of each index in their order, so that the sums are the same on any number
/// of threads.
struct RowSums {
  let count: Int
  let height: Int
  let width: Int
  private let indices: Indices
  private let rows: UnsafeMutablePointer<Float>
  /// Indices that share a row.
  private let sharing: Int
  private let digits: Int

  /// - Parameters:
  ///   - position: the input that holds the indices.
  ///   - rows: `[n, width]`, where the number of indices is a multiple of n: each row serves as many in their order.
  ///   - height: the rows of the table that the indices are of.
  init(_ binding: Binding, indices position: Int, rows: Buffer, height: Int) {
    indices = Indices(binding, position)
    count = indices.count
    width = rows.shape[1]
    sharing = Self.sharing(indices: count, rows: rows.shape[0])
    self.rows = rows.floats
    self.height = height
    digits = (UInt64.bitWidth - UInt64(height).leadingZeroBitCount + 7) / 8
  }

  /// How many indices share a row.
  static func sharing(indices: Int, rows: Int) -> Int { rows == 0 ? 1 : max(indices / rows, 1) }

  /// What ``sort(_:)`` works in.
  var scratchByteCount: Int { (3 * count + 1) * 8 }

  /// The indices in their order.
  struct Sorted {
    /// How many there are, each counted once.
    let count: Int
    /// The index above, its place among the rows below.
    fileprivate let keys: UnsafeMutablePointer<UInt64>
    fileprivate let starts: UnsafeMutablePointer<Int>

    func index(_ place: Int) -> Int { Int(truncatingIfNeeded: keys[starts[place]] >> 32) }
  }

  /// Sorts the indices with their places by a stable radix sort; what is out of range is left out.
  func sort(_ scratch: UnsafeMutableRawPointer) -> Sorted {
    var keys = scratch.assumingMemoryBound(to: UInt64.self)
    var spare = keys + count
    let starts = (scratch + 2 * count * 8).assumingMemoryBound(to: Int.self)
    for place in 0..<count {
      keys[place] = UInt64(indices.checked(place, extent: height) ?? height) << 32 | UInt64(place)
    }
    for digit in 0..<digits {
      Self.sortByDigit(keys, into: spare, count: count, shift: UInt64(32 + 8 * digit))
      swap(&keys, &spare)
    }
    var (found, end) = (0, 0)
    var last = UInt64.max
    while end < count, keys[end] >> 32 != height {
      if keys[end] >> 32 != last {
        last = keys[end] >> 32
        starts[found] = end
        found += 1
      }
      end += 1
    }
    starts[found] = end
    return Sorted(count: found, keys: keys, starts: starts)
  }

  /// Sums the rows of one of the sorted indices.
  func sum(_ sorted: Sorted, _ place: Int, into target: UnsafeMutablePointer<Float>) {
    let places = sorted.starts[place]..<sorted.starts[place + 1]
    func row(_ place: Int) -> UnsafeMutablePointer<Float> {
      rows + Int(truncatingIfNeeded: sorted.keys[place] & 0xFFFF_FFFF) / sharing * width
    }
    target.update(from: row(places.lowerBound), count: width)
    for other in places.dropFirst() { rk_accumulate(width, 1, row(other), target) }
  }

  /// One pass of a stable radix sort, by eight bits.
  private static func sortByDigit(
    _ source: UnsafeMutablePointer<UInt64>, into target: UnsafeMutablePointer<UInt64>, count: Int, shift: UInt64
  ) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { places in
      places.initialize(repeating: 0)
      for index in 0..<count { places[Int(source[index] >> shift & 255)] += 1 }
      var next = 0
      for digit in 0..<256 { (places[digit], next) = (next, next + places[digit]) }
      for index in 0..<count {
        let digit = Int(source[index] >> shift & 255)
        target[places[digit]] = source[index]
        places[digit] += 1
      }
    }
  }
}
