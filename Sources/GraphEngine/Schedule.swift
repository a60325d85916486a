// How the steps of a plan share the threads. A step of 10 µs that every thread has a part of costs as much in handing
// over as it saves: small steps are better shared several at a time.

import Tensors

/// The order of a plan's steps, cut into stretches that are handed to the threads as one.
struct Schedule {
  enum Stretch {
    /// One step, which shares its own loops among the threads.
    case alone(Int)
    /// Consecutive steps whose results follow row by row from their inputs: each thread takes its part of the rows through
    /// all of them.
    case rows([Int], height: Int, parts: Int)
    /// Steps that do not depend on one another, in a chain for each thread.
    case chains([[Int]])

    var steps: [Int] {
      switch self {
      case .alone(let step): [step]
      case .rows(let steps, _, _): steps
      case .chains(let chains): chains.flatMap { $0 }
      }
    }
  }

  /// All steps, each after those that it depends on.
  var order: [Int] { stretches.flatMap(\.steps) }

  private(set) var stretches: [Stretch] = []

  /// Multiply-adds of a step from which its own loops share well enough: about 150 µs on one thread.
  private static let largestStep = 1 << 23
  /// What all steps of a stretch must cost together to be worth handing over: about 5 µs.
  private static let leastStretch = 1 << 18
  /// Bytes of values that live at once in a stretch, since none takes over another's memory there.
  private static let largestMemory = 8 << 20
  /// A thread packs a product's weights for itself: a part of fewer rows would mostly do that.
  private static let leastRows = 64

  /// Every step on its own where there is one thread, or where nothing is small enough to share.
  init(_ steps: [Planner.Pending], threads: Int) {
    guard threads > 1 else {
      stretches = steps.indices.map { .alone($0) }
      return
    }
    let late = Self.independentEnd(steps)
    let isLate = Set(late)
    addRows(steps, steps.indices.filter { !isLate.contains($0) }, threads: threads)
    addChains(steps, late, threads: threads)
  }

  // MARK: Rows

  private mutating func addRows(_ steps: [Planner.Pending], _ order: [Int], threads: Int) {
    var current: [Int] = []
    var height = 0
    var bytes = 0
    var written: Set<Int> = []

    func flush(_ stretches: inout [Stretch]) {
      let parts = min(threads, height / Self.leastRows)
      let kernels = current.filter { !steps[$0].isView }
      if parts > 1, kernels.count > 1, kernels.reduce(0, { $0 + steps[$1].work }) >= Self.leastStretch {
        stretches.append(.rows(current, height: height, parts: parts))
      } else {
        stretches += current.map { .alone($0) }
      }
      (current, height, bytes, written) = ([], 0, 0, [])
    }

    for index in order {
      let step = steps[index]
      if step.isView, !current.isEmpty {
        current.append(index)
        continue
      }
      guard let rows = step.rows, step.work <= Self.largestStep else {
        flush(&stretches)
        stretches.append(.alone(index))
        continue
      }
      let needsWhole = zip(step.inputs, rows.sliced).contains { input, isSliced in
        !isSliced && input?.slot.map { written.contains($0) } ?? false
      }
      if rows.height != height || needsWhole || bytes + step.byteCount > Self.largestMemory { flush(&stretches) }
      height = rows.height
      current.append(index)
      bytes += step.byteCount
      written.formUnion(step.outputs.compactMap { $0?.slot })
    }
    flush(&stretches)
  }

  // MARK: Chains

  /// The steps that may come last, in order: updates of variables, and what only they need and cannot be cut into rows.
  /// Empty where that would keep much memory alive, or where a step is large enough to be shared on its own.
  private static func independentEnd(_ steps: [Planner.Pending]) -> [Int] {
    guard steps.contains(where: { $0.known.memory == .updatesVariable }) else { return [] }
    var lastMoved: [Int] = []
    var isMoved = [Bool](repeating: false, count: steps.count)
    // What later steps that stay read: slots, and variables by address.
    var readSlots: Set<Int> = []
    var readVariables: Set<UnsafeMutableRawPointer> = []
    var bytes = 0
    for index in steps.indices.reversed() {
      let step = steps[index]
      let updates = step.known.memory == .updatesVariable
      let isNeeded = step.outputs.contains { $0?.slot.map { readSlots.contains($0) } ?? false }
      let target = step.inputs.first.flatMap { $0?.variable }
      if updates, let target, readVariables.contains(target) { return [] }
      if !isNeeded, updates || step.rows == nil {
        guard step.work <= largestStep else { return [] }
        isMoved[index] = true
        lastMoved.append(index)
        bytes += step.byteCount
      } else {
        readSlots.formUnion(step.inputs.compactMap { $0?.slot })
        readVariables.formUnion(step.inputs.compactMap { $0?.variable })
      }
    }
    return bytes <= largestMemory ? lastMoved.reversed() : []
  }

  private mutating func addChains(_ steps: [Planner.Pending], _ late: [Int], threads: Int) {
    // Steps that share a value, or a variable that one of them changes, belong to one chain.
    var chains: [(steps: [Int], slots: Set<Int>, variables: Set<UnsafeMutableRawPointer>)] = []
    for index in late {
      let step = steps[index]
      let written = Set(step.outputs.compactMap { $0?.slot })
      let read = Set(step.inputs.compactMap { $0?.slot })
      let variables = Set(step.inputs.compactMap { $0?.variable })
      let joined = chains.indices.filter {
        !chains[$0].slots.isDisjoint(with: read) || !chains[$0].variables.isDisjoint(with: variables)
      }
      var chain = (steps: [index], slots: written, variables: variables)
      for other in joined.reversed() {
        let part = chains.remove(at: other)
        chain.steps = part.steps + chain.steps
        chain.slots.formUnion(part.slots)
        chain.variables.formUnion(part.variables)
      }
      chain.steps.sort()
      chains.append(chain)
    }
    func work(_ chain: [Int]) -> Int { chain.reduce(0) { $0 + steps[$1].work } }
    let total = work(late)
    let longest = chains.map { work($0.steps) }.max() ?? 0
    // One chain that is most of the work would leave the other threads idle.
    guard total >= Self.leastStretch, longest * threads <= total * 3 / 2 else {
      stretches += late.map { .alone($0) }
      return
    }
    // The longest first, each to the thread with the least so far.
    var shares = [(work: Int, steps: [Int])](repeating: (0, []), count: threads)
    for chain in chains.sorted(by: { (work($0.steps), $1.steps[0]) > (work($1.steps), $0.steps[0]) }) {
      let least = shares.indices.min { shares[$0].work < shares[$1].work }!
      shares[least].work += work(chain.steps)
      shares[least].steps += chain.steps
    }
    stretches.append(.chains(shares.map(\.steps).filter { !$0.isEmpty }))
  }
}

extension Operator {
  /// Which inputs of a node give row `n` of every output from their own row `n` alone.
  struct Rows {
    /// Extent of the first axis.
    var height: Int
    /// For each input whether it is cut into rows; the others are read as a whole.
    var sliced: [Bool]
  }

  /// How an operator's outputs can be computed in parts along their first axis.
  enum RowRule: Sendable {
    /// As a whole only.
    case none
    /// Element by element, from inputs that are broadcast to the output's shape.
    case elementwise
    /// From the same row of the inputs at the positions that are given, and from the others as a whole; nil: not by rows.
    case inputs(@Sendable (Inference) throws -> [Int]?)
  }
}

extension Inference {
  /// The rows of this node by its operator's rule; nil where it is computed as a whole.
  func rows(_ rule: Operator.RowRule, outputs: [TensorSpec]) -> Operator.Rows? {
    guard let shape = outputs.first?.shape, let height = shape.first, height > 0 else { return nil }
    var sliced = [Bool](repeating: false, count: inputs.count)
    switch rule {
    case .none: return nil
    case .elementwise:
      for (position, input) in inputs.enumerated() {
        guard let input else { continue }
        // A row of the result reads the same row, or what is repeated for every row.
        let isRepeated = input.shape.rank < shape.rank || input.shape.first == 1
        sliced[position] = !isRepeated
        guard isRepeated || input.shape.first == height else { return nil }
      }
    case .inputs(let positions):
      guard let positions = try? positions(self) else { return nil }
      for position in positions { sliced[position] = true }
    }
    for (input, isSliced) in zip(inputs, sliced) where isSliced {
      guard let input, input.shape.first == height, input.elementType.hasWholeBytes else { return nil }
    }
    guard outputs.allSatisfy({ $0.shape.first == height && $0.elementType.hasWholeBytes }) else { return nil }
    return Operator.Rows(height: height, sliced: sliced)
  }

  /// The node as it is for some of its rows.
  func part(_ rows: Operator.Rows, _ range: Range<Int>) -> Inference {
    Inference(
      node: node, opset: opset,
      inputs: zip(inputs, rows.sliced).map { input, isSliced in isSliced ? input?.part(range) : input },
      constants: zip(constants, rows.sliced).map { constant, isSliced in isSliced ? nil : constant })
  }
}

extension ElementType {
  fileprivate var hasWholeBytes: Bool { (bitWidth ?? 0) >= 8 }
}

extension TensorSpec {
  fileprivate func part(_ rows: Range<Int>) -> TensorSpec {
    TensorSpec(elementType, Shape([rows.count] + shape.dimensions.dropFirst()))
  }
}

extension Buffer {
  /// Some rows of this buffer.
  func part(_ rows: Range<Int>) -> Buffer {
    Buffer(spec: spec.part(rows), pointer: pointer + spec.byteCount / spec.shape[0] * rows.lowerBound)
  }
}

extension Planner.Entry {
  /// The stretch of the arena that the value has, if it lives there.
  var slot: Int? { if case .slot(let slot) = place { slot } else { nil } }

  /// The address of the variable that the value is.
  var variable: UnsafeMutableRawPointer? { if case .variable(let buffer) = place { buffer.pointer } else { nil } }
}

extension Planner.Pending {
  /// Whether the output is the first input's memory under another shape: no kernel runs.
  var isView: Bool {
    guard known.memory == .viewWhereUnchanged, !inputs.isEmpty, !outputs.isEmpty else { return false }
    let source = inputs[0]?.slot
    return source != nil && source == outputs[0]?.slot
  }

  var rows: Operator.Rows? { isView ? nil : inference.rows(known.rows, outputs: outputs.compactMap { $0?.spec }) }

  /// Bytes of the arena that the step reads and writes.
  var byteCount: Int {
    var bytes = 0
    for value in inputs + outputs {
      if let value, value.slot != nil { bytes += value.spec.byteCount }
    }
    return bytes
  }

  /// About how many multiply-adds the step takes as long as.
  var work: Int {
    if let multiplyAdds = known.multiplyAdds?(inference) { return multiplyAdds }
    let isUpdate = known.memory == .updatesVariable
    // An element that is copied costs as much as some multiply-adds, one that is updated reads and writes three tensors.
    var elements = 0
    for value in isUpdate ? inputs : inputs + outputs {
      if let value, value.variable == nil { elements += value.spec.shape.elementCount }
    }
    return elements * (isUpdate ? 40 : 8)
  }
}
