// Operators that arrange the same elements anew: transposed, cut out, repeated.

import ONNX
import Tensors

extension Operator {
  static let movements: [Operator] = [
    Operator(
      name: "Transpose", arity: 1...1,
      infer: { inference in
        let input = try inference.spec(0)
        _ = try inference.width(0)
        return [TensorSpec(input.elementType, Shape(try permutation(inference).map { input.shape[$0] }))]
      },
      bind: { binding in
        let strides = binding.input(0).shape.strides
        return copyKernel(binding, source: try permutation(binding.inference).map { strides[$0] })
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        var attributes: [Attribute] = []
        if let axes = rule.node.ints("perm") {
          var inverse = axes.map(Int64.init)
          for (position, axis) in axes.enumerated() where inverse.indices.contains(axis) {
            inverse[axis] = Int64(position)
          }
          attributes = [Attribute("perm", .ints(inverse))]
        }
        rule.contribute(0, rule.emit("Transpose", [dy], attributes))
      }),
    Operator(
      name: "Expand", arity: 2...2, memory: .viewWhereUnchanged,
      infer: { inference in
        let input = try inference.spec(0)
        _ = try inference.width(0)
        let target = Shape(try inference.integers(1))
        guard target.checkedElementCount != nil, let shape = input.shape.broadcast(with: target) else {
          throw inference.failure("\(input.shape) does not expand to \(target)")
        }
        return [TensorSpec(input.elementType, shape)]
      },
      bind: { binding in
        copyKernel(binding, source: binding.input(0).shape.broadcastStrides(to: binding.output().shape))
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contributeBroadcast(0, dy)
      }),
    Operator(
      name: "Tile", arity: 2...2, memory: .viewWhereUnchanged,
      infer: { inference in
        let input = try inference.spec(0)
        _ = try inference.width(0)
        let repeats = try inference.integers(1)
        guard repeats.count == input.shape.rank, repeats.allSatisfy({ $0 >= 0 }) else {
          throw inference.failure("repeats \(repeats) must name a count for each axis of \(input.shape)")
        }
        let extents = try zip(input.shape, repeats).map { extent, count in
          let (product, overflow) = extent.multipliedReportingOverflow(by: count)
          guard !overflow else { throw inference.failure("repeats \(repeats) of \(input.shape) are too many") }
          return product
        }
        return [TensorSpec(input.elementType, Shape(extents))]
      },
      bind: { binding in
        // Each axis as two: the repetition, which goes nowhere in the source, and the axis itself.
        let (input, output) = (binding.input(0), binding.output())
        let (strides, whole) = (input.shape.strides, output.shape.strides)
        var (shape, source, destination): ([Int], [Int], [Int]) = ([], [], [])
        for axis in input.shape.indices where input.shape[axis] > 0 {
          shape += [output.shape[axis] / input.shape[axis], input.shape[axis]]
          source += [0, strides[axis]]
          destination += [whole[axis] * input.shape[axis], whole[axis]]
        }
        if output.count == 0 { shape = [0] }
        return copyKernel(binding, shape: shape, source: source, destination: destination)
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emitInternal("TileGrad", [dy, rule.input(0)]))
      }),
    Operator(
      name: "Slice", arity: 3...5,
      infer: { inference in
        let input = try inference.spec(0)
        _ = try inference.width(0)
        return [TensorSpec(input.elementType, Shape(try SliceBounds(input.shape, inference, at: 1).counts))]
      },
      bind: { binding in
        let input = binding.input(0)
        let bounds = try SliceBounds(input.shape, binding.inference, at: 1)
        let strides = input.shape.strides
        return copyKernel(
          binding, source: zip(strides, bounds.steps).map { $0 * $1 },
          sourceStart: zip(strides, bounds.starts).reduce(0) { $0 + $1.0 * $1.1 })
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emitInternal("SliceGrad", [dy] + rule.node.inputs))
      }),
    // (dy, x, starts, ends, axes, steps) → dy in its place among zeros.
    Operator(
      name: "SliceGrad", domain: gradientDomain, arity: 4...6, shapeInputs: 1...1,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(1)]
      },
      bind: { binding in
        let (dy, output, pool) = (binding.input(0), binding.output(), binding.pool)
        let bounds = try SliceBounds(output.shape, binding.inference, at: 2)
        let strides = output.shape.strides
        let copy = StridedCopy(
          width: 4, shape: dy.shape.dimensions, source: dy.shape.strides,
          destination: zip(strides, bounds.steps).map { $0 * $1 },
          destinationStart: zip(strides, bounds.starts).reduce(0) { $0 + $1.0 * $1.1 })
        return { _ in
          output.floats.update(repeating: 0, count: output.count)
          copy.run(pool, from: dy.pointer, to: output.pointer)
        }
      }),
  ]

  /// A kernel that walks the output in order and reads the first input by the given strides.
  private static func copyKernel(_ binding: Binding, source: [Int], sourceStart: Int = 0) -> Kernel {
    let output = binding.output()
    return copyKernel(
      binding, shape: output.shape.dimensions, source: source, destination: output.shape.strides,
      sourceStart: sourceStart)
  }

  private static func copyKernel(
    _ binding: Binding, shape: [Int], source: [Int], destination: [Int], sourceStart: Int = 0
  ) -> Kernel {
    let (input, output, pool) = (binding.input(0), binding.output(), binding.pool)
    let copy = StridedCopy(
      width: input.spec.elementType.byteCount(1) ?? 1, shape: shape, source: source, destination: destination,
      sourceStart: sourceStart)
    return { _ in copy.run(pool, from: input.pointer, to: output.pointer) }
  }

  /// The axes of the input in the order that a `Transpose` puts them in; reversed by default.
  private static func permutation(_ inference: Inference) throws -> [Int] {
    let rank = try inference.shape(0).rank
    let axes = inference.node.ints("perm") ?? Array((0..<rank).reversed())
    guard axes.sorted() == Array(0..<rank) else {
      throw inference.failure("perm \(axes) is no order of \(rank) axes")
    }
    return axes
  }
}

/// Where a slice starts along each axis, how it steps and how many elements it takes.
private struct SliceBounds {
  private(set) var starts: [Int]
  private(set) var steps: [Int]
  private(set) var counts: [Int]

  /// - Parameter first: the position of `starts` among the inputs; `ends`, `axes` and `steps` follow.
  init(_ shape: Shape, _ inference: Inference, at first: Int) throws {
    let (from, to) = (try inference.integers(first), try inference.integers(first + 1))
    let axes = inference.isPresent(first + 2) ? try inference.integers(first + 2) : Array(from.indices)
    let given = inference.isPresent(first + 3) ? try inference.integers(first + 3) : from.map { _ in 1 }
    guard from.count == to.count, axes.count == from.count, given.count == from.count else {
      throw inference.failure("starts \(from), ends \(to), axes \(axes) and steps \(given) must be as many")
    }
    starts = [Int](repeating: 0, count: shape.rank)
    steps = [Int](repeating: 1, count: shape.rank)
    counts = shape.dimensions
    var seen: Set<Int> = []
    for (position, axis) in axes.enumerated() {
      let axis = try inference.axis(axis, rank: shape.rank)
      guard seen.insert(axis).inserted else { throw inference.failure("axes \(axes) name an axis twice") }
      let (extent, step) = (shape[axis], given[position])
      guard step != 0 else { throw inference.failure("a step of 0 along axis \(axis)") }
      func bounded(_ place: Int, _ bounds: ClosedRange<Int>) -> Int {
        min(max(place < 0 ? place + extent : place, bounds.lowerBound), bounds.upperBound)
      }
      let bounds = step > 0 ? 0...extent : -1...max(extent - 1, -1)
      let start = bounded(from[position], step > 0 ? bounds : 0...max(extent - 1, 0))
      let distance = (bounded(to[position], bounds) - start) * step.signum()
      let count = extent == 0 || distance <= 0 ? 0 : (distance - 1) / Int(clamping: step.magnitude) + 1
      // A step past the end never happens, and its product with a stride need not fit.
      (starts[axis], steps[axis], counts[axis]) = (count == 0 ? 0 : start, count > 1 ? step : 1, count)
    }
  }
}
