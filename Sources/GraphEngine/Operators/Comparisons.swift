// Elementwise comparisons, logic, and the choice between two tensors.

import CKernels
import ONNX
import Tensors

/// A question about two ordered values.
private protocol Comparison: Sendable {
  static func holds<T: Comparable>(_ a: T, _ b: T) -> Bool
  /// The C loop of it over floats.
  static var vectorised: rk_comparison { get }
}

private enum IsEqual: Comparison {
  static let vectorised = rk_equal
  static func holds<T: Comparable>(_ a: T, _ b: T) -> Bool { a == b }
}

private enum IsGreater: Comparison {
  static let vectorised = rk_greater
  static func holds<T: Comparable>(_ a: T, _ b: T) -> Bool { a > b }
}

private enum IsLess: Comparison {
  static let vectorised = rk_less
  static func holds<T: Comparable>(_ a: T, _ b: T) -> Bool { a < b }
}

private enum IsGreaterOrEqual: Comparison {
  static let vectorised = rk_greater_or_equal
  static func holds<T: Comparable>(_ a: T, _ b: T) -> Bool { a >= b }
}

private enum IsLessOrEqual: Comparison {
  static let vectorised = rk_less_or_equal
  static func holds<T: Comparable>(_ a: T, _ b: T) -> Bool { a <= b }
}

extension Operator {
  static let comparisons: [Operator] = [
    comparison("Equal", IsEqual.self), comparison("Greater", IsGreater.self), comparison("Less", IsLess.self),
    comparison("GreaterOrEqual", IsGreaterOrEqual.self), comparison("LessOrEqual", IsLessOrEqual.self),
    logic("And") { $0 & $1 }, logic("Or") { $0 | $1 }, logic("Xor") { $0 ^ $1 },
    Operator(
      name: "Where", arity: 3...3, memory: .overwrites, rows: .elementwise,
      infer: { inference in
        try inference.require(0, .bool)
        _ = try inference.width(1)
        let (a, b) = (try inference.spec(1), try inference.spec(2))
        guard a.elementType == b.elementType else {
          throw inference.failure("chooses between one type, not \(a.elementType) and \(b.elementType)")
        }
        return [TensorSpec(a.elementType, try inference.broadcastShape(0...2))]
      },
      bind: { binding in
        switch binding.output().spec.elementType.bitWidth {
        case 8: whereKernel(binding, UInt8.self)
        case 16: whereKernel(binding, UInt16.self)
        case 32: whereKernel(binding, UInt32.self)
        case 64: whereKernel(binding, UInt64.self)
        default: whereKernel(binding, SIMD2<UInt64>.self)
        }
      },
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        let zero = rule.constant(Tensor(scalar: Float(0)))
        if rule.needs(1) { rule.contributeBroadcast(1, rule.emit("Where", [rule.input(0), dy, zero])) }
        if rule.needs(2) { rule.contributeBroadcast(2, rule.emit("Where", [rule.input(0), zero, dy])) }
      }),
  ]

  private static func comparison<F: Comparison>(_ name: String, _ type: F.Type) -> Operator {
    Operator(
      name: name, arity: 2...2,
      infer: { inference in
        let isOfBooleans = try inference.spec(0).elementType == .bool
        if !isOfBooleans || F.self != IsEqual.self { try inference.requireNumber(0) }
        let (a, b) = (try inference.spec(0), try inference.spec(1))
        guard a.elementType == b.elementType else {
          throw inference.failure("compares one type, not \(a.elementType) with \(b.elementType)")
        }
        return [TensorSpec(.bool, try inference.broadcastShape(0...1))]
      },
      bind: { binding in
        let type = binding.input(0).spec.elementType
        return switch type {
        case .bool: comparisonKernel(binding, UInt8.self, F.self)
        case .float: floatKernel(binding, F.vectorised)
        case .double: comparisonKernel(binding, Double.self, F.self)
        case .int32: comparisonKernel(binding, Int32.self, F.self)
        case .int64: comparisonKernel(binding, Int64.self, F.self)
        default: comparisonKernel(binding, type.rareNumber, F.self)
        }
      },
      gradient: .zero)
  }

  private static func comparisonKernel<T: Number, F: Comparison>(
    _ binding: Binding, _ type: T.Type, _ function: F.Type
  ) -> Kernel {
    compareKernel(binding) { (a: T, b: T) in F.holds(a, b) }
  }

  @inline(__always)
  private static func logic(_ name: String, _ function: @escaping @Sendable (UInt8, UInt8) -> UInt8) -> Operator {
    Operator(
      name: name, arity: 2...2,
      infer: { inference in
        for index in 0...1 { try inference.require(index, .bool) }
        return [TensorSpec(.bool, try inference.broadcastShape(0...1))]
      },
      bind: { binding in compareKernel(binding) { (a: UInt8, b: UInt8) in function(a, b) != 0 } },
      gradient: .zero)
  }

  @inline(__always)
  private static func compareKernel<T>(_ binding: Binding, _ holds: @escaping (T, T) -> Bool) -> Kernel {
    let loop = Broadcast(to: binding.output().shape, [binding.input(0).shape, binding.input(1).shape])
    let (a, b) = (binding.input(0).elements(as: T.self), binding.input(1).elements(as: T.self))
    let (y, pool) = (binding.output().elements(as: Bool.self), binding.pool)
    let (strideA, strideB) = (loop.columnStrides[0], loop.columnStrides[1])
    return { _ in
      loop.forEachBlock(pool) { start, operands, rows, columns in
        for row in 0..<rows {
          let offsets = operands &+ loop.rowStrides &* row
          zipStretch(a + offsets[0], strideA, b + offsets[1], strideB, y + start + row * columns, columns, holds)
        }
      }
    }
  }

  private static func floatKernel(_ binding: Binding, _ comparison: rk_comparison) -> Kernel {
    let (a, b, output, pool) = (binding.input(0), binding.input(1), binding.output(), binding.pool)
    let loop = Broadcast(to: output.shape, [a.shape, b.shape])
    let y = output.elements(as: UInt8.self)
    return { _ in
      loop.forEachBlock(pool) { start, operands, rows, columns in
        rk_compare(
          comparison, rows, columns, loop.operand(0, a, operands), loop.operand(1, b, operands), y + start)
      }
    }
  }

  private static func whereKernel<Word: BitwiseCopyable>(_ binding: Binding, _ type: Word.Type) -> Kernel {
    let (condition, a, b, output) = (binding.input(0), binding.input(1), binding.input(2), binding.output())
    let loop = Broadcast(to: output.shape, [condition.shape, a.shape, b.shape])
    let (strides, pool) = (loop.columnStrides, binding.pool)
    let isVectorised = output.spec.elementType == .float && condition.shape == output.shape
    return { _ in
      loop.forEachBlock(pool) { start, operands, rows, columns in
        let condition = condition.elements(as: UInt8.self)
        if isVectorised {
          rk_select(
            rows, columns, condition + start, loop.operand(1, a, operands), loop.operand(2, b, operands),
            output.floats + start)
          return
        }
        for row in 0..<rows {
          let offsets = operands &+ loop.rowStrides &* row
          let condition = condition + offsets[0]
          let (a, b) = (a.elements(as: Word.self) + offsets[1], b.elements(as: Word.self) + offsets[2])
          let y = output.elements(as: Word.self) + start + row * columns
          for index in 0..<columns {
            y[index] = condition[index * strides[0]] != 0 ? a[index * strides[1]] : b[index * strides[2]]
          }
        }
      }
    }
  }
}
