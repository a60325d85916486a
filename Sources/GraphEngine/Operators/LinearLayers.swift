// What takes one pass instead of several: a product with its bias and activation, standardised columns. `Fusion` alone
// writes these nodes.

import CKernels
import ONNX
import Tensors

/// The domain of the operators that only `Fusion` writes.
let kernelDomain = "rankerkit.kernel"

extension Operator {
  /// `Linear(x, weight, bias?, remembered?)`: `y = f(x·op(weight) + bias)` over the last axis of x, with the attributes
  /// `transB` and `activation` (the name of f's operator, and `alpha` or `approximate` as that operator has them).
  /// The second output, where asked for, is the value before f.
  ///
  /// With `activation_gradient` in the place of `activation`, `y = (x·op(weight) + bias) · f'`: what flows back through f,
  /// by what f's gradient remembers of the way forward, of y's shape.
  static let linearLayers: [Operator] = [
    Operator(
      name: "Linear", domain: kernelDomain, arity: 2...4,
      rows: .inputs { $0.isPresent(3) ? [0, 3] : [0] },
      multiplyAdds: { inference in
        guard let x = try? inference.shape(0), let weight = try? inference.shape(1), weight.rank == 2 else {
          return nil
        }
        return x.elementCount * weight[GemmForm(inference.node).transB ? 0 : 1]
      },
      infer: { inference in
        try inference.require(0, .float)
        try inference.require(1, .float)
        let form = GemmForm(inference.node)
        let (x, weight) = (try inference.shape(0), try inference.shape(1))
        let (depth, columns) = form.transB ? (weight[1], weight[0]) : (weight[0], weight[1])
        guard x.rank > 0, x[x.rank - 1] == depth else {
          throw inference.failure("\(x) and \(weight) do not multiply: \(x.last ?? 1) against \(depth)")
        }
        if inference.isPresent(2) {
          let bias = try inference.shape(2)
          guard bias == [columns] else { throw inference.failure("the bias \(bias) does not fit \(columns) columns") }
        }
        let spec = TensorSpec(.float, Shape(x.dropLast() + [columns]))
        if inference.isPresent(3), try inference.spec(3) != spec {
          throw inference.failure("the remembered \(try inference.spec(3)) is not \(spec)")
        }
        return [spec, spec]
      },
      bind: { binding in
        let (x, weight, y) = (binding.input(0), binding.input(1), binding.output())
        let form = GemmForm(binding.node)
        let columns = y.shape[y.shape.rank - 1]
        let depth = x.shape[x.shape.rank - 1]
        let pool = binding.pool
        let product = MatrixProduct(
          rows: columns == 0 ? 0 : y.count / columns, columns: columns, depth: depth,
          b: .init(transposed: form.transB), prepacksB: binding.inference.constants[1] != nil, threads: pool.threadCount
        )
        binding.reserveScratch(product.scratchByteCount)
        let packed = binding.packedWeight(product)
        let activation = Activation(binding.node)
        let bias = binding.optionalInput(2).map { UnsafePointer($0.floats) }
        if let remembered = binding.optionalInput(3) {
          let context = Context(
            rk_activation_gradient(
              bias: bias, remembered: remembered.floats, remembered_row: columns, function: activation.function,
              p: activation.p, q: 0))
          return { scratch in
            product.run(
              a: x.floats, b: weight.floats, packedB: packed?.panels, c: y.floats,
              epilogue: .init(rk_epilogue_activation_gradient, context: context.pointer), scratch: scratch, pool: pool)
          }
        }
        let context = Context(
          rk_activation(
            bias: bias,
            preactivation: binding.optionalOutput(1)?.floats, preactivation_row: columns,
            function: activation.function, p: activation.p, q: 0))
        return { scratch in
          product.run(
            a: x.floats, b: weight.floats, packedB: packed?.panels, c: y.floats,
            epilogue: .init(rk_epilogue_activate, context: context.pointer), scratch: scratch, pool: pool)
        }
      }),
    // (x, mean, deviation) → (x - mean) / deviation by columns, 0 / deviation where x is NaN.
    Operator(
      name: "Standardize", domain: kernelDomain, arity: 3...3, memory: .overwrites,
      infer: { inference in
        try inference.require(0, .float)
        return [TensorSpec(.float, try inference.broadcastShape(0...1))]
      },
      bind: { binding in
        let (x, y) = (binding.input(0), binding.output())
        let (mean, deviation) = (binding.input(1), binding.input(2))
        let columns = y.shape[y.shape.rank - 1]
        // 0 repeats one number along a row.
        let xStep = x.shape.last == columns ? 1 : 0
        let step = mean.count == columns ? 1 : 0
        let xRow = xStep == 1 ? columns : 1
        let pool = binding.pool
        return { _ in
          pool.parallel(rows: columns == 0 ? 0 : y.count / columns, work: columns) { rows in
            rk_standardize(
              rows.count, columns, x.floats + rows.lowerBound * xRow, xRow, xStep, mean.floats, deviation.floats, step,
              y.floats + rows.lowerBound * columns)
          }
        }
      }),
  ]
}

extension Binding {
  /// The second input in panels, where it is a constant and the product takes it so: packing costs a product of few rows
  /// a tenth of its time.
  fileprivate func packedWeight(_ product: MatrixProduct) -> PackedMatrix? {
    guard let constant = inference.constants[1], let floats = product.packedBFloats else { return nil }
    return constants.packed(constant) { PackedMatrix(product, input(1).floats, floats: floats) }
  }
}

/// An activation that a product's epilogue can apply.
struct Activation {
  let function: rk_function
  let p: Float

  /// The activation that a fused node names; the identity where it names none.
  init(_ node: Node) {
    let name = node.string("activation") ?? node.string("activation_gradient") ?? ""
    let form = Self.form(name, alpha: node.float("alpha"), node.string("approximate"))
    (function, p) = form ?? (rk_identity, 0)
  }

  /// The attributes of a fused node that stand for an activation node, or nil where the epilogue has no such function.
  static func attributes(for node: Node) -> [Attribute]? {
    guard node.domain.isEmpty, form(node.operatorType, alpha: node.float("alpha"), node.string("approximate")) != nil
    else { return nil }
    return [Attribute("activation", .string(ByteString(node.operatorType)))] + node.attributes
  }

  /// The attributes of a fused node that stand for the gradient of an activation, or nil where there is no such function
  /// or its gradient remembers something else than the kernel wants.
  static func gradientAttributes(for node: Node) -> [Attribute]? {
    guard node.domain == gradientDomain, node.operatorType.hasSuffix("Grad"), node.inputs.count == 2 else { return nil }
    let name = String(node.operatorType.dropLast(4))
    guard form(name, alpha: node.float("alpha"), node.string("approximate")) != nil else { return nil }
    return [Attribute("activation_gradient", .string(ByteString(name)))] + node.attributes
  }

  private static func form(_ operatorType: String, alpha: Float?, _ approximate: String?) -> (rk_function, Float)? {
    switch operatorType {
    case "Relu": (rk_relu, 0)
    case "LeakyRelu": (rk_leaky_relu, alpha ?? 0.01)
    case "Gelu": (approximate == "tanh" ? rk_gelu_tanh : rk_gelu, 0)
    case "Tanh": (rk_tanh, 0)
    case "Sigmoid": (rk_sigmoid, 0)
    default: nil
    }
  }
}
