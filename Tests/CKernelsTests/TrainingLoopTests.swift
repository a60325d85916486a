// Random numbers, rows of tables, the optimizers' updates, and what is done to blocks of products.

import CKernels
import Glibc
import Testing

@Suite("Training loops")
struct TrainingLoopTests {
  /// Philox 4x32-10 as its authors describe it, one counter at a time.
  private func philox(counter: [UInt32], key: [UInt32]) -> [UInt32] {
    var (c, k) = (counter, key)
    for _ in 0..<10 {
      let (first, second) = (UInt64(0xD251_1F53) * UInt64(c[0]), UInt64(0xCD9E_8D57) * UInt64(c[2]))
      c = [
        UInt32(second >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: second), UInt32(first >> 32) ^ c[3] ^ k[1],
        UInt32(truncatingIfNeeded: first),
      ]
      k = [k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85]
    }
    return c
  }

  @Test("random numbers are Philox's, whose published test vectors this test knows")
  func randomNumbersArePhilox() {
    // From the known-answer tests of the Random123 library.
    #expect(philox(counter: [0, 0, 0, 0], key: [0, 0]) == [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8])
    let seed: UInt64 = 0x1234_5678_9ABC_DEF0
    let stream: UInt64 = 0x0FED_CBA9_8765_4321
    var y = [Float](repeating: .nan, count: 1000)
    rk_uniform(1000, seed, stream, 5, &y)
    for (offset, value) in y.enumerated() {
      let number = UInt64(offset + 5)
      let counter = number / 64 * 16 + number % 16
      let words = philox(
        counter: [
          UInt32(truncatingIfNeeded: counter), UInt32(counter >> 32), UInt32(truncatingIfNeeded: stream),
          UInt32(stream >> 32),
        ], key: [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)])
      #expect(value == Float(words[Int(number % 64 / 16)] >> 8) / Float(1 << 24))
    }
  }

  @Test("dropout keeps the announced share, scales it, and draws the same in parts as in one")
  func dropout() {
    let count = 100_003
    let x = numbers(count, seed: 11).map { $0 + 2 }
    var y = [Float](repeating: .nan, count: count)
    var mask = [UInt8](repeating: 9, count: count)
    rk_dropout(count, 0.2, 42, 7, 0, x, &y, &mask)
    for index in 0..<count { #expect(y[index] == (mask[index] == 1 ? x[index] * (1 / (1 - 0.2)) : 0)) }
    #expect(mask.allSatisfy { $0 <= 1 })
    let kept = Double(mask.reduce(0) { $0 + Int($1) }) / Double(count)
    // Five standard deviations of a binomial share.
    #expect(abs(kept - 0.8) < 5 * (0.16 / Double(count)).squareRoot())

    var parts = [Float](repeating: .nan, count: count)
    x.withUnsafeBufferPointer { x in
      parts.withUnsafeMutableBufferPointer { y in
        for range in [0..<1, 1..<777, 777..<64_000, 64_000..<count] {
          let start = range.lowerBound
          rk_dropout(range.count, 0.2, 42, 7, UInt64(start), x.baseAddress! + start, y.baseAddress! + start, nil)
        }
      }
    }
    #expect(parts == y)
    var other = y
    rk_dropout(count, 0.2, 42, 8, 0, x, &other, nil)
    #expect(other != y)
    rk_dropout(count, 0, 42, 7, 0, x, &other, nil)
    #expect(other == x)

    var dx = [Float](repeating: .nan, count: count)
    rk_dropout_gradient(count, 1.25, x, mask, &dx)
    for index in 0..<count { #expect(dx[index] == (mask[index] == 1 ? x[index] * 1.25 : 0)) }
  }

  @Test("rows are gathered and added to by index")
  func rows() {
    let table = numbers(6 * 40, seed: 12)
    var y = [Float](repeating: .nan, count: 3 * 37)
    rk_gather_rows(3, [5, 0, 5], 37, table, 40, &y)
    for (i, row) in [5, 0, 5].enumerated() {
      #expect(Array(y[i * 37..<i * 37 + 37]) == Array(table[row * 40..<row * 40 + 37]))
    }
    var sum = table
    rk_scatter_add_rows(3, [5, 0, 5], 37, y, 37, &sum, 40)
    for row in 0..<6 {
      for column in 0..<40 {
        let old = table[row * 40 + column]
        let times: Float = column >= 37 ? 0 : row == 5 ? 2 : row == 0 ? 1 : 0
        #expect(abs(sum[row * 40 + column] - (old + times * old)) < 1e-6)
      }
    }
  }

  @Test("matrices are transposed and copied with strides", arguments: matrixSizes)
  func transposes(rows: Int, columns: Int) {
    let x = numbers(rows * (columns + 1), seed: 13)
    var y = [Float](repeating: .nan, count: columns * (rows + 2))
    rk_transpose(rows, columns, x, columns + 1, &y, rows + 2)
    var z = y.map { _ in Float.nan }
    rk_copy_strided(columns, rows, x, 1, columns + 1, &z, rows + 2)
    for j in 0..<columns {
      for i in 0..<rows {
        #expect(y[j * (rows + 2) + i] == x[i * (columns + 1) + j] && z[j * (rows + 2) + i] == x[i * (columns + 1) + j])
      }
      #expect(y[j * (rows + 2) + rows].isNaN)
    }
  }

  private func close(_ found: [Float], _ exact: [Double]) -> Bool { worstError(found, exact) < 1e-6 }

  @Test("Adam and AdamW step as PyTorch documents them", arguments: [true, false])
  func adam(decoupled: Bool) {
    let count = 77
    let (rate, beta1, beta2, epsilon, decay) = (0.01, 0.9, 0.999, 1e-8, 0.1)
    var p = numbers(count, seed: 14)
    var (m, v) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
    var (exactP, exactM, exactV) = (p.map(Double.init), m.map(Double.init), v.map(Double.init))
    for step in 1...5 {
      let gradient = numbers(count, seed: UInt64(20 + step))
      let correction1 = 1 - Glibc.pow(beta1, Double(step))
      let correction2 = 1 - Glibc.pow(beta2, Double(step))
      var numbersOfStep = rk_adam(
        gradient_scale: 0.5, coupled_decay: decoupled ? 0 : Float(decay),
        retention: decoupled ? Float(1 - rate * decay) : 1, beta1: Float(beta1), beta2: Float(beta2),
        step_size: Float(rate / correction1), root_scale: Float(1 / correction2.squareRoot()), epsilon: Float(epsilon))
      rk_adam_update(&numbersOfStep, count, gradient, &p, &m, &v)
      for i in 0..<count {
        var g = 0.5 * Double(gradient[i])
        if decoupled { exactP[i] -= rate * decay * exactP[i] } else { g += decay * exactP[i] }
        exactM[i] = beta1 * exactM[i] + (1 - beta1) * g
        exactV[i] = beta2 * exactV[i] + (1 - beta2) * g * g
        exactP[i] -= rate * (exactM[i] / correction1) / ((exactV[i] / correction2).squareRoot() + epsilon)
      }
      #expect(close(p, exactP) && close(m, exactM) && close(v, exactV), "step \(step)")
    }
  }

  @Test("gradient descent steps as PyTorch documents it", arguments: [(0.0, false), (0.9, false), (0.9, true)])
  func sgd(momentum: Double, nesterov: Bool) {
    let count = 45
    var p = numbers(count, seed: 15)
    var b = [Float](repeating: 0, count: count)
    var (exactP, exactB) = (p.map(Double.init), b.map(Double.init))
    for step in 1...4 {
      let gradient = numbers(count, seed: UInt64(30 + step))
      var numbersOfStep = rk_sgd(
        gradient_scale: 2, decay: 0.01, momentum: Float(momentum), rate: 0.1, nesterov: nesterov ? 1 : 0)
      if momentum == 0 {
        rk_sgd_update(&numbersOfStep, count, gradient, &p, nil)
      } else {
        rk_sgd_update(&numbersOfStep, count, gradient, &p, &b)
      }
      for i in 0..<count {
        let g = 2 * Double(gradient[i]) + 0.01 * exactP[i]
        exactB[i] = momentum * exactB[i] + g
        exactP[i] -= 0.1 * (nesterov ? g + momentum * exactB[i] : exactB[i])
      }
      #expect(close(p, exactP), "step \(step)")
    }
  }

  @Test("updates of rows and of blocks of a product equal the update of the whole")
  func partialUpdates() {
    let (rows, columns) = (9, 21)
    let gradient = numbers(rows * columns, seed: 16)
    let start = numbers(rows * columns, seed: 17)
    let zero = [Float](repeating: 0, count: start.count)
    let adam = rk_adam(
      gradient_scale: 1, coupled_decay: 0.01, retention: 1, beta1: 0.9, beta2: 0.999, step_size: 0.1,
      root_scale: 31.6, epsilon: 1e-8)
    let sgd = rk_sgd(gradient_scale: 1, decay: 0.01, momentum: 0.9, rate: 0.1, nesterov: 1)
    var one = adam
    var two = sgd
    var (p, m, v) = (start, zero, zero)
    rk_adam_update(&one, p.count, gradient, &p, &m, &v)
    var (s, b) = (start, zero)
    rk_sgd_update(&two, s.count, gradient, &s, &b)

    let order: [Int64] = [3, 0, 8, 1, 2, 4, 5, 7, 6]
    let shuffled = order.flatMap { gradient[Int($0) * columns..<(Int($0) + 1) * columns] }
    var (p2, m2, v2) = (start, zero, zero)
    rk_adam_update_rows(&one, rows, order, columns, shuffled, &p2, &m2, &v2)
    #expect(p2 == p && m2 == m && v2 == v)
    var (s2, b2) = (start, zero)
    rk_sgd_update_rows(&two, rows, order, columns, shuffled, &s2, &b2)
    #expect(s2 == s && b2 == b)

    var (p3, m3, v3) = (start, zero, zero)
    var (s3, b3) = (start, zero)
    p3.withUnsafeMutableBufferPointer { p3 in
      m3.withUnsafeMutableBufferPointer { m3 in
        v3.withUnsafeMutableBufferPointer { v3 in
          s3.withUnsafeMutableBufferPointer { s3 in
            b3.withUnsafeMutableBufferPointer { b3 in
              var adamBlock = rk_adam_block(
                step: adam, p: p3.baseAddress, m: m3.baseAddress, v: v3.baseAddress, row: columns)
              var sgdBlock = rk_sgd_block(step: sgd, p: s3.baseAddress, b: b3.baseAddress, row: columns)
              for (rowRange, columnRange) in [(0..<4, 0..<21), (4..<9, 0..<16), (4..<9, 16..<21)] {
                var block = rowRange.flatMap { row in columnRange.map { gradient[row * columns + $0] } }
                rk_epilogue_adam(
                  &adamBlock, &block, columnRange.count, rowRange.lowerBound, columnRange.lowerBound, rowRange.count,
                  columnRange.count)
                rk_epilogue_sgd(
                  &sgdBlock, &block, columnRange.count, rowRange.lowerBound, columnRange.lowerBound, rowRange.count,
                  columnRange.count)
              }
            }
          }
        }
      }
    }
    #expect(p3 == p && m3 == m && v3 == v && s3 == s && b3 == b)
  }

  @Test("blocks of a product get bias, activation, mask and sum at their place")
  func epilogues() {
    let (rows, columns, firstRow, firstColumn) = (4, 19, 2, 3)
    let (height, width) = (8, 25)
    let block = numbers(rows * columns, seed: 18)
    let bias = numbers(width, seed: 19)
    let whole = numbers(height * width, seed: 20)
    func each(_ body: (_ local: Int, _ global: Int, _ column: Int) -> Void) {
      for i in 0..<rows {
        for j in 0..<columns {
          body(i * columns + j, (firstRow + i) * width + firstColumn + j, firstColumn + j)
        }
      }
    }
    for function in [rk_identity, rk_relu, rk_tanh] {
      for keeps in [true, false] {
        var c = block
        var kept = [Float](repeating: .nan, count: whole.count)
        bias.withUnsafeBufferPointer { bias in
          kept.withUnsafeMutableBufferPointer { kept in
            var context = rk_activation(
              bias: bias.baseAddress, preactivation: keeps ? kept.baseAddress : nil, preactivation_row: width,
              function: function, p: 0, q: 0)
            rk_epilogue_activate(&context, &c, columns, firstRow, firstColumn, rows, columns)
          }
        }
        each { local, global, column in
          let x = block[local] + bias[column]
          let y = function == rk_relu ? max(x, 0) : function == rk_tanh ? Float(Glibc.tanh(Double(x))) : x
          #expect(abs(c[local] - y) < 1e-6)
          #expect(keeps ? kept[global] == x : kept[global].isNaN)
        }
        #expect(!keeps || kept.count(where: { !$0.isNaN }) == rows * columns)
      }
    }
    whole.withUnsafeBufferPointer { whole in
      bias.withUnsafeBufferPointer { bias in
        for added in [nil, bias.baseAddress] {
          var c = block
          var context = rk_activation_gradient(
            bias: added, remembered: whole.baseAddress, remembered_row: width, function: rk_relu, p: 0, q: 0)
          rk_epilogue_activation_gradient(&context, &c, columns, firstRow, firstColumn, rows, columns)
          each { local, global, column in
            let gradient = block[local] + (added == nil ? 0 : bias[column])
            #expect(c[local] == (whole[global] > 0 ? gradient : 0))
          }
        }
      }
      var c = block
      var sum = [Float](repeating: .nan, count: whole.count)
      sum.withUnsafeMutableBufferPointer { sum in
        var context = rk_sum_block(x: whole.baseAddress, x_row: width, y: sum.baseAddress, y_row: width)
        rk_epilogue_add(&context, &c, columns, firstRow, firstColumn, rows, columns)
      }
      each { local, global, _ in #expect(sum[global] == block[local] + whole[global]) }
    }
  }
}
