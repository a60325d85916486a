// Operators of graphs with 8-bit weights: quantising, dequantising, and products of 8-bit matrices.

import ONNX
import Tensors

extension Operator {
  static let quantization: [Operator] = [
    Operator(
      name: "QuantizeLinear", arity: 2...3,
      infer: { inference in
        try inference.require(0, .float, .double, .int32)
        try inference.require(1, .float, .double, .int32)
        var type = ElementType.uint8
        if let number = inference.node.int("output_dtype"), number != 0 {
          type = ElementType(rawValue: Int32(clamping: number)) ?? .undefined
        }
        if inference.isPresent(2) { type = try inference.spec(2).elementType }
        guard quantizedTypes.contains(type) else { throw inference.failure("the engine does not quantise to \(type)") }
        _ = try QuantizationScale(inference)
        return [TensorSpec(type, try inference.shape(0))]
      },
      bind: { binding in
        let scale = try QuantizationScale(binding.inference)
        let (x, y) = (NumberReader(binding.input(0)), NumberReader(binding.input(1)))
        let zero = binding.optionalInput(2).map(NumberReader.init)
        let write = NumberReader.writer(binding.output())
        let (lower, upper) = bounds(binding.output().spec.elementType)
        let count = binding.output().count
        // The quotient of two floats is a float.
        let isFloat = binding.input(0).spec.elementType != .double
        return { _ in
          for place in 0..<count {
            let group = scale.place(of: place)
            let quotient =
              isFloat
              ? Double(Float(x.double(place)) / Float(y.double(group))) : x.double(place) / y.double(group)
            let shifted = quotient.rounded(.toNearestOrEven) + (zero?.double(group) ?? 0)
            write(place, min(max(shifted, lower), upper), 0)
          }
        }
      }),
    Operator(
      name: "DequantizeLinear", arity: 2...3,
      infer: { inference in
        try inference.require(0, anyOf: quantizedTypes + [.int32])
        try inference.require(1, .float, .double)
        if inference.isPresent(2), try inference.spec(2).elementType != inference.spec(0).elementType {
          throw inference.failure("the zero point must be \(try inference.spec(0).elementType)")
        }
        _ = try QuantizationScale(inference)
        return [TensorSpec(try inference.spec(1).elementType, try inference.shape(0))]
      },
      bind: { binding in
        let scale = try QuantizationScale(binding.inference)
        let (x, y) = (NumberReader(binding.input(0)), NumberReader(binding.input(1)))
        let zero = binding.optionalInput(2).map(NumberReader.init)
        let write = NumberReader.writer(binding.output())
        let count = binding.output().count
        return { _ in
          for place in 0..<count {
            let group = scale.place(of: place)
            write(place, Double(x.integer(place) &- (zero?.integer(group) ?? 0)) * y.double(group), 0)
          }
        }
      }),
    Operator(
      name: "DynamicQuantizeLinear", arity: 1...1,
      infer: { inference in
        try inference.require(0, .float)
        return [
          TensorSpec(.uint8, try inference.shape(0)), TensorSpec(.float, .scalar), TensorSpec(.uint8, .scalar),
        ]
      },
      bind: { binding in
        let (x, count) = (binding.input(0).floats, binding.input(0).count)
        let y = binding.optionalOutput(0)?.elements(as: UInt8.self)
        let (scaleOutput, zeroOutput) = (
          binding.optionalOutput(1)?.floats, binding.optionalOutput(2)?.elements(as: UInt8.self)
        )
        return { _ in
          // The range always holds 0, which is then exact.
          var (low, high) = (Float(0), Float(0))
          for index in 0..<count { (low, high) = (min(low, x[index]), max(high, x[index])) }
          let scale = (high - low) / 255
          let zero = scale == 0 ? 0 : min(max((-low / scale).rounded(.toNearestOrEven), 0), 255)
          scaleOutput?[0] = scale
          zeroOutput?[0] = UInt8(converting: Double(zero))
          guard let y else { return }
          for index in 0..<count {
            let quotient = scale == 0 ? 0 : (x[index] / scale).rounded(.toNearestOrEven)
            y[index] = UInt8(converting: Double(min(max(quotient + zero, 0), 255)))
          }
        }
      }),
    matMulInteger,
  ]

  private static let quantizedTypes: [ElementType] = [.uint8, .int8, .uint16, .int16]

  private static func bounds(_ type: ElementType) -> (Double, Double) {
    switch type {
    case .int8: (-128, 127)
    case .uint16: (0, 65535)
    case .int16: (-32768, 32767)
    default: (0, 255)
    }
  }

  /// `(a - a's zero point) · (b - b's zero point)` in 32 bits; zero points for all, for a's rows, or for b's columns.
  private static let matMulInteger = Operator(
    name: "MatMulInteger", arity: 2...4,
    infer: { inference in
      for index in 0...1 { try inference.require(index, .uint8, .int8) }
      let form = try IntegerProduct(inference)
      for (index, extent) in [(2, form.rows), (3, form.columns)] where inference.isPresent(index) {
        guard try inference.spec(index).elementType == inference.spec(index - 2).elementType,
          [1, extent].contains(try inference.shape(index).elementCount)
        else {
          throw inference.failure("input \(index) must be 1 or \(extent) zero points of the matrix' type")
        }
      }
      return [TensorSpec(.int32, form.result)]
    },
    bind: { binding in
      let form = try IntegerProduct(binding.inference)
      let (a, b, output, pool) = (binding.input(0), binding.input(1), binding.output(), binding.pool)
      let (zeroA, zeroB) = (binding.optionalInput(2), binding.optionalInput(3))
      let (sizeA, sizeB) = (form.rows * form.depth, form.depth * form.columns)
      // Both matrices widened once, with their zero points taken off; then plain 32-bit rows times rows.
      binding.reserveScratch((a.count + b.count) * 4)
      return { scratch in
        let wideA = scratch.assumingMemoryBound(to: Int32.self)
        let wideB = wideA + a.count
        widen(a, zeroA, into: wideA) { $0 / form.depth % form.rows }
        widen(b, zeroB, into: wideB) { $0 % form.columns }
        let y = output.elements(as: Int32.self)
        pool.parallel(rows: form.batches * form.rows, work: sizeB) { range in
          for line in range {
            let (batch, row) = line.quotientAndRemainder(dividingBy: form.rows)
            let left = wideA + (form.batchA(batch) * sizeA + row * form.depth)
            let right = wideB + form.batchB(batch) * sizeB
            let target = y + line * form.columns
            target.update(repeating: 0, count: form.columns)
            for step in 0..<form.depth {
              let (factor, source) = (left[step], right + step * form.columns)
              for column in 0..<form.columns { target[column] &+= factor &* source[column] }
            }
          }
        }
      }
    })

  /// Writes 8-bit numbers less their zero points; `place` says which of several zero points an element has.
  private static func widen(
    _ source: Buffer, _ zero: Buffer?, into target: UnsafeMutablePointer<Int32>, _ place: (Int) -> Int
  ) {
    let isSigned = source.spec.elementType == .int8
    let (signed, unsigned) = (source.elements(as: Int8.self), source.elements(as: UInt8.self))
    let single = zero?.count == 1
    for index in 0..<source.count {
      var value = isSigned ? Int32(signed[index]) : Int32(unsigned[index])
      if let zero {
        let group = single ? 0 : place(index)
        value -= isSigned ? Int32(zero.elements(as: Int8.self)[group]) : Int32(zero.elements(as: UInt8.self)[group])
      }
      target[index] = value
    }
  }
}

/// Which scale belongs to an element: one for all, one for each place along an axis, or one for each block of those.
private struct QuantizationScale {
  private let extent: Int
  private let inner: Int
  private let block: Int
  private let isSingle: Bool

  init(_ inference: Inference) throws {
    let (shape, scale) = (try inference.shape(0), try inference.shape(1))
    if inference.isPresent(2), try inference.shape(2) != scale {
      throw inference.failure("the zero point's shape must be the scale's, \(scale)")
    }
    isSingle = scale.elementCount == 1 && scale.rank <= 1
    guard !isSingle else {
      (extent, inner, block) = (1, 1, 1)
      return
    }
    let axis = try inference.axis(inference.node.int("axis") ?? 1, rank: shape.rank)
    let size = inference.node.int("block_size") ?? 0
    extent = shape[axis]
    inner = shape[(axis + 1)...].reduce(1, *)
    if size > 0 {
      var expected = shape.dimensions
      expected[axis] = (extent - 1) / size + 1
      guard scale.dimensions == expected else {
        throw inference.failure(
          "a scale for each block of \(size) along axis \(axis) is \(Shape(expected)), not \(scale)")
      }
      block = size
    } else {
      guard scale == [extent] else {
        throw inference.failure("the scale must be one number or the \(extent) of axis \(axis), not \(scale)")
      }
      block = 0
    }
  }

  @inline(__always)
  func place(of element: Int) -> Int {
    if isSingle { return 0 }
    let (outer, column) = element.quotientAndRemainder(dividingBy: inner)
    let (slice, step) = outer.quotientAndRemainder(dividingBy: extent)
    if block == 0 { return step }
    return (slice * ((extent - 1) / block + 1) + step / block) * inner + column
  }
}

/// The shapes of a product of integer matrices, whose leading axes are broadcast.
private struct IntegerProduct {
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
