// Matrix products, general sums of products and determinants.

import Tensors

enum Products {
  static let operators: OperatorTable = [
    "MatMul": .one(matMul),
    "Gemm": .one(gemm),
    "Einsum": .one(Einsum.evaluate),
    "Det": .one(determinant),
  ]

  /// `[…, m, k] · […, k, n]` with broadcast outer axes; vectors count as a row on the left, a column on the right.
  private static func matMul(_ call: Call) throws -> Operand {
    let (a, b) = (try call.operand(0), try call.operand(1))
    try call.requireSameType([a, b])
    return try matrixProduct(call, a, b)
  }

  static func matrixProduct(_ call: Call, _ a: Operand, _ b: Operand) throws -> Operand {
    guard a.rank >= 1, b.rank >= 1 else { throw call.failure("inputs with at least one axis") }
    let left = a.rank == 1 ? Shape([1] + a.shape) : a.shape
    let right = b.rank == 1 ? Shape(b.shape + [1]) : b.shape
    let (rows, inner, columns) = (left[left.rank - 2], left[left.rank - 1], right[right.rank - 1])
    guard right[right.rank - 2] == inner else {
      throw call.failure(
        "as many columns in the first input as rows in the second, not \(inner) and \(right[right.rank - 2])")
    }
    let (leftOuter, rightOuter) = (Shape(left.dropLast(2)), Shape(right.dropLast(2)))
    guard let outer = leftOuter.broadcast(with: rightOuter) else {
      throw call.failure("outer axes that broadcast, not \(leftOuter) and \(rightOuter)")
    }
    try call.checked(outer.dimensions + [rows, columns])
    let starts = zip(
      positions(in: outer, strides: leftOuter.broadcastStrides(to: outer)),
      positions(in: outer, strides: rightOuter.broadcastStrides(to: outer)))
    let shape = Shape(
      outer.dimensions + (a.rank == 1 ? [] : [rows]) + (b.rank == 1 ? [] : [columns]))
    switch (a.elements, b.elements) {
    case (.floats(let x), .floats(let y)):
      let result = starts.flatMap { leftIndex, rightIndex in
        product(x, leftIndex * rows * inner, y, rightIndex * inner * columns, (rows, inner, columns))
      }
      return Operand(result, shape, a.elementType)
    case (.integers(let x), .integers(let y)) where a.elementType != .bool:
      let result = starts.flatMap { leftIndex, rightIndex in
        integerProduct(x, leftIndex * rows * inner, y, rightIndex * inner * columns, (rows, inner, columns))
      }
      return Operand(integers: result.map(a.elementType.wrap), shape, a.elementType)
    default: throw call.failure("numbers")
    }
  }

  /// One matrix product. The innermost loop runs along rows of the second matrix, which the compiler vectorises.
  static func product(
    _ a: [Double], _ aStart: Int, _ b: [Double], _ bStart: Int, _ extents: (rows: Int, inner: Int, columns: Int)
  ) -> [Double] {
    let (rows, inner, columns) = extents
    return [Double](unsafeUninitializedCapacity: rows * columns) { result, initialized in
      result.initialize(repeating: 0)
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          for row in 0..<rows {
            for k in 0..<inner {
              let factor = a[aStart + row * inner + k]
              let (source, target) = (bStart + k * columns, row * columns)
              for column in 0..<columns { result[target + column] += factor * b[source + column] }
            }
          }
        }
      }
      initialized = rows * columns
    }
  }

  static func integerProduct(
    _ a: [Int128], _ aStart: Int, _ b: [Int128], _ bStart: Int, _ extents: (rows: Int, inner: Int, columns: Int)
  ) -> [Int128] {
    let (rows, inner, columns) = extents
    var result = [Int128](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      for k in 0..<inner {
        let factor = a[aStart + row * inner + k]
        for column in 0..<columns {
          result[row * columns + column] &+= factor &* b[bStart + k * columns + column]
        }
      }
    }
    return result
  }

  /// `α · A' · B' + β · C`, with A and B transposed where the attributes say so and C broadcast to the result.
  private static func gemm(_ call: Call) throws -> Operand {
    let (a, b) = (try call.operand(0), try call.operand(1))
    let c = try call.optional(2)
    try call.requireSameType([a, b] + (c.map { [$0] } ?? []))
    guard a.rank == 2, b.rank == 2 else { throw call.failure("matrices as inputs 0 and 1") }
    let (alpha, beta) = (try call.float("alpha", default: 1), try call.float("beta", default: 1))
    let product = try matrixProduct(
      call, call.flag("transA") ? transposed(a) : a, call.flag("transB") ? transposed(b) : b)
    let addend = try c.map { try call.broadcast($0, to: product.shape) }
    if case .floats(let values) = product.elements {
      guard let addend else { return Operand(values.map { alpha * $0 }, product.shape, product.elementType) }
      return Operand(
        zip(values, try call.floats(addend)).map { alpha * $0 + beta * $1 }, product.shape, product.elementType)
    }
    let type = product.elementType
    func scaled(_ value: Int128, _ factor: Double) -> Int128 {
      factor == 1 ? value : type.truncated(Double(value) * factor)
    }
    let values = try call.integers(product).map { scaled($0, alpha) }
    guard let addend else { return Operand(integers: values, product.shape, type) }
    return Operand(
      integers: zip(values, try call.integers(addend)).map { type.wrap($0 + scaled($1, beta)) }, product.shape, type)
  }

  static func transposed(_ matrix: Operand) -> Operand {
    let shape: Shape = [matrix.shape[1], matrix.shape[0]]
    return matrix.picking(positions(in: shape, strides: [1, matrix.shape[1]]), shape)
  }

  /// The determinant of each matrix, by elimination with pivots.
  private static func determinant(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank >= 2, x.shape[x.rank - 1] == x.shape[x.rank - 2] else { throw call.failure("square matrices") }
    let size = x.shape[x.rank - 1]
    let values = try call.floats(x)
    let shape = try call.checked(Array(x.shape.dimensions.dropLast(2)))
    let results = (0..<shape.elementCount).map { matrix -> Double in
      var rows = (0..<size).map { row in
        let start = (matrix * size + row) * size
        return Array(values[start..<start + size])
      }
      var result = 1.0
      for column in 0..<size {
        guard let pivot = (column..<size).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
          rows[pivot][column] != 0
        else { return 0 }
        if pivot != column {
          rows.swapAt(pivot, column)
          result = -result
        }
        result *= rows[column][column]
        for row in (column + 1)..<max(size, column + 1) {
          let factor = rows[row][column] / rows[column][column]
          for index in column..<size { rows[row][index] -= factor * rows[column][index] }
        }
      }
      return result
    }
    return Operand(results, shape, x.elementType)
  }
}
