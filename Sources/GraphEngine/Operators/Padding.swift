// Padding: with a constant, or with the tensor's own elements.

import ONNX
import Tensors

extension Operator {
  static let padding: [Operator] = [
    Operator(
      name: "Pad", arity: 2...4,
      infer: { inference in
        let data = try inference.spec(0)
        _ = try inference.width(0)
        let pads = try Pads(data.shape, inference, at: 1)
        if inference.isPresent(2) {
          let value = try inference.spec(2)
          guard value.elementType == data.elementType, value.shape.elementCount == 1 else {
            throw inference.failure("the constant \(value) must be one \(data.elementType)")
          }
        }
        return [TensorSpec(data.elementType, Shape(pads.extents))]
      },
      bind: { binding in
        let (data, output, pool) = (binding.input(0), binding.output(), binding.pool)
        let pads = try Pads(data.shape, binding.inference, at: 1)
        let width = data.spec.elementType.byteCount(1) ?? 1
        let value = binding.optionalInput(2)
        guard let maps = pads.maps else {
          let copy = pads.interior(width: width, of: data.shape, reversed: false)
          let fill = StridedCopy(width: width, shape: [output.count], source: [0], destination: [1])
          return { _ in
            if let value {
              fill.run(pool, from: value.pointer, to: output.pointer)
            } else {
              output.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: output.spec.byteCount)
            }
            copy.run(pool, from: data.pointer, to: output.pointer)
          }
        }
        let strides = data.shape.strides
        return { _ in
          forEachMapped(output.shape, maps, strides) { place, source in
            (output.pointer + place * width).copyMemory(from: data.pointer + source * width, byteCount: width)
          }
        }
      },
      gradient: .rule { rule in
        guard !rule.needs(2) else { throw rule.failure("the constant of a Pad has no gradient") }
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emitInternal("PadGrad", [dy] + rule.node.inputs, rule.node.attributes))
      }),
    // (dy, data, pads, constant, axes) → dy at the places that the data came from
    Operator(
      name: "PadGrad", domain: gradientDomain, arity: 3...5, shapeInputs: 1...1,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(1)]
      },
      bind: { binding in
        let (dy, dx, pool) = (binding.input(0), binding.output(), binding.pool)
        let pads = try Pads(dx.shape, binding.inference, at: 2)
        let strides = dx.shape.strides
        let copy = pads.interior(width: 4, of: dx.shape, reversed: true)
        return { _ in
          dx.floats.update(repeating: 0, count: dx.count)
          if let maps = pads.maps {
            forEachMapped(dy.shape, maps, strides) { place, target in dx.floats[target] += dy.floats[place] }
          } else {
            copy.run(pool, from: dy.pointer, to: dx.pointer)
          }
        }
      }),
  ]

  /// Calls `body` for each place of a shape with the place that its coordinates are mapped to.
  private static func forEachMapped(
    _ shape: Shape, _ maps: [[Int]], _ strides: [Int], _ body: (_ place: Int, _ mapped: Int) -> Void
  ) {
    for place in 0..<shape.elementCount {
      var (rest, mapped) = (place, 0)
      for axis in stride(from: shape.rank - 1, through: 0, by: -1) {
        let (outer, index) = rest.quotientAndRemainder(dividingBy: shape[axis])
        mapped += maps[axis][index] * strides[axis]
        rest = outer
      }
      body(place, mapped)
    }
  }
}

/// How many elements come before and after the data along each axis, and where they come from.
private struct Pads {
  private var before: [Int]
  /// The padded extents.
  private(set) var extents: [Int]
  /// For each axis the place in the data that each place of the output takes; nil where a constant surrounds the data.
  let maps: [[Int]]?

  /// - Parameter first: the position of `pads` among the inputs; the constant and the axes follow.
  init(_ shape: Shape, _ inference: Inference, at first: Int) throws {
    let given = try inference.integers(first)
    let axes = inference.isPresent(first + 2) ? try inference.integers(first + 2) : Array(shape.indices)
    guard given.count == 2 * axes.count else {
      throw inference.failure("pads \(given) must be two for each of \(axes.count) axes")
    }
    before = [Int](repeating: 0, count: shape.rank)
    extents = shape.dimensions
    for (position, axis) in axes.enumerated() {
      let axis = try inference.axis(axis, rank: shape.rank)
      let (start, end) = (given[position], given[position + axes.count])
      guard abs(start.clampedToShape) == abs(start), abs(end.clampedToShape) == abs(end) else {
        throw inference.failure("pads \(given) are too many")
      }
      before[axis] = start
      extents[axis] += start + end
      guard extents[axis] >= 0 else { throw inference.failure("pads \(given) take more than \(shape) has") }
    }
    let mode = inference.node.string("mode") ?? "constant"
    guard ["constant", "reflect", "edge", "wrap"].contains(mode) else {
      throw inference.failure("mode '\(mode)' is none of constant, reflect, edge, wrap")
    }
    guard mode != "constant" else {
      maps = nil
      return
    }
    var maps: [[Int]] = []
    for axis in shape.indices {
      let (extent, before) = (shape[axis], before[axis])
      guard extent > 0 || extents[axis] == 0 else {
        throw inference.failure("axis \(axis) of \(shape) has no elements to pad with")
      }
      guard extents[axis] <= Self.longestMap else { throw inference.failure("pads \(given) are too many") }
      maps.append(
        (0..<extents[axis]).map { place in
          let place = place - before
          switch mode {
          case "edge": return min(max(place, 0), extent - 1)
          case "wrap": return (place % extent + extent) % extent
          default:
            let period = max(2 * (extent - 1), 1)
            let folded = (place % period + period) % period
            return extent == 1 ? 0 : folded < extent ? folded : period - folded
          }
        })
    }
    self.maps = maps
  }

  /// A longer axis made of the tensor's own elements is taken for a mistake.
  private static let longestMap = 1 << 28

  /// The copy of the data into the padded tensor, or of what lies there back.
  func interior(width: Int, of shape: Shape, reversed: Bool) -> StridedCopy {
    let (inner, outer) = (shape.strides, Shape(extents).strides)
    var (counts, from, to) = ([Int](), 0, 0)
    for axis in shape.indices {
      // Negative pads cut.
      let start = max(0, -before[axis])
      let end = min(shape[axis], extents[axis] - before[axis])
      counts.append(max(0, end - start))
      from += start * inner[axis]
      to += (start + before[axis]) * outer[axis]
    }
    return reversed
      ? StridedCopy(
        width: width, shape: counts, source: outer, destination: inner, sourceStart: to, destinationStart: from)
      : StridedCopy(
        width: width, shape: counts, source: inner, destination: outer, sourceStart: from, destinationStart: to)
  }
}

extension Int {
  /// The number within what an extent can be, so that sums of a few do not overflow.
  fileprivate var clampedToShape: Int { Swift.min(Swift.max(self, -(1 << 48)), 1 << 48) }
}
