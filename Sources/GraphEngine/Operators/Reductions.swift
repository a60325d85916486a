// Operators that reduce axes of a tensor to one number each, and the gradients that spread those again.

import CKernels
import ONNX
import Tensors

/// What is taken together of the numbers of a reduction: `finish(… combine(combine(start, map(x₀)), map(x₁)) …)`.
protocol Reduction: Sendable {
  static func start<T: Number>(_ type: T.Type) -> T
  static func map<T: Number>(_ x: T) -> T
  static func combine<T: Number>(_ a: T, _ b: T) -> T
  static func finish<T: Number>(_ total: T, count: Int) -> T
}

extension Reduction {
  @inline(__always) static func start<T: Number>(_ type: T.Type) -> T { T.zero }
  @inline(__always) static func map<T: Number>(_ x: T) -> T { x }
  @inline(__always) static func combine<T: Number>(_ a: T, _ b: T) -> T { T.sum(a, b) }
  @inline(__always) static func finish<T: Number>(_ total: T, count: Int) -> T { total }
}

private enum Total: Reduction {}

private enum Average: Reduction {
  @inline(__always) static func finish<T: Number>(_ total: T, count: Int) -> T {
    T.quotient(total, T(converting: Double(count)))
  }
}

private enum Largest: Reduction {
  @inline(__always) static func start<T: Number>(_ type: T.Type) -> T { T.lowest }
  @inline(__always) static func combine<T: Number>(_ a: T, _ b: T) -> T { T.maximum(a, b) }
}

private enum Smallest: Reduction {
  @inline(__always) static func start<T: Number>(_ type: T.Type) -> T { T.highest }
  @inline(__always) static func combine<T: Number>(_ a: T, _ b: T) -> T { T.minimum(a, b) }
}

private enum Product: Reduction {
  @inline(__always) static func start<T: Number>(_ type: T.Type) -> T { T.one }
  @inline(__always) static func combine<T: Number>(_ a: T, _ b: T) -> T { T.product(a, b) }
}

private enum AbsoluteTotal: Reduction {
  @inline(__always) static func map<T: Number>(_ x: T) -> T { T.absolute(x) }
}

private enum SquareTotal: Reduction {
  @inline(__always) static func map<T: Number>(_ x: T) -> T { T.square(x) }
}

private enum EuclideanNorm: Reduction {
  @inline(__always) static func map<T: Number>(_ x: T) -> T { T.square(x) }
  @inline(__always) static func finish<T: Number>(_ total: T, count: Int) -> T {
    T(converting: total.double.squareRoot())
  }
}

private enum LogTotal: Reduction {
  @inline(__always) static func finish<T: Number>(_ total: T, count: Int) -> T {
    T(converting: Double.log(total.double))
  }
}

extension Operator {
  static let reductions: [Operator] = [
    reduction("ReduceSum", Total.self, axesInputSince: 13) { rule, dy, axes in
      rule.emitInternal("ReduceSumGrad", [dy, rule.input(0), axes], rule.node.attributes)
    },
    reduction("ReduceMean", Average.self) { rule, dy, axes in
      rule.emitInternal("ReduceMeanGrad", [dy, rule.input(0), axes], rule.node.attributes)
    },
    reduction("ReduceMax", Largest.self, takesBooleans: true) { rule, dy, axes in
      rule.emitInternal("ReduceExtremeGrad", [dy, rule.input(0), axes, rule.output()], rule.node.attributes)
    },
    reduction("ReduceMin", Smallest.self, takesBooleans: true) { rule, dy, axes in
      rule.emitInternal("ReduceExtremeGrad", [dy, rule.input(0), axes, rule.output()], rule.node.attributes)
    },
    reduction("ReduceProd", Product.self) { rule, dy, axes in
      rule.emitInternal("ReduceProdGrad", [dy, rule.input(0), axes], rule.node.attributes)
    },
    reduction("ReduceL1", AbsoluteTotal.self) { rule, dy, axes in
      rule.emitInternal("ReduceL1Grad", [dy, rule.input(0), axes, rule.output()], rule.node.attributes)
    },
    reduction("ReduceL2", EuclideanNorm.self) { rule, dy, axes in
      rule.emitInternal("ReduceL2Grad", [dy, rule.input(0), axes, rule.output()], rule.node.attributes)
    },
    reduction("ReduceSumSquare", SquareTotal.self) { rule, dy, axes in
      rule.emitInternal("ReduceSumSquareGrad", [dy, rule.input(0), axes, rule.output()], rule.node.attributes)
    },
    reduction("ReduceLogSum", LogTotal.self) { rule, dy, axes in
      rule.emitInternal("ReduceLogSumGrad", [dy, rule.input(0), axes, rule.output()], rule.node.attributes)
    },
    Operator(
      name: "ReduceLogSumExp", arity: 1...2,
      infer: { inference in
        try inference.require(0, .float, .double)
        return try inferReduction(inference, axesInputSince: 18)
      },
      bind: { binding in
        let axes = try ReducedAxes(binding.inference, axesInputSince: 18)
        return binding.input(0).spec.elementType == .float
          ? logSumExpKernel(binding, axes, Float.self) : logSumExpKernel(binding, axes, Double.self)
      },
      gradient: reductionGradient { rule, dy, axes in
        rule.emitInternal("ReduceLogSumExpGrad", [dy, rule.input(0), axes, rule.output()], rule.node.attributes)
      }),
    // The gradient of broadcasting: dy summed over what was stretched, in the reference's shape.
    Operator(
      name: "SumTo", domain: gradientDomain, arity: 2...2, memory: .viewWhereUnchanged, shapeInputs: 1...1,
      infer: { inference in
        let (dy, reference) = (try inference.spec(0), try inference.shape(1))
        guard reference.broadcast(with: dy.shape) == dy.shape else {
          throw inference.failure("\(dy.shape) is no broadcast of \(reference)")
        }
        try inference.require(0, .float, .double)
        return [TensorSpec(dy.elementType, reference)]
      },
      bind: { binding in
        let (dy, output) = (binding.input(0), binding.output())
        let missing = dy.shape.rank - output.shape.rank
        let reduced = dy.shape.indices.map { $0 < missing || output.shape[$0 - missing] != dy.shape[$0] }
        return reductionKernel(binding, ReducedAxes(dy.shape, reduced: reduced), Total.self)
      }),
    // (dy, x) → the repetitions of a Tile summed.
    Operator(
      name: "TileGrad", domain: gradientDomain, arity: 2...2, memory: .viewWhereUnchanged, shapeInputs: 1...1,
      infer: { inference in
        try inference.require(0, .float)
        return [TensorSpec(.float, try inference.shape(1))]
      },
      bind: { binding in
        // Each axis as two: the repetition, which is summed, and the axis itself.
        let (dy, output) = (binding.input(0), binding.output())
        let extents = zip(dy.shape, output.shape).flatMap { [$1 == 0 ? 0 : $0 / $1, $1] }
        let reduced = extents.indices.map { $0.isMultiple(of: 2) }
        return reductionKernel(binding, ReducedAxes(Shape(extents), reduced: reduced), Total.self)
      }),
    spread("ReduceSumGrad") { dy, count in dy },
    spread("ReduceMeanGrad") { dy, count in dy / Float(count) },
    spread("ReduceL1Grad") { dy, x, y in x > 0 ? dy : x < 0 ? -dy : 0 },
    spread("ReduceL2Grad") { dy, x, y in y == 0 ? 0 : dy * x / y },
    spread("ReduceSumSquareGrad") { dy, x, y in 2 * dy * x },
    spread("ReduceLogSumGrad") { dy, x, y in dy * Float.exp(-y) },
    spread("ReduceLogSumExpGrad") { dy, x, y in y.isInfinite ? 0 : dy * Float.exp(x - y) },
    reduceExtremeGrad, reduceProductGrad,
  ]

  private static func reduction<R: Reduction>(
    _ name: String, _ type: R.Type, axesInputSince: Int = 18, takesBooleans: Bool = false,
    gradient: @escaping @Sendable (GradientRule, _ dy: String, _ axes: String) -> String
  ) -> Operator {
    Operator(
      name: name, arity: 1...2,
      infer: { inference in
        let isOfBooleans = try inference.spec(0).elementType == .bool
        if !takesBooleans || !isOfBooleans { try inference.requireNumber(0) }
        return try inferReduction(inference, axesInputSince: axesInputSince)
      },
      bind: { binding in
        reductionKernel(binding, try ReducedAxes(binding.inference, axesInputSince: axesInputSince), R.self)
      },
      gradient: reductionGradient(gradient))
  }

  private static func reductionGradient(
    _ gradient: @escaping @Sendable (GradientRule, _ dy: String, _ axes: String) -> String
  ) -> Gradient {
    .rule { rule in
      guard rule.needs(0), let dy = rule.outputGradient() else { return }
      rule.contribute(0, gradient(rule, dy, rule.node.inputs.count > 1 ? rule.input(1) : ""))
    }
  }

  private static func inferReduction(_ inference: Inference, axesInputSince: Int) throws -> [TensorSpec] {
    let axes = try ReducedAxes(inference, axesInputSince: axesInputSince)
    return [TensorSpec(try inference.spec(0).elementType, axes.result)]
  }

  private static func reductionKernel<R: Reduction>(
    _ binding: Binding, _ axes: ReducedAxes, _ reduction: R.Type
  ) -> Kernel {
    let type = binding.input(0).spec.elementType
    return switch type {
    case .float: floatKernel(binding, axes, R.self) ?? reductionKernel(binding, axes, Float.self, R.self)
    case .double: reductionKernel(binding, axes, Double.self, R.self)
    case .int32: reductionKernel(binding, axes, Int32.self, R.self)
    case .int64: reductionKernel(binding, axes, Int64.self, R.self)
    case .bool: reductionKernel(binding, axes, UInt8.self, R.self)
    default: reductionKernel(binding, axes, type.rareNumber, R.self)
    }
  }

  /// The C loops for sums, means and maxima of floats.
  private static func floatKernel<R: Reduction>(
    _ binding: Binding, _ axes: ReducedAxes, _ reduction: R.Type
  ) -> Kernel? {
    guard R.self == Total.self || R.self == Average.self || R.self == Largest.self else { return nil }
    let isMaximum = R.self == Largest.self
    let (input, output, pool) = (axes.arranged(binding), binding.output().floats, binding.pool)
    let (outer, count, inner) = (axes.outer, axes.count, axes.inner)
    let scale = R.self == Average.self ? 1 / Float(count) : 1
    if inner == 1 && (outer > 1 || isMaximum || count <= sumBlock) {
      return { scratch in
        let x = input(scratch).assumingMemoryBound(to: Float.self)
        pool.parallel(rows: outer, work: count) { rows in
          let (x, y) = (x + rows.lowerBound * count, output + rows.lowerBound)
          if isMaximum {
            rk_row_maxima(rows.count, count, x, count, y)
          } else {
            rk_row_sums(rows.count, count, x, count, scale, y)
          }
        }
      }
    }
    if inner == 1 {
      // One long sum: blocks that do not depend on the number of threads, added in order.
      let blocks = (count + sumBlock - 1) / sumBlock
      let place = axes.scratchByteCount(of: binding.input(0).spec)
      binding.reserveScratch(place + blocks * 4)
      return { scratch in
        let x = input(scratch).assumingMemoryBound(to: Float.self)
        let partial = (scratch + place).assumingMemoryBound(to: Float.self)
        pool.parallel(rows: blocks, work: sumBlock) { range in
          for block in range {
            let start = block * sumBlock
            rk_row_sums(1, min(sumBlock, count - start), x + start, count, 1, partial + block)
          }
        }
        rk_row_sums(1, blocks, partial, blocks, scale, output)
      }
    }
    return { scratch in
      let x = input(scratch).assumingMemoryBound(to: Float.self)
      func columns(_ range: Range<Int>, of slice: Int) {
        let (x, y) = (x + slice * count * inner + range.lowerBound, output + slice * inner + range.lowerBound)
        if isMaximum {
          rk_column_maxima(count, range.count, x, inner, y)
        } else {
          rk_column_sums(count, range.count, x, inner, scale, 0, y)
        }
      }
      if outer == 1 {
        pool.parallel(over: inner, grain: max(16, Grain.plain / max(count, 1))) { columns($0, of: 0) }
      } else {
        pool.parallel(rows: outer, work: count * inner) { slices in
          for slice in slices { columns(0..<inner, of: slice) }
        }
      }
    }
  }

  /// Elements of a part of one long sum.
  private static let sumBlock = 8192

  private static func reductionKernel<T: Number, R: Reduction>(
    _ binding: Binding, _ axes: ReducedAxes, _ type: T.Type, _ reduction: R.Type
  ) -> Kernel {
    let (input, output, pool) = (axes.arranged(binding), binding.output().elements(as: T.self), binding.pool)
    let (outer, count, inner) = (axes.outer, axes.count, axes.inner)
    return { scratch in
      let x = input(scratch).assumingMemoryBound(to: T.self)
      pool.parallel(rows: outer, work: count * inner) { slices in
        for slice in slices {
          let (x, y) = (x + slice * count * inner, output + slice * inner)
          if inner == 1 {
            var total = R.start(T.self)
            for index in 0..<count { total = R.combine(total, R.map(x[index])) }
            y[0] = R.finish(total, count: count)
          } else {
            for column in 0..<inner { y[column] = R.start(T.self) }
            for row in 0..<count {
              let x = x + row * inner
              for column in 0..<inner { y[column] = R.combine(y[column], R.map(x[column])) }
            }
            for column in 0..<inner { y[column] = R.finish(y[column], count: count) }
          }
        }
      }
    }
  }

  /// `log Σ exp x`, with the largest number taken out so that nothing overflows.
  private static func logSumExpKernel<T: FloatingNumber>(
    _ binding: Binding, _ axes: ReducedAxes, _ type: T.Type
  ) -> Kernel {
    let (input, output, pool) = (axes.arranged(binding), binding.output().elements(as: T.self), binding.pool)
    let (outer, count, inner) = (axes.outer, axes.count, axes.inner)
    return { scratch in
      let x = input(scratch).assumingMemoryBound(to: T.self)
      pool.parallel(over: outer * inner, grain: Grain.transcendental / max(count, 1)) { range in
        for index in range {
          let (slice, column) = index.quotientAndRemainder(dividingBy: inner)
          let x = x + (slice * count * inner + column)
          var largest = -T.infinity
          for row in 0..<count { largest = T.maximum(largest, x[row * inner]) }
          var total = T.zero
          let shift = largest.isInfinite ? 0 : largest
          for row in 0..<count { total += T.exp(x[row * inner] - shift) }
          output[index] = shift + T.log(total)
        }
      }
    }
  }
}

extension Operator {
  /// `(dy, x, axes) → dx` where the gradient does not depend on the numbers.
  @inline(__always)
  private static func spread(_ name: String, _ function: @escaping @Sendable (_ dy: Float, _ count: Int) -> Float)
    -> Operator
  {
    Operator(
      name: name, domain: gradientDomain, arity: 2...3, shapeInputs: 1...1, infer: inferSpread,
      bind: { binding in
        let (dy, dx, pool) = (binding.input(0), binding.output(), binding.pool)
        let axes = try ReducedAxes(binding.inference, of: 1, axesAt: 2)
        let loop = Broadcast(to: dx.shape, [axes.kept])
        let (stride, count) = (loop.columnStrides[0], axes.count)
        return { _ in
          loop.forEachBlock(pool) { start, operands, rows, columns in
            for row in 0..<rows {
              let dy = dy.floats + (operands[0] + row * loop.rowStrides[0])
              let dx = dx.floats + (start + row * columns)
              if stride == 0 {
                dx.update(repeating: function(dy[0], count), count: columns)
              } else {
                for index in 0..<columns { dx[index] = function(dy[index], count) }
              }
            }
          }
        }
      })
  }

  /// `(dy, x, axes, y) → dx` where the gradient of each element follows from it and the result.
  @inline(__always)
  private static func spread(
    _ name: String, _ function: @escaping @Sendable (_ dy: Float, _ x: Float, _ y: Float) -> Float
  ) -> Operator {
    Operator(
      name: name, domain: gradientDomain, arity: 4...4, infer: inferSpread,
      bind: { binding in
        let (dy, x, y, dx) = (binding.input(0), binding.input(1), binding.input(3), binding.output())
        let axes = try ReducedAxes(binding.inference, of: 1, axesAt: 2)
        let (loop, pool) = (Broadcast(to: dx.shape, [axes.kept]), binding.pool)
        let stride = loop.columnStrides[0]
        return { _ in
          loop.forEachBlock(pool, grain: Grain.transcendental) { start, operands, rows, columns in
            for row in 0..<rows {
              let place = operands[0] + row * loop.rowStrides[0]
              for index in 0..<columns {
                let (own, result) = (start + row * columns + index, place + index * stride)
                dx.floats[own] = function(dy.floats[result], x.floats[own], y.floats[result])
              }
            }
          }
        }
      })
  }

  @Sendable private static func inferSpread(_ inference: Inference) throws -> [TensorSpec] {
    try inference.require(0, .float)
    return [TensorSpec(.float, try inference.shape(1))]
  }

  /// `(dy, x, axes, y) → dx`: dy at the largest (or smallest) elements, shared evenly where there are several.
  fileprivate static let reduceExtremeGrad = Operator(
    name: "ReduceExtremeGrad", domain: gradientDomain, arity: 4...4, infer: inferSpread,
    bind: { binding in
      let (dy, x, y, dx) = (binding.input(0), binding.input(1), binding.input(3), binding.output())
      let axes = try ReducedAxes(binding.inference, of: 1, axesAt: 2)
      let loop = Broadcast(to: dx.shape, [axes.kept])
      let results = y.count
      binding.reserveScratch(results * 4)
      return { scratch in
        let ties = scratch.assumingMemoryBound(to: Float.self)
        ties.update(repeating: 0, count: results)
        loop.forEachElement { own, result in if x.floats[own] == y.floats[result] { ties[result] += 1 } }
        loop.forEachElement { own, result in
          dx.floats[own] = x.floats[own] == y.floats[result] ? dy.floats[result] / ties[result] : 0
        }
      }
    })

  /// `(dy, x, axes) → dx`: dy times the product of all the others, which is 0 wherever another one is.
  fileprivate static let reduceProductGrad = Operator(
    name: "ReduceProdGrad", domain: gradientDomain, arity: 2...3, infer: inferSpread,
    bind: { binding in
      let (dy, x, dx) = (binding.input(0), binding.input(1), binding.output())
      let axes = try ReducedAxes(binding.inference, of: 1, axesAt: 2)
      let loop = Broadcast(to: dx.shape, [axes.kept])
      let results = dy.count
      binding.reserveScratch(results * 8)
      return { scratch in
        let zeros = scratch.assumingMemoryBound(to: Float.self)
        let product = zeros + results
        zeros.update(repeating: 0, count: results)
        product.update(repeating: 1, count: results)
        loop.forEachElement { own, result in
          if x.floats[own] == 0 { zeros[result] += 1 } else { product[result] *= x.floats[own] }
        }
        loop.forEachElement { own, result in
          let others: Float =
            if x.floats[own] == 0 { zeros[result] == 1 ? product[result] : 0 } else {
              zeros[result] == 0 ? product[result] / x.floats[own] : 0
            }
          dx.floats[own] = dy.floats[result] * others
        }
      }
    })
}

/// The axes that a reduction takes together, as a tensor of `[outer, count, inner]` whose middle is reduced.
struct ReducedAxes {
  let outer: Int
  let count: Int
  let inner: Int
  /// The result's shape as the node gives it.
  let result: Shape
  /// The result's shape with an extent of 1 at each reduced axis.
  let kept: Shape
  /// Where the reduced axes do not lie side by side: the copy that puts them last.
  private let arrangement: StridedCopy?

  /// The axes that a node names: by an input since some opset (or in gradients), by an attribute before.
  init(_ inference: Inference, axesInputSince opset: Int) throws {
    try self.init(inference, of: 0, axesAt: inference.opset >= opset || inference.isPresent(1) ? 1 : nil)
  }

  /// - Parameters:
  ///   - input: the input that is reduced.
  ///   - position: the input that names the axes, which attributes may name as well.
  init(_ inference: Inference, of input: Int, axesAt position: Int?) throws {
    let shape = try inference.shape(input)
    let node = inference.node
    var given = node.ints("axes") ?? []
    if let position, inference.isPresent(position) { given = try inference.integers(position) }
    var reduced = [Bool](repeating: false, count: shape.rank)
    for axis in given { reduced[try inference.axis(axis, rank: shape.rank)] = true }
    if given.isEmpty, node.int("noop_with_empty_axes") ?? 0 == 0 { reduced = reduced.map { _ in true } }
    self.init(
      shape, reduced: reduced, keepsAxes: node.int("keepdims") ?? 1 != 0,
      width: try inference.spec(input).elementType.byteCount(1) ?? 4)
  }

  init(_ shape: Shape, reduced: [Bool], keepsAxes: Bool = true, width: Int = 4) {
    kept = Shape(shape.indices.map { reduced[$0] ? 1 : shape[$0] })
    result = keepsAxes ? kept : Shape(shape.indices.filter { !reduced[$0] }.map { shape[$0] })
    count = shape.indices.reduce(1) { reduced[$1] ? $0 * shape[$1] : $0 }
    let real = shape.indices.filter { shape[$0] != 1 }
    let first = real.firstIndex { reduced[$0] }.map { real[$0] } ?? shape.rank
    let last = real.lastIndex { reduced[$0] }.map { real[$0] } ?? shape.rank - 1
    if real.allSatisfy({ reduced[$0] || $0 < first || $0 > last }) {
      outer = shape[..<first].reduce(1, *)
      inner = last + 1 < shape.rank ? shape[(last + 1)...].reduce(1, *) : 1
      arrangement = nil
    } else {
      let order = shape.indices.filter { !reduced[$0] } + shape.indices.filter { reduced[$0] }
      let arranged = Shape(order.map { shape[$0] })
      let strides = shape.strides
      outer = kept.elementCount
      inner = 1
      arrangement = StridedCopy(
        width: width, shape: arranged.dimensions, source: order.map { strides[$0] }, destination: arranged.strides)
    }
  }

  /// Bytes of scratch for the arranged copy.
  func scratchByteCount(of spec: TensorSpec) -> Int { arrangement == nil ? 0 : (spec.byteCount + 63) / 64 * 64 }

  /// The first input as `[outer, count, inner]`: where it lies, or arranged in the scratch that is asked for here.
  func arranged(_ binding: Binding) -> (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    let (input, pool) = (binding.input(0), binding.pool)
    guard let arrangement else { return { _ in input.pointer } }
    binding.reserveScratch(scratchByteCount(of: input.spec))
    return { scratch in
      arrangement.run(pool, from: input.pointer, to: scratch)
      return scratch
    }
  }
}
