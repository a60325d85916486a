// The integer kernels of every instruction set that this processor has, against plain integers.

import CKernels
import Testing

@Suite("Integer kernels")
struct IntegerTests {
  @Test("multiply bytes exactly at every number of rows and depth, signed or not")
  func exact() {
    let tables = [rk_integer_kernels_best(), rk_integer_kernels_avx2(), rk_integer_kernels_portable()]
    for table in tables.compactMap({ $0?.pointee }) {
      let columns = 2 * table.panel - 5
      for depth in [1, 3, 4, 6, 31, 64] {
        for (flipA, flipB) in [(0, 0), (128, 0), (0, 128), (128, 128)] {
          // The extremes among them: pairs of products must not saturate.
          let a = (0..<table.rows * depth).map { UInt8(truncatingIfNeeded: $0 % 3 == 0 ? 255 : $0 * 37) }
          let b = (0..<depth * columns).map { UInt8(truncatingIfNeeded: $0 % 5 == 0 ? 128 : $0 * 91) }
          let stride = (depth + 3) / 4 * 4 * table.panel
          var packed = [Int8](repeating: 99, count: 2 * stride)
          var sums = [Int32](repeating: 99, count: 2 * table.panel)
          for panel in 0..<2 {
            b.withUnsafeBufferPointer { b in
              packed.withUnsafeMutableBufferPointer { packed in
                sums.withUnsafeMutableBufferPointer { sums in
                  table.pack(
                    depth, min(table.panel, columns - panel * table.panel), b.baseAddress! + panel * table.panel,
                    columns, Int32(flipB), packed.baseAddress! + panel * stride, sums.baseAddress! + panel * table.panel
                  )
                }
              }
            }
          }
          func left(_ row: Int, _ step: Int) -> Int {
            let byte = a[row * depth + step]
            return flipA == 0 ? Int(byte) : Int(Int8(bitPattern: byte)) + 128
          }
          func right(_ step: Int, _ column: Int) -> Int {
            let byte = b[step * columns + column]
            return flipB == 0 ? Int(Int8(bitPattern: byte)) : Int(byte) - 128
          }
          for rows in 1...table.rows {
            var c = [Int32](repeating: 99, count: rows * 2 * table.panel)
            table.block(rows, 2, depth, a, depth, Int32(flipA), packed, stride, &c, 2 * table.panel)
            for row in 0..<rows {
              for column in 0..<columns {
                let expected = (0..<depth).reduce(0) { $0 + left(row, $1) * right($1, column) }
                #expect(Int(c[row * 2 * table.panel + column]) == expected)
              }
            }
          }
          for column in 0..<columns {
            #expect(Int(sums[column]) == (0..<depth).reduce(0) { $0 + right($1, column) })
          }
        }
      }
    }
  }
}
