// Softmax and its logarithm along any axis, each gradient in one pass from the output.

import CKernels
import ONNX
import Tensors

/// A loop in C over rows of floats, in place where `y == x`.
private typealias RowFunction = @convention(c) (Int, Int, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?) -> Void
private typealias RowGradient =
  @convention(c) (
    Int, Int, UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?
  ) -> Void

extension Operator {
  static let softmaxes: [Operator] = [
    softmax("Softmax", rk_softmax) { row, count in
      var (largest, total) = (-Double.infinity, 0.0)
      for index in 0..<count { largest = Double.maximum(largest, row[index]) }
      for index in 0..<count {
        row[index] = Double.exp(row[index] - largest)
        total += row[index]
      }
      for index in 0..<count { row[index] /= total }
    },
    softmaxGradient("Softmax", rk_softmax_gradient),
    softmax("LogSoftmax", rk_log_softmax) { row, count in
      var (largest, total) = (-Double.infinity, 0.0)
      for index in 0..<count { largest = Double.maximum(largest, row[index]) }
      for index in 0..<count { total += Double.exp(row[index] - largest) }
      let shift = largest + Double.log(total)
      for index in 0..<count { row[index] -= shift }
    },
    softmaxGradient("LogSoftmax", rk_log_softmax_gradient),
  ]

  private static func softmax(
    _ name: String, _ rows: RowFunction, _ doubles: @escaping @Sendable (UnsafeMutablePointer<Double>, Int) -> Void
  ) -> Operator {
    Operator(
      name: name, arity: 1...1, memory: .overwrites,
      infer: { inference in
        try inference.require(0, .float, .double)
        _ = try RowsAlong(inference)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let along = try RowsAlong(binding.inference)
        let (input, output, pool) = (binding.input(0), binding.output(), binding.pool)
        let (count, columns) = (along.rows, along.columns)
        if input.spec.elementType == .float, along.isContiguous {
          return { _ in
            pool.parallel(over: count, grain: Grain.transcendental / max(columns, 1)) { range in
              let start = range.lowerBound * columns
              rows(range.count, columns, input.floats + start, output.floats + start)
            }
          }
        }
        binding.reserveScratch(output.spec.byteCount)
        return { scratch in
          along.gather.run(pool, from: input.pointer, to: scratch)
          if input.spec.elementType == .float {
            let lines = scratch.assumingMemoryBound(to: Float.self)
            rows(count, columns, lines, lines)
          } else {
            let lines = scratch.assumingMemoryBound(to: Double.self)
            for row in 0..<count { doubles(lines + row * columns, columns) }
          }
          along.scatter.run(pool, from: scratch, to: output.pointer)
        }
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emitInternal(name + "Grad", [dy, rule.output()], rule.node.attributes))
      })
  }

  /// `(dy, y) → dx`.
  private static func softmaxGradient(_ name: String, _ gradient: RowGradient) -> Operator {
    Operator(
      name: name + "Grad", domain: gradientDomain, arity: 2...2, memory: .overwrites,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let along = try RowsAlong(binding.inference)
        let (dy, y, dx, pool) = (binding.input(0), binding.input(1), binding.output(), binding.pool)
        let (count, columns) = (along.rows, along.columns)
        if along.isContiguous {
          return { _ in
            pool.parallel(over: count, grain: Grain.transcendental / max(columns, 1)) { range in
              let start = range.lowerBound * columns
              gradient(range.count, columns, dy.floats + start, y.floats + start, dx.floats + start)
            }
          }
        }
        let place = (dx.spec.byteCount + 63) / 64 * 64
        binding.reserveScratch(2 * place)
        return { scratch in
          along.gather.run(pool, from: dy.pointer, to: scratch)
          along.gather.run(pool, from: y.pointer, to: scratch + place)
          let lines = scratch.assumingMemoryBound(to: Float.self)
          gradient(count, columns, lines, (scratch + place).assumingMemoryBound(to: Float.self), lines)
          along.scatter.run(pool, from: scratch, to: dx.pointer)
        }
      })
  }
}

/// A tensor as rows along the axis that a node names.
private struct RowsAlong {
  let rows: Int
  let columns: Int
  /// Whether the rows lie in the tensor as they are.
  let isContiguous: Bool
  /// The copies that put the axis last, and back.
  let gather: StridedCopy
  let scatter: StridedCopy

  init(_ inference: Inference) throws {
    let shape = try inference.shape(0)
    // A scalar has no axis, and is one row of one element.
    let axis = shape.rank == 0 ? 0 : try inference.axis(inference.node.int("axis") ?? -1, rank: shape.rank)
    columns = shape.rank == 0 ? 1 : shape[axis]
    let inner = shape.dropFirst(axis + 1).reduce(1, *)
    let outer = shape.prefix(axis).reduce(1, *)
    rows = outer * inner
    isContiguous = inner == 1
    let width = try inference.spec(0).elementType.byteCount(1) ?? 4
    let extents = [outer, inner, columns]
    let (whole, lines) = ([columns * inner, 1, inner], [inner * columns, columns, 1])
    gather = StridedCopy(width: width, shape: extents, source: whole, destination: lines)
    scatter = StridedCopy(width: width, shape: extents, source: lines, destination: whole)
  }
}
