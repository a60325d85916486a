// Matrix products against sums in double precision, by every set of kernels that this processor has and by OpenBLAS.

import GraphEngine
import Testing

private struct Shape: CustomTestStringConvertible {
  var rows, columns, depth: Int
  var batch = 1
  var testDescription: String { "\(batch) of \(rows)x\(columns)x\(depth)" }

  /// Edges of tiles and panels of every instruction set, vectors, and depths beyond one pass.
  static let all: [Shape] = [
    Shape(rows: 1, columns: 1, depth: 1), Shape(rows: 1, columns: 37, depth: 19),
    Shape(rows: 45, columns: 1, depth: 33),
    Shape(rows: 3, columns: 5, depth: 0), Shape(rows: 7, columns: 9, depth: 100),
    Shape(rows: 14, columns: 32, depth: 8),
    Shape(rows: 13, columns: 31, depth: 7), Shape(rows: 15, columns: 33, depth: 65),
    Shape(rows: 64, columns: 256, depth: 150), Shape(rows: 256, columns: 150, depth: 64),
    Shape(rows: 130, columns: 70, depth: 512), Shape(rows: 70, columns: 260, depth: 1024),
    Shape(rows: 29, columns: 41, depth: 4500), Shape(rows: 60, columns: 33, depth: 2100),
    Shape(rows: 17, columns: 12, depth: 9, batch: 11), Shape(rows: 128, columns: 130, depth: 32, batch: 2),
    Shape(rows: 40, columns: 3, depth: 16, batch: 5),
  ]
}

private let engines: [(String, MatrixProductEngine)] =
  [("best", .kernels(.best)), ("portable", .kernels(.portable)), ("OpenBLAS", .openBLAS)]
  + (MatrixKernels.avx2.map { [("AVX2", .kernels($0))] } ?? [])

/// Numbers between -1 and 1 that look random and are always the same.
private func numbers(_ count: Int, seed: UInt64) -> [Float] {
  // SplitMix64: products of a plainer generator's numbers a power of two apart are not independent.
  (0..<count).map { index in
    var bits = (seed << 32 + UInt64(index)) &* 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return Float(Int64(bitPattern: bits ^ bits >> 31) >> 40) / Float(1 << 23)
  }
}

/// A stored operand with room between its rows and matrices.
private struct Stored {
  let values: [Float]
  let stride, batchStride: Int
  let transposed: Bool

  init(rows: Int, columns: Int, transposed: Bool, gap: Int, batch: Int, seed: UInt64) {
    let (lines, length) = transposed ? (columns, rows) : (rows, columns)
    stride = length + gap
    batchStride = lines * stride + 3
    self.transposed = transposed
    values = numbers(batch * batchStride, seed: seed)
  }

  func element(_ matrix: Int, _ row: Int, _ column: Int) -> Double {
    Double(values[matrix * batchStride + (transposed ? column * stride + row : row * stride + column)])
  }

  var operand: MatrixProduct.Operand {
    .init(transposed: transposed, rowStride: stride, batchStride: batchStride)
  }
}

private func withScratch<Result>(_ product: MatrixProduct, _ body: (UnsafeMutableRawPointer) -> Result) -> Result {
  let scratch = UnsafeMutableRawPointer.allocate(byteCount: product.scratchByteCount, alignment: 64)
  // Old numbers in the scratch must not matter.
  scratch.initializeMemory(as: UInt8.self, repeating: 0xFF, count: product.scratchByteCount)
  defer { scratch.deallocate() }
  return body(scratch)
}

@Suite("Matrix products")
struct MatrixProductTests {
  @Test(
    "every way to store the factors gives the sums of products that double precision gives, and writes nothing else",
    arguments: Shape.all)
  fileprivate func agreesWithDoublePrecision(_ shape: Shape) {
    let pool = ThreadPool(threads: 2)
    for (name, engine) in engines {
      for (aTransposed, bTransposed) in [(false, false), (false, true), (true, false), (true, true)] {
        for (gap, alpha, beta) in [(0, Float(1), Float(0)), (5, -0.5, 0.25)] {
          let a = Stored(
            rows: shape.rows, columns: shape.depth, transposed: aTransposed, gap: gap, batch: shape.batch, seed: 1)
          let b = Stored(
            rows: shape.depth, columns: shape.columns, transposed: bTransposed, gap: gap, batch: shape.batch, seed: 2)
          let stride = shape.columns + gap
          let product = MatrixProduct(
            rows: shape.rows, columns: shape.columns, depth: shape.depth, a: a.operand, b: b.operand,
            resultRowStride: stride, batch: shape.batch, alpha: alpha, beta: beta, threads: 2, engine: engine)
          let before = numbers(shape.batch * shape.rows * stride, seed: 3)
          var c = beta == 0 ? before.map { _ in Float.nan } : before
          withScratch(product) { product.run(a: a.values, b: b.values, c: &c, scratch: $0, pool: pool) }

          var worst = 0.0
          var touchedGap = false
          for matrix in 0..<shape.batch {
            for row in 0..<shape.rows {
              for column in 0..<stride {
                let index = (matrix * shape.rows + row) * stride + column
                if column >= shape.columns {
                  touchedGap = touchedGap || (beta == 0 ? !c[index].isNaN : c[index] != before[index])
                  continue
                }
                var sum = 0.0
                for k in 0..<shape.depth { sum += a.element(matrix, row, k) * b.element(matrix, k, column) }
                let expected = Double(alpha) * sum + (beta == 0 ? 0 : Double(beta) * Double(before[index]))
                let error = abs(Double(c[index]) - expected)
                worst = error.isNaN ? .infinity : max(worst, error)
              }
            }
          }
          // Each step of a chain rounds a partial sum of about √k/3: in all 0.07 ulp·depth; the worst of thousands of
          // elements is ten times that. A product left out would show as 0.1.
          let bound = Double(Float.ulpOfOne) * (Double(shape.depth) + 8)
          #expect(worst < bound, "\(name), a transposed: \(aTransposed), b transposed: \(bTransposed), gap \(gap)")
          #expect(!touchedGap, "\(name) wrote between the rows")
        }
      }
    }
  }

  @Test("one, two and five threads give the same bits", arguments: Shape.all)
  fileprivate func threadsDoNotChangeBits(_ shape: Shape) {
    for (name, engine) in engines {
      for (aTransposed, bTransposed) in [(false, true), (true, false), (false, false)] {
        let a = numbers(shape.batch * shape.rows * shape.depth, seed: 4)
        let b = numbers(shape.batch * shape.depth * shape.columns, seed: 5)
        let results = [1, 2, 5].map { threads in
          let pool = ThreadPool(threads: threads)
          let product = MatrixProduct(
            rows: shape.rows, columns: shape.columns, depth: shape.depth, a: .init(transposed: aTransposed),
            b: .init(transposed: bTransposed), batch: shape.batch, threads: threads, engine: engine)
          var c = [Float](repeating: 0, count: shape.batch * shape.rows * shape.columns)
          withScratch(product) { product.run(a: a, b: b, c: &c, scratch: $0, pool: pool) }
          return c.map(\.bitPattern)
        }
        #expect(results[0] == results[1] && results[0] == results[2], "\(name)")
      }
    }
  }

  @Test("the epilogue sees every element once, finished, with or without a result in memory", arguments: Shape.all)
  fileprivate func epilogueSeesEachElementOnce(_ shape: Shape) {
    final class Seen {
      var counts: [Int32]
      var values: [Float]
      let columns: Int
      init(_ count: Int, columns: Int) {
        counts = Array(repeating: 0, count: count)
        values = Array(repeating: .nan, count: count)
        self.columns = columns
      }
    }
    for (name, engine) in engines {
      for (aTransposed, bTransposed) in [(false, true), (true, false), (false, false)] {
        let count = shape.batch * shape.rows * shape.columns
        let a = numbers(shape.batch * shape.rows * shape.depth, seed: 6)
        let b = numbers(shape.batch * shape.depth * shape.columns, seed: 7)
        // One thread: the epilogue of this test writes to Swift arrays.
        let pool = ThreadPool(threads: 1)
        func run(keepsResult: Bool) -> (Seen, [Float]) {
          let product = MatrixProduct(
            rows: shape.rows, columns: shape.columns, depth: shape.depth, a: .init(transposed: aTransposed),
            b: .init(transposed: bTransposed), batch: shape.batch, keepsResult: keepsResult, threads: 1, engine: engine)
          let seen = Seen(count, columns: shape.columns)
          let epilogue = MatrixProduct.Epilogue(
            { context, c, stride, firstRow, firstColumn, rows, columns in
              let seen = Unmanaged<Seen>.fromOpaque(context!).takeUnretainedValue()
              for row in 0..<rows {
                for column in 0..<columns {
                  let index = (firstRow + row) * seen.columns + firstColumn + column
                  seen.counts[index] += 1
                  seen.values[index] = c![row * stride + column]
                }
              }
            }, context: Unmanaged.passUnretained(seen).toOpaque())
          var c = [Float](repeating: 0, count: count)
          withScratch(product) { scratch in
            c.withUnsafeMutableBufferPointer { c in
              product.run(
                a: a, b: b, c: keepsResult ? c.baseAddress : nil, epilogue: epilogue, scratch: scratch, pool: pool)
            }
          }
          return (seen, c)
        }
        let (kept, c) = run(keepsResult: true)
        let (unkept, _) = run(keepsResult: false)
        #expect(kept.counts.allSatisfy { $0 == 1 } && unkept.counts.allSatisfy { $0 == 1 }, "\(name)")
        #expect(kept.values == c && unkept.values == c, "\(name)")
      }
    }
  }

  @Test("a batch can share one factor")
  func batchSharesAFactor() {
    let pool = ThreadPool(threads: 2)
    let a = numbers(6 * 5 * 8, seed: 8)
    let b = numbers(8 * 9, seed: 9)
    for (name, engine) in engines {
      let product = MatrixProduct(
        rows: 5, columns: 9, depth: 8, b: .init(batchStride: 0), batch: 6, threads: 2, engine: engine)
      let flat = MatrixProduct(rows: 30, columns: 9, depth: 8, threads: 2, engine: engine)
      var (c, d) = ([Float](repeating: 0, count: 270), [Float](repeating: 0, count: 270))
      withScratch(product) { product.run(a: a, b: b, c: &c, scratch: $0, pool: pool) }
      withScratch(flat) { flat.run(a: a, b: b, c: &d, scratch: $0, pool: pool) }
      #expect(zip(c, d).allSatisfy { abs($0 - $1) < 1e-5 }, "\(name)")
    }
  }

  @Test("products in double precision keep double precision")
  func doublePrecision() {
    let a = numbers(6 * 7, seed: 10).map(Double.init)
    let b = numbers(7 * 4, seed: 11).map { Double($0) * 1e-12 + 1 }
    var c = [Double](repeating: 2, count: 24)
    multiplyMatrices(rows: 6, columns: 4, depth: 7, alpha: 3, a: a, b: b, beta: 0.5, c: &c)
    for row in 0..<6 {
      for column in 0..<4 {
        let sum = (0..<7).reduce(0.0) { $0 + a[row * 7 + $1] * b[$1 * 4 + column] }
        #expect(abs(c[row * 4 + column] - (3 * sum + 1)) < 1e-14)
      }
    }
  }

  @Test("a right side that was packed before gives the same bits, for any number of rows", arguments: [false, true])
  func prepacked(_ transposed: Bool) {
    let (columns, depth) = (45, 600)
    let b = Stored(rows: depth, columns: columns, transposed: transposed, gap: 0, batch: 1, seed: 3)
    for (name, engine) in engines {
      for rows in [1, 9, 40, 150] {
        let a = Stored(rows: rows, columns: depth, transposed: false, gap: 0, batch: 1, seed: 4)
        func product(prepacks: Bool) -> MatrixProduct {
          MatrixProduct(
            rows: rows, columns: columns, depth: depth, b: .init(transposed: transposed), prepacksB: prepacks,
            threads: 2, engine: engine)
        }
        func run(_ product: MatrixProduct, packed: [Float]?) -> [Float] {
          var c = [Float](repeating: .nan, count: rows * columns)
          withScratch(product) { scratch in
            product.run(
              a: a.values, b: b.values, packedB: packed, c: &c, scratch: scratch, pool: ThreadPool(threads: 2))
          }
          return c
        }
        let plan = product(prepacks: true)
        let expected = run(product(prepacks: false), packed: nil)
        #expect(run(plan, packed: nil) == expected, "\(name), \(rows) rows, not packed")
        guard let floats = plan.packedBFloats else { continue }
        var packed = [Float](repeating: .nan, count: floats)
        plan.packB(b.values, into: &packed)
        #expect(run(plan, packed: packed) == expected, "\(name), \(rows) rows")
      }
    }
  }
}
