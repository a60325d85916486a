// The sparse matrix against a dictionary of sums.

import Recommendation
import Testing

@Suite struct InteractionMatrixTests {
  @Test("rows come sorted, and repeated pairs are added up")
  func sums() {
    let matrix = InteractionMatrix(
      rows: [2, 0, 2, 2, 0], columns: [1, 3, 0, 1, 2], values: [1, 2, 4, 8, 16], rowCount: 4, columnCount: 5)
    #expect(matrix.offsets == [0, 2, 2, 4, 4])
    #expect(matrix.columns == [2, 3, 0, 1])
    #expect(matrix.values == [16, 2, 4, 9])
    #expect(matrix.contains(row: 2, column: 1) && !matrix.contains(row: 1, column: 1))
  }

  @Test("transposing twice gives the same matrix")
  func transposition() {
    let matrix = InteractionMatrix(
      rows: [1, 0, 1, 2], columns: [2, 1, 0, 2], values: [1, 2, 3, 4], rowCount: 3, columnCount: 4)
    #expect(matrix.transposed.rowCount == 4)
    #expect(Array(matrix.transposed[2]) == [1, 2])
    #expect(matrix.transposed.transposed == matrix)
  }
}
