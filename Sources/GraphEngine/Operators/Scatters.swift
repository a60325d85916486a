// Operators that write or add elements by index, and the row-sparse gradients of embedding tables.

import CKernels
import ONNX
import Tensors

extension Operator {
  static let scatters: [Operator] = [
    Operator(
      name: "ScatterElements", arity: 3...3,
      infer: { inference in
        let axis = try inference.axis(inference.node.int("axis") ?? 0, rank: inference.shape(0).rank)
        let (data, indices) = (try inference.spec(0), try inference.shape(1))
        try inference.requireIndices(1)
        try inference.requireWithin(indices, data.shape, axis: axis)
        guard try inference.spec(2) == TensorSpec(data.elementType, indices) else {
          throw inference.failure("updates must be \(TensorSpec(data.elementType, indices))")
        }
        try requireScatter(inference)
        return [data]
      },
      bind: { binding in
        let walk = try ElementWalk(binding, data: binding.input(0).shape, indices: 1)
        return scatterKernel(binding) { body in walk.visit { body($0, $1, 1) } }
      },
      gradient: .rule { rule in
        try scatterGradient(rule, gather: "GatherElements", scatter: "ScatterElements")
      }),
    Operator(
      name: "ScatterND", arity: 3...3,
      infer: { inference in
        let data = try inference.spec(0)
        let walk = try SliceWalk(inference, data: data.shape, indices: 1, batch: 0)
        let updates = TensorSpec(data.elementType, Shape(walk.places + data.shape[walk.depth...]))
        guard try inference.spec(2) == updates else { throw inference.failure("updates must be \(updates)") }
        try requireScatter(inference)
        return [data]
      },
      bind: { binding in
        let walk = try SliceWalk(binding.inference, data: binding.input(0).shape, indices: 1, batch: 0)
        let indices = Indices(binding, 1)
        return scatterKernel(binding) { body in
          for place in 0..<walk.count {
            if let offset = walk.offset(of: place, indices) { body(place * walk.inner, offset, walk.inner) }
          }
        }
      },
      gradient: .rule { rule in try scatterGradient(rule, gather: "GatherND", scatter: "ScatterND") }),
    Operator(
      name: "ZerosLike", domain: gradientDomain, arity: 1...1, shapeInputs: 0...0,
      infer: { [try $0.spec(0)] },
      bind: { binding in
        let output = binding.output()
        return { _ in output.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: output.spec.byteCount) }
      }),
    // (table, indices, rows) → the rows added at their places of a table of zeros. Here and below, fewer rows than
    // indices serve as many indices each, in their order.
    Operator(
      name: "ScatterRows", domain: gradientDomain, arity: 3...3, shapeInputs: 0...0,
      infer: { inference in
        try requireRows(inference)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let (rows, table, pool) = (binding.input(2), binding.output(), binding.pool)
        let (indices, height, width) = (Indices(binding, 1), table.shape[0], rows.shape[1])
        let sharing = RowSums.sharing(indices: indices.count, rows: rows.shape[0])
        return { _ in
          pool.parallel(over: table.count, grain: Grain.plain) {
            rk_fill($0.count, 0, table.floats + $0.lowerBound)
          }
          // Threads share the columns: a row may come several times, and in one order.
          pool.parallel(rows: width, work: indices.count) { columns in
            for place in 0..<indices.count {
              guard let index = indices.checked(place, extent: height) else { continue }
              rk_accumulate(
                columns.count, 1, rows.floats + (place / sharing * width + columns.lowerBound),
                table.floats + (index * width + columns.lowerBound))
            }
          }
        }
      }),
    // (table, indices, rows) → each index once, ascending, with its rows summed in their order. The places left over
    // hold the table's height and zeros.
    Operator(
      name: "CoalesceRows", domain: gradientDomain, arity: 3...3, shapeInputs: 0...0,
      infer: { inference in
        try requireRows(inference)
        let count = try inference.shape(1)[0]
        return [TensorSpec(.int64, [count]), TensorSpec(.float, [count, try inference.shape(2)[1]])]
      },
      bind: coalesceKernel),
  ]

  static func requireRows(_ inference: Inference) throws {
    try inference.require(2, .float)
    try inference.requireIndices(1)
    let (table, indices, rows) = (try inference.shape(0), try inference.shape(1), try inference.shape(2))
    guard table.rank >= 1, indices.rank == 1, rows.rank == 2, rows[1] == table.dropFirst().reduce(1, *),
      rows[0] == 0 ? indices[0] == 0 : indices[0] % rows[0] == 0, table[0] < Int(UInt32.max)
    else { throw inference.failure("rows of \(rows) at indices of \(indices) do not fit a table of \(table)") }
  }

  @Sendable private static func coalesceKernel(_ binding: Binding) -> Kernel {
    let (rows, pool) = (binding.input(2), binding.pool)
    let sums = RowSums(binding, indices: 1, rows: rows, height: binding.input(0).shape[0])
    let unique = binding.optionalOutput(0)?.elements(as: Int64.self)
    let outputs = binding.optionalOutput(1)?.floats
    binding.reserveScratch(sums.scratchByteCount)
    return { scratch in
      let sorted = sums.sort(scratch)
      if let unique {
        for place in 0..<sorted.count { unique[place] = Int64(sorted.index(place)) }
        for place in sorted.count..<sums.count { unique[place] = Int64(sums.height) }
      }
      guard let outputs else { return }
      pool.parallel(rows: sums.count, work: sums.width + 8) { range in
        for row in range {
          let target = outputs + row * sums.width
          if row < sorted.count {
            sums.sum(sorted, row, into: target)
          } else {
            target.update(repeating: 0, count: sums.width)
          }
        }
      }
    }
  }

  /// The ways in which an update meets what is there.
  private static let scatterReductions = ["none", "add", "mul", "max", "min"]

  private static func requireScatter(_ inference: Inference) throws {
    _ = try inference.width(0)
    let reduction = inference.node.string("reduction") ?? "none"
    guard scatterReductions.contains(reduction) else {
      throw inference.failure(
        "reduction '\(reduction)' is none of \(scatterReductions.joined(separator: ", "))")
    }
    if reduction != "none" { try inference.requireNumber(0) }
  }

  /// Copies the data and lets `walk` name stretches of updates and where in the data they go.
  private static func scatterKernel(
    _ binding: Binding, _ walk: @escaping (_ body: (_ update: Int, _ target: Int, _ count: Int) -> Void) -> Void
  ) -> Kernel {
    let (data, updates, output) = (binding.input(0), binding.input(2), binding.output())
    let width = data.spec.elementType.byteCount(1) ?? 1
    let reduction = binding.node.string("reduction") ?? "none"
    let apply: (Int, Int, Int) -> Void
    if reduction == "none" {
      apply = { update, target, count in
        (output.pointer + target * width).copyMemory(from: updates.pointer + update * width, byteCount: count * width)
      }
    } else {
      let type = data.spec.elementType
      apply =
        switch type {
        case .float: combination(reduction, updates, output, Float.self)
        case .double: combination(reduction, updates, output, Double.self)
        case .int64: combination(reduction, updates, output, Int64.self)
        default: combination(reduction, updates, output, type.rareNumber)
        }
    }
    return { _ in
      output.pointer.copyMemory(from: data.pointer, byteCount: data.spec.byteCount)
      walk(apply)
    }
  }

  private static func combination<T: Number>(
    _ reduction: String, _ updates: Buffer, _ output: Buffer, _ type: T.Type
  ) -> (Int, Int, Int) -> Void {
    let (updates, output) = (updates.elements(as: type), output.elements(as: type))
    let combine: (T, T) -> T =
      switch reduction {
      case "add": T.sum
      case "mul": T.product
      case "max": T.maximum
      default: T.minimum
      }
    return { update, target, count in
      for index in 0..<count { output[target + index] = combine(output[target + index], updates[update + index]) }
    }
  }

  /// Where an element was replaced its gradient is the update's; where updates were added, both have it.
  private static func scatterGradient(_ rule: GradientRule, gather: String, scatter: String) throws {
    guard let dy = rule.outputGradient() else { return }
    let reduction = rule.node.string("reduction") ?? "none"
    guard reduction == "none" || reduction == "add" else {
      throw rule.failure("a scatter with reduction '\(reduction)' has no gradient; 'none' and 'add' have")
    }
    let axis = rule.node.attributes.filter { $0.name == "axis" }
    if rule.needs(0) {
      let zeros = reduction == "add" ? "" : rule.emitInternal("ZerosLike", [rule.input(2)])
      rule.contribute(0, reduction == "add" ? dy : rule.emit(scatter, [dy, rule.input(1), zeros], axis))
    }
    if rule.needs(2) { rule.contribute(2, rule.emit(gather, [dy, rule.input(1)], axis)) }
  }
}
