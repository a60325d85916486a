// Copies between arrangements of the same elements: transpositions, slices, repetitions, paddings.

import CKernels
import Tensors

/// A copy of elements of any fixed width, from one place for each axis' stride to another.
struct StridedCopy {
  private struct Axis {
    var extent: Int
    var source: Int
    var destination: Int
  }

  private let width: Int
  private var axes: [Axis] = []
  private let count: Int
  private let sourceStart: Int
  private let destinationStart: Int

  /// - Parameters:
  ///   - width: bytes of an element: 1, 2, 4, 8 or 16.
  ///   - shape: the extents to walk, outermost first; it is best when the destination is written in order.
  ///   - source: elements between neighbours along each axis of what is read; 0 repeats, below 0 walks backwards.
  ///   - destination: the same of what is written.
  ///   - sourceStart: where the first element is read.
  ///   - destinationStart: where the first element is written.
  init(
    width: Int, shape: [Int], source: [Int], destination: [Int], sourceStart: Int = 0, destinationStart: Int = 0
  ) {
    self.width = width
    self.sourceStart = sourceStart
    self.destinationStart = destinationStart
    count = shape.reduce(1, *)
    for axis in shape.indices where shape[axis] != 1 {
      let next = Axis(extent: shape[axis], source: source[axis], destination: destination[axis])
      if let last = axes.last, last.source == next.source * next.extent,
        last.destination == next.destination * next.extent
      {
        axes[axes.count - 1] = Axis(
          extent: last.extent * next.extent, source: next.source, destination: next.destination)
      } else {
        axes.append(next)
      }
    }
    if axes.isEmpty { axes.append(Axis(extent: 1, source: 1, destination: 1)) }
    // The axis along which the source lies in order goes next to the innermost: the two make tiles.
    if let last = axes.last, last.source != 0, last.source != 1,
      let along = axes.dropLast().lastIndex(where: { $0.source == 1 })
    {
      axes.insert(axes.remove(at: along), at: axes.count - 1)
    }
  }

  func run(_ pool: ThreadPool, from source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer) {
    switch width {
    case 1: copy(UInt8.self, pool, source, destination)
    case 2: copy(UInt16.self, pool, source, destination)
    case 4: copy(UInt32.self, pool, source, destination)
    case 8: copy(UInt64.self, pool, source, destination)
    default: copy(SIMD2<UInt64>.self, pool, source, destination)
    }
  }

  private func copy<Word: BitwiseCopyable>(
    _ type: Word.Type, _ pool: ThreadPool, _ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer
  ) {
    guard count > 0 else { return }
    let source = source.assumingMemoryBound(to: type) + sourceStart
    let destination = destination.assumingMemoryBound(to: type) + destinationStart
    let inner = axes[axes.count - 1]
    guard axes.count > 1 else {
      pool.parallel(over: inner.extent, grain: Grain.plain) { range in
        Self.row(
          source + range.lowerBound * inner.source, inner.source, destination + range.lowerBound * inner.destination,
          inner.destination, range.count)
      }
      return
    }
    let middle = axes[axes.count - 2]
    let isTransposition = middle.source == 1 && inner.source != 1 && inner.source != 0
    let blocks = axes.dropLast(2).reduce(1) { $0 * $1.extent }
    let work = middle.extent * inner.extent
    // One block alone is shared by its rows, many are shared whole.
    if blocks == 1 {
      pool.parallel(over: middle.extent, grain: (Grain.plain + inner.extent - 1) / inner.extent) { rows in
        Self.block(source, destination, middle, inner, rows, isTransposition)
      }
    } else {
      pool.parallel(over: blocks, grain: (Grain.plain + work - 1) / work) { range in
        for block in range {
          let (from, to) = offsets(of: block)
          Self.block(source + from, destination + to, middle, inner, 0..<middle.extent, isTransposition)
        }
      }
    }
  }

  /// Where a block of the two innermost axes starts.
  private func offsets(of block: Int) -> (source: Int, destination: Int) {
    var (rest, from, to) = (block, 0, 0)
    for axis in stride(from: axes.count - 3, through: 0, by: -1) {
      let (outer, index) = rest.quotientAndRemainder(dividingBy: axes[axis].extent)
      from += index * axes[axis].source
      to += index * axes[axis].destination
      rest = outer
    }
    return (from, to)
  }

  @inline(__always)
  private static func block<Word: BitwiseCopyable>(
    _ source: UnsafePointer<Word>, _ destination: UnsafeMutablePointer<Word>, _ middle: Axis, _ inner: Axis,
    _ rows: Range<Int>, _ isTransposition: Bool
  ) {
    guard isTransposition else {
      for row in rows {
        Self.row(
          source + row * middle.source, inner.source, destination + row * middle.destination, inner.destination,
          inner.extent)
      }
      return
    }
    if MemoryLayout<Word>.size == 4, inner.destination == 1 {
      let source = UnsafeRawPointer(source + rows.lowerBound).assumingMemoryBound(to: Float.self)
      let destination = UnsafeMutableRawPointer(destination + rows.lowerBound * middle.destination)
      rk_transpose(
        inner.extent, rows.count, source, inner.source, destination.assumingMemoryBound(to: Float.self),
        middle.destination)
      return
    }
    // Tiles that stay in the first cache on both sides.
    let tile = 16
    for firstRow in stride(from: rows.lowerBound, to: rows.upperBound, by: tile) {
      let tileRows = firstRow..<min(firstRow + tile, rows.upperBound)
      for firstColumn in stride(from: 0, to: inner.extent, by: tile) {
        let lastColumn = min(firstColumn + tile, inner.extent)
        for row in tileRows {
          var from = source + (row + firstColumn * inner.source)
          var to = destination + (row * middle.destination + firstColumn * inner.destination)
          for _ in firstColumn..<lastColumn {
            to.pointee = from.pointee
            from += inner.source
            to += inner.destination
          }
        }
      }
    }
  }

  @inline(__always)
  private static func row<Word: BitwiseCopyable>(
    _ source: UnsafePointer<Word>, _ sourceStride: Int, _ destination: UnsafeMutablePointer<Word>,
    _ destinationStride: Int, _ count: Int
  ) {
    if destinationStride == 1, sourceStride == 1 {
      destination.update(from: source, count: count)
    } else if destinationStride == 1, sourceStride == 0 {
      destination.update(repeating: source[0], count: count)
    } else {
      var (from, to) = (source, destination)
      for _ in 0..<count {
        to.pointee = from.pointee
        from += sourceStride
        to += destinationStride
      }
    }
  }
}

extension Inference {
  /// The bytes of an element of an input that is moved without being read.
  /// - Throws: where elements have no width of whole bytes (strings, 4-bit numbers).
  func width(_ index: Int) throws -> Int {
    let type = try spec(index).elementType
    guard let bits = type.bitWidth, bits >= 8 else {
      throw failure("input \(index) is \(type); the engine moves elements of whole bytes")
    }
    return bits / 8
  }
}
