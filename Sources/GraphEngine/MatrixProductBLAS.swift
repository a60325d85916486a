// Products by OpenBLAS: every one in double precision, and those in single precision where it is chosen.

import COpenBLAS

/// The plan of a product by OpenBLAS, one thread of it for each thread of ours. The parts depend on the shape alone,
/// so that the bits do not depend on the number of threads.
struct MatrixProductBLAS: Sendable {
  private let problem: MatrixProductProblem
  private let parts: Int
  private let splitsRows: Bool

  init(_ problem: MatrixProductProblem) {
    self.problem = problem
    splitsRows = problem.rows >= problem.columns
    let length = max(problem.rows, problem.columns)
    parts = max(1, min(4, length / 32, problem.multiplyAdds >> 18))
  }

  func run(_ call: MatrixProductCall) {
    _ = Self.singleThreaded
    let c = call.c ?? call.result
    call.parallel(parts) { task, _ in
      let rows = splitsRows ? part(task, of: parts, in: problem.rows) : 0..<problem.rows
      let columns = splitsRows ? 0..<problem.columns : part(task, of: parts, in: problem.columns)
      let target = c + rows.lowerBound * problem.cStride + columns.lowerBound
      cblas_sgemm(
        CblasRowMajor, problem.aTransposed ? CblasTrans : CblasNoTrans, problem.bTransposed ? CblasTrans : CblasNoTrans,
        Int32(rows.count), Int32(columns.count), Int32(problem.depth), problem.alpha,
        call.a + rows.lowerBound * (problem.aTransposed ? 1 : problem.aStride), Int32(max(problem.aStride, 1)),
        call.b + columns.lowerBound * (problem.bTransposed ? problem.bStride : 1), Int32(max(problem.bStride, 1)),
        problem.beta, target, Int32(problem.cStride))
      call.finish(
        target, rowStride: problem.cStride, row: rows.lowerBound, column: columns.lowerBound, rows: rows.count,
        columns: columns.count)
    }
  }

  /// OpenBLAS without threads of its own: the pool's threads call it.
  static let singleThreaded: Void = openblas_set_num_threads(1)
}

/// `c = alpha * op(a)·op(b) + beta * c` in double precision, row-major, on the calling thread.
///
/// `op(a)` is `[rows, depth]`, `op(b)` is `[depth, columns]`; the stored rows follow one another.
package func multiplyMatrices(
  rows: Int, columns: Int, depth: Int, alpha: Double = 1, a: UnsafePointer<Double>, aTransposed: Bool = false,
  b: UnsafePointer<Double>, bTransposed: Bool = false, beta: Double = 0, c: UnsafeMutablePointer<Double>
) {
  _ = MatrixProductBLAS.singleThreaded
  cblas_dgemm(
    CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans, Int32(rows),
    Int32(columns), Int32(depth), alpha, a, Int32(max(1, aTransposed ? rows : depth)), b,
    Int32(max(1, bTransposed ? depth : columns)), beta, c, Int32(max(1, columns)))
}
