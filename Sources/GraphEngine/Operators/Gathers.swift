// Operators that take elements of a tensor by index, with the sparse gradients of embedding tables.

import CKernels
import ONNX
import Tensors

extension Operator {
  static let gathers: [Operator] = [
    Operator(
      name: "Gather", arity: 2...2,
      rows: .inputs { inference in
        try gatherAxis(inference) == 0 && inference.shape(1).rank > 0 ? [1] : nil
      },
      infer: { inference in
        let (data, axis) = (try inference.spec(0), try gatherAxis(inference))
        _ = try inference.width(0)
        try inference.requireIndices(1)
        let indices = try inference.shape(1)
        let shape = Shape(data.shape[..<axis] + indices.dimensions + data.shape[(axis + 1)...])
        try inference.requireElements(of: data.shape, axis: axis, for: indices)
        return [TensorSpec(data.elementType, shape)]
      },
      bind: gatherKernel,
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        guard rule.node.int("axis") ?? 0 == 0 else {
          let inputs = [dy, rule.input(0), rule.input(1)]
          rule.contribute(0, rule.emitInternal("GatherGrad", inputs, rule.node.attributes))
          return
        }
        let wide = rule.emit("Cast", [rule.input(1)], [Attribute("to", .int(Int64(ElementType.int64.rawValue)))])
        rule.contributeRows(
          0, indices: rule.emit("Reshape", [wide, rule.constant(Tensor([Int64(-1)]))]),
          rows: rule.emitInternal("RowsLike", [dy, rule.input(0)]))
      }),
    // (dy, table) → dy as rows of the table's width.
    Operator(
      name: "RowsLike", domain: gradientDomain, arity: 2...2, memory: .viewWhereUnchanged, shapeInputs: 1...1,
      infer: { inference in
        let (dy, table) = (try inference.spec(0), try inference.shape(1))
        let width = table.dropFirst().reduce(1, *)
        return [TensorSpec(dy.elementType, [width == 0 ? 0 : dy.shape.elementCount / width, width])]
      },
      bind: { binding in
        let (input, output) = (binding.input(0), binding.output())
        return { _ in output.pointer.copyMemory(from: input.pointer, byteCount: output.spec.byteCount) }
      }),
    // (dy, data, indices) → dy added at its places along the axis.
    Operator(
      name: "GatherGrad", domain: gradientDomain, arity: 3...3, shapeInputs: 1...1,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(1)]
      },
      bind: { binding in
        let (dy, dx, pool) = (binding.input(0), binding.output(), binding.pool)
        let axis = try binding.inference.axis(binding.node.int("axis") ?? 0, rank: dx.shape.rank)
        let (extent, indices) = (dx.shape[axis], Indices(binding, 2))
        let outer = dx.shape[..<axis].reduce(1, *)
        let inner = dx.shape[(axis + 1)...].reduce(1, *)
        return { _ in
          rk_fill(dx.count, 0, dx.floats)
          pool.parallel(rows: outer, work: indices.count * (inner + 4)) { rows in
            for row in rows {
              for place in 0..<indices.count {
                let index = indices.resolved(place, extent: extent)
                let from = dy.floats + (row * indices.count + place) * inner
                rk_accumulate(inner, 1, from, dx.floats + (row * extent + index) * inner)
              }
            }
          }
        }
      }),
    Operator(
      name: "GatherElements", arity: 2...2,
      infer: { inference in
        let (data, axis) = (try inference.spec(0), try gatherAxis(inference))
        _ = try inference.width(0)
        try inference.requireIndices(1)
        let indices = try inference.shape(1)
        try inference.requireWithin(indices, data.shape, axis: axis)
        return [TensorSpec(data.elementType, indices)]
      },
      bind: { binding in
        let walk = try ElementWalk(binding, data: binding.input(0).shape, indices: 1)
        let (data, output) = (binding.input(0).pointer, binding.output().pointer)
        return switch binding.output().spec.elementType.bitWidth {
        case 8: walk.gather(data, output, UInt8.self)
        case 16: walk.gather(data, output, UInt16.self)
        case 32: walk.gather(data, output, UInt32.self)
        case 64: walk.gather(data, output, UInt64.self)
        default: walk.gather(data, output, SIMD2<UInt64>.self)
        }
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        let inputs = [dy, rule.input(0), rule.input(1)]
        rule.contribute(0, rule.emitInternal("GatherElementsGrad", inputs, rule.node.attributes))
      }),
    // (dy, data, indices) → dy added at its places.
    Operator(
      name: "GatherElementsGrad", domain: gradientDomain, arity: 3...3, shapeInputs: 1...1,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(1)]
      },
      bind: { binding in
        let (dy, dx) = (binding.input(0), binding.output())
        let walk = try ElementWalk(binding, data: dx.shape, indices: 2)
        return { _ in
          rk_fill(dx.count, 0, dx.floats)
          walk.visit { place, target in dx.floats[target] += dy.floats[place] }
        }
      }),
    Operator(
      name: "GatherND", arity: 2...2,
      infer: { inference in
        let data = try inference.spec(0)
        _ = try inference.width(0)
        let walk = try SliceWalk(inference, data: data.shape, indices: 1, batch: inference.node.int("batch_dims") ?? 0)
        return [TensorSpec(data.elementType, Shape(walk.places + data.shape[walk.depth...]))]
      },
      bind: { binding in
        let (data, output) = (binding.input(0), binding.output())
        let batch = binding.node.int("batch_dims") ?? 0
        let walk = try SliceWalk(binding.inference, data: data.shape, indices: 1, batch: batch)
        let (indices, width) = (Indices(binding, 1), data.spec.elementType.byteCount(1) ?? 1)
        let byteCount = walk.inner * width
        return { _ in
          for place in 0..<walk.count {
            let offset = walk.offset(of: place, indices) ?? 0
            (output.pointer + place * byteCount).copyMemory(from: data.pointer + offset * width, byteCount: byteCount)
          }
        }
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        let inputs = [dy, rule.input(0), rule.input(1)]
        rule.contribute(0, rule.emitInternal("GatherNDGrad", inputs, rule.node.attributes))
      }),
    // (dy, data, indices) → dy's slices added at their places.
    Operator(
      name: "GatherNDGrad", domain: gradientDomain, arity: 3...3, shapeInputs: 1...1,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(1)]
      },
      bind: { binding in
        let (dy, dx) = (binding.input(0), binding.output())
        let batch = binding.node.int("batch_dims") ?? 0
        let walk = try SliceWalk(binding.inference, data: dx.shape, indices: 2, batch: batch)
        let indices = Indices(binding, 2)
        return { _ in
          rk_fill(dx.count, 0, dx.floats)
          for place in 0..<walk.count {
            guard let offset = walk.offset(of: place, indices) else { continue }
            rk_accumulate(walk.inner, 1, dy.floats + place * walk.inner, dx.floats + offset)
          }
        }
      }),
  ]

  private static func gatherAxis(_ inference: Inference) throws -> Int {
    try inference.axis(inference.node.int("axis") ?? 0, rank: inference.shape(0).rank)
  }

  @Sendable private static func gatherKernel(_ binding: Binding) throws -> Kernel {
    let (data, output, pool) = (binding.input(0), binding.output(), binding.pool)
    let axis = try gatherAxis(binding.inference)
    let (extent, indices) = (data.shape[axis], Indices(binding, 1))
    let outer = data.shape[..<axis].reduce(1, *)
    let inner = data.shape[(axis + 1)...].reduce(1, *) * (data.spec.elementType.byteCount(1) ?? 1)
    let count = indices.count
    guard inner > 0 else { return { _ in } }
    return { _ in
      pool.parallel(rows: outer * count, work: inner / 4 + 4) { rows in
        for row in rows {
          let (slice, place) = outer == 1 ? (0, row) : row.quotientAndRemainder(dividingBy: count)
          let index = indices.resolved(place, extent: extent)
          (output.pointer + row * inner).copyMemory(
            from: data.pointer + (slice * extent + index) * inner, byteCount: inner)
        }
      }
    }
  }
}

extension Inference {
  /// Requires that an axis has elements where indices want some.
  func requireElements(of data: Shape, axis: Int, for indices: Shape) throws {
    guard data[axis] > 0 || indices.elementCount == 0 else {
      throw failure("axis \(axis) of \(data) has no elements to take")
    }
  }

  /// Requires that indices by element fit the data in every axis but their own.
  func requireWithin(_ indices: Shape, _ data: Shape, axis: Int) throws {
    let fits = indices.rank == data.rank && data.indices.allSatisfy { $0 == axis || indices[$0] <= data[$0] }
    guard fits else { throw failure("indices of \(indices) do not fit data of \(data) along axis \(axis)") }
    try requireElements(of: data, axis: axis, for: indices)
  }
}

/// The walk of `GatherElements` and its like: each index names the place along one axis, its own place the others.
struct ElementWalk {
  private let indices: Indices
  private let shape: [Int]
  /// The data's strides, 0 along the axis.
  private let strides: [Int]
  private let extent: Int
  private let step: Int

  init(_ binding: Binding, data: Shape, indices position: Int) throws {
    let axis = try binding.inference.axis(binding.node.int("axis") ?? 0, rank: data.rank)
    indices = Indices(binding, position)
    shape = binding.input(position).shape.dimensions
    extent = data[axis]
    step = data.strides[axis]
    var strides = data.strides
    strides[axis] = 0
    self.strides = strides
  }

  /// Calls `body` with each index' own place and the place in the data that it names; not for one out of range.
  @inline(__always)
  func visit(_ body: (_ place: Int, _ target: Int) -> Void) {
    forEachOffset(shape, strides: strides) { place, offset in
      if let index = indices.checked(place, extent: extent) { body(place, offset + index * step) }
    }
  }

  fileprivate func gather<Word: BitwiseCopyable>(
    _ data: UnsafeMutableRawPointer, _ output: UnsafeMutableRawPointer, _ type: Word.Type
  ) -> Kernel {
    let (data, output) = (data.assumingMemoryBound(to: type), output.assumingMemoryBound(to: type))
    return { _ in
      forEachOffset(shape, strides: strides) { place, offset in
        output[place] = data[offset + indices.resolved(place, extent: extent) * step]
      }
    }
  }
}

/// The walk of `GatherND` and its like: the last axis of the indices holds the first coordinates of a slice of the data.
struct SliceWalk {
  /// The extents of the indices without their last axis.
  let places: [Int]
  let count: Int
  /// Axes that batch and coordinates name together; the slice has the others.
  let depth: Int
  /// Elements of a slice.
  let inner: Int
  private let coordinates: Int
  private let extents: [Int]
  private let strides: [Int]
  /// Places and elements of the data for each of the batch.
  private let placesPerBatch: Int
  private let elementsPerBatch: Int

  init(_ inference: Inference, data: Shape, indices position: Int, batch: Int) throws {
    try inference.requireIndices(position)
    let indices = try inference.shape(position)
    guard batch >= 0, indices.rank > batch, data.rank >= batch, let coordinates = indices.dimensions.last,
      batch + coordinates <= data.rank, indices.prefix(batch).elementsEqual(data.prefix(batch))
    else { throw inference.failure("indices of \(indices) with \(batch) batch axes do not fit data of \(data)") }
    self.coordinates = coordinates
    places = indices.dropLast()
    count = places.reduce(1, *)
    depth = batch + coordinates
    inner = data[depth...].reduce(1, *)
    extents = Array(data[batch..<depth])
    strides = Array(data.strides[batch..<depth])
    let batches = data[..<batch].reduce(1, *)
    placesPerBatch = batches == 0 ? 1 : max(count / batches, 1)
    elementsPerBatch = data[batch...].reduce(1, *)
    guard count == 0 || !extents.contains(0) else { throw inference.failure("data of \(data) has no elements to take") }
  }

  /// Where in the data the slice of a place starts; nil where a coordinate is out of range.
  @inline(__always)
  func offset(of place: Int, _ indices: Indices) -> Int? {
    var offset = place / placesPerBatch * elementsPerBatch
    for axis in 0..<coordinates {
      guard let index = indices.checked(place * coordinates + axis, extent: extents[axis]) else { return nil }
      offset += index * strides[axis]
    }
    return offset
  }
}
