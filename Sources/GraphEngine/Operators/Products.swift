// The matrix products: MatMul, Gemm and the products that their gradients need.

import ONNX
import Tensors

extension Operator {
  static let products: [Operator] = [
    Operator(
      name: "MatMul", arity: 2...2,
      multiplyAdds: { ((try? $0.shape(0).elementCount) ?? 0) * ((try? $0.shape(1).last) ?? 1) },
      infer: { inference in
        let product = try BatchedProduct(inference, a: inference.shape(0), b: inference.shape(1))
        return [TensorSpec(try inference.numericSpec(0, 1).elementType, product.resultShape)]
      },
      bind: { binding in
        let product = try BatchedProduct(
          binding.inference, a: binding.input(0).shape, b: binding.input(1).shape)
        return product.kernel(binding, a: binding.input(0), b: binding.input(1), c: binding.output())
      },
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        if rule.needs(0) {
          rule.contribute(0, rule.emitInternal("MatMulGradientA", [dy, rule.input(1), rule.input(0)]))
        }
        if rule.needs(1) {
          rule.contribute(1, rule.emitInternal("MatMulGradientB", [rule.input(0), dy, rule.input(1)]))
        }
      }),
    // da = dy·bᵀ, summed over the axes along which a was broadcast.
    Operator(
      name: "MatMulGradientA", domain: gradientDomain, arity: 3...3,
      multiplyAdds: { ((try? $0.shape(0).elementCount) ?? 0) * ((try? $0.shape(2).last) ?? 1) },
      infer: { [TensorSpec(try $0.numericSpec(0, 1).elementType, try $0.shape(2))] },
      bind: { binding in
        let product = try BatchedProduct(
          binding.inference, gradientOfA: binding.input(2).shape, b: binding.input(1).shape)
        return product.kernel(binding, a: binding.input(0), b: binding.input(1), c: binding.output())
      }),
    // db = aᵀ·dy, summed over the axes along which b was broadcast.
    Operator(
      name: "MatMulGradientB", domain: gradientDomain, arity: 3...3,
      multiplyAdds: { ((try? $0.shape(0).elementCount) ?? 0) * ((try? $0.shape(1).last) ?? 1) },
      infer: { [TensorSpec(try $0.numericSpec(0, 1).elementType, try $0.shape(2))] },
      bind: { binding in
        let product = try BatchedProduct(
          binding.inference, a: binding.input(0).shape, gradientOfB: binding.input(2).shape)
        return product.kernel(binding, a: binding.input(0), b: binding.input(1), c: binding.output())
      }),
    gemm,
  ]

  /// `alpha · op(a)·op(b) + beta · c`, where `c` is broadcast to the result.
  /// `activation` is set by `Fusion` alone: the node's own name for a Relu that followed it.
  private static let gemm = Operator(
    name: "Gemm", arity: 2...3,
    multiplyAdds: { inference in
      guard let a = try? inference.shape(0), let b = try? inference.shape(1), b.rank == 2 else { return nil }
      return a.elementCount * b[GemmForm(inference.node).transB ? 0 : 1]
    },
    infer: { inference in
      let (a, b) = (try inference.shape(0), try inference.shape(1))
      guard a.rank == 2, b.rank == 2 else { throw inference.failure("multiplies two matrices, not \(a) and \(b)") }
      let form = GemmForm(inference.node)
      let (rows, depth) = form.transA ? (a[1], a[0]) : (a[0], a[1])
      let (inner, columns) = form.transB ? (b[1], b[0]) : (b[0], b[1])
      guard depth == inner else { throw inference.failure("\(a) and \(b) do not multiply: \(depth) against \(inner)") }
      let result: Shape = [rows, columns]
      if inference.isPresent(2) {
        let c = try inference.shape(2)
        guard c.broadcast(with: result) == result else {
          throw inference.failure("\(c) cannot be broadcast to \(result)")
        }
      }
      return [TensorSpec(try inference.numericSpec(0, 1).elementType, result)]
    },
    bind: { binding in try GemmForm(binding.node).kernel(binding) },
    gradient: .rule { rule in
      guard let dy = rule.outputGradient() else { return }
      let form = GemmForm(rule.node)
      func product(_ x: String, _ y: String, _ transX: Bool, _ transY: Bool) -> String {
        rule.emit(
          "Gemm", [x, y],
          [
            Attribute("alpha", .float(form.alpha)), Attribute("transA", .int(transX ? 1 : 0)),
            Attribute("transB", .int(transY ? 1 : 0)),
          ])
      }
      let (a, b) = (rule.input(0), rule.input(1))
      if rule.needs(0) {
        rule.contribute(0, form.transA ? product(b, dy, form.transB, true) : product(dy, b, false, !form.transB))
      }
      if rule.needs(1) {
        rule.contribute(1, form.transB ? product(dy, a, true, form.transA) : product(a, dy, !form.transA, false))
      }
      if rule.needs(2) {
        let scaled = form.beta == 1 ? dy : rule.emit("Mul", [dy, rule.constant(Tensor(scalar: form.beta))])
        rule.contributeBroadcast(2, scaled)
      }
    })
}

extension Inference {
  /// The type of two inputs that are multiplied: the same for both, one that the engine multiplies.
  fileprivate func numericSpec(_ first: Int, _ second: Int) throws -> TensorSpec {
    try require(first, .float, .double, .int32, .int64)
    guard try spec(first).elementType == spec(second).elementType else {
      throw failure("multiplies \(try spec(first).elementType) with \(try spec(second).elementType)")
    }
    return try spec(first)
  }
}

/// A Gemm's attributes.
struct GemmForm {
  let alpha, beta: Float
  let transA, transB: Bool

  init(_ node: Node) {
    alpha = node.float("alpha") ?? 1
    beta = node.float("beta") ?? 1
    transA = node.int("transA") ?? 0 != 0
    transB = node.int("transB") ?? 0 != 0
  }

  fileprivate func kernel(_ binding: Binding) throws -> Kernel {
    let (a, b, c, y) = (binding.input(0), binding.input(1), binding.optionalInput(2), binding.output())
    let depth = transA ? a.shape[0] : a.shape[1]
    switch y.spec.elementType {
    case .float:
      return floatKernel(binding, a: a, b: b, c: c, y: y, depth: depth)
    case .double:
      return plainKernel(Double.self, a: a, b: b, c: c, y: y, depth: depth) {
        $0 * $1
      } scale: {
        Double($0)
      }
    case .int32:
      return plainKernel(Int32.self, a: a, b: b, c: c, y: y, depth: depth) {
        $0 &* $1
      } scale: {
        Int32($0)
      }
    default:
      return plainKernel(Int64.self, a: a, b: b, c: c, y: y, depth: depth) {
        $0 &* $1
      } scale: {
        Int64($0)
      }
    }
  }

  private func floatKernel(_ binding: Binding, a: Buffer, b: Buffer, c: Buffer?, y: Buffer, depth: Int) -> Kernel {
    let product = MatrixProduct(
      rows: y.shape[0], columns: y.shape[1], depth: depth, a: .init(transposed: transA), b: .init(transposed: transB),
      alpha: alpha, beta: c == nil ? 0 : 1, threads: binding.pool.threadCount)
    binding.reserveScratch(product.scratchByteCount)
    let pool = binding.pool
    guard let c else {
      return { product.run(a: a.floats, b: b.floats, c: y.floats, scratch: $0, pool: pool) }
    }
    let beta = beta
    let strides = c.shape.broadcastStrides(to: y.shape)
    let (rows, columns) = (y.shape[0], y.shape[1])
    return { scratch in
      for row in 0..<rows {
        for column in 0..<columns {
          y.floats[row * columns + column] = beta * c.floats[row * strides[0] + column * strides[1]]
        }
      }
      product.run(a: a.floats, b: b.floats, c: y.floats, scratch: scratch, pool: pool)
    }
  }

  /// The same in a type without fast kernels: sums in the order of the depth.
  private func plainKernel<Element: Numeric>(
    _ type: Element.Type, a: Buffer, b: Buffer, c: Buffer?, y: Buffer, depth: Int,
    times: @escaping (Element, Element) -> Element, scale: @escaping (Float) -> Element
  ) -> Kernel {
    let (rows, columns) = (y.shape[0], y.shape[1])
    let (aRow, aStep) = transA ? (1, rows) : (depth, 1)
    let (bStep, bColumn) = transB ? (1, depth) : (columns, 1)
    let strides = c?.shape.broadcastStrides(to: y.shape) ?? [0, 0]
    let (alpha, beta) = (scale(alpha), scale(beta))
    return { _ in
      let (a, b, y) = (a.elements(as: type), b.elements(as: type), y.elements(as: type))
      for row in 0..<rows {
        for column in 0..<columns {
          var sum: Element = 0
          for step in 0..<depth { sum = sum + times(a[row * aRow + step * aStep], b[step * bStep + column * bColumn]) }
          var result = times(alpha, sum)
          if let c { result = result + times(beta, c.elements(as: type)[row * strides[0] + column * strides[1]]) }
          y[row * columns + column] = result
        }
      }
    }
  }
}

/// A product of two stacks of matrices with NumPy's rules: leading axes broadcast, a vector is a row on the left
/// and a column on the right. Gradients are such products too, whose result is summed over what was broadcast.
struct BatchedProduct {
  /// The result's shape as the node has it.
  let resultShape: Shape
  private let rows, columns, depth: Int
  private let transA, transB: Bool
  /// Where the matrices of each product start in a, b and the result; a result named twice is summed.
  private let offsets: [(a: Int, b: Int, c: Int)]

  /// `c = a·b`.
  init(_ inference: Inference, a: Shape, b: Shape) throws {
    let (left, right) = try Self.matrices(inference, a, b)
    let batch = try Self.batch(inference, left, right)
    let (aMatrix, bMatrix) = (left.suffix(2), right.suffix(2))
    var result = batch.dimensions
    if a.rank > 1 { result.append(left[left.rank - 2]) }
    if b.rank > 1 { result.append(right[right.rank - 1]) }
    resultShape = Shape(result)
    (transA, transB) = (false, false)
    (rows, depth, columns) = (aMatrix.first!, aMatrix.last!, bMatrix.last!)
    offsets = Self.offsets(batch, left, right, Shape(batch.dimensions + [aMatrix.first!, bMatrix.last!]))
  }

  /// `da = dy·bᵀ`: the operands are `dy` and `b`.
  init(_ inference: Inference, gradientOfA a: Shape, b: Shape) throws {
    let (left, right) = try Self.matrices(inference, a, b)
    let batch = try Self.batch(inference, left, right)
    resultShape = a
    (transA, transB) = (false, true)
    (rows, depth, columns) = (left[left.rank - 2], right[right.rank - 1], left[left.rank - 1])
    offsets = Self.offsets(batch, Shape(batch.dimensions + [rows, depth]), right, left)
  }

  /// `db = aᵀ·dy`: the operands are `a` and `dy`.
  init(_ inference: Inference, a: Shape, gradientOfB b: Shape) throws {
    let (left, right) = try Self.matrices(inference, a, b)
    let batch = try Self.batch(inference, left, right)
    resultShape = b
    (transA, transB) = (true, false)
    (rows, depth, columns) = (right[right.rank - 2], left[left.rank - 2], right[right.rank - 1])
    offsets = Self.offsets(batch, left, Shape(batch.dimensions + [depth, columns]), right)
  }

  private static func matrices(_ inference: Inference, _ a: Shape, _ b: Shape) throws -> (Shape, Shape) {
    guard a.rank > 0, b.rank > 0 else { throw inference.failure("multiplies matrices, not \(a) and \(b)") }
    let left = a.rank == 1 ? [1, a[0]] : a
    let right = b.rank == 1 ? [b[0], 1] : b
    guard left[left.rank - 1] == right[right.rank - 2] else {
      throw inference.failure(
        "\(a) and \(b) do not multiply: \(left[left.rank - 1]) columns against \(right[right.rank - 2]) rows")
    }
    return (left, right)
  }

  private static func batch(_ inference: Inference, _ left: Shape, _ right: Shape) throws -> Shape {
    guard let batch = Shape(left.dropLast(2)).broadcast(with: Shape(right.dropLast(2))) else {
      throw inference.failure("the leading axes of \(left) and \(right) cannot be broadcast")
    }
    return batch
  }

  /// The starts of the matrices of each product, in the order of the broadcast leading axes.
  private static func offsets(_ batch: Shape, _ a: Shape, _ b: Shape, _ c: Shape) -> [(a: Int, b: Int, c: Int)] {
    func strides(_ shape: Shape) -> [Int] {
      let matrix = shape[shape.rank - 2] * shape[shape.rank - 1]
      return Shape(shape.dropLast(2)).broadcastStrides(to: batch).map { $0 * matrix }
    }
    let (aStrides, bStrides, cStrides) = (strides(a), strides(b), strides(c))
    var index = [Int](repeating: 0, count: batch.rank)
    return (0..<batch.elementCount).map { _ in
      var offset = (a: 0, b: 0, c: 0)
      for axis in index.indices {
        offset.a += index[axis] * aStrides[axis]
        offset.b += index[axis] * bStrides[axis]
        offset.c += index[axis] * cStrides[axis]
      }
      for axis in index.indices.reversed() {
        index[axis] += 1
        if index[axis] < batch[axis] { break }
        index[axis] = 0
      }
      return offset
    }
  }

  func kernel(_ binding: Binding, a: Buffer, b: Buffer, c: Buffer) -> Kernel {
    switch c.spec.elementType {
    case .float: floatKernel(binding, a: a, b: b, c: c)
    case .double: plainKernel(Double.self, a: a, b: b, c: c) { $0 * $1 }
    case .int32: plainKernel(Int32.self, a: a, b: b, c: c) { $0 &* $1 }
    default: plainKernel(Int64.self, a: a, b: b, c: c) { $0 &* $1 }
    }
  }

  private func floatKernel(_ binding: Binding, a: Buffer, b: Buffer, c: Buffer) -> Kernel {
    let pool = binding.pool
    let aOperand = MatrixProduct.Operand(transposed: transA)
    let bOperand = MatrixProduct.Operand(transposed: transB)
    if depth == 0 || offsets.isEmpty { return { _ in c.floats.update(repeating: 0, count: c.count) } }
    if let tall = tallProduct {
      // One matrix on the right for every one on the left: their rows make one tall matrix.
      let product = MatrixProduct(
        rows: tall.rows, columns: tall.columns, depth: tall.depth, a: aOperand, b: bOperand, threads: pool.threadCount)
      binding.reserveScratch(product.scratchByteCount)
      return { product.run(a: a.floats, b: b.floats, c: c.floats, scratch: $0, pool: pool) }
    }
    if let step = evenStep {
      var (aBatch, bBatch) = (aOperand, bOperand)
      (aBatch.batchStride, bBatch.batchStride) = (step.a, step.b)
      let product = MatrixProduct(
        rows: rows, columns: columns, depth: depth, a: aBatch, b: bBatch, batch: offsets.count,
        resultBatchStride: step.c, threads: pool.threadCount)
      binding.reserveScratch(product.scratchByteCount)
      return { product.run(a: a.floats, b: b.floats, c: c.floats, scratch: $0, pool: pool) }
    }
    let first = MatrixProduct(
      rows: rows, columns: columns, depth: depth, a: aOperand, b: bOperand, threads: pool.threadCount)
    let further = MatrixProduct(
      rows: rows, columns: columns, depth: depth, a: aOperand, b: bOperand, beta: 1, threads: pool.threadCount)
    binding.reserveScratch(max(first.scratchByteCount, further.scratchByteCount))
    var written: Set<Int> = []
    let calls = offsets.map { ($0, written.insert($0.c).inserted ? first : further) }
    return { scratch in
      for (offset, product) in calls {
        product.run(
          a: a.floats + offset.a, b: b.floats + offset.b, c: c.floats + offset.c, scratch: scratch, pool: pool)
      }
    }
  }

  /// The whole as one product, where the batch only makes the left matrix taller (or, in a gradient, the depth deeper).
  private var tallProduct: (rows: Int, columns: Int, depth: Int)? {
    let count = offsets.count
    guard count > 1 else { return (rows, columns, depth) }
    func follow(_ offset: (a: Int, b: Int, c: Int), _ a: Int, _ b: Int, _ c: Int) -> Bool {
      offset.a == a && offset.b == b && offset.c == c
    }
    let even = offsets.enumerated()
    if !transA, even.allSatisfy({ follow($1, $0 * rows * depth, 0, $0 * rows * columns) }) {
      return (rows * count, columns, depth)
    }
    if transA, !transB, even.allSatisfy({ follow($1, $0 * rows * depth, $0 * depth * columns, 0) }) {
      return (rows, columns, depth * count)
    }
    return nil
  }

  /// The step from one product to the next, where it is the same for all and no result is summed.
  private var evenStep: (a: Int, b: Int, c: Int)? {
    guard offsets.count > 1 else { return nil }
    let step = offsets[1]
    guard step.c != 0,
      offsets.enumerated().allSatisfy({ $1.a == $0 * step.a && $1.b == $0 * step.b && $1.c == $0 * step.c })
    else { return nil }
    return step
  }

  private func plainKernel<Element: Numeric>(
    _ type: Element.Type, a: Buffer, b: Buffer, c: Buffer, times: @escaping (Element, Element) -> Element
  ) -> Kernel {
    let (aRow, aStep) = transA ? (1, rows) : (depth, 1)
    let (bStep, bColumn) = transB ? (1, depth) : (columns, 1)
    let (rows, columns, depth, offsets) = (rows, columns, depth, offsets)
    return { _ in
      let result = c.elements(as: type)
      result.update(repeating: 0, count: c.count)
      for offset in offsets {
        let (a, b) = (a.elements(as: type) + offset.a, b.elements(as: type) + offset.b)
        for row in 0..<rows {
          for column in 0..<columns {
            var sum: Element = 0
            for step in 0..<depth {
              sum = sum + times(a[row * aRow + step * aStep], b[step * bStep + column * bColumn])
            }
            result[offset.c + row * columns + column] += sum
          }
        }
      }
    }
  }
}
