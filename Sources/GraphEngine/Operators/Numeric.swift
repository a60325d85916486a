// Elementwise operators of one tensor of any number type, and the tests that give booleans.

import CKernels
import ONNX
import Tensors

/// A function of one number of any type.
protocol NumericFunction: Sendable {
  static func apply<T: Number>(_ x: T) -> T
  /// The C loop of it over floats.
  static var vectorised: rk_function? { get }
}

private enum Negation: NumericFunction {
  static let vectorised: rk_function? = rk_negative
  static func apply<T: Number>(_ x: T) -> T { T.negative(x) }
}

private enum AbsoluteValue: NumericFunction {
  static let vectorised: rk_function? = rk_absolute
  static func apply<T: Number>(_ x: T) -> T { T.absolute(x) }
}

private enum Signum: NumericFunction {
  static let vectorised: rk_function? = nil
  static func apply<T: Number>(_ x: T) -> T { T.sign(x) }
}

private enum Rectifier: NumericFunction {
  static let vectorised: rk_function? = rk_relu
  static func apply<T: Number>(_ x: T) -> T { x < T.zero ? T.zero : x }
}

extension Operator {
  static let numeric: [Operator] = [
    numeric(
      "Neg", Negation.self,
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emit("Neg", [dy]))
      }),
    numeric(
      "Abs", AbsoluteValue.self,
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emitInternal("AbsGrad", [dy, rule.input(0)]))
      }),
    gradientOf("Abs", rk_absolute),
    numeric("Sign", Signum.self, gradient: .zero),
    numeric(
      "Relu", Rectifier.self,
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emitInternal("ReluGrad", [dy, rule.output()]))
      }),
    gradientOf("Relu", rk_relu),
    Operator(
      name: "Clip", arity: 1...3,
      infer: { inference in
        let input = try inference.spec(0)
        try inference.requireNumber(0)
        for bound in 1...2 where inference.isPresent(bound) {
          let spec = try inference.spec(bound)
          guard spec.elementType == input.elementType, spec.shape.elementCount == 1 else {
            throw inference.failure("bound \(spec) must be one \(input.elementType)")
          }
        }
        return [input]
      },
      bind: { binding in
        switch binding.input(0).spec.elementType {
        case .float: clipKernel(binding, Float.self)
        case .double: clipKernel(binding, Double.self)
        case .int32: clipKernel(binding, Int32.self)
        case .int64: clipKernel(binding, Int64.self)
        default: clipKernel(binding, binding.input(0).spec.elementType.rareNumber)
        }
      },
      gradient: .rule { rule in
        guard !rule.needs(1), !rule.needs(2) else { throw rule.failure("the bounds of a Clip have no gradient") }
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emitInternal("ClipGrad", [dy] + rule.node.inputs))
      }),
    // (dy, x, min, max): dy where x lies between the bounds or on one of them.
    Operator(
      name: "ClipGrad", domain: gradientDomain, arity: 2...4,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let (dy, x, dx) = (binding.input(0).floats, binding.input(1).floats, binding.output().floats)
        let (lower, upper) = (binding.optionalInput(2)?.floats, binding.optionalInput(3)?.floats)
        let (count, pool) = (binding.output().count, binding.pool)
        return { _ in
          let (low, high) = (lower?[0] ?? -.infinity, upper?[0] ?? .infinity)
          pool.parallel(over: count, grain: Grain.plain) { range in
            for index in range { dx[index] = x[index] >= low && x[index] <= high ? dy[index] : 0 }
          }
        }
      }),
    test("Not", .bool) { binding in testKernel(binding) { (x: UInt8) in x == 0 } },
    test("IsNaN", .float, .double) { binding in
      binding.input(0).spec.elementType == .float
        ? testKernel(binding) { (x: Float) in x.isNaN } : testKernel(binding) { (x: Double) in x.isNaN }
    },
    test("IsInf", .float, .double) { binding in
      let negative = binding.node.int("detect_negative") ?? 1 != 0
      let positive = binding.node.int("detect_positive") ?? 1 != 0
      return binding.input(0).spec.elementType == .float
        ? testKernel(binding) { (x: Float) in x.isInfinite && (x < 0 ? negative : positive) }
        : testKernel(binding) { (x: Double) in x.isInfinite && (x < 0 ? negative : positive) }
    },
  ]

  private static func numeric<F: NumericFunction>(_ name: String, _ type: F.Type, gradient: Gradient) -> Operator {
    Operator(
      name: name, arity: 1...1, memory: .overwrites, rows: .elementwise,
      infer: { inference in
        try inference.requireNumber(0)
        return [try inference.spec(0)]
      },
      bind: { binding in
        switch binding.input(0).spec.elementType {
        case .float: floatKernel(binding, F.vectorised) ?? mapKernel(binding, Float.self, F.self)
        case .double: mapKernel(binding, Double.self, F.self)
        case .int32: mapKernel(binding, Int32.self, F.self)
        case .int64: mapKernel(binding, Int64.self, F.self)
        default: mapKernel(binding, binding.input(0).spec.elementType.rareNumber, F.self)
        }
      },
      gradient: gradient)
  }

  private static func mapKernel<T: Number, F: NumericFunction>(
    _ binding: Binding, _ type: T.Type, _ function: F.Type
  ) -> Kernel {
    let (x, y): (UnsafeMutablePointer<T>, UnsafeMutablePointer<T>) = (
      binding.input(0).elements(), binding.output().elements()
    )
    let (count, pool) = (binding.output().count, binding.pool)
    return { _ in
      pool.parallel(over: count, grain: Grain.plain) { range in
        for index in range { y[index] = F.apply(x[index]) }
      }
    }
  }

  private static func floatKernel(_ binding: Binding, _ function: rk_function?) -> Kernel? {
    guard let function else { return nil }
    let (x, y) = (binding.input(0).floats, binding.output().floats)
    let (count, pool) = (binding.output().count, binding.pool)
    return { _ in
      pool.parallel(over: count, grain: Grain.plain) { range in
        rk_apply(function, range.count, x + range.lowerBound, y + range.lowerBound, 0, 0)
      }
    }
  }

  /// The internal operator `name + "Grad"` of two floats: the output's gradient and what the gradient remembers.
  private static func gradientOf(_ name: String, _ function: rk_function) -> Operator {
    Operator(
      name: name + "Grad", domain: gradientDomain, arity: 2...2, memory: .overwrites, rows: .elementwise,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let (dy, remembered, dx) = (binding.input(0).floats, binding.input(1).floats, binding.output().floats)
        let (count, pool) = (binding.output().count, binding.pool)
        return { _ in
          pool.parallel(over: count, grain: Grain.plain) { range in
            let start = range.lowerBound
            rk_apply_gradient(function, range.count, dy + start, remembered + start, dx + start, 0, 0)
          }
        }
      })
  }

  private static func clipKernel<T: Number>(_ binding: Binding, _ type: T.Type) -> Kernel {
    let (x, y): (UnsafeMutablePointer<T>, UnsafeMutablePointer<T>) = (
      binding.input(0).elements(), binding.output().elements()
    )
    let lower: UnsafeMutablePointer<T>? = binding.optionalInput(1)?.elements()
    let upper: UnsafeMutablePointer<T>? = binding.optionalInput(2)?.elements()
    let (count, pool) = (binding.output().count, binding.pool)
    return { _ in
      let (low, high) = (lower?[0] ?? T.lowest, upper?[0] ?? T.highest)
      pool.parallel(over: count, grain: Grain.plain) { range in
        for index in range { y[index] = T.minimum(T.maximum(x[index], low), high) }
      }
    }
  }

  /// An operator that says of each element whether something holds.
  private static func test(
    _ name: String, _ types: ElementType..., bind: @escaping @Sendable (Binding) -> Kernel
  ) -> Operator {
    Operator(
      name: name, arity: 1...1,
      infer: { inference in
        try inference.require(0, anyOf: types)
        return [TensorSpec(.bool, try inference.shape(0))]
      }, bind: bind, gradient: .zero)
  }

  @inline(__always)
  private static func testKernel<T>(_ binding: Binding, _ holds: @escaping (T) -> Bool) -> Kernel {
    let (x, y): (UnsafeMutablePointer<T>, UnsafeMutablePointer<Bool>) = (
      binding.input(0).elements(), binding.output().elements()
    )
    let (count, pool) = (binding.output().count, binding.pool)
    return { _ in
      pool.parallel(over: count, grain: Grain.plain) { range in
        for index in range { y[index] = holds(x[index]) }
      }
    }
  }
}

extension Inference {
  /// Requires that an input is of a type that arithmetic kernels compute with: `float`, `double` or an integer
  /// of 8 bits or more.
  func requireNumber(_ index: Int) throws {
    try require(
      index,
      anyOf: [.float, .double, .int32, .int64, .int8, .int16, .uint8, .uint16, .uint32, .uint64])
  }

  /// Requires that an input has one of the given element types.
  func require(_ index: Int, anyOf types: [ElementType]) throws {
    let found = try spec(index).elementType
    guard types.contains(found) else {
      throw failure(
        "input \(index) is \(found); the engine computes it with \(types.map(\.description).joined(separator: ", "))")
    }
  }
}
