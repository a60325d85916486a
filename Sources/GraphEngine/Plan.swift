// A program compiled for concrete input shapes: an ordered list of kernel calls over one arena.

import ONNX
import Tensors

/// A program compiled for concrete input shapes. While it runs nothing is allocated, looked up or dispatched by name:
/// every kernel was bound to its pointers when the plan was made.
public final class Plan {
  private let steps: [Step]
  /// What inputs and outputs live in: theirs alone, so that they stay as they are whatever other plans do.
  private let own: Arena
  /// What the values between them live in, and what kernels use while they run: lent to every plan of the session.
  private let shared, scratch: Arena
  private let inputs: [String: Buffer]
  private let outputs: [String: Buffer]
  /// Tensors whose memory kernels read: initializers and values folded while planning.
  private let constants: [Tensor]
  private let faults: Faults
  private let pool: ThreadPool
  /// Bytes of the values between inputs and outputs, sharing memory where they do not live at once.
  public let arenaByteCount: Int

  /// One kernel call and the node it came from.
  struct Step {
    let node: Node
    let kernel: Kernel
  }

  fileprivate init(
    steps: [Step], own: Arena, shared: Arena, arenaByteCount: Int, scratch: Arena,
    inputs: [String: Buffer], outputs: [String: Buffer], constants: [Tensor], faults: Faults, pool: ThreadPool
  ) {
    self.steps = steps
    self.own = own
    self.shared = shared
    self.arenaByteCount = arenaByteCount
    self.scratch = scratch
    self.inputs = inputs
    self.outputs = outputs
    self.constants = constants
    self.faults = faults
    self.pool = pool
  }

  /// Writes the elements of an input in place; they stay until the next write. Nothing happens where no node reads it.
  /// - Precondition: `Element` is the input's element type.
  public func withUnsafeMutableInput<Element: TensorElement>(
    _ name: String, as type: Element.Type = Element.self, _ body: (UnsafeMutableBufferPointer<Element>) throws -> Void
  ) rethrows {
    guard let buffer = inputs[name] else { return }
    precondition(buffer.spec.elementType == Element.elementType, "input '\(name)' is \(buffer.spec)")
    try body(UnsafeMutableBufferPointer(start: buffer.elements(), count: buffer.count))
  }

  /// Gathers rows of a table into an input, `[rows.count, …]`, on the session's threads: rows that are far apart cost a
  /// wait for memory each. Nothing happens where no node reads the input.
  /// - Precondition: the input has as many rows, of the table's type and row length; every row is one of the table's.
  public func write(_ rows: [Int], of table: Tensor, to name: String) {
    guard let buffer = inputs[name] else { return }
    let byteCount = buffer.spec.byteCount / max(rows.count, 1)
    precondition(
      buffer.spec.elementType == table.elementType && buffer.shape.first == rows.count
        && buffer.shape.dropFirst().elementsEqual(table.shape.dropFirst())
        && rows.allSatisfy { $0 >= 0 && $0 < table.shape[0] },
      "\(rows.count) rows of \(table.spec) do not fill input '\(name)', \(buffer.spec)")
    table.withUnsafeBytes { source in
      pool.parallel(rows: rows.count, work: byteCount / 4) { range in
        for row in range {
          (buffer.pointer + row * byteCount).copyMemory(
            from: source.baseAddress! + rows[row] * byteCount, byteCount: byteCount)
        }
      }
    }
  }

  /// Reads the elements of an output in place as the last run left them; nil where the plan has no such output.
  /// - Precondition: `Element` is the output's element type.
  public func withUnsafeOutput<Element: TensorElement, Result>(
    _ name: String, as type: Element.Type = Element.self, _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result? {
    guard let buffer = outputs[name] else { return nil }
    precondition(buffer.spec.elementType == Element.elementType, "output '\(name)' is \(buffer.spec)")
    return try body(UnsafeBufferPointer(start: buffer.elements(), count: buffer.count))
  }

  /// Copies a tensor into an input.
  func write(_ tensor: Tensor, to name: String) {
    guard let buffer = inputs[name] else { return }
    tensor.withUnsafeBytes { bytes in
      buffer.pointer.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
    }
  }

  /// A copy of an output as the last run left it.
  public func read(_ name: String) -> Tensor? {
    outputs[name].map { buffer in
      Tensor(
        bytes: UnsafeRawBufferPointer(start: buffer.pointer, count: buffer.spec.byteCount), shape: buffer.shape,
        elementType: buffer.spec.elementType)
    }
  }

  /// - Throws: the first fault that a kernel met.
  func run() throws {
    for step in steps { step.kernel(scratch.pointer) }
    try faults.check()
  }

  /// Runs once and returns the seconds that each node took, in order.
  /// - Throws: `EngineError` as `Session.execute` does.
  public func profiled() throws -> [(node: Node, seconds: Double)] {
    let clock = ContinuousClock()
    let times = steps.map { step in
      let time = clock.measure { step.kernel(scratch.pointer) }
      return (step.node, Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18)
    }
    try faults.check()
    return times
  }
}

/// Makes a plan in three steps: types and folds the nodes, lays out the arena, binds the kernels.
struct Planner {
  let program: Program
  let variables: [String: Buffer]
  let pool: ThreadPool
  let random: RandomState
  let lender: ArenaLender
  let packed: PackedConstants

  private var entries: [String: Entry] = [:]
  private var constants: [Tensor] = []
  private var slots: [Slot] = []
  private var pending: [Pending] = []

  init(
    program: Program, variables: [String: Buffer], pool: ThreadPool, random: RandomState, lender: ArenaLender,
    packed: PackedConstants
  ) {
    self.program = program
    self.variables = variables
    self.pool = pool
    self.random = random
    self.lender = lender
    self.packed = packed
  }

  /// Where a value lives.
  enum Place {
    case constant(Int)
    case variable(Buffer)
    case slot(Int)
  }

  struct Entry {
    let spec: TensorSpec
    let place: Place
  }

  /// A stretch of the arena that a value and its views share, from the step that writes it to the last that reads it.
  /// While it is planned, steps are counted in the order in which they run, then in stretches of the schedule.
  private struct Slot {
    let byteCount: Int
    var first = Int.max
    var last = -1
    /// The slot in whose memory this one lies: an operator overwrites its input, or a part is written where it is joined.
    var within: Int?
    /// Bytes from the start of that slot, or of the arena.
    var offset = 0
  }

  /// A node with everything known but its memory.
  struct Pending {
    let known: Operator
    let inference: Inference
    let inputs: [Entry?]
    let outputs: [Entry?]
  }

  /// - Throws: `Inference.NeedsValue` where a shape depends on a value that only a run tells.
  mutating func plan(for feeds: [String: TensorSpec]) throws -> Plan {
    for (name, tensor) in program.constants { entries[name] = constant(tensor) }
    for (name, buffer) in variables { entries[name] = Entry(spec: buffer.spec, place: .variable(buffer)) }
    for input in program.inputs {
      // Inputs are written before the first step and stay whole for a second run.
      if let spec = feeds[input.name] { entries[input.name] = slot(spec) }
    }
    try typeNodes()
    let schedule = Schedule(pending, threads: pool.threadCount)
    let places = measureLives(schedule)
    joinInPlace()
    overwriteInputs(schedule, places)
    extendLives(schedule)
    // First the offsets, then a call that sees them: as one expression `bind` would get the slots from before.
    let sizes = layOut()
    return try bind(schedule, sizes)
  }

  private mutating func constant(_ tensor: Tensor) -> Entry {
    constants.append(tensor)
    return Entry(spec: tensor.spec, place: .constant(constants.count - 1))
  }

  private mutating func slot(_ spec: TensorSpec) -> Entry {
    slots.append(Slot(byteCount: spec.byteCount))
    return Entry(spec: spec, place: .slot(slots.count - 1))
  }

  /// Types every node in order, folds those whose inputs are known, and puts the taken branch in an `If`'s place.
  private mutating func typeNodes() throws {
    var nodes = Array(program.nodes.reversed())
    while let node = nodes.popLast() {
      if node.operatorType == "If", node.domain.isEmpty {
        let branch = try IfBranch(of: node, condition: entries[node.inputs.first ?? ""].flatMap(value))
        for initializer in branch.initializers { entries[initializer.name] = constant(initializer.tensor) }
        nodes.append(contentsOf: branch.nodes.reversed())
        continue
      }
      let inputs = node.inputs.map { $0.isEmpty ? nil : entries[$0] }
      let known = try Operator.required(for: node, inputs: inputs.map { $0?.spec })
      let inference = Inference(
        node: node, opset: program.opset, inputs: inputs.map { $0?.spec },
        constants: inputs.map { $0.flatMap(value) })
      if let folded = try known.fold(inference, random: random) {
        for (name, tensor) in zip(node.outputs, folded) where !name.isEmpty { entries[name] = constant(tensor) }
        continue
      }
      let specs = try known.checkedInfer(inference)
      var outputs: [Entry?] = []
      for (position, spec) in specs.enumerated() {
        let name = position < node.outputs.count ? node.outputs[position] : ""
        guard !name.isEmpty else {
          outputs.append(nil)
          continue
        }
        let entry = position == 0 ? shared(known, spec, inputs.first ?? nil) ?? slot(spec) : slot(spec)
        entries[name] = entry
        outputs.append(entry)
      }
      pending.append(Pending(known: known, inference: inference, inputs: inputs, outputs: outputs))
    }
  }

  private func value(_ entry: Entry) -> Tensor? {
    if case .constant(let position) = entry.place { constants[position] } else { nil }
  }

  /// The first input's memory, where the operator's output is a view or an update of it.
  private func shared(_ known: Operator, _ spec: TensorSpec, _ input: Entry?) -> Entry? {
    guard let input else { return nil }
    switch known.memory {
    case .updatesVariable: return Entry(spec: spec, place: input.place)
    case .viewWhereUnchanged where known.isUnchanged(from: input.spec, to: spec):
      return Entry(spec: spec, place: input.place)
    case .viewWhereUnchanged, .separate, .overwrites, .joins, .random: return nil
    }
  }

  /// Lets what a `Concat` joins be written where it belongs, so that nothing is left to copy.
  private mutating func joinInPlace() {
    for item in pending where item.known.memory == .joins {
      guard let output = item.outputs.first ?? nil, case .slot(let whole) = output.place,
        let axis = item.inference.node.int("axis"),
        case let position = axis < 0 ? axis + output.spec.shape.rank : axis,
        output.spec.shape[..<position].allSatisfy({ $0 == 1 })
      else { continue }
      var start = 0
      for input in item.inputs.compactMap({ $0 }) {
        if case .slot(let part) = input.place, part != whole, slots[part].within == nil,
          slots[part].byteCount == input.spec.byteCount, !holdsOthers(part), start % 64 == 0
        {
          slots[part].within = whole
          slots[part].offset = start
          slots[whole].first = min(slots[whole].first, slots[part].first)
          slots[whole].last = max(slots[whole].last, slots[part].last)
        }
        start += input.spec.byteCount
      }
    }
  }

  private func holdsOthers(_ slot: Int) -> Bool { slots.contains { $0.within == slot } }

  /// Sets each slot's life by the order in which the schedule runs the steps; returns each step's place in it.
  private mutating func measureLives(_ schedule: Schedule) -> [Int] {
    for name in program.inputs.map(\.name) { if let slot = entries[name]?.slot { slots[slot].first = -1 } }
    var places = [Int](repeating: 0, count: pending.count)
    for (place, step) in schedule.order.enumerated() {
      places[step] = place
      let item = pending[step]
      for (position, input) in item.inputs.enumerated() where !(item.known.shapeInputs?.contains(position) ?? false) {
        if let slot = input?.slot { slots[slot].last = max(slots[slot].last, place) }
      }
      for slot in item.outputs.compactMap({ $0?.slot }) {
        slots[slot].first = min(slots[slot].first, place)
        slots[slot].last = max(slots[slot].last, place)
      }
    }
    for name in program.outputs + program.inputs.map(\.name) {
      if let slot = entries[name]?.slot { slots[slot].last = .max }
    }
    return places
  }

  /// Lets elementwise operators write where an input lay that nothing reads later.
  private mutating func overwriteInputs(_ schedule: Schedule, _ places: [Int]) {
    for stretch in schedule.stretches {
      let steps: [Int]
      var earliest = 0
      switch stretch {
      case .alone(let step): steps = [step]
      case .rows(let several, _, _):
        // What was there before, another thread may still read at other rows.
        (steps, earliest) = (several, places[several[0]])
      case .chains: continue
      }
      for step in steps where pending[step].known.memory == .overwrites {
        let item = pending[step]
        guard let output = item.outputs.first ?? nil, let target = output.slot, slots[target].first == places[step]
        else { continue }
        for input in item.inputs {
          guard let input, input.spec == output.spec, let source = input.slot else { continue }
          let owner = root(source)
          guard slots[owner].first >= earliest, slots[owner].last == places[step], slots[target].within == nil,
            !holdsOthers(target)
          else { continue }
          slots[target].within = source
          slots[owner].last = slots[target].last
          break
        }
      }
    }
  }

  /// Counts lives in stretches: what a stretch touches lives as long as it, since its steps do not run in one order.
  private mutating func extendLives(_ schedule: Schedule) {
    var stretchOf: [Int] = []
    for (index, stretch) in schedule.stretches.enumerated() {
      stretchOf += [Int](repeating: index, count: stretch.steps.count)
    }
    for slot in slots.indices {
      if stretchOf.indices.contains(slots[slot].first) { slots[slot].first = stretchOf[slots[slot].first] }
      if stretchOf.indices.contains(slots[slot].last) { slots[slot].last = stretchOf[slots[slot].last] }
    }
  }

  private func root(_ slot: Int) -> Int {
    var slot = slot
    while let owner = slots[slot].within { slot = owner }
    return slot
  }

  /// Bytes from the start of the arena.
  private func place(of slot: Int) -> Int {
    slots[slot].offset + (slots[slot].within.map(place) ?? 0)
  }

  /// Whether a slot holds what is read before or after a run: an input or an output.
  private func isKept(_ slot: Int) -> Bool {
    let owner = slots[root(slot)]
    return owner.first < 0 || owner.last == .max
  }

  /// Gives each slot that is kept a place of its own, and each other the lowest place in the shared arena where nothing
  /// lives at the same time; returns the sizes of both.
  private mutating func layOut() -> (own: Int, shared: Int) {
    var live: [(offset: Int, end: Int, last: Int)] = []
    var (own, size) = (0, 0)
    for index in slots.indices.sorted(by: { (slots[$0].first, $0) < (slots[$1].first, $1) })
    where slots[index].within == nil {
      // Whole cache lines, so that two threads never write into one line of different values.
      let byteCount = (max(slots[index].byteCount, 1) + 63) / 64 * 64
      if isKept(index) {
        slots[index].offset = own
        own += byteCount
        continue
      }
      live.removeAll { $0.last < slots[index].first }
      live.sort { $0.offset < $1.offset }
      var offset = 0
      for other in live {
        if other.offset - offset >= byteCount { break }
        offset = max(offset, other.end)
      }
      slots[index].offset = offset
      live.append((offset, offset + byteCount, slots[index].last))
      size = max(size, offset + byteCount)
    }
    return (own, size)
  }

  private func bind(_ schedule: Schedule, _ sizes: (own: Int, shared: Int)) throws -> Plan {
    let (own, shared) = (Arena(byteCount: sizes.own), lender.lendValues(sizes.shared))
    func buffer(_ entry: Entry?) -> Buffer? {
      guard let entry else { return nil }
      switch entry.place {
      case .constant(let position):
        return Buffer(
          spec: entry.spec, pointer: UnsafeMutableRawPointer(mutating: constants[position].unsafeBaseAddress))
      case .variable(let buffer): return Buffer(spec: entry.spec, pointer: buffer.pointer)
      case .slot(let slot):
        return Buffer(spec: entry.spec, pointer: (isKept(slot) ? own : shared).pointer + place(of: slot))
      }
    }
    let faults = Faults()
    /// The kernels of some steps, one after another, on `pool`; of some rows of them where those are given.
    func kernels(_ steps: [Int], rows: Range<Int>? = nil, pool: ThreadPool) throws -> (kernels: [Kernel], scratch: Int)
    {
      var kernels: [Kernel] = []
      var scratch = 0
      for item in steps.map({ pending[$0] }) where !item.isView {
        var inference = item.inference
        var (inputs, outputs) = (item.inputs.map(buffer), item.outputs.map(buffer))
        var offset = 0
        if let rows, let form = item.rows {
          inference = inference.part(form, rows)
          inputs = zip(inputs, form.sliced).map { input, isSliced in isSliced ? input?.part(rows) : input }
          offset = (outputs.first ?? nil).map { $0.count / form.height * rows.lowerBound } ?? 0
          outputs = outputs.map { $0?.part(rows) }
        }
        let binding = Binding(
          inference: inference, inputs: inputs, outputs: outputs, pool: pool, random: random, faults: faults,
          constants: packed, offset: offset)
        if item.known.memory == .viewWhereUnchanged, let input = binding.inputs.first ?? nil,
          let output = binding.outputs.first ?? nil, input.pointer == output.pointer
        {
          continue
        }
        kernels.append(try item.known.bind(binding))
        scratch = max(scratch, binding.scratchByteCount)
      }
      return (kernels, (scratch + 63) / 64 * 64)
    }
    /// Several threads' kernels as one step.
    func joint(_ name: String, _ steps: [Int], _ parts: [(kernels: [Kernel], scratch: Int)]) -> Plan.Step {
      let stride = parts.map(\.scratch).max() ?? 0
      let (lists, pool) = (parts.map(\.kernels), pool)
      scratchByteCount = max(scratchByteCount, stride * parts.count)
      let names = steps.map { pending[$0].inference.node }
      let node = Node(
        name, domain: kernelDomain, name: "\(names.first?.name ?? "") … \(names.last?.name ?? "")", inputs: [],
        outputs: [])
      return Plan.Step(node: node) { scratch in
        pool.parallel(lists.count) { part in
          for kernel in lists[part] { kernel(scratch + part * stride) }
        }
      }
    }
    var steps: [Plan.Step] = []
    var scratchByteCount = 64
    for stretch in schedule.stretches {
      switch stretch {
      case .alone(let step):
        let (calls, scratch) = try kernels([step], pool: pool)
        scratchByteCount = max(scratchByteCount, scratch)
        steps += calls.map { Plan.Step(node: pending[step].inference.node, kernel: $0) }
      case .rows(let several, let height, let parts):
        // Parts start at multiples of 16 rows: no two threads write into one cache line, and loops that work on
        // vectors of elements end where they would in a single part.
        let blocks = (height + 15) / 16
        steps.append(
          joint(
            "Rows", several,
            try (0..<parts).map { index in
              let range = part(index, of: parts, in: blocks)
              return try kernels(
                several, rows: range.lowerBound * 16..<min(range.upperBound * 16, height), pool: .serial)
            }))
      case .chains(let chains):
        steps.append(joint("Chains", chains.flatMap { $0 }, try chains.map { try kernels($0, pool: .serial) }))
      }
    }
    func buffers(_ names: [String]) -> [String: Buffer] {
      Dictionary(names.compactMap { name in buffer(entries[name]).map { (name, $0) } }, uniquingKeysWith: { a, _ in a })
    }
    return Plan(
      steps: steps, own: own, shared: shared, arenaByteCount: sizes.own + sizes.shared,
      scratch: lender.lendScratch(scratchByteCount), inputs: buffers(program.inputs.map(\.name)),
      outputs: buffers(program.outputs), constants: constants, faults: faults, pool: pool)
  }
}

/// The branch that an `If` takes, with the names of its own values made unique by the node's output.
struct IfBranch {
  let nodes: [Node]
  let initializers: [Initializer]

  /// - Throws: `Inference.NeedsValue` where the condition is not known.
  init(of node: Node, condition: Tensor?) throws {
    guard let condition else { throw Inference.NeedsValue(name: node.inputs.first ?? "") }
    guard condition.elementType == .bool, condition.elementCount == 1 else {
      throw EngineError.invalidNode(
        node: node.described([condition.spec]), problem: "the condition must be one bool")
    }
    let taken = condition.elements(as: Bool.self)[0]
    guard case .graph(let graph)? = node.attribute(taken ? "then_branch" : "else_branch") else {
      throw EngineError.invalidNode(node: node.described(), problem: "the \(taken ? "then" : "else")_branch is missing")
    }
    guard graph.outputs.count >= node.outputs.count else {
      throw EngineError.invalidNode(
        node: node.described(),
        problem: "the branch gives \(graph.outputs.count) values, the node has \(node.outputs.count) outputs")
    }
    let prefix = (node.outputs.first { !$0.isEmpty } ?? node.name) + "/"
    var names: [String: String] = ["": ""]
    for initializer in graph.initializers { names[initializer.name] = prefix + initializer.name }
    for inner in graph.nodes { for output in inner.outputs where !output.isEmpty { names[output] = prefix + output } }
    initializers = graph.initializers.map { Initializer(prefix + $0.name, $0.tensor) }
    nodes =
      graph.nodes.map { $0.renamed(names) }
      + zip(graph.outputs, node.outputs).filter { !$1.isEmpty }.map { inner, outer in
        Node("Identity", inputs: [names[inner.name] ?? inner.name], outputs: [outer])
      }
  }
}

extension Node {
  /// The node with other names for its values, inside its subgraphs too.
  fileprivate func renamed(_ names: [String: String]) -> Node {
    var copy = self
    copy.inputs = inputs.map { names[$0] ?? $0 }
    copy.outputs = outputs.map { names[$0] ?? $0 }
    copy.attributes = attributes.map { attribute in
      guard case .graph(var graph) = attribute.value else { return attribute }
      let own = Set(graph.inputs.map(\.name) + graph.initializers.map(\.name) + graph.nodes.flatMap(\.outputs))
      let outer = names.filter { !own.contains($0.key) }
      graph.nodes = graph.nodes.map { $0.renamed(outer) }
      graph.outputs = graph.outputs.map { output in
        var output = output
        output.name = outer[output.name] ?? output.name
        return output
      }
      return Attribute(attribute.name, .graph(graph))
    }
    return copy
  }
}
