// Alternating least squares as nodes: the Gram matrix of a side, the half-step that solves the other, the loss.

import CKernels
import ONNX
import Tensors

/// The solvers of least-squares rows for one instruction set.
package struct LeastSquaresKernels: @unchecked Sendable {
  let table: rk_least_squares_kernels

  /// The fastest on this processor.
  package static let best = LeastSquaresKernels(table: rk_least_squares_kernels_best().pointee)
  /// For any processor.
  package static let portable = LeastSquaresKernels(table: rk_least_squares_kernels_portable().pointee)
  /// For AVX2 with FMA; nil where the processor lacks them.
  package static let avx2 = rk_least_squares_kernels_avx2().map { LeastSquaresKernels(table: $0.pointee) }

  package var name: String { String(cString: table.name) }

  /// Those of that name where the processor has them, for comparing them with one another; else the fastest.
  static func named(_ name: String?) -> LeastSquaresKernels {
    [portable, avx2].compactMap { $0 }.first { $0.name == name } ?? best
  }
}

extension Operator {
  /// Domain `rankerkit.training`:
  ///
  /// - `GramMatrix (y [n, f]) → [f, f]`: `yᵀy`, summed in double precision.
  /// - `LeastSquares (x [rows, f], y [n, f], gram [f, f], offsets [rows + 1], columns [entries], confidences,
  ///   regularization [rows]) → (x, objective?)`: a half-step of alternating least squares, see `rk_least_squares`.
  ///   Changes the variable `x`. Offsets are `int64`, columns `int32`; the confidences are one for each entry or one for
  ///   all. The objective is double `[rows]`: each row's part of the loss with its own regularisation. Attributes:
  ///   `unobserved` (1); `block` (0: all factors at once, exactly); `steps` (of conjugate gradient; 0: Cholesky);
  ///   `kernels` (an instruction set's name, for tests).
  /// - `FactorizationLoss (objective [rows], y [n, f], regularization [n]) → double []`: the objectives and the other
  ///   side's regularisation, `Σ objective + Σ λ |y|²`.
  static let leastSquares: [Operator] = [
    Operator(
      name: "GramMatrix", domain: trainingDomain, arity: 1...1,
      infer: { inference in
        try inference.require(0, .float)
        let shape = try inference.shape(0)
        guard shape.rank == 2, (1...HalfStep.mostFactors).contains(shape[1]) else {
          throw inference.failure("input 0 must be [rows, 1 to \(HalfStep.mostFactors) factors]")
        }
        return [TensorSpec(.float, [shape[1], shape[1]])]
      },
      bind: { gramMatrix($0) }),
    Operator(
      name: "LeastSquares", domain: trainingDomain, arity: 7...7, memory: .updatesVariable,
      infer: { inference in
        try HalfStep.check(inference)
        let x = try inference.spec(0)
        return [x, TensorSpec(.double, [x.shape[0]])]
      },
      bind: { HalfStep($0).kernel() }),
    Operator(
      name: "FactorizationLoss", domain: trainingDomain, arity: 3...3,
      infer: { inference in
        try inference.require(0, .double)
        try inference.require(1, .float)
        try inference.require(2, .float)
        let y = try inference.shape(1)
        guard y.rank == 2, try inference.shape(2) == [y[0]], try inference.shape(0).rank == 1 else {
          throw inference.failure("expected [rows], [n, factors] and [n]")
        }
        return [TensorSpec(.double, .scalar)]
      },
      bind: { loss($0) }),
  ]

  private static func gramMatrix(_ binding: Binding) -> Kernel {
    let (input, output, pool) = (binding.input(0), binding.output(), binding.pool)
    let (rows, factors) = (input.shape[0], input.shape[1])
    let kernels = LeastSquaresKernels.named(binding.node.string("kernels")).table
    // Parts that follow from the shape alone, so that the sum's bits do not depend on the threads.
    let square = factors * factors
    let most = min(max(Self.gramBytes / (8 * square), 2), 64)
    let part = max(512, ((rows + most - 1) / most + 511) / 512 * 512)
    let parts = max(1, (rows + part - 1) / part)
    let own = 4 * MatrixProductProblem.aligned(kernels.scratch_count(factors, factors, 0))
    binding.reserveScratch(64 + own * pool.threadCount + 8 * parts * square)
    return { scratch in
      let base = scratch.alignedUp(toMultipleOf: 64)
      let sums = (base + own * pool.threadCount).assumingMemoryBound(to: Double.self)
      pool.parallel(parts) { index, participant in
        let sum = sums + index * square
        sum.initialize(repeating: 0, count: square)
        let first = index * part
        kernels.add_gram(
          max(0, min(part, rows - first)), factors, input.floats + first * factors, sum,
          (base + own * participant).assumingMemoryBound(to: Float.self))
      }
      for row in 0..<factors {
        for column in 0...row {
          var total = 0.0
          for index in 0..<parts { total += sums[index * square + row * factors + column] }
          output.floats[row * factors + column] = Float(total)
          output.floats[column * factors + row] = Float(total)
        }
      }
    }
  }

  /// The most that the partial sums of a Gram matrix take.
  private static let gramBytes = 32 << 20

  private static func loss(_ binding: Binding) -> Kernel {
    let (objective, y, regularization) = (binding.input(0), binding.input(1), binding.input(2))
    let (output, pool) = (binding.output(), binding.pool)
    let (rows, factors) = (y.shape[0], y.shape[1])
    let part = 1024
    let parts = (rows + part - 1) / part
    binding.reserveScratch(8 * parts + 64)
    return { scratch in
      let sums = scratch.assumingMemoryBound(to: Double.self)
      pool.parallel(parts) { index in
        var sum = 0.0
        for row in index * part..<min((index + 1) * part, rows) {
          var square: Float = 0
          for value in UnsafeBufferPointer(start: y.floats + row * factors, count: factors) { square += value * value }
          sum += Double(regularization.floats[row] * square)
        }
        sums[index] = sum
      }
      var total = 0.0
      for value in UnsafeBufferPointer(start: objective.elements(as: Double.self), count: objective.count) {
        total += value
      }
      for index in 0..<parts { total += sums[index] }
      output.elements(as: Double.self)[0] = total
    }
  }
}

/// One `LeastSquares` node bound to its memory.
private struct HalfStep {
  /// A row's matrix of this many factors takes 64 MB.
  static let mostFactors = 4096

  private let binding: Binding
  private let kernels: rk_least_squares_kernels
  private let rows, factors, others, entries, block, steps: Int

  static func check(_ inference: Inference) throws {
    for (index, type) in [(0, ElementType.float), (1, .float), (2, .float), (3, .int64), (4, .int32)] {
      try inference.require(index, type)
    }
    try inference.require(5, .float)
    try inference.require(6, .float)
    let (x, y) = (try inference.shape(0), try inference.shape(1))
    guard x.rank == 2, y.rank == 2, x[1] == y[1], (1...mostFactors).contains(x[1]), y[0] <= Int(Int32.max) else {
      throw inference.failure("inputs 0 and 1 must be [rows, factors] with the same 1 to \(mostFactors) factors")
    }
    guard try inference.shape(2) == [x[1], x[1]] else { throw inference.failure("input 2 must be [factors, factors]") }
    guard try inference.shape(3) == [x[0] + 1] else { throw inference.failure("input 3 must be [rows + 1]") }
    guard try inference.shape(6) == [x[0]] else { throw inference.failure("input 6 must be [rows]") }
    let (columns, confidences) = (try inference.shape(4), try inference.shape(5))
    guard columns.rank == 1, confidences == columns || confidences.elementCount == 1 else {
      throw inference.failure("input 5 must have a number for each of input 4, or one for all")
    }
    let (block, steps) = (inference.node.int("block") ?? 0, inference.node.int("steps") ?? 0)
    guard block >= 0, steps >= 0 else { throw inference.failure("'block' and 'steps' must not be negative") }
  }

  init(_ binding: Binding) {
    self.binding = binding
    kernels = LeastSquaresKernels.named(binding.node.string("kernels")).table
    (rows, factors) = (binding.input(0).shape[0], binding.input(0).shape[1])
    others = binding.input(1).shape[0]
    entries = binding.input(4).count
    let wanted = Int(binding.node.int("block") ?? 0)
    block = wanted == 0 ? factors : min(wanted, factors)
    steps = Int(binding.node.int("steps") ?? 0)
  }

  func kernel() -> Kernel {
    let (binding, kernels, rows, factors, entries) = (binding, kernels, rows, factors, entries)
    let (x, y, gram, offsets) = (binding.input(0), binding.input(1), binding.input(2), binding.input(3))
    let (columns, confidences, regularization) = (binding.input(4), binding.input(5), binding.input(6))
    let objective = binding.optionalOutput(1)
    let (pool, others, steps, block) = (binding.pool, others, steps, block)
    let unobserved = binding.node.float("unobserved") ?? 1
    let longest = block < factors && steps == 0 ? longestRow() : 0
    let prepared = 4 * MatrixProductProblem.aligned(kernels.prepared_count(factors))
    let own = 4 * MatrixProductProblem.aligned(kernels.scratch_count(factors, steps > 0 ? factors : block, longest))
    binding.reserveScratch(64 + prepared + own * pool.threadCount)
    return { scratch in
      let base = scratch.alignedUp(toMultipleOf: 64)
      let shared = base.assumingMemoryBound(to: Float.self)
      kernels.prepare(factors, others, y.floats, gram.floats, unobserved, shared)
      let start = offsets.elements(as: Int64.self)
      if let row = Self.firstOutOfOrder(start, rows: rows, entries: entries) {
        binding.faults.record(
          binding.inference.failure("the offsets of row \(row) descend or point beyond the \(entries) entries"))
        return
      }
      let problem = rk_least_squares(
        factors: factors, y: y.floats, other_rows: others, prepared: shared, unobserved: unobserved,
        offsets: start, columns: columns.elements(as: Int32.self),
        confidences: confidences.floats, uniform: confidences.count == 1 ? 1 : 0,
        regularization: regularization.floats, x: x.floats, objective: objective?.elements(as: Double.self),
        block: block, steps: steps)
      let cuts = Cuts(rows: rows, entries: entries, offsets: start, threads: pool.threadCount)
      withUnsafePointer(to: problem) { problem in
        pool.parallel(cuts.count) { task, participant in
          let own = (base + prepared + own * participant).assumingMemoryBound(to: Float.self)
          var row = 0
          let solve = steps > 0 ? kernels.conjugate_gradient : kernels.cholesky
          let fault = solve!(problem, cuts[task], cuts[task + 1], own, &row)
          if fault != rk_solved {
            binding.faults.record(binding.inference.failure(Self.problem(fault, row: row, others: others)))
          }
        }
      }
    }
  }

  /// The first row whose offsets do not ascend within the entries.
  private static func firstOutOfOrder(_ offsets: UnsafePointer<Int64>, rows: Int, entries: Int) -> Int? {
    if rows > 0, offsets[0] < 0 { return 0 }
    return (0..<rows).first { offsets[$0 + 1] < offsets[$0] || offsets[$0 + 1] > Int64(entries) }
  }

  /// The most entries of a row: from the offsets where they are known, else all.
  private func longestRow() -> Int {
    guard let offsets = binding.inference.constants[3] else { return entries }
    return offsets.withUnsafeElements(as: Int64.self) { offsets in
      var longest = 0
      for row in 0..<rows {
        let length = offsets[row + 1].subtractingReportingOverflow(offsets[row])
        longest = max(longest, length.overflow ? 0 : min(Int(length.partialValue), entries))
      }
      return longest
    }
  }

  private static func problem(_ fault: rk_least_squares_fault, row: Int, others: Int) -> String {
    switch fault {
    case rk_column_out_of_range: "row \(row) names a column outside 0..<\(others)"
    default:
      "the equations of row \(row) have no unique solution: its regularisation is too small, or a number is not finite"
    }
  }
}

/// Where the rows are cut into tasks of about equal work, however long some of them are.
private struct Cuts {
  let count: Int
  private let rows, total: Int
  private let offsets: UnsafePointer<Int64>

  /// What factoring a row's matrix costs beside its entries, in entries.
  private static let rowWork = 32

  init(rows: Int, entries: Int, offsets: UnsafePointer<Int64>, threads: Int) {
    self.rows = rows
    self.offsets = offsets
    total = entries + rows * Self.rowWork
    // Some 2 ms each at least where there is more than one.
    count = threads == 1 ? 1 : max(1, min(64 * threads, rows, total / 4096))
  }

  /// The first row of a task: that before which `task / count` of the work lies.
  subscript(task: Int) -> Int {
    if task <= 0 { return 0 }
    if task >= count { return rows }
    let goal = total / count * task
    var (low, high) = (0, rows)
    while low < high {
      let middle = (low + high) / 2
      if Int(offsets[middle]) + middle * Self.rowWork < goal { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
