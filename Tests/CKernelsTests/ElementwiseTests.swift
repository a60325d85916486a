// The loops over elements against the C library in double precision.

import CKernels
import Glibc
import Testing

/// The distance of a float from an exact value, in units of the float's last place.
func unitsOff(_ found: Float, _ exact: Double) -> Double {
  if found.isNaN || exact.isNaN { return found.isNaN && exact.isNaN ? 0 : .infinity }
  let nearest = Float(exact)
  if found == nearest { return 0 }
  if found.isInfinite || nearest.isInfinite { return .infinity }
  return abs(Double(found) - exact) / Double(max(nearest.ulp, .leastNonzeroMagnitude))
}

/// `function` over `count` numbers that cover the floats between two bounds evenly in value and in exponent.
private func sweep(_ range: ClosedRange<Float>, count: Int = 200_001) -> [Float] {
  let width = range.upperBound - range.lowerBound
  var values = (0..<count).map { range.lowerBound + width * Float($0) / Float(count - 1) }
  for exponent in -149...127 {
    for mantissa: Float in [1, 1.25, 1.41421354, 1.41421366, 1.75, 1.9999999] {
      let value = mantissa * Float(sign: .plus, exponent: max(exponent, -126), significand: 1)
      let scaled = exponent < -126 ? value * Float(sign: .plus, exponent: exponent + 126, significand: 1) : value
      for signed in [scaled, -scaled] where range.contains(signed) { values.append(signed) }
    }
  }
  return values
}

private func apply(_ function: rk_function, _ x: [Float], p: Float = 0, q: Float = 0) -> [Float] {
  [Float](unsafeUninitializedCapacity: x.count) { y, count in
    rk_apply(function, x.count, x, y.baseAddress, p, q)
    count = x.count
  }
}

private func normalDistribution(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
private func normalDensity(_ x: Double) -> Double { Glibc.exp(-x * x / 2) / (2 * Double.pi).squareRoot() }
private func sigmoid(_ x: Double) -> Double { 1 / (1 + Glibc.exp(-x)) }
private func tanhArgument(_ x: Double) -> Double { (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x) }

private struct Case: CustomTestStringConvertible {
  let name: String
  let function: rk_function
  let range: ClosedRange<Float>
  let exact: @Sendable (Double) -> Double
  let derivative: @Sendable (Double) -> Double
  /// Error allowed to the value: in units in the last place, plus absolutely.
  var units = 3.0
  var absolute = 0.0
  var p: Float = 0
  var q: Float = 0
  var testDescription: String { name }

  static let all: [Case] = [
    Case(name: "-x", function: rk_negative, range: -9...9, exact: { -$0 }, derivative: { _ in -1 }, units: 0),
    Case(
      name: "|x|", function: rk_absolute, range: -9...9, exact: { abs($0) },
      derivative: { $0 == 0 ? 0 : $0 < 0 ? -1 : 1 }, units: 0),
    Case(
      name: "√x", function: rk_square_root, range: 0...1e30, exact: { $0.squareRoot() },
      derivative: { 0.5 / $0.squareRoot() }, units: 0.51),
    Case(
      name: "e^x", function: rk_exponential, range: -110...90, exact: { Glibc.exp($0) },
      derivative: { Glibc.exp($0) }),
    Case(name: "log x", function: rk_logarithm, range: 0...1e38, exact: { Glibc.log($0) }, derivative: { 1 / $0 }),
    Case(
      name: "erf x", function: rk_erf, range: -6...6, exact: { Glibc.erf($0) },
      derivative: { 2 / Double.pi.squareRoot() * Glibc.exp(-$0 * $0) }),
    Case(
      name: "tanh x", function: rk_tanh, range: -12...12, exact: { Glibc.tanh($0) },
      derivative: { 1 - Glibc.tanh($0) * Glibc.tanh($0) }),
    Case(
      name: "sigmoid", function: rk_sigmoid, range: -110...110, exact: sigmoid,
      derivative: { sigmoid($0) * sigmoid(-$0) }),
    Case(
      name: "softplus", function: rk_softplus, range: -110...110,
      exact: { max($0, 0) + log1p(Glibc.exp(-abs($0))) }, derivative: sigmoid),
    Case(
      name: "relu", function: rk_relu, range: -9...9, exact: { max($0, 0) }, derivative: { $0 > 0 ? 1 : 0 }, units: 0),
    Case(
      name: "leaky relu", function: rk_leaky_relu, range: -9...9, exact: { $0 > 0 ? $0 : 0.25 * $0 },
      derivative: { $0 > 0 ? 1 : 0.25 }, units: 0.51, p: 0.25),
    // Below -5.66 the value is 0 instead of less than 5e-8.
    Case(
      name: "gelu", function: rk_gelu, range: -20...20, exact: { $0 * normalDistribution($0) },
      derivative: { normalDistribution($0) + $0 * normalDensity($0) }, units: 4, absolute: 2e-7),
    Case(
      name: "gelu by tanh", function: rk_gelu_tanh, range: -20...20,
      exact: { $0 * sigmoid(2 * tanhArgument($0)) },
      derivative: { x in
        let s = sigmoid(2 * tanhArgument(x))
        let slope = 2 * (2 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x)
        return s + x * s * (1 - s) * slope
      }, units: 4, absolute: 2e-7),
    Case(
      name: "clip", function: rk_clip, range: -9...9, exact: { min(max($0, -1.5), 2) },
      derivative: { $0 >= -1.5 && $0 <= 2 ? 1 : 0 }, units: 0, p: -1.5, q: 2),
    Case(
      name: "1/x", function: rk_reciprocal, range: 1e-30...1e30, exact: { 1 / $0 },
      derivative: { -1 / ($0 * $0) }, units: 0.51),
    Case(
      name: "p·x + q", function: rk_scale, range: -9...9, exact: { 0.5 * $0 + 0.25 }, derivative: { _ in 0.5 },
      units: 1, p: 0.5, q: 0.25),
  ]
}

@Suite("Loops over elements")
struct ElementwiseTests {
  @Test("functions are exact to a few units in the last place, subnormal numbers included", arguments: Case.all)
  fileprivate func functionsAreAccurate(_ test: Case) {
    let x = sweep(test.range)
    let y = apply(test.function, x, p: test.p, q: test.q)
    var worst = (units: 0.0, at: Float(0))
    for (input, output) in zip(x, y) {
      let exact = test.exact(Double(input))
      if abs(Double(output) - exact) <= test.absolute { continue }
      let units = unitsOff(output, exact)
      if units > worst.units { worst = (units, input) }
    }
    #expect(worst.units <= test.units, "at \(worst.at): \(apply(test.function, [worst.at], p: test.p, q: test.q)[0])")
  }

  @Test("gradients are the derivatives, from the input or the output as announced", arguments: Case.all)
  fileprivate func gradientsAreDerivatives(_ test: Case) {
    let x = sweep(test.range, count: 20_001).filter { abs($0) > 1e-15 && abs($0) < 1e15 }
    let y = apply(test.function, x, p: test.p, q: test.q)
    let source: [Float]? =
      switch rk_gradient_reads(test.function) {
      case rk_from_input: x
      case rk_from_output: y
      default: nil
      }
    let dy = x.indices.map { Float($0 % 7) - 3 }
    var dx = [Float](repeating: .nan, count: x.count)
    if let source {
      rk_apply_gradient(test.function, x.count, dy, source, &dx, test.p, test.q)
    } else {
      rk_apply_gradient(test.function, x.count, dy, nil, &dx, test.p, test.q)
    }
    var worst = (error: 0.0, at: Float(0))
    for index in x.indices where abs(y[index]) < 1e37 {
      let exact = Double(dy[index]) * test.derivative(Double(x[index]))
      // 1 - y² and the like lose what y lost: an absolute error of a few 1e-7 beside the relative one.
      let error = abs(Double(dx[index]) - exact) / (1e-6 * abs(exact) + 1e-6)
      if !(error <= worst.error) { worst = (error.isNaN ? .infinity : error, x[index]) }
    }
    #expect(worst.error <= 1, "at \(worst.at)")
  }

  @Test("infinities and NaN go through functions as IEEE 754 asks")
  func extremes() {
    let x: [Float] = [.infinity, -.infinity, .nan, 0, -0.0]
    func expect(_ function: rk_function, _ expected: [Float], p: Float = 0, q: Float = 0) {
      // 40 copies: the vectorised part of the loop and its rest.
      let many = Array(repeating: x, count: 40).flatMap { $0 }
      let y = apply(function, many, p: p, q: q)
      for (index, value) in y.enumerated() {
        let wanted = expected[index % 5]
        #expect(
          value == wanted || (value.isNaN && wanted.isNaN), "function \(function.rawValue) of \(many[index]): \(value)")
      }
    }
    expect(rk_exponential, [.infinity, 0, .nan, 1, 1])
    expect(rk_logarithm, [.infinity, .nan, .nan, -.infinity, -.infinity])
    expect(rk_erf, [1, -1, .nan, 0, 0])
    expect(rk_tanh, [1, -1, .nan, 0, 0])
    expect(rk_sigmoid, [1, 0, .nan, 0.5, 0.5])
    expect(rk_softplus, [.infinity, 0, .nan, Float(Glibc.log(2.0)), Float(Glibc.log(2.0))])
    expect(rk_relu, [.infinity, 0, .nan, 0, 0])
    expect(rk_gelu, [.infinity, 0, .nan, 0, 0])
    expect(rk_gelu_tanh, [.infinity, 0, .nan, 0, 0])
    expect(rk_clip, [2, -1, .nan, 0, 0], p: -1, q: 2)
    expect(rk_square_root, [.infinity, .nan, .nan, 0, 0])
    expect(rk_reciprocal, [0, 0, .nan, .infinity, -.infinity])
    #expect(apply(rk_logarithm, [-1, -1e-30])[0].isNaN)
  }

  @Test("operations and comparisons broadcast scalars, rows and columns on either side")
  func operationsBroadcast() {
    let (rows, columns) = (5, 37)
    let matrix = (0..<rows * columns).map { Float($0 % 23) - 7 }
    let row = (0..<columns).map { Float($0 % 5) + 0.5 }
    let column = (0..<rows).map { Float($0) - 1.25 }
    let scalar: [Float] = [2]
    let operations: [(rk_operation, (Float, Float) -> Float)] = [
      (rk_add, { $0 + $1 }), (rk_subtract, { $0 - $1 }), (rk_multiply, { $0 * $1 }), (rk_divide, { $0 / $1 }),
      (rk_minimum, { Swift.min($0, $1) }), (rk_maximum, { Swift.max($0, $1) }), (rk_power, { powf($0, $1) }),
    ]
    let comparisons: [(rk_comparison, (Float, Float) -> Bool)] = [
      (rk_equal, { $0 == $1 }), (rk_greater, { $0 > $1 }), (rk_greater_or_equal, { $0 >= $1 }), (rk_less, { $0 < $1 }),
      (rk_less_or_equal, { $0 <= $1 }),
    ]
    matrix.withUnsafeBufferPointer { matrix in
      row.withUnsafeBufferPointer { row in
        column.withUnsafeBufferPointer { column in
          scalar.withUnsafeBufferPointer { scalar in
            let operands: [(rk_operand, (Int, Int) -> Float)] = [
              (rk_operand(start: matrix.baseAddress, row: columns, spread: 0), { matrix[$0 * columns + $1] }),
              (rk_operand(start: row.baseAddress, row: 0, spread: 0), { row[$1] }),
              (rk_operand(start: column.baseAddress, row: 1, spread: 1), { i, _ in column[i] }),
              (rk_operand(start: scalar.baseAddress, row: 0, spread: 1), { _, _ in scalar[0] }),
            ]
            for (a, left) in operands {
              for (b, right) in operands {
                var c = [Float](repeating: 0, count: rows * columns)
                for (operation, exact) in operations {
                  rk_combine(operation, rows, columns, a, b, &c)
                  for i in 0..<rows {
                    for j in 0..<columns {
                      let (found, wanted) = (c[i * columns + j], exact(left(i, j), right(i, j)))
                      #expect(found == wanted || (found.isNaN && wanted.isNaN))
                    }
                  }
                }
                var truth = [UInt8](repeating: 9, count: rows * columns)
                for (comparison, exact) in comparisons {
                  rk_compare(comparison, rows, columns, a, b, &truth)
                  for i in 0..<rows {
                    for j in 0..<columns { #expect(truth[i * columns + j] == (exact(left(i, j), right(i, j)) ? 1 : 0)) }
                  }
                }
                rk_select(rows, columns, truth, a, b, &c)
                for i in 0..<rows {
                  for j in 0..<columns {
                    #expect(c[i * columns + j] == (truth[i * columns + j] != 0 ? left(i, j) : right(i, j)))
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  @Test("the larger and the smaller of a number and NaN is NaN")
  func extremaPassNaN() {
    let a: [Float] = [.nan, 1, .nan, 3]
    let b: [Float] = [1, .nan, .nan, 2]
    var c = [Float](repeating: 0, count: 4)
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        for operation in [rk_maximum, rk_minimum] {
          rk_combine(
            operation, 1, 4, rk_operand(start: a.baseAddress, row: 4, spread: 0),
            rk_operand(start: b.baseAddress, row: 4, spread: 0), &c)
          #expect(c[0].isNaN && c[1].isNaN && c[2].isNaN)
          #expect(c[3] == (operation == rk_maximum ? 3 : 2))
        }
      }
    }
  }

  @Test("functions and operations work in place")
  func inPlace() {
    var x = (0..<77).map { Float($0) / 10 }
    let expected = apply(rk_tanh, x)
    x.withUnsafeMutableBufferPointer { x in rk_apply(rk_tanh, 77, x.baseAddress, x.baseAddress, 0, 0) }
    #expect(x == expected)
    rk_fill(77, 2, &x)
    rk_accumulate(77, 3, expected, &x)
    #expect(zip(x, expected).allSatisfy { abs($0 - (2 + 3 * $1)) < 1e-6 })
  }
}
