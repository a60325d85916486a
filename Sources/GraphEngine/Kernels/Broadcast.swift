// Elementwise loops over operands of different shapes, by ONNX's multidirectional broadcasting.

import CKernels
import Tensors

/// How up to four operands are read while an output is written in order: blocks of rows and columns, where each operand
/// goes along with the columns (stride 1) or repeats one element (stride 0), and has some stride from row to row.
///
/// Neighbouring axes that every operand passes in the same way are joined, so that equal shapes make one long row,
/// a row against a matrix makes rows, and a column against a matrix makes rows against single elements.
struct Broadcast {
  /// Offsets or strides of the operands, in elements.
  typealias Offsets = SIMD4<Int>

  /// The extent and strides of the innermost axis.
  let columns: Int
  let columnStrides: Offsets
  /// The extent and strides of the axis around it, 1 and 0 where there is none.
  private let rows: Int
  let rowStrides: Offsets
  /// The axes around a block, outermost first.
  private let extents: [Int]
  private let strides: [Offsets]
  private let rowCount: Int

  /// - Precondition: each operand's shape broadcasts to the output's, and there are at most four.
  init(to output: Shape, _ operands: [Shape]) {
    let own = operands.map { $0.broadcastStrides(to: output) }
    var axes: [(extent: Int, strides: Offsets)] = []
    for axis in 0..<output.rank where output[axis] != 1 {
      var strides = Offsets.zero
      for (position, operand) in own.enumerated() { strides[position] = operand[axis] }
      if let last = axes.last, last.strides == strides &* output[axis] {
        axes[axes.count - 1] = (last.extent * output[axis], strides)
      } else {
        axes.append((output[axis], strides))
      }
    }
    (columns, columnStrides) = axes.popLast() ?? (1, Offsets.zero)
    (rows, rowStrides) = axes.popLast() ?? (1, Offsets.zero)
    extents = axes.map(\.extent)
    strides = axes.map(\.strides)
    rowCount = columns == 0 ? 0 : extents.reduce(rows, *)
  }

  /// Calls `body` for parts of the output: where one starts in the output and in each operand, its rows and columns.
  /// - Parameter grain: the least number of elements worth another thread.
  @inline(never)
  func forEachBlock(
    _ pool: ThreadPool, grain: Int = Grain.plain,
    _ body: (_ output: Int, _ operands: Offsets, _ rows: Int, _ columns: Int) -> Void
  ) {
    if rowCount == 1 {
      pool.parallel(over: columns, grain: grain) { range in
        body(range.lowerBound, columnStrides &* range.lowerBound, 1, range.count)
      }
    } else {
      pool.parallel(over: rowCount, grain: (grain + columns - 1) / max(columns, 1)) { forEachBlock(in: $0, body) }
    }
  }

  private func forEachBlock(in range: Range<Int>, _ body: (Int, Offsets, Int, Int) -> Void) {
    var row = range.lowerBound
    while row < range.upperBound {
      let (block, first) = row.quotientAndRemainder(dividingBy: rows)
      var offsets = rowStrides &* first
      var rest = block
      for axis in stride(from: extents.count - 1, through: 0, by: -1) {
        let (outer, index) = rest.quotientAndRemainder(dividingBy: extents[axis])
        offsets &+= strides[axis] &* index
        rest = outer
      }
      let count = min(rows - first, range.upperBound - row)
      body(row * columns, offsets, count, columns)
      row += count
    }
  }

  /// Calls `body` for each element in order, on the calling thread, with its place in the output and in the one operand.
  @inline(__always)
  func forEachElement(_ body: (_ output: Int, _ operand: Int) -> Void) {
    forEachBlock(.serial) { start, operands, rows, columns in
      for row in 0..<rows {
        for column in 0..<columns {
          body(start + row * columns + column, operands[0] + row * rowStrides[0] + column * columnStrides[0])
        }
      }
    }
  }

  /// An operand of a block for the C loops.
  @inline(__always)
  func operand(_ index: Int, _ buffer: Buffer, _ offsets: Offsets) -> rk_operand {
    rk_operand(
      start: buffer.floats + offsets[index], row: rowStrides[index], spread: columnStrides[index] == 0 ? 1 : 0)
  }
}

extension Inference {
  /// The shape that the given inputs broadcast to.
  func broadcastShape(_ indices: some Sequence<Int>) throws -> Shape {
    var result = Shape.scalar
    for index in indices {
      let shape = try shape(index)
      guard let joined = result.broadcast(with: shape) else {
        throw failure("input \(index) of \(shape) does not broadcast with \(result)")
      }
      result = joined
    }
    return result
  }
}

/// `output[i] = function(a[i], b[i])` over one stretch, where each operand's stride is 0 or 1.
@inline(__always)
func zipStretch<A, B, C>(
  _ a: UnsafePointer<A>, _ strideA: Int, _ b: UnsafePointer<B>, _ strideB: Int, _ output: UnsafeMutablePointer<C>,
  _ count: Int, _ function: (A, B) -> C
) {
  if strideA != 0, strideB != 0 {
    for index in 0..<count { output[index] = function(a[index], b[index]) }
  } else if strideA != 0 {
    let b = b[0]
    for index in 0..<count { output[index] = function(a[index], b) }
  } else if strideB != 0 {
    let a = a[0]
    for index in 0..<count { output[index] = function(a, b[index]) }
  } else {
    let value = function(a[0], b[0])
    for index in 0..<count { output[index] = value }
  }
}
