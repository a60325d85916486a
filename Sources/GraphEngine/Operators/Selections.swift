// Operators that choose, order and mark: the largest, their places, running sums, one-hot rows, triangles.

import CKernels
import ONNX
import Tensors

extension Operator {
  static let selections: [Operator] = [
    extremePlace("ArgMax", isMaximum: true), extremePlace("ArgMin", isMaximum: false),
    Operator(
      name: "TopK", arity: 2...2,
      infer: { inference in
        let input = try inference.spec(0)
        try inference.requireNumber(0)
        let axis = try inference.axis(inference.node.int("axis") ?? -1, rank: input.shape.rank)
        let counts = try inference.integers(1)
        guard counts.count == 1, counts[0] >= 0, counts[0] <= input.shape[axis] else {
          throw inference.failure(
            "k of \(counts) must be one number of at most the \(input.shape[axis]) of axis \(axis)")
        }
        var extents = input.shape.dimensions
        extents[axis] = counts[0]
        return [TensorSpec(input.elementType, Shape(extents)), TensorSpec(.int64, Shape(extents))]
      },
      bind: { binding in
        let type = binding.input(0).spec.elementType
        return switch type {
        case .float: try topKernel(binding, Float.self)
        case .double: try topKernel(binding, Double.self)
        case .int64: try topKernel(binding, Int64.self)
        default: try topKernel(binding, type.rareNumber)
        }
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        guard rule.node.outputs.count > 1, !rule.node.outputs[1].isEmpty else {
          throw rule.failure("needs its second output, the indices, for its gradient")
        }
        let axis = [Attribute("axis", .int(Int64(rule.node.int("axis") ?? -1)))]
        rule.contribute(0, rule.emitInternal("GatherElementsGrad", [dy, rule.input(0), rule.output(1)], axis))
      }),
    Operator(
      name: "CumSum", arity: 2...2,
      infer: { inference in
        try inference.requireNumber(0)
        _ = try runningAxis(inference)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let type = binding.input(0).spec.elementType
        return switch type {
        case .float: try runningKernel(binding, Float.self)
        case .double: try runningKernel(binding, Double.self)
        case .int64: try runningKernel(binding, Int64.self)
        default: try runningKernel(binding, type.rareNumber)
        }
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        let attributes = [
          Attribute("exclusive", .int(Int64(rule.node.int("exclusive") ?? 0))),
          Attribute("reverse", .int(rule.node.int("reverse") ?? 0 == 0 ? 1 : 0)),
        ]
        rule.contribute(0, rule.emit("CumSum", [dy, rule.input(1)], attributes))
      }),
    oneHot,
    Operator(
      name: "NonZero", arity: 1...1,
      infer: { inference in
        // How many there are, only the values tell.
        let tensor = try inference.constant(0)
        if tensor.elementType != .bool { try inference.requireNumber(0) }
        let count = tensor.doubles().count { $0 != 0 }
        return [TensorSpec(.int64, [tensor.shape.rank, count])]
      },
      bind: { binding in
        let (shape, output) = (binding.input(0).shape, binding.output())
        let (count, reader) = (output.shape[1], NumberReader(binding.input(0)))
        let (target, strides) = (output.elements(as: Int64.self), shape.strides)
        return { _ in
          var found = 0
          for place in 0..<shape.elementCount where reader.double(place) != 0 && found < count {
            for axis in shape.indices { target[axis * count + found] = Int64(place / strides[axis] % shape[axis]) }
            found += 1
          }
        }
      },
      gradient: .zero),
    Operator(
      name: "Trilu", arity: 1...2,
      infer: { inference in
        let input = try inference.spec(0)
        _ = try inference.width(0)
        guard input.shape.rank >= 2 else { throw inference.failure("\(input.shape) has no matrices") }
        if inference.isPresent(1) {
          try inference.require(1, .int64)
          guard try inference.shape(1).elementCount == 1 else { throw inference.failure("k must be one number") }
        }
        return [input]
      },
      bind: { binding in
        let (input, output) = (binding.input(0), binding.output())
        let (rows, columns) = (input.shape[input.shape.rank - 2], input.shape[input.shape.rank - 1])
        let width = input.spec.elementType.byteCount(1) ?? 1
        let isUpper = binding.node.int("upper") ?? 1 != 0
        let diagonal = binding.optionalInput(1)?.elements(as: Int64.self)
        let count = rows * columns == 0 ? 0 : input.count / columns
        return { _ in
          let shift = Int(diagonal?[0] ?? 0)
          for row in 0..<count {
            let (from, to) = (input.pointer + row * columns * width, output.pointer + row * columns * width)
            // The first column on or above the diagonal; the lower triangle ends one after its diagonal.
            let (place, overflow) = (row % rows).addingReportingOverflow(isUpper ? shift : shift &+ 1)
            let edge = overflow ? (shift > 0 ? columns : 0) : min(max(place, 0), columns)
            let (kept, cleared) = isUpper ? (edge..<columns, 0..<edge) : (0..<edge, edge..<columns)
            (to + kept.lowerBound * width).copyMemory(
              from: from + kept.lowerBound * width, byteCount: kept.count * width)
            (to + cleared.lowerBound * width).initializeMemory(
              as: UInt8.self, repeating: 0, count: cleared.count * width)
          }
        }
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emit("Trilu", [dy] + rule.node.inputs.dropFirst(), rule.node.attributes))
      }),
  ]

  // MARK: The place of the largest or smallest

  private static func extremePlace(_ name: String, isMaximum: Bool) -> Operator {
    Operator(
      name: name, arity: 1...1,
      infer: { inference in
        try inference.requireNumber(0)
        let axes = try extremeAxes(inference)
        guard axes.count > 0 || axes.outer * axes.inner == 0 else {
          throw inference.failure("an axis of no elements has no \(isMaximum ? "largest" : "smallest")")
        }
        return [TensorSpec(.int64, axes.result)]
      },
      bind: { binding in
        let type = binding.input(0).spec.elementType
        return switch type {
        case .float: try extremeKernel(binding, isMaximum: isMaximum, Float.self)
        case .double: try extremeKernel(binding, isMaximum: isMaximum, Double.self)
        case .int64: try extremeKernel(binding, isMaximum: isMaximum, Int64.self)
        default: try extremeKernel(binding, isMaximum: isMaximum, type.rareNumber)
        }
      },
      gradient: .zero)
  }

  private static func extremeAxes(_ inference: Inference) throws -> ReducedAxes {
    let shape = try inference.shape(0)
    let axis = try inference.axis(inference.node.int("axis") ?? 0, rank: shape.rank)
    return ReducedAxes(
      shape, reduced: shape.indices.map { $0 == axis }, keepsAxes: inference.node.int("keepdims") ?? 1 != 0)
  }

  private static func extremeKernel<T: Number>(_ binding: Binding, isMaximum: Bool, _ type: T.Type) throws -> Kernel {
    let axes = try extremeAxes(binding.inference)
    let (x, y, pool) = (binding.input(0).elements(as: type), binding.output().elements(as: Int64.self), binding.pool)
    let takesLast = binding.node.int("select_last_index") ?? 0 != 0
    let (outer, count, inner) = (axes.outer, axes.count, axes.inner)
    if type == Float.self, isMaximum, !takesLast, inner == 1 {
      let x = binding.input(0).floats
      return { _ in
        pool.parallel(rows: outer, work: count) { rows in
          rk_row_argmax(rows.count, count, x + rows.lowerBound * count, count, y + rows.lowerBound)
        }
      }
    }
    return { _ in
      for index in 0..<(outer * inner) {
        let (slice, column) = index.quotientAndRemainder(dividingBy: inner)
        let x = x + (slice * count * inner + column)
        var best = 0
        for row in 1..<max(count, 1) {
          let (value, champion) = (x[row * inner], x[best * inner])
          let wins = isMaximum ? value > champion : value < champion
          if wins || takesLast && value == champion { best = row }
        }
        y[index] = Int64(best)
      }
    }
  }

  // MARK: The k largest or smallest

  private static func topKernel<T: Number>(_ binding: Binding, _ type: T.Type) throws -> Kernel {
    let (input, pool) = (binding.input(0), binding.pool)
    let axis = try binding.inference.axis(binding.node.int("axis") ?? -1, rank: input.shape.rank)
    let isLargest = binding.node.int("largest") ?? 1 != 0
    let (values, places) = (binding.optionalOutput(0)?.elements(as: type), binding.optionalOutput(1))
    let chosen = places?.elements(as: Int64.self)
    let count = input.shape[axis]
    let kept = (binding.optionalOutput(0) ?? places)?.shape[axis] ?? 0
    let outer = input.shape[..<axis].reduce(1, *)
    let inner = input.shape[(axis + 1)...].reduce(1, *)
    let x = input.elements(as: type)
    guard kept > 0 else { return { _ in } }
    // Rows share one scratch, so one thread takes a run of rows with a heap of its own.
    let heapBytes = (kept * 8 + 63) / 64 * 64
    binding.reserveScratch(heapBytes * pool.threadCount)
    return { scratch in
      let rows = outer * inner
      let tasks = min(rows, max(1, min(pool.threadCount, rows * count / Grain.transcendental)))
      pool.parallel(tasks) { task in
        let heap = (scratch + task * heapBytes).assumingMemoryBound(to: Int.self)
        for row in (rows * task / tasks)..<(rows * (task + 1) / tasks) {
          let (slice, column) = row.quotientAndRemainder(dividingBy: inner)
          let line = x + (slice * count * inner + column)
          /// Whether place a comes before place b: by value, by place where values are the same. NaN is the largest.
          func precedes(_ a: Int, _ b: Int) -> Bool {
            let (left, right) = (line[a * inner], line[b * inner])
            if left == right { return a < b }
            if left != left || right != right { return left == left ? !isLargest : right != right ? a < b : isLargest }
            return isLargest ? left > right : left < right
          }
          selectFirst(kept, of: count, into: heap, precedes)
          for rank in 0..<kept {
            let target = (slice * kept + rank) * inner + column
            values?[target] = line[heap[rank] * inner]
            chosen?[target] = Int64(heap[rank])
          }
        }
      }
    }
  }

  /// Writes the first `kept` of `0..<count` by an order to `heap`, in that order: a heap whose top is the last of them.
  private static func selectFirst(
    _ kept: Int, of count: Int, into heap: UnsafeMutablePointer<Int>, _ precedes: (Int, Int) -> Bool
  ) {
    func sink(_ start: Int, _ size: Int) {
      var node = start
      while 2 * node + 1 < size {
        var child = 2 * node + 1
        if child + 1 < size, precedes(heap[child], heap[child + 1]) { child += 1 }
        if !precedes(heap[node], heap[child]) { return }
        (heap[node], heap[child]) = (heap[child], heap[node])
        node = child
      }
    }
    for place in 0..<kept { heap[place] = place }
    for node in stride(from: kept / 2 - 1, through: 0, by: -1) { sink(node, kept) }
    for place in kept..<max(count, kept) where precedes(place, heap[0]) {
      heap[0] = place
      sink(0, kept)
    }
    for size in stride(from: kept - 1, to: 0, by: -1) {
      (heap[0], heap[size]) = (heap[size], heap[0])
      sink(0, size)
    }
  }

  // MARK: Running sums

  private static func runningAxis(_ inference: Inference) throws -> Int {
    let axes = try inference.integers(1)
    guard axes.count == 1 else { throw inference.failure("sums along one axis, not \(axes)") }
    return try inference.axis(axes[0], rank: inference.shape(0).rank)
  }

  private static func runningKernel<T: Number>(_ binding: Binding, _ type: T.Type) throws -> Kernel {
    let shape = binding.input(0).shape
    let axis = try runningAxis(binding.inference)
    let (x, y) = (binding.input(0).elements(as: type), binding.output().elements(as: type))
    let isExclusive = binding.node.int("exclusive") ?? 0 != 0
    let isReversed = binding.node.int("reverse") ?? 0 != 0
    let (count, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    let outer = shape[..<axis].reduce(1, *)
    return { _ in
      for index in 0..<(outer * inner) {
        let (slice, column) = index.quotientAndRemainder(dividingBy: inner)
        let start = slice * count * inner + column
        var total = T.zero
        for step in 0..<count {
          let place = start + (isReversed ? count - 1 - step : step) * inner
          let value = x[place]
          if isExclusive { y[place] = total }
          total = T.sum(total, value)
          if !isExclusive { y[place] = total }
        }
      }
    }
  }

  // MARK: One-hot

  private static let oneHot = Operator(
    name: "OneHot", arity: 3...3,
    infer: { inference in
      try inference.requireNumber(0)
      _ = try inference.width(2)
      let (indices, values) = (try inference.shape(0), try inference.spec(2))
      guard values.shape == [2] else { throw inference.failure("values of \(values.shape) must be [off, on]") }
      let depth = try inference.constant(1)
      guard depth.elementCount == 1, depth.elementType.isInteger || depth.elementType.isFloatingPoint,
        let count = Int(exactly: depth.doubles()[0].rounded(.towardZero)), count >= 0
      else { throw inference.failure("the depth must be one number, at least 0") }
      var extents = indices.dimensions
      extents.insert(count, at: try inference.axis(inference.node.int("axis") ?? -1, rank: indices.rank + 1))
      return [TensorSpec(values.elementType, Shape(extents))]
    },
    bind: { binding in
      let (indices, values, output) = (binding.input(0), binding.input(2), binding.output())
      let axis = try binding.inference.axis(binding.node.int("axis") ?? -1, rank: output.shape.rank)
      let width = values.spec.elementType.byteCount(1) ?? 1
      let inner = output.shape[(axis + 1)...].reduce(1, *)
      let (depth, reader) = (output.shape[axis], NumberReader(indices))
      let fill = StridedCopy(
        width: width, shape: [output.count], source: [0], destination: [1])
      return { _ in
        fill.run(.serial, from: values.pointer, to: output.pointer)
        for place in 0..<indices.count {
          // An index outside the depth marks nothing.
          let given = reader.integer(place)
          let index = given < 0 ? given &+ Int64(depth) : given
          guard index >= 0, index < depth else { continue }
          let (slice, column) = place.quotientAndRemainder(dividingBy: inner)
          let target = (slice * depth + Int(index)) * inner + column
          (output.pointer + target * width).copyMemory(from: values.pointer + width, byteCount: width)
        }
      }
    },
    gradient: .zero)
}
