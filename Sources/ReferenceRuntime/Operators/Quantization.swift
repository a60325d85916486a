// Numbers as small integers (or 8-bit floats) with a scale and a zero point.

import Tensors

enum Quantization {
  static let operators: OperatorTable = [
    "QuantizeLinear": .one(quantize),
    "DequantizeLinear": .one(dequantize),
    "DynamicQuantizeLinear": .many(dynamicQuantize),
    "MatMulInteger": .one(integerMatMul),
    "QLinearMatMul": .one(quantizedMatMul),
    "ConvInteger": .one(integerConvolution),
    "QLinearConv": .one(quantizedConvolution),
  ]

  /// Repeats a scale or zero point over `x`: one for all, one an index along `axis`, or one for each block of
  /// `block_size` elements along it.
  private static func spread(_ call: Call, _ parameter: Operand, over x: Operand) throws -> Operand {
    if parameter.count == 1, parameter.rank <= 1 {
      return parameter.picking([Int](repeating: 0, count: x.count), x.shape)
    }
    let axis = try call.axis(call.int("axis", default: 1), rank: x.rank)
    let block = try call.int("block_size", default: 0)
    if block == 0 {
      guard parameter.shape == [x.shape[axis]] else {
        throw call.failure("one scale and zero point, or \(x.shape[axis]) along axis \(axis), not \(parameter.summary)")
      }
      let strides = x.shape.indices.map { $0 == axis ? 1 : 0 }
      return parameter.picking(positions(in: x.shape, strides: strides), x.shape)
    }
    guard block > 0, parameter.rank == x.rank,
      x.shape.indices.allSatisfy({
        parameter.shape[$0] == ($0 == axis ? (x.shape[$0] + block - 1) / block : x.shape[$0])
      })
    else { throw call.failure("scales for blocks of \(block) along axis \(axis), not \(parameter.summary)") }
    return parameter.picking(
      Movements.gathered(x.shape, from: parameter.shape) { $0 == axis ? $1 / block : $1 }, x.shape)
  }

  /// `saturate(round(x / scale) + zero_point)`, ties to even; to 8-bit floats, the rounded quotient.
  private static func quantize(_ call: Call) throws -> Operand {
    let (x, scale) = (try call.operand(0), try call.operand(1))
    let zero = try call.optional(2)
    let type = try zero?.elementType ?? call.elementType(attribute: "output_dtype") ?? .uint8
    let scales = try call.doubles(spread(call, scale.rounded, over: x), "the scale")
    let quotients = Operand(
      zip(try call.doubles(x.rounded), scales).map { $0 / $1 }, x.shape,
      x.elementType.isFloatingPoint ? x.elementType : .float)
    let zeros = try zero.map { try spread(call, $0, over: x) }
    return try quantized(call, quotients, zeros, type)
  }

  /// Quotients rounded (first to their own type, as a tie there is a tie) and moved by the zero point.
  private static func quantized(
    _ call: Call, _ quotients: Operand, _ zeros: Operand?, _ type: ElementType
  ) throws -> Operand {
    let values = try call.floats(quotients.rounded)
    if type.isFloatingPoint {
      let saturate = try call.flag("saturate", default: true)
      let tensor = Tensor(doubles: values, shape: quotients.shape, elementType: type, saturate: saturate)
      return Operand(tensor.doubles(), quotients.shape, type)
    }
    guard type.isInteger else {
      throw call.failure("an integer or 8-bit floating-point type to quantise to, not \(type)")
    }
    let offsets = try zeros.map { try call.integers($0, "the zero point") }
    let results = values.indices.map { index -> Int128 in
      // Far outside every integer type, so that adding the zero point can't overflow.
      let bounded = min(max(values[index].rounded(.toNearestOrEven), -0x1p70), 0x1p70)
      return type.saturated((bounded.isNaN ? 0 : Int128(bounded)) + (offsets?[index] ?? 0))
    }
    return Operand(integers: results, quotients.shape, type)
  }

  /// `(x - zero_point) · scale`, of the scale's type.
  private static func dequantize(_ call: Call) throws -> Operand {
    let (x, scale) = (try call.operand(0), try call.operand(1))
    let scales = try call.floats(spread(call, scale, over: x), "the scale")
    var values = try call.doubles(x)
    if let zero = try call.optional(2) {
      try call.requireSameType([x, zero])
      values = zip(values, try call.doubles(spread(call, zero, over: x))).map { $0 - $1 }
    }
    return Operand(zip(values, scales).map { $0 * $1 }, x.shape, scale.elementType)
  }

  /// Quantises to 8 bits over the range of the input and 0; also gives the scale and the zero point.
  private static func dynamicQuantize(_ call: Call) throws -> [Value] {
    let x = try call.operand(0).rounded
    let values = try call.floats(x)
    let highest = values.reduce(0, Arithmetic.larger)
    let lowest = values.reduce(0, Arithmetic.smaller)
    // The scale leaves as a float, and whoever multiplies by it back needs the one that was divided by.
    let scale = Double(Float((highest - lowest) / 255))
    guard scale > 0, scale.isFinite else {
      guard scale == 0 else { throw call.failure("finite numbers") }
      let zeros = Operand(integers: [Int128](repeating: 0, count: x.count), x.shape, .uint8)
      return [.tensor(zeros), .tensor(Operand([0], .scalar, .float)), .tensor(.zero(.uint8))]
    }
    let zero = ElementType.uint8.saturated(Int128(Double(Float(-lowest / scale)).rounded(.toNearestOrEven)))
    let zeroOperand = Operand(integers: [zero], .scalar, .uint8)
    let y = try quantized(
      call, Operand(values.map { $0 / scale }, x.shape, .float),
      zeroOperand.picking([Int](repeating: 0, count: x.count), x.shape), .uint8)
    return [.tensor(y), .tensor(Operand([scale], .scalar, .float)), .tensor(zeroOperand)]
  }

  /// Integers less their zero point, which is one for all, or one a row (left) or column (right) of the matrices.
  private static func centered(_ call: Call, _ x: Operand, _ zero: Operand?, perRow: Bool) throws -> Operand {
    let values = try call.integers(x)
    guard let zero else { return Operand(integers: values, x.shape, .int64) }
    try call.requireSameType([x, zero])
    let spread = try matrixParameter(call, zero, over: x, perRow: perRow)
    let differences = zip(values, try call.integers(spread, "the zero point")).map { $0 - $1 }
    return Operand(integers: differences, x.shape, .int64)
  }

  private static func matrixParameter(_ call: Call, _ parameter: Operand, over x: Operand, perRow: Bool) throws
    -> Operand
  {
    if parameter.count == 1 { return parameter.picking([Int](repeating: 0, count: x.count), x.shape) }
    let shaped = perRow && parameter.rank == 1 ? parameter.reshaped([parameter.count, 1]) : parameter
    return try call.broadcast(shaped, to: x.shape)
  }

  /// The exact product of integer matrices, as int32.
  private static func integerMatMul(_ call: Call) throws -> Operand {
    let a = try centered(call, call.operand(0), call.optional(2), perRow: true)
    let b = try centered(call, call.operand(1), call.optional(3), perRow: false)
    let product = try Products.matrixProduct(call, a, b)
    return Operand(integers: try call.integers(product).map(ElementType.int32.wrap), product.shape, .int32)
  }

  /// Inputs: a, its scale and zero point, b and its, then the result's. The product of what they stand for, quantised.
  private static func quantizedMatMul(_ call: Call) throws -> Operand {
    let operands = try (0..<8).map { try call.operand($0) }
    func real(_ index: Int, perRow: Bool) throws -> Operand {
      let x = try centered(call, operands[index], operands[index + 2], perRow: perRow)
      let scales = try matrixParameter(call, operands[index + 1], over: x, perRow: perRow)
      let values = zip(try call.doubles(x), try call.floats(scales, "the scale")).map { $0 * $1 }
      return Operand(values, x.shape, .float)
    }
    let product = try Products.matrixProduct(call, real(0, perRow: true), real(3, perRow: false))
    return try requantized(call, product, operands[6], operands[7])
  }

  private static func requantized(_ call: Call, _ real: Operand, _ scale: Operand, _ zero: Operand) throws -> Operand {
    let scales = try call.floats(matrixParameter(call, scale, over: real, perRow: true), "the scale")
    let quotients = Operand(zip(try call.floats(real), scales).map { $0 / $1 }, real.shape, .float)
    let zeros = try matrixParameter(call, zero, over: real, perRow: true)
    return try quantized(call, quotients, zeros, zero.elementType)
  }

  /// The exact convolution of integers, as int32. Padding stands for the input's zero point.
  private static func integerConvolution(_ call: Call) throws -> Operand {
    let (x, w) = (try call.operand(0), try call.operand(1))
    let (centeredX, centeredW) = (
      try channelCentered(call, x, call.optional(2), channelAxis: nil),
      try channelCentered(call, w, call.optional(3), channelAxis: 0)
    )
    let (values, shape) = try Convolutions.convolve(call, centeredX, x.shape, centeredW, w.shape, bias: nil)
    return Operand(integers: values.map { ElementType.int32.wrap(Int128($0)) }, shape, .int32)
  }

  /// Inputs: x, its scale and zero point, w and its (one, or one a feature), the result's, and an int32 bias.
  private static func quantizedConvolution(_ call: Call) throws -> Operand {
    let (x, w) = (try call.operand(0), try call.operand(3))
    let xScale = try call.scalarDouble(call.operand(1), "the input's scale")
    let yScale = try call.scalarDouble(call.operand(6), "the result's scale")
    let yZero = try call.operand(7)
    let wScales = try call.floats(call.operand(4), "the weights' scale")
    let values = try channelCentered(call, x, call.operand(2), channelAxis: nil)
    let weights = try channelCentered(call, w, call.operand(5), channelAxis: 0)
    let bias = try call.optional(8).map { try call.doubles($0, "the bias") }
    let (sums, shape) = try Convolutions.convolve(call, values, x.shape, weights, w.shape, bias: bias)
    let features = shape[1]
    guard wScales.count == 1 || wScales.count == features, yZero.count == 1 else {
      throw call.failure("one weight scale, or one for each of \(features) features, and one zero point of the result")
    }
    let inner = shape.dimensions[2...].reduce(1, *)
    let quotients = sums.enumerated().map { position, sum in
      let feature = position / max(inner, 1) % features
      return sum * xScale * wScales[wScales.count == 1 ? 0 : feature] / yScale
    }
    return try quantized(
      call, Operand(quotients, shape, .float), yZero.picking([Int](repeating: 0, count: sums.count), shape),
      yZero.elementType)
  }

  private static func channelCentered(
    _ call: Call, _ x: Operand, _ zero: Operand?, channelAxis: Int?
  ) throws -> [Double] {
    let values = try call.integers(x).map { Double($0) }
    guard let zero else { return values }
    try call.requireSameType([x, zero])
    let zeros = try call.doubles(zero, "the zero point")
    if zeros.count == 1 { return values.map { $0 - zeros[0] } }
    guard let axis = channelAxis, x.rank > axis, zero.shape == [x.shape[axis]] else {
      throw call.failure("one zero point, not \(zero.summary)")
    }
    let inner = x.shape.dimensions[(axis + 1)...].reduce(1, *)
    return values.enumerated().map { $0.element - zeros[$0.offset / inner % zeros.count] }
  }
}
