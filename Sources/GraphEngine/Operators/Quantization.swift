// Operators that turn numbers into few bits and back.

import CKernels
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
        let pool = binding.pool
        // Pieces of one length, whatever the number of threads; a range has no order.
        let piece = 1 << 14
        let pieces = (count + piece - 1) / piece
        binding.reserveScratch(max(pieces, 1) * 8)
        return { scratch in
          // The range always holds 0, which is then exact.
          let ranges = scratch.assumingMemoryBound(to: Float.self)
          pool.parallel(pieces) { task in
            rk_range(min(piece, count - task * piece), x + task * piece, ranges + 2 * task, ranges + 2 * task + 1)
          }
          var (low, high) = (Float(0), Float(0))
          for task in 0..<pieces { (low, high) = (min(low, ranges[2 * task]), max(high, ranges[2 * task + 1])) }
          let scale = (high - low) / 255
          let zero = scale == 0 ? 0 : min(max((-low / scale).rounded(.toNearestOrEven), 0), 255)
          scaleOutput?[0] = scale
          zeroOutput?[0] = UInt8(converting: Double(zero))
          guard let y else { return }
          pool.parallel(pieces) { task in
            let first = task * piece
            rk_quantize(min(piece, count - first), x + first, scale, Int32(converting: Double(zero)), y + first)
          }
        }
      }),
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
