// Elementwise operators of two or more tensors, broadcast against each other.

import CKernels
import ONNX
import Tensors

/// A function of two numbers.
protocol BinaryFunction: Sendable {
  static func apply<T: Number>(_ a: T, _ b: T) -> T
  /// Whether it takes long enough to share short loops among threads.
  static var isTranscendental: Bool { get }
  /// The C loop of it over floats.
  static var vectorised: rk_operation? { get }
}

extension BinaryFunction {
  static var isTranscendental: Bool { false }
  static var vectorised: rk_operation? { nil }
}

enum Addition: BinaryFunction {
  static let vectorised: rk_operation? = rk_add
  static func apply<T: Number>(_ a: T, _ b: T) -> T { T.sum(a, b) }
}

enum Subtraction: BinaryFunction {
  static let vectorised: rk_operation? = rk_subtract
  static func apply<T: Number>(_ a: T, _ b: T) -> T { T.difference(a, b) }
}

enum Multiplication: BinaryFunction {
  static let vectorised: rk_operation? = rk_multiply
  static func apply<T: Number>(_ a: T, _ b: T) -> T { T.product(a, b) }
}

enum Division: BinaryFunction {
  static let vectorised: rk_operation? = rk_divide
  static func apply<T: Number>(_ a: T, _ b: T) -> T { T.quotient(a, b) }
}

enum Maximum: BinaryFunction {
  static let vectorised: rk_operation? = rk_maximum
  static func apply<T: Number>(_ a: T, _ b: T) -> T { T.maximum(a, b) }
}

enum Minimum: BinaryFunction {
  static let vectorised: rk_operation? = rk_minimum
  static func apply<T: Number>(_ a: T, _ b: T) -> T { T.minimum(a, b) }
}

private enum Modulus: BinaryFunction {
  static let isTranscendental = true
  static func apply<T: Number>(_ a: T, _ b: T) -> T { T.modulus(a, b) }
}

private enum Remainder: BinaryFunction {
  static let isTranscendental = true
  static func apply<T: Number>(_ a: T, _ b: T) -> T { T.remainder(a, b) }
}

private enum Power: BinaryFunction {
  static let vectorised: rk_operation? = rk_power
  static let isTranscendental = true
  static func apply<T: Number>(_ a: T, _ b: T) -> T { T.power(a, b) }
}

private enum LeakyProduct: BinaryFunction {
  static func apply<T: Number>(_ x: T, _ slope: T) -> T { x < T.zero ? T.product(x, slope) : x }
}

extension Operator {
  static let binary: [Operator] = [
    binary(
      "Add", Addition.self,
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        for index in 0...1 where rule.needs(index) { rule.contributeBroadcast(index, dy) }
      }),
    binary(
      "Sub", Subtraction.self,
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        if rule.needs(0) { rule.contributeBroadcast(0, dy) }
        if rule.needs(1) {
          // Summed before it is negated: there may be less of it then.
          rule.contribute(1, rule.emit("Neg", [rule.emitInternal("SumTo", [dy, rule.input(1)])]))
        }
      }),
    binary(
      "Mul", Multiplication.self,
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        if rule.needs(0) { rule.contributeBroadcast(0, rule.emit("Mul", [dy, rule.input(1)])) }
        if rule.needs(1) { rule.contributeBroadcast(1, rule.emit("Mul", [dy, rule.input(0)])) }
      }),
    binary(
      "Div", Division.self,
      gradient: .rule { rule in
        guard rule.needs(0) || rule.needs(1), let dy = rule.outputGradient() else { return }
        let quotient = rule.emit("Div", [dy, rule.input(1)])
        if rule.needs(0) { rule.contributeBroadcast(0, quotient) }
        if rule.needs(1) {
          let product = rule.emit("Mul", [quotient, rule.output()])
          rule.contribute(1, rule.emit("Neg", [rule.emitInternal("SumTo", [product, rule.input(1)])]))
        }
      }),
    Operator(
      name: "Mod", arity: 2...2, memory: .overwrites, infer: inferSameType,
      bind: { binding in
        binding.node.int("fmod") ?? 0 != 0
          ? broadcastKernel(binding, Remainder.self) : broadcastKernel(binding, Modulus.self)
      },
      gradient: .rule { rule in
        // a - b · q, where the whole number q does not move.
        guard let dy = rule.outputGradient() else { return }
        if rule.needs(0) { rule.contributeBroadcast(0, dy) }
        if rule.needs(1) {
          let whole = rule.emit("Div", [rule.emit("Sub", [rule.output(), rule.input(0)]), rule.input(1)])
          rule.contributeBroadcast(1, rule.emit("Mul", [dy, whole]))
        }
      }),
    Operator(
      name: "Pow", arity: 2...2, memory: .overwrites,
      infer: { inference in
        try inference.requireNumber(0)
        try inference.requireNumber(1)
        return [TensorSpec(try inference.spec(0).elementType, try inference.broadcastShape(0...1))]
      },
      bind: powerKernel,
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        let inputs = [dy, rule.input(0), rule.input(1)]
        if rule.needs(0) { rule.contributeBroadcast(0, rule.emitInternal("PowGradBase", inputs)) }
        if rule.needs(1) { rule.contributeBroadcast(1, rule.emitInternal("PowGradExponent", inputs)) }
      }),
    // (dy, a, b) → dy · b · aᵇ⁻¹, 0 where b is.
    ternary("PowGradBase", isTranscendental: true) { dy, a, b in
      b == 0 ? 0 : b == 1 ? dy : b == 2 ? dy * 2 * a : dy * b * Float.power(a, b - 1)
    },
    // (dy, a, b) → dy · aᵇ · log a, 0 where a is 0 and b is not negative.
    ternary("PowGradExponent", isTranscendental: true) { dy, a, b in
      a == 0 && b >= 0 ? 0 : dy * Float.power(a, b) * Float.log(a)
    },
    binary(
      "PRelu", LeakyProduct.self,
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        let inputs = [dy, rule.input(0), rule.input(1)]
        if rule.needs(0) { rule.contribute(0, rule.emitInternal("PReluGrad", inputs)) }
        if rule.needs(1) { rule.contributeBroadcast(1, rule.emitInternal("PReluGradSlope", inputs)) }
      }),
    ternary("PReluGrad", isTranscendental: false) { dy, x, slope in x > 0 ? dy : dy * slope },
    ternary("PReluGradSlope", isTranscendental: false) { dy, x, slope in x > 0 ? 0 : dy * x },
    variadic("Sum", Addition.self) { rule, dy, index in rule.contributeBroadcast(index, dy) },
    variadic("Max", Maximum.self) { rule, dy, index in contributeExtreme(rule, dy, index) },
    variadic("Min", Minimum.self) { rule, dy, index in contributeExtreme(rule, dy, index) },
    Operator(
      name: "Mean", arity: 1...Int.max,
      infer: { inference in
        try inference.require(0, .float, .double)
        return try inferVariadic(inference)
      },
      bind: { binding in
        let sum = variadicKernel(binding, Addition.self)
        let (output, count) = (binding.output(), binding.inputs.count)
        return { scratch in
          sum(scratch)
          if output.spec.elementType == .float {
            for index in 0..<output.count { output.floats[index] /= Float(count) }
          } else {
            let values = output.elements(as: Double.self)
            for index in 0..<output.count { values[index] /= Double(count) }
          }
        }
      },
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        let count = rule.constant(Tensor(scalar: Float(rule.node.inputs.count)))
        let share = rule.emit("Div", [dy, count])
        for index in rule.node.inputs.indices where rule.needs(index) { rule.contributeBroadcast(index, share) }
      }),
    // (dy, y, xᵢ, x₀ …) → dy where xᵢ is y, shared among the inputs that are.
    Operator(
      name: "ExtremeGrad", domain: gradientDomain, arity: 4...Int.max,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let (dy, y, own, dx) = (binding.input(0), binding.input(1), binding.input(2), binding.output())
        let others = binding.inputs[3...].compactMap { $0 }
        let loops = others.map { Broadcast(to: dx.shape, [$0.shape]) }
        let ownLoop = Broadcast(to: dx.shape, [own.shape])
        return { _ in
          // How many inputs are the extreme, then what each of them gets.
          dx.floats.update(repeating: 0, count: dx.count)
          for (other, loop) in zip(others, loops) {
            loop.forEachElement { place, x in if other.floats[x] == y.floats[place] { dx.floats[place] += 1 } }
          }
          ownLoop.forEachElement { place, x in
            let isExtreme = own.floats[x] == y.floats[place]
            dx.floats[place] = isExtreme ? dy.floats[place] / dx.floats[place] : 0
          }
        }
      }),
  ]

  private static func contributeExtreme(_ rule: GradientRule, _ dy: String, _ index: Int) {
    let inputs = [dy, rule.output(), rule.input(index)] + rule.node.inputs
    rule.contributeBroadcast(index, rule.emitInternal("ExtremeGrad", inputs))
  }

  @Sendable private static func inferSameType(_ inference: Inference) throws -> [TensorSpec] {
    try inference.requireNumber(0)
    let (a, b) = (try inference.spec(0), try inference.spec(1))
    guard a.elementType == b.elementType else {
      throw inference.failure("both inputs must have one type, not \(a.elementType) and \(b.elementType)")
    }
    return [TensorSpec(a.elementType, try inference.broadcastShape(0...1))]
  }

  private static func binary<F: BinaryFunction>(_ name: String, _ type: F.Type, gradient: Gradient) -> Operator {
    Operator(
      name: name, arity: 2...2, memory: .overwrites, rows: .elementwise, infer: inferSameType,
      bind: { broadcastKernel($0, F.self) }, gradient: gradient)
  }

  private static func broadcastKernel<F: BinaryFunction>(_ binding: Binding, _ function: F.Type) -> Kernel {
    let (a, b, output, pool) = (binding.input(0), binding.input(1), binding.output(), binding.pool)
    return broadcastKernel(a, b, output, pool, F.self)
  }

  private static func broadcastKernel<F: BinaryFunction>(
    _ a: Buffer, _ b: Buffer, _ output: Buffer, _ pool: ThreadPool, _ function: F.Type
  ) -> Kernel {
    switch output.spec.elementType {
    case .float: floatKernel(a, b, output, pool, F.self) ?? broadcastKernel(a, b, output, pool, Float.self, F.self)
    case .double: broadcastKernel(a, b, output, pool, Double.self, F.self)
    case .int32: broadcastKernel(a, b, output, pool, Int32.self, F.self)
    case .int64: broadcastKernel(a, b, output, pool, Int64.self, F.self)
    default: broadcastKernel(a, b, output, pool, output.spec.elementType.rareNumber, F.self)
    }
  }

  private static func broadcastKernel<T: Number, F: BinaryFunction>(
    _ a: Buffer, _ b: Buffer, _ output: Buffer, _ pool: ThreadPool, _ type: T.Type, _ function: F.Type
  ) -> Kernel {
    let loop = Broadcast(to: output.shape, [a.shape, b.shape])
    let (a, b, y) = (a.elements(as: T.self), b.elements(as: T.self), output.elements(as: T.self))
    let (strideA, strideB) = (loop.columnStrides[0], loop.columnStrides[1])
    let grain = F.isTranscendental ? Grain.transcendental : Grain.plain
    return { _ in
      loop.forEachBlock(pool, grain: grain) { start, operands, rows, columns in
        for row in 0..<rows {
          let offsets = operands &+ loop.rowStrides &* row
          zipStretch(a + offsets[0], strideA, b + offsets[1], strideB, y + start + row * columns, columns) {
            F.apply($0, $1)
          }
        }
      }
    }
  }

  private static func floatKernel<F: BinaryFunction>(
    _ a: Buffer, _ b: Buffer, _ output: Buffer, _ pool: ThreadPool, _ function: F.Type
  ) -> Kernel? {
    guard let operation = F.vectorised else { return nil }
    let loop = Broadcast(to: output.shape, [a.shape, b.shape])
    let grain = F.isTranscendental ? Grain.transcendental : Grain.plain
    return { _ in
      loop.forEachBlock(pool, grain: grain) { start, operands, rows, columns in
        rk_combine(
          operation, rows, columns, loop.operand(0, a, operands), loop.operand(1, b, operands), output.floats + start)
      }
    }
  }

  /// `a` to the power of `b`, where `b` may have another type than `a` and the result.
  @Sendable private static func powerKernel(_ binding: Binding) throws -> Kernel {
    let (base, exponent, output, pool) = (binding.input(0), binding.input(1), binding.output(), binding.pool)
    if base.spec.elementType == .float, exponent.spec.elementType == .float, exponent.count == 1,
      base.count == output.count
    {
      // Roots and small powers of a whole tensor are what graphs write.
      let general = broadcastKernel(base, exponent, output, pool, Power.self)
      let (x, y) = (base.floats, output.floats)
      return { scratch in
        switch exponent.floats[0] {
        case 1: each(pool, x, y, output.count) { $0 }
        case 2: each(pool, x, y, output.count) { $0 * $0 }
        case 3: each(pool, x, y, output.count) { $0 * $0 * $0 }
        case 0.5: each(pool, x, y, output.count) { $0.squareRoot() }
        case -0.5: each(pool, x, y, output.count) { 1 / $0.squareRoot() }
        case -1: each(pool, x, y, output.count) { 1 / $0 }
        default: general(scratch)
        }
      }
    }
    if base.spec.elementType == exponent.spec.elementType {
      return broadcastKernel(base, exponent, output, pool, Power.self)
    }
    return mixedPower(base, exponent, output, pool)
  }

  @inline(__always)
  private static func each(
    _ pool: ThreadPool, _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int,
    _ function: (Float) -> Float
  ) {
    pool.parallel(over: count, grain: Grain.plain) { range in
      for index in range { y[index] = function(x[index]) }
    }
  }

  /// Powers of mixed types, through double precision where they are not integers both.
  private static func mixedPower(_ base: Buffer, _ exponent: Buffer, _ output: Buffer, _ pool: ThreadPool) -> Kernel {
    let loop = Broadcast(to: output.shape, [base.shape, exponent.shape])
    let (a, b) = (NumberReader(base), NumberReader(exponent))
    let write = NumberReader.writer(output)
    let whole = base.spec.elementType.isInteger && exponent.spec.elementType.isInteger
    return { _ in
      loop.forEachBlock(pool, grain: Grain.transcendental) { start, operands, rows, columns in
        for index in 0..<(rows * columns) {
          let (row, column) = index.quotientAndRemainder(dividingBy: columns)
          let places = operands &+ loop.rowStrides &* row &+ loop.columnStrides &* column
          if whole {
            write(start + index, nil, Int64.power(a.integer(places[0]), b.integer(places[1])))
          } else {
            write(start + index, Double.power(a.double(places[0]), b.double(places[1])), 0)
          }
        }
      }
    }
  }

  /// An internal operator of three floats, broadcast against each other.
  @inline(__always)
  static func ternary(
    _ name: String, isTranscendental: Bool, _ function: @escaping @Sendable (Float, Float, Float) -> Float
  ) -> Operator {
    Operator(
      name: name, domain: gradientDomain, arity: 3...3, memory: .overwrites, rows: .elementwise,
      infer: { inference in
        for index in 0...2 { try inference.require(index, .float) }
        return [TensorSpec(.float, try inference.broadcastShape(0...2))]
      },
      bind: { binding in
        let (a, b, c, output) = (binding.input(0), binding.input(1), binding.input(2), binding.output())
        let loop = Broadcast(to: output.shape, [a.shape, b.shape, c.shape])
        let (strides, pool) = (loop.columnStrides, binding.pool)
        let grain = isTranscendental ? Grain.transcendental : Grain.plain
        return { _ in
          loop.forEachBlock(pool, grain: grain) { start, operands, rows, columns in
            for row in 0..<rows {
              let offsets = operands &+ loop.rowStrides &* row
              let (a, b, c) = (a.floats + offsets[0], b.floats + offsets[1], c.floats + offsets[2])
              let y = output.floats + start + row * columns
              for index in 0..<columns {
                y[index] = function(a[index * strides[0]], b[index * strides[1]], c[index * strides[2]])
              }
            }
          }
        }
      })
  }

  private static func variadic<F: BinaryFunction>(
    _ name: String, _ type: F.Type, gradient: @escaping @Sendable (GradientRule, _ dy: String, _ index: Int) -> Void
  ) -> Operator {
    Operator(
      name: name, arity: 1...Int.max, infer: inferVariadic, bind: { variadicKernel($0, F.self) },
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        for index in rule.node.inputs.indices where rule.needs(index) { gradient(rule, dy, index) }
      })
  }

  @Sendable private static func inferVariadic(_ inference: Inference) throws -> [TensorSpec] {
    try inference.requireNumber(0)
    let type = try inference.spec(0).elementType
    for index in inference.inputs.indices {
      let other = try inference.spec(index)
      guard other.elementType == type else {
        throw inference.failure("input \(index) is \(other.elementType), and input 0 is \(type)")
      }
    }
    return [TensorSpec(type, try inference.broadcastShape(inference.inputs.indices))]
  }

  /// Joins the inputs one by one into the output, which is never an input's memory.
  private static func variadicKernel<F: BinaryFunction>(_ binding: Binding, _ function: F.Type) -> Kernel {
    let (inputs, output, pool) = (binding.inputs.compactMap { $0 }, binding.output(), binding.pool)
    guard inputs.count > 1 else {
      return { _ in output.pointer.copyMemory(from: inputs[0].pointer, byteCount: output.spec.byteCount) }
    }
    let first = broadcastKernel(inputs[0], inputs[1], output, pool, F.self)
    let rest = inputs.dropFirst(2).map { broadcastKernel(output, $0, output, pool, F.self) }
    return { scratch in
      first(scratch)
      for kernel in rest { kernel(scratch) }
    }
  }
}
