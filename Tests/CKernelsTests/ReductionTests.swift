// Reductions, softmax and layer normalisation against double precision.

import CKernels
import Glibc
import Testing

/// Numbers between -1 and 1 that look random and are always the same.
func numbers(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
  (0..<count).map { index in
    var bits = (seed << 32 + UInt64(index)) &* 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return scale * Float(Int64(bitPattern: bits ^ bits >> 31) >> 40) / Float(1 << 23)
  }
}

/// The largest of |found - exact| / (1 + |exact|), infinite where one is NaN and the other is not.
func worstError(_ found: [Float], _ exact: [Double]) -> Double {
  guard found.count == exact.count else { return .infinity }
  return zip(found, exact).reduce(0) { worst, pair in
    let error = abs(Double(pair.0) - pair.1) / (1 + abs(pair.1))
    return error.isNaN ? .infinity : max(worst, error)
  }
}

/// Rows and columns around the lanes of the loops.
let matrixSizes = [(1, 1), (3, 31), (4, 32), (5, 33), (2, 64), (7, 384), (65, 100), (33, 7), (2, 1000)]

@Suite("Reductions")
struct ReductionTests {
  @Test("sums and maxima over rows and columns", arguments: matrixSizes)
  func sumsAndMaxima(rows: Int, columns: Int) {
    let stride = columns + 3
    let x = numbers(rows * stride, seed: 1)
    func at(_ i: Int, _ j: Int) -> Double { Double(x[i * stride + j]) }
    var y = [Float](repeating: .nan, count: rows)
    rk_row_sums(rows, columns, x, stride, 0.5, &y)
    #expect(worstError(y, (0..<rows).map { i in 0.5 * (0..<columns).reduce(0) { $0 + at(i, $1) } }) < 2e-6)
    rk_row_maxima(rows, columns, x, stride, &y)
    #expect(y == (0..<rows).map { i in (0..<columns).map { x[i * stride + $0] }.max()! })
    var places = [Int64](repeating: -1, count: rows)
    rk_row_argmax(rows, columns, x, stride, &places)
    for i in 0..<rows {
      let row = (0..<columns).map { x[i * stride + $0] }
      #expect(Int(places[i]) == row.firstIndex(of: row.max()!))
    }

    var z = [Float](repeating: 7, count: columns)
    let sums = (0..<columns).map { j in (0..<rows).reduce(0.0) { $0 + at($1, j) } }
    rk_column_sums(rows, columns, x, stride, 2, 0, &z)
    #expect(worstError(z, sums.map { 2 * $0 }) < 2e-6)
    rk_column_sums(rows, columns, x, stride, 1, 1, &z)
    #expect(worstError(z, sums.map { 3 * $0 }) < 4e-6)
    rk_column_maxima(rows, columns, x, stride, &z)
    #expect(z == (0..<columns).map { j in (0..<rows).map { x[$0 * stride + j] }.max()! })
  }

  @Test("a part of the columns sums to the same bits as the whole")
  func partsOfColumnsAgree() {
    let (rows, columns) = (50, 200)
    let x = numbers(rows * columns, seed: 2)
    var whole = [Float](repeating: 0, count: columns)
    rk_column_sums(rows, columns, x, columns, 1, 0, &whole)
    var parts = whole.map { _ in Float.nan }
    x.withUnsafeBufferPointer { x in
      parts.withUnsafeMutableBufferPointer { y in
        for range in [0..<71, 71..<73, 73..<200] {
          rk_column_sums(
            rows, range.count, x.baseAddress! + range.lowerBound, columns, 1, 0, y.baseAddress! + range.lowerBound)
        }
      }
    }
    #expect(parts == whole)
  }

  @Test("maxima find NaN, the first of equal numbers, and infinities")
  func maximaOfOddNumbers() {
    var x = [Float](repeating: -.infinity, count: 100)
    var place = [Int64](repeating: -1, count: 1)
    var maximum = [Float](repeating: 0, count: 1)
    rk_row_argmax(1, 100, x, 100, &place)
    #expect(place == [0])
    x[60] = 4
    x[90] = 4
    rk_row_argmax(1, 100, x, 100, &place)
    #expect(place == [60])
    for position in [3, 70, 99] {
      var y = x
      y[position] = .nan
      rk_row_argmax(1, 100, y, 100, &place)
      rk_row_maxima(1, 100, y, 100, &maximum)
      #expect(place == [Int64(position)] && maximum[0].isNaN)
    }
  }

  @Test("dot products, sums of squares, and the search for what is not finite")
  func dots() {
    for count in [0, 1, 31, 32, 33, 1000] {
      let (a, b) = (numbers(count, seed: 3), numbers(count, seed: 4))
      let exact = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      #expect(worstError([rk_dot(count, a, b)], [exact]) < 2e-6)
      let squares = a.reduce(0.0) { $0 + Double($1) * Double($1) }
      #expect(abs(rk_sum_of_squares(count, a) - squares) <= 1e-13 * squares)
      #expect(rk_all_finite(count, a) != 0)
      for bad in [Float.nan, .infinity, -.infinity] where count > 0 {
        var c = a
        c[count - 1] = bad
        #expect(rk_all_finite(count, c) == 0)
      }
    }
    // Beyond the largest float.
    #expect(rk_sum_of_squares(2, [3e30, 4e30]).squareRoot() > 4.9e30)
  }

  @Test("softmax and its logarithm, and both gradients", arguments: matrixSizes)
  func softmax(rows: Int, columns: Int) {
    let x = numbers(rows * columns, seed: 5, scale: 8)
    let dy = numbers(rows * columns, seed: 6)
    var y = [Float](repeating: .nan, count: x.count)
    var logarithm = y
    var (dx, dlog) = (y, y)
    rk_softmax(rows, columns, x, &y)
    rk_softmax_gradient(rows, columns, dy, y, &dx)
    rk_log_softmax(rows, columns, x, &logarithm)
    rk_log_softmax_gradient(rows, columns, dy, logarithm, &dlog)
    var (exactY, exactLog, exactDx, exactDlog): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    for i in 0..<rows {
      let row = (0..<columns).map { Double(x[i * columns + $0]) }
      let sum = row.reduce(0) { $0 + Glibc.exp($1) }
      let p = row.map { Glibc.exp($0) / sum }
      let g = (0..<columns).map { Double(dy[i * columns + $0]) }
      let inner = zip(p, g).reduce(0) { $0 + $1.0 * $1.1 }
      exactY += p
      exactLog += row.map { $0 - Glibc.log(sum) }
      exactDx += zip(p, g).map { $0 * ($1 - inner) }
      exactDlog += zip(p, g).map { $1 - $0 * g.reduce(0, +) }
    }
    #expect(worstError(y, exactY) < 1e-6)
    #expect(worstError(logarithm, exactLog) < 1e-6)
    #expect(worstError(dx, exactDx) < 2e-6)
    #expect(worstError(dlog, exactDlog) < 5e-6)
  }

  @Test("softmax of very large numbers is finite")
  func softmaxOfLargeNumbers() {
    var y = [Float](repeating: 0, count: 3)
    rk_softmax(1, 3, [3e38, 3e38, -3e38], &y)
    #expect(y == [0.5, 0.5, 0])
    rk_log_softmax(1, 3, [1e30, 0, -.infinity], &y)
    #expect(y == [0, -1e30, -.infinity])
  }

  @Test("layer normalisation and its gradients", arguments: matrixSizes.filter { $0.1 > 1 })
  func layerNormalization(rows: Int, columns: Int) {
    let x = numbers(rows * columns, seed: 7, scale: 3).map { $0 + 10 }
    let dy = numbers(rows * columns, seed: 8)
    let (gamma, beta) = (numbers(columns, seed: 9), numbers(columns, seed: 10))
    var y = [Float](repeating: .nan, count: x.count)
    var dx = y
    var (mean, inverse) = ([Float](repeating: 0, count: rows), [Float](repeating: 0, count: rows))
    var (dgamma, dbeta) = ([Float](repeating: 0, count: columns), [Float](repeating: 0, count: columns))
    rk_layer_normalization(rows, columns, x, gamma, beta, 1e-5, &y, &mean, &inverse)
    rk_layer_normalization_gradient(rows, columns, dy, x, gamma, mean, inverse, &dx)
    rk_layer_normalization_parameters_gradient(rows, columns, dy, x, columns, mean, inverse, &dgamma, &dbeta)

    var (exactY, exactDx): ([Double], [Double]) = ([], [])
    var (exactGamma, exactBeta) = ([Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns))
    for i in 0..<rows {
      let row = (0..<columns).map { Double(x[i * columns + $0]) }
      let n = Double(columns)
      let center = row.reduce(0, +) / n
      let variance = row.reduce(0) { $0 + ($1 - center) * ($1 - center) } / n
      let scale = 1 / (variance + 1e-5).squareRoot()
      let normal = row.map { ($0 - center) * scale }
      let g = (0..<columns).map { Double(dy[i * columns + $0]) * Double(gamma[$0]) }
      let first = g.reduce(0, +) / n
      let second = zip(g, normal).reduce(0) { $0 + $1.0 * $1.1 } / n
      for j in 0..<columns {
        exactY.append(normal[j] * Double(gamma[j]) + Double(beta[j]))
        exactDx.append(scale * (g[j] - first - normal[j] * second))
        exactGamma[j] += Double(dy[i * columns + j]) * normal[j]
        exactBeta[j] += Double(dy[i * columns + j])
      }
    }
    // The mean of about 10 is rounded to 5e-7: seen through the inverse deviation of about 0.6.
    #expect(worstError(y, exactY) < 1e-5)
    #expect(worstError(dx, exactDx) < 1e-5)
    #expect(worstError(dgamma, exactGamma) < 1e-5)
    #expect(worstError(dbeta, exactBeta) < 1e-5)
    // Without the optional arrays, and in place.
    var z = x
    z.withUnsafeMutableBufferPointer { z in
      rk_layer_normalization(rows, columns, z.baseAddress, gamma, nil, 1e-5, z.baseAddress, nil, nil)
    }
    #expect(worstError(z, exactY.indices.map { exactY[$0] - Double(beta[$0 % columns]) }) < 1e-5)
  }
}
