// What networks are written with: arithmetic on values, activations, and layers with parameters.

import ONNX
import Tensors

extension GraphBuilder.Value {
  public typealias Value = GraphBuilder.Value

  private func apply(_ operatorType: String, _ others: Value?..., attributes: [Attribute] = []) -> Value {
    builder.node(operatorType, [self] + others, attributes)
  }

  public static func + (a: Value, b: Value) -> Value { a.apply("Add", b) }
  public static func - (a: Value, b: Value) -> Value { a.apply("Sub", b) }
  public static func * (a: Value, b: Value) -> Value { a.apply("Mul", b) }
  public static func / (a: Value, b: Value) -> Value { a.apply("Div", b) }
  public static prefix func - (a: Value) -> Value { a.apply("Neg") }

  public static func * (a: Value, b: Float) -> Value { a * a.builder.constant(Tensor(scalar: b)) }
  public static func - (a: Float, b: Value) -> Value { b.builder.constant(Tensor(scalar: a)) - b }

  public func relu() -> Value { apply("Relu") }
  public func sigmoid() -> Value { apply("Sigmoid") }
  public func abs() -> Value { apply("Abs") }
  public func sqrt() -> Value { apply("Sqrt") }
  public func softplus() -> Value { apply("Softplus") }
  public func log() -> Value { apply("Log") }
  public func isNaN() -> Value { apply("IsNaN") }
  public func identity() -> Value { apply("Identity") }

  /// `self == other`, elementwise, as bools.
  public func equals(_ other: Value) -> Value { apply("Equal", other) }

  /// `a` where this value of bools is true, `b` elsewhere.
  public func select(_ a: Value, _ b: Value) -> Value { apply("Where", a, b) }

  /// `matmul(self, other)` as NumPy has it.
  public func matmul(_ other: Value) -> Value { apply("MatMul", other) }

  public func transposed(_ permutation: [Int]) -> Value {
    apply("Transpose", attributes: [Attribute("perm", .ints(permutation.map(Int64.init)))])
  }

  public func reshaped(_ shape: [Int]) -> Value {
    apply("Reshape", builder.constant(Tensor(shape.map(Int64.init))))
  }

  public func squeezed(_ axes: [Int]) -> Value { apply("Squeeze", builder.constant(Tensor(axes.map(Int64.init)))) }

  /// The mean of all elements, a scalar.
  public func mean() -> Value { apply("ReduceMean", attributes: [Attribute("keepdims", .int(0))]) }

  /// The sum of all elements, a scalar.
  public func sum() -> Value { apply("ReduceSum", attributes: [Attribute("keepdims", .int(0))]) }

  /// Two or more values joined along an axis.
  public static func concatenate(_ values: [Value], axis: Int) -> Value {
    values[0].builder.node("Concat", values, [Attribute("axis", .int(Int64(axis)))])
  }

  /// Parts of the given extents along an axis.
  public func split(_ extents: [Int], axis: Int) -> [Value] {
    builder.nodes(
      "Split", [self, builder.constant(Tensor(extents.map(Int64.init)))], [Attribute("axis", .int(Int64(axis)))],
      outputs: extents.count)
  }

  /// Equal parts along an axis whose extent need not be known.
  public func split(parts: Int, axis: Int) -> [Value] {
    var attributes = [Attribute("axis", .int(Int64(axis)))]
    // Before opset 18 the number of outputs says it.
    if builder.opset >= 18 { attributes.append(Attribute("num_outputs", .int(Int64(parts)))) }
    return builder.nodes("Split", [self], attributes, outputs: parts)
  }

  /// Zeroes elements with the given probability and scales the rest by `1 / (1 - ratio)`, while training.
  /// `Model.forInference` takes the node out.
  public func dropout(_ ratio: Float) -> Value {
    guard ratio > 0 else { return self }
    return apply("Dropout", builder.constant(Tensor(scalar: ratio)), builder.constant(Tensor(scalar: true)))
  }
}

/// A fully connected layer, `y = x·Wᵀ + b`, with PyTorch's parameter names, shapes and initial values.
public struct Linear {
  public typealias Value = GraphBuilder.Value

  public let weight: Value
  public let bias: Value

  /// Adds `name.weight` `[outputs, inputs]` and `name.bias` `[outputs]`, both uniform in `±1/√inputs`
  /// (what `torch.nn.Linear` starts from).
  public init(
    _ name: String, inputs: Int, outputs: Int, in builder: GraphBuilder, generator: inout some RandomNumberGenerator
  ) {
    let bound = 1 / Float(max(inputs, 1)).squareRoot()
    func uniform(_ shape: Shape) -> Tensor {
      Tensor(uninitialized: shape, elementType: .float) { bytes in
        let values = bytes.bindMemory(to: Float.self)
        // The highest 24 bits: as many steps as single precision has in [0, 1), each as likely.
        for index in values.indices { values[index] = (Float(generator.next() >> 40) * 0x1p-23 - 1) * bound }
      }
    }
    weight = builder.parameter("\(name).weight", uniform([outputs, inputs]))
    bias = builder.parameter("\(name).bias", uniform([outputs]))
  }

  /// Adds the parameters as zeros, for a graph whose parameters come from elsewhere (`Model.replacing`).
  public init(_ name: String, inputs: Int, outputs: Int, in builder: GraphBuilder) {
    weight = builder.parameter("\(name).weight", Tensor(zeros: [outputs, inputs], elementType: .float))
    bias = builder.parameter("\(name).bias", Tensor(zeros: [outputs], elementType: .float))
  }

  /// - Parameter x: `[batch, inputs]`.
  /// - Returns: `[batch, outputs]`.
  public func callAsFunction(_ x: Value) -> Value {
    x.builder.node("Gemm", [x, weight, bias], [Attribute("transB", .int(1))])
  }
}
