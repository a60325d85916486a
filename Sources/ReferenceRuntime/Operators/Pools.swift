// Pools: one number for each place of a window.

import Glibc
import Tensors

enum Pools {
  static let operators: OperatorTable = [
    "AveragePool": .one(average),
    "MaxPool": .many(maximum),
    "LpPool": .one(lp),
    "MaxUnpool": .one(unpool),
    "GlobalAveragePool": .one { try global($0) { $0.reduce(0, +) / Double($0.count) } },
    "GlobalMaxPool": .one { try global($0) { $0.reduce(-.infinity, Arithmetic.larger) } },
    "GlobalLpPool": .one { call in
      let p = Double(try call.int("p", default: 2))
      return try global(call) { pow($0.reduce(0) { $0 + pow(abs($1), p) }, 1 / p) }
    },
  ]

  private static func window(_ call: Call, _ x: Operand) throws -> Window {
    guard x.rank >= 3 else { throw call.failure("an input with batch, channel and spatial axes") }
    guard let kernel = try call.ints("kernel_shape") else { throw call.failure("the attribute kernel_shape") }
    return try Window(call, input: Shape(x.shape.dimensions[2...]), kernel: kernel)
  }

  /// Maps what each window sees, for each channel of each sample, to one number.
  private static func pooled(
    _ call: Call, _ x: Operand, _ window: Window, _ body: (_ place: Int, _ seen: [Double]) -> Double
  ) throws -> Operand {
    let values = try call.floats(x)
    let shape = try call.checked([x.shape[0], x.shape[1]] + window.output)
    let taps = window.taps
    let size = window.input.elementCount
    var result: [Double] = []
    result.reserveCapacity(shape.elementCount)
    for plane in 0..<x.shape[0] * x.shape[1] {
      for (place, seen) in taps.enumerated() {
        result.append(body(place, seen.map { values[plane * size + $0.input] }))
      }
    }
    return Operand(result, shape, x.elementType)
  }

  /// The mean of what a window sees, or with `count_include_pad` the sum over the places that lie on padding too.
  private static func average(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let window = try window(call, x)
    let counts = try call.flag("count_include_pad") ? window.paddedCounts : window.taps.map(\.count)
    return try pooled(call, x, window) { place, seen in seen.reduce(0, +) / Double(counts[place]) }
  }

  /// The largest element that a window sees, and its flat index in the whole input
  /// (with `storage_order` 1, the spatial axes counted first axis fastest).
  private static func maximum(_ call: Call) throws -> [Value] {
    let x = try call.operand(0)
    let window = try window(call, x)
    let shape = try call.checked([x.shape[0], x.shape[1]] + window.output)
    let columnMajor = try call.flag("storage_order")
    let values = try call.doubles(x)
    let size = window.input.elementCount
    let taps = window.taps
    var (picked, indices): ([Int], [Int]) = ([], [])
    for plane in 0..<x.shape[0] * x.shape[1] {
      for places in taps {
        guard var best = places.first?.input else {
          throw call.failure("windows that each see at least one element")
        }
        for tap in places.dropFirst() {
          let (candidate, holder) = (values[plane * size + tap.input], values[plane * size + best])
          if candidate > holder || candidate.isNaN && !holder.isNaN { best = tap.input }
        }
        picked.append(plane * size + best)
        indices.append(plane * size + (columnMajor ? columnMajorIndex(best, window.input) : best))
      }
    }
    return [.tensor(x.picking(picked, shape)), .tensor(Operand(indices: indices, shape))]
  }

  private static func columnMajorIndex(_ position: Int, _ shape: Shape) -> Int {
    let strides = shape.strides
    var (result, stride) = (0, 1)
    for axis in 0..<shape.rank {
      result += position / strides[axis] % shape[axis] * stride
      stride *= shape[axis]
    }
    return result
  }

  /// `(Σ |x|^p)^(1/p)`
  private static func lp(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let p = Double(try call.int("p", default: 2))
    return try pooled(call, x, window(call, x)) { _, seen in pow(seen.reduce(0) { $0 + pow(abs($1), p) }, 1 / p) }
  }

  private static func global(_ call: Call, _ body: ([Double]) -> Double) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank >= 2 else { throw call.failure("an input with batch and channel axes") }
    let groups = Groups(x.shape, axes: Array(2..<x.rank), keepingAxes: true)
    return Operand(groups.reduce(try call.floats(x), body), groups.shape, x.elementType)
  }

  /// Puts the results of a MaxPool back where its indices say; 0 elsewhere.
  private static func unpool(_ call: Call) throws -> Operand {
    let (x, indices) = (try call.operand(0), try call.operand(1))
    guard x.rank >= 3, indices.shape == x.shape else { throw call.failure("indices of the input's shape") }
    guard let kernel = try call.ints("kernel_shape"), kernel.count == x.rank - 2 else {
      throw call.failure("a kernel_shape of \(x.rank - 2) extents")
    }
    let strides = try Window.option(call, "strides", x.rank - 2, minimum: 1)
    let pads = try Window.option(call, "pads", 2 * (x.rank - 2), minimum: 0, default: 0)
    let spatial = kernel.indices.map { axis in
      (x.shape[axis + 2] - 1) * strides[axis] + kernel[axis] - pads[axis] - pads[axis + kernel.count]
    }
    let natural = try call.checked([x.shape[0], x.shape[1]] + spatial)
    let wanted = try call.optional(2).map { try call.checked(call.indices($0, "output_shape")) } ?? natural
    guard wanted.rank == natural.rank else { throw call.failure("an output_shape of \(natural.rank) extents") }
    // The indices count in the natural shape; a larger wanted shape keeps each element's coordinates.
    let naturalStrides = natural.strides
    let strideOf = wanted.strides
    var picked = [Int](repeating: -1, count: wanted.elementCount)
    for (source, index) in try call.indices(indices, "the indices").enumerated() {
      guard index >= 0, index < natural.elementCount else {
        throw call.failure("indices below \(natural.elementCount), not \(index)")
      }
      let coordinates = natural.indices.map { index / naturalStrides[$0] % natural[$0] }
      guard zip(coordinates, wanted).allSatisfy({ $0 < $1 }) else {
        throw call.failure("an output_shape that holds every index, not \(wanted)")
      }
      picked[zip(coordinates, strideOf).reduce(0) { $0 + $1.0 * $1.1 }] = source
    }
    return x.picking(picked, wanted, filler: .zero(x.elementType))
  }
}
