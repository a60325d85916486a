// Elementwise operators of one tensor.

import ONNX
import Tensors

extension Operator {
  static let unary: [Operator] = [
    differentiable("Sqrt", SqrtFunction.self), differentiable("Reciprocal", ReciprocalFunction.self),
    differentiable("Exp", ExpFunction.self), differentiable("Log", LogFunction.self),
    differentiable("Erf", ErfFunction.self), differentiable("Tanh", TanhFunction.self),
    differentiable("Sigmoid", SigmoidFunction.self), differentiable("Softplus", SoftplusFunction.self),
    differentiable("LeakyRelu", LeakyReluFunction.self), differentiable("Elu", EluFunction.self),
    differentiable("Celu", CeluFunction.self), differentiable("Selu", SeluFunction.self),
    differentiable("ThresholdedRelu", ThresholdedReluFunction.self),
    differentiable("HardSigmoid", HardSigmoidFunction.self), differentiable("HardSwish", HardSwishFunction.self),
    differentiable("Softsign", SoftsignFunction.self), differentiable("Mish", MishFunction.self),
    differentiable("Gelu", GeluFunction.self), differentiable("Sin", SinFunction.self),
    differentiable("Cos", CosFunction.self), differentiable("Tan", TanFunction.self),
    differentiable("Asin", AsinFunction.self), differentiable("Acos", AcosFunction.self),
    differentiable("Atan", AtanFunction.self), differentiable("Sinh", SinhFunction.self),
    differentiable("Cosh", CoshFunction.self), differentiable("Asinh", AsinhFunction.self),
    differentiable("Acosh", AcoshFunction.self), differentiable("Atanh", AtanhFunction.self),
    [
      function("Floor", FloorFunction.self, gradient: .zero), function("Ceil", CeilFunction.self, gradient: .zero),
      function("Round", RoundFunction.self, gradient: .zero),
    ],
  ].flatMap { $0 }

  /// An operator over floating-point numbers and the internal one that computes its gradient in one pass.
  private static func differentiable<F: DifferentiableFunction>(_ name: String, _ type: F.Type) -> [Operator] {
    let forward = function(
      name, type,
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        let remembered = F.remembered == .input ? rule.input(0) : rule.output()
        rule.contribute(0, rule.emitInternal(name + "Grad", [dy, remembered], rule.node.attributes))
      })
    let backward = Operator(
      name: name + "Grad", domain: gradientDomain, arity: 2...2, memory: .overwrites, rows: .elementwise,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let function = F(binding.node)
        let (dy, remembered, dx) = (binding.input(0).floats, binding.input(1).floats, binding.output().floats)
        let (count, pool) = (binding.output().count, binding.pool)
        let grain = F.isTranscendental ? Grain.transcendental : Grain.plain
        if let vectorised = function.vectorised {
          return { _ in
            pool.parallel(over: count, grain: grain) { vectorised.mapGradient(dy, remembered, to: dx, $0) }
          }
        }
        return { _ in
          pool.parallel(over: count, grain: grain) { range in
            for index in range { dx[index] = function.gradient(dy[index], remembered[index]) }
          }
        }
      })
    return [forward, backward]
  }

  private static func function<F: UnaryFunction>(_ name: String, _ type: F.Type, gradient: Gradient) -> Operator {
    Operator(
      name: name, arity: 1...1, memory: .overwrites, rows: .elementwise,
      infer: { inference in
        try inference.require(0, .float, .double)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let function = F(binding.node)
        let (input, output, pool) = (binding.input(0), binding.output(), binding.pool)
        let grain = F.isTranscendental ? Grain.transcendental : Grain.plain
        if input.spec.elementType == .double { return mapKernel(binding, Double.self, function, grain) }
        guard let vectorised = function.vectorised else { return mapKernel(binding, Float.self, function, grain) }
        return { _ in
          pool.parallel(over: output.count, grain: grain) { vectorised.map(input.floats, to: output.floats, $0) }
        }
      },
      gradient: gradient)
  }

  private static func mapKernel<T: FloatingNumber, F: UnaryFunction>(
    _ binding: Binding, _ type: T.Type, _ function: F, _ grain: Int
  ) -> Kernel {
    let (x, y) = (binding.input(0).elements(as: T.self), binding.output().elements(as: T.self))
    let (count, pool) = (binding.output().count, binding.pool)
    return { _ in
      pool.parallel(over: count, grain: grain) { range in
        for index in range { y[index] = function(x[index]) }
      }
    }
  }
}
