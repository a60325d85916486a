// Products of 8-bit matrices: the one file that decides how they run.

import CKernels

/// The right-hand matrix of integer products, packed once: a constant keeps it for every plan of its session.
final class PackedIntegers {
  let depth, columns: Int
  fileprivate let kernels: rk_integer_kernels
  fileprivate let panels: UnsafeMutablePointer<Int8>
  /// The sums of the columns as they were packed.
  fileprivate let sums: UnsafeMutablePointer<Int32>
  fileprivate let panelCount: Int

  fileprivate var panelStride: Int { (depth + 3) / 4 * 4 * kernels.panel }

  /// - Parameters:
  ///   - source: `[depth, columns]`, its rows one after the other.
  ///   - isSigned: whether its bytes are signed.
  init(
    _ source: UnsafeRawPointer, depth: Int, columns: Int, isSigned: Bool, kernels: IntegerKernels = .best
  ) {
    (self.depth, self.columns, self.kernels) = (depth, columns, kernels.table)
    panelCount = (columns + kernels.table.panel - 1) / kernels.table.panel
    let stride = (depth + 3) / 4 * 4 * kernels.table.panel
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(stride * panelCount, 64), alignment: 64)
    panels = bytes.assumingMemoryBound(to: Int8.self)
    sums = .allocate(capacity: max(panelCount * kernels.table.panel, 1))
    fill(from: source, isSigned: isSigned)
  }

  deinit {
    panels.deallocate()
    sums.deallocate()
  }

  /// Packs a matrix of the same extents in the place of the present one.
  func fill(from source: UnsafeRawPointer, isSigned: Bool) {
    let bytes = source.assumingMemoryBound(to: UInt8.self)
    for index in 0..<panelCount {
      let first = index * kernels.panel
      kernels.pack(
        depth, min(kernels.panel, columns - first), bytes + first, columns, isSigned ? 0 : 128,
        panels + index * panelStride, sums + first)
    }
  }
}

/// The compiled loops for one instruction set.
package struct IntegerKernels: @unchecked Sendable {
  let table: rk_integer_kernels

  /// The fastest on this processor.
  package static let best = IntegerKernels(table: rk_integer_kernels_best().pointee)
  /// For any processor.
  package static let portable = IntegerKernels(table: rk_integer_kernels_portable().pointee)
  /// For AVX2; nil where the processor lacks it.
  package static let avx2 = rk_integer_kernels_avx2().map { IntegerKernels(table: $0.pointee) }

  package var name: String { String(cString: table.name) }
}

/// A planned product `(a - zero_a) · (b - zero_b)` of bytes in 32 bits, exact; `a` is `[rows, depth]`.
struct IntegerProduct {
  let rows, depth, columns: Int
  let isSignedA: Bool
  private let kernels: rk_integer_kernels
  private let threads: Int
  private let groups, chunks, blockFloats: Int

  /// Bytes of scratch that `run` needs.
  let scratchByteCount: Int

  init(rows: Int, depth: Int, columns: Int, isSignedA: Bool, threads: Int, kernels: IntegerKernels = .best) {
    (self.rows, self.depth, self.columns, self.isSignedA) = (rows, depth, columns, isSignedA)
    (self.kernels, self.threads) = (kernels.table, threads)
    let panels = (columns + kernels.table.panel - 1) / kernels.table.panel
    // Half of a 1 MB L2 cache for the packed panels of a chunk, and at most 256 columns for what they sum.
    let mostPanels = max(1, min(256 / kernels.table.panel, (1 << 19) / max(1, depth * kernels.table.panel)))
    chunks = max(1, (panels + mostPanels - 1) / mostPanels)
    let blocks = (rows + kernels.table.rows - 1) / kernels.table.rows
    groups = max(1, min(blocks, (16 + chunks - 1) / chunks, (rows * depth * columns / chunks) >> 18))
    blockFloats = kernels.table.rows * ((panels + chunks - 1) / chunks) * kernels.table.panel
    scratchByteCount = 64 + threads * (blockFloats * 4 + 64)
  }

  /// The finished block's first element, its row stride, and where in the product it lies.
  typealias Finish = (
    _ block: UnsafeMutablePointer<Int32>, _ rowStride: Int, _ row: Int, _ column: Int, _ rows: Int, _ columns: Int
  ) -> Void

  /// - Parameters:
  ///   - zeroA: a's zero points, 128 added where its bytes are signed.
  ///   - zeroStep: 1 where each row has its own, 0 where all share one.
  ///   - zeroB: the zero points of b's columns, 128 taken off where its bytes are unsigned; nil: all are 0.
  ///   - finish: takes each block while it is in the cache.
  func run(
    a: UnsafeRawPointer, zeroA: UnsafePointer<Int32>, zeroStep: Int, b: PackedIntegers, zeroB: UnsafePointer<Int32>?,
    scratch: UnsafeMutableRawPointer, pool: ThreadPool, finish: Finish
  ) {
    let flip = isSignedA ? 128 : 0
    let source = a.assumingMemoryBound(to: UInt8.self)
    let base = scratch.alignedUp(toMultipleOf: 64)
    let tileRows = kernels.rows
    let blocks = (rows + tileRows - 1) / tileRows
    guard rows > 0, columns > 0 else { return }
    pool.parallel(groups * chunks) { task, participant in
      let own = base + participant * (blockFloats * 4 + 64)
      let block = own.assumingMemoryBound(to: Int32.self)
      let panels = part(task % chunks, of: chunks, in: b.panelCount)
      guard !panels.isEmpty else { return }
      let first = panels.lowerBound * kernels.panel
      let width = min(panels.upperBound * kernels.panel, columns) - first
      let stride = panels.count * kernels.panel
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: tileRows) { rowSums in
        for index in part(task / chunks, of: groups, in: blocks) {
          let range = part(index, of: blocks, in: rows)
          if range.isEmpty { continue }
          let lines = source + range.lowerBound * depth
          kernels.block(
            range.count, panels.count, depth, lines, depth, Int32(flip), b.panels + panels.lowerBound * b.panelStride,
            b.panelStride, block, stride)
          if zeroB != nil {
            rk_byte_row_sums(range.count, depth, lines, depth, Int32(flip), rowSums.baseAddress)
          }
          rk_integer_correct(
            range.count, width, depth, block, stride, zeroA + range.lowerBound * zeroStep, zeroStep, b.sums + first,
            zeroB.map { $0 + first }, rowSums.baseAddress)
          finish(block, stride, range.lowerBound, first, range.count, width)
        }
      }
    }
  }
}
