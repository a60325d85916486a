// Products of 8-bit matrices in a plan: `MatMulInteger`, and the layer that `Fusion` makes of it and what follows.

import CKernels
import ONNX
import Tensors

extension Operator {
  static let quantizedLayers: [Operator] = [
    // `(a - a's zero point) · (b - b's zero point)` in 32 bits; zero points for all, for a's rows, or for b's columns.
    Operator(
      name: "MatMulInteger", arity: 2...4,
      infer: { inference in
        for index in 0...1 { try inference.require(index, .uint8, .int8) }
        let form = try IntegerProductForm(inference)
        for (index, extent) in [(2, form.rows), (3, form.columns)] where inference.isPresent(index) {
          guard try inference.spec(index).elementType == inference.spec(index - 2).elementType,
            [1, extent].contains(try inference.shape(index).elementCount)
          else {
            throw inference.failure("input \(index) must be 1 or \(extent) zero points of the matrix' type")
          }
        }
        return [TensorSpec(.int32, form.result)]
      },
      bind: integerProduct),
    // (a, b, a's zero point, a's scale, b's scales, bias?) → f(scales · (a - zero)·b + bias); attributes as `Linear`'s.
    Operator(
      name: "QuantizedLinear", domain: kernelDomain, arity: 5...6,
      multiplyAdds: { inference in
        guard let a = try? inference.shape(0), let b = try? inference.shape(1), b.rank == 2 else { return nil }
        // Four products at a time where `Linear` has one.
        return a.elementCount * b[1] / 4
      },
      infer: { inference in
        for index in 0...1 { try inference.require(index, .uint8, .int8) }
        let form = try IntegerProductForm(inference)
        guard try inference.shape(1).rank == 2, try inference.shape(2).elementCount == 1,
          try inference.shape(3).elementCount == 1
        else { throw inference.failure("takes a matrix, and one scale and zero point of what it multiplies") }
        for index in 4...5 where inference.isPresent(index) {
          try inference.require(index, .float)
          guard try inference.shape(index).elementCount == form.columns else {
            throw inference.failure("input \(index) must have a number for each of \(form.columns) columns")
          }
        }
        return [TensorSpec(.float, form.result)]
      },
      bind: quantizedLinear),
  ]

  @Sendable private static func quantizedLinear(_ binding: Binding) throws -> Kernel {
    let form = try IntegerProductForm(binding.inference)
    let (a, y, pool) = (binding.input(0), binding.output().floats, binding.pool)
    let isSigned = a.spec.elementType == .int8
    let (zero, scale) = (binding.input(2), binding.input(3).floats)
    let scales = binding.input(4).floats
    let bias = binding.optionalInput(5)?.floats
    let activation = Activation(binding.node)
    let product = IntegerProduct(
      rows: form.rows * form.batches, depth: form.depth, columns: form.columns, isSignedA: isSigned,
      threads: pool.threadCount)
    binding.reserveScratch(product.scratchByteCount)
    let packed = binding.packed(form)
    let columns = form.columns
    return { scratch in
      var zeroA = zero.widened(at: 0, adding: isSigned ? 128 : 0)
      product.run(
        a: a.pointer, zeroA: &zeroA, zeroStep: 0, b: packed, zeroB: nil, scratch: scratch, pool: pool
      ) { block, stride, row, column, rows, width in
        let target = y + row * columns + column
        rk_integer_scale(
          rows, width, block, stride, scale[0], scales + column, bias.map { $0 + column }, target, columns)
        guard activation.function != rk_identity else { return }
        for line in 0..<rows {
          rk_apply(activation.function, width, target + line * columns, target + line * columns, activation.p, 0)
        }
      }
    }
  }

  @Sendable private static func integerProduct(_ binding: Binding) throws -> Kernel {
    let form = try IntegerProductForm(binding.inference)
    let (a, b, output, pool) = (binding.input(0), binding.input(1), binding.output(), binding.pool)
    let (zeroA, zeroB) = (binding.optionalInput(2), binding.optionalInput(3))
    let (isSignedA, isSignedB) = (a.spec.elementType == .int8, b.spec.elementType == .int8)
    // One matrix on the right: the batch only makes the left one taller.
    let isTall = binding.input(1).shape.rank <= 2 && zeroA?.count ?? 1 == 1
    let rows = isTall ? form.rows * form.batches : form.rows
    let product = IntegerProduct(
      rows: rows, depth: form.depth, columns: form.columns, isSignedA: isSignedA, threads: pool.threadCount)
    // The zero points as the product takes them, before its own scratch.
    let zeroCountA = zeroA?.count ?? 1
    let zeroBytes = ((zeroCountA + form.columns) * 4 + 63) / 64 * 64
    binding.reserveScratch(product.scratchByteCount + zeroBytes)
    let isConstant = isTall && binding.inference.constants[1] != nil
    let packed = binding.packed(form)
    return { scratch in
      let zerosA = scratch.assumingMemoryBound(to: Int32.self)
      for place in 0..<zeroCountA {
        zerosA[place] = (zeroA?.widened(at: place) ?? 0) + (isSignedA ? 128 : 0)
      }
      let zerosB = zerosA + zeroCountA
      for column in 0..<form.columns {
        let place = zeroB?.count == form.columns ? column : 0
        zerosB[column] = (zeroB?.widened(at: place) ?? 0) - (isSignedB ? 0 : 128)
      }
      let needsZeros = zeroB != nil || !isSignedB
      let y = output.elements(as: Int32.self)
      for batch in 0..<(isTall ? 1 : form.batches) {
        if !isConstant {
          let matrix = isTall ? 0 : form.batchB(batch)
          packed.fill(from: b.pointer + matrix * form.depth * form.columns, isSigned: isSignedB)
        }
        let target = y + batch * form.rows * form.columns
        product.run(
          a: a.pointer + (isTall ? 0 : form.batchA(batch)) * form.rows * form.depth, zeroA: zerosA,
          zeroStep: zeroCountA > 1 ? 1 : 0, b: packed, zeroB: needsZeros ? zerosB : nil,
          scratch: scratch + zeroBytes, pool: pool
        ) { block, stride, row, column, rows, width in
          for line in 0..<rows {
            (target + (row + line) * form.columns + column).update(from: block + line * stride, count: width)
          }
        }
      }
    }
  }
}

extension Binding {
  /// The second input, packed: kept for the session's other plans where it is a constant.
  fileprivate func packed(_ form: IntegerProductForm) -> PackedIntegers {
    let b = input(1)
    func pack() -> PackedIntegers {
      PackedIntegers(b.pointer, depth: form.depth, columns: form.columns, isSigned: b.spec.elementType == .int8)
    }
    guard let constant = inference.constants[1] else { return pack() }
    return constants.packed(constant, pack)
  }
}

extension Buffer {
  /// One of the buffer's bytes, signed or unsigned as its type says.
  fileprivate func widened(at place: Int, adding shift: Int32 = 0) -> Int32 {
    (spec.elementType == .int8
      ? Int32(elements(as: Int8.self)[place]) : Int32(elements(as: UInt8.self)[place])) + shift
  }
}

/// The shapes of a product of integer matrices, whose leading axes are broadcast.
private struct IntegerProductForm {
  let rows: Int
  let depth: Int
  let columns: Int
  let batches: Int
  let result: Shape
  private let offsetsA: [Int]
  private let offsetsB: [Int]

  init(_ inference: Inference) throws {
    let (a, b) = (try inference.shape(0), try inference.shape(1))
    guard a.rank >= 1, b.rank >= 1 else { throw inference.failure("multiplies matrices, not \(a) and \(b)") }
    // A vector is a matrix of one row or one column, which the result then lacks.
    let left = a.rank == 1 ? Shape([1] + a.dimensions) : a
    let right = b.rank == 1 ? Shape(b.dimensions + [1]) : b
    (rows, depth, columns) = (left[left.rank - 2], left[left.rank - 1], right[right.rank - 1])
    let (batchA, batchB) = (Shape(left.dropLast(2)), Shape(right.dropLast(2)))
    guard right[right.rank - 2] == depth, let batch = batchA.broadcast(with: batchB),
      batch.checkedElementCount.map({ $0 <= Self.largestBatch }) ?? false
    else {
      throw inference.failure("\(a) and \(b) do not multiply")
    }
    batches = batch.elementCount
    var extents = batch.dimensions
    if a.rank > 1 { extents.append(rows) }
    if b.rank > 1 { extents.append(columns) }
    result = Shape(extents)
    var (offsetsA, offsetsB) = ([Int](), [Int]())
    forEachOffset(batch.dimensions, strides: batchA.broadcastStrides(to: batch)) { offsetsA.append($1) }
    forEachOffset(batch.dimensions, strides: batchB.broadcastStrides(to: batch)) { offsetsB.append($1) }
    (self.offsetsA, self.offsetsB) = (offsetsA, offsetsB)
  }

  /// More matrices than this are taken for a mistake in a shape.
  private static let largestBatch = 1 << 24

  func batchA(_ batch: Int) -> Int { offsetsA[batch] }
  func batchB(_ batch: Int) -> Int { offsetsB[batch] }
}
