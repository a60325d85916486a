// A product with few rows or few columns, whose factors both lie along the depth: dot products, nothing packed.

import CKernels

/// The plan of a product by dot products: scoring one item, or a layer with one output. Bound by memory: each number
/// of the longer matrix is read once for four rows of the shorter one.
struct MatrixProductDots: Sendable {
  private let problem: MatrixProductProblem
  private let kernels: MatrixKernels
  /// `b`'s columns are the few; then `a`'s rows are the long side.
  private let fewColumns: Bool
  private let chunks: Int

  var participantFloats: Int

  /// Rows (or columns) up to which this beats tiles: two rounds of four.
  private static let few = 8

  /// nil if the product is better done by tiles.
  init?(_ problem: MatrixProductProblem, kernels: MatrixKernels) {
    // A single row, or a single column without gaps, lies along the depth whichever way it is stored.
    let aLies = !problem.aTransposed || (problem.rows == 1 && problem.aStride == 1)
    let bLies = problem.bTransposed || (problem.columns == 1 && problem.bStride == 1)
    guard aLies, bLies, min(problem.rows, problem.columns) <= Self.few else { return nil }
    self.problem = problem
    self.kernels = kernels
    fewColumns = problem.columns < problem.rows
    let length = max(problem.rows, problem.columns)
    // At least 64 KB of the long matrix a task, in whole fours so that they are computed alike.
    let least = max(4, (16_384 / max(problem.depth, 1)) & ~3)
    chunks = max(1, min(16, length / least))
    participantFloats =
      problem.keepsResult
      ? 0 : MatrixProductProblem.aligned((length / chunks + 8) * min(problem.rows, problem.columns))
  }

  func run(_ call: MatrixProductCall) {
    let length = fewColumns ? problem.rows : problem.columns
    let quads = (length + 3) / 4
    call.parallel(chunks) { task, own in
      let range = part(task, of: chunks, in: quads)
      let items = range.lowerBound * 4..<min(range.upperBound * 4, length)
      guard !items.isEmpty else { return }
      let rows = fewColumns ? items : 0..<problem.rows
      let columns = fewColumns ? 0..<problem.columns : items
      let target = call.c.map { $0 + rows.lowerBound * problem.cStride + columns.lowerBound } ?? own
      let stride = call.c == nil ? columns.count : problem.cStride
      let aRow = problem.aTransposed ? problem.depth : problem.aStride
      let bRow = problem.bTransposed ? problem.bStride : problem.depth
      let a = call.a + rows.lowerBound * aRow
      let b = call.b + columns.lowerBound * bRow
      if fewColumns {
        kernels.table.dots(
          columns.count, rows.count, problem.depth, b, bRow, a, aRow, target, 1, stride, problem.alpha, problem.beta)
      } else {
        kernels.table.dots(
          rows.count, columns.count, problem.depth, a, aRow, b, bRow, target, stride, 1, problem.alpha, problem.beta)
      }
      call.finish(
        target, rowStride: stride, row: rows.lowerBound, column: columns.lowerBound, rows: rows.count,
        columns: columns.count)
    }
  }
}
