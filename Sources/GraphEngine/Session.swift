// Runs a model: plans it for the shapes it is given, keeps the plans and the variables.

import ONNX
import Tensors

/// A model that runs. It makes a plan for the shapes of its inputs at the first run with them and keeps it for the next.
///
/// ```swift
/// let session = try Session(Model(contentsOf: "ranker_scorer.onnx"))
/// let scores = try session.run(["input": features])["score"]
/// ```
///
/// A session is used by one thread at a time; its kernels share the work among `Options.threads`.
public final class Session {
  /// How a session runs.
  public struct Options: Sendable {
    /// Threads that share the work of one run; nil takes as many as the processor has cores.
    public var threads: Int?
    /// Where the random numbers of dropout start.
    public var seed: UInt64
    /// Initializers that nodes update, such as the parameters of a training.
    public var variables: Set<String>
    /// How many plans of different shapes are kept.
    public var planLimit: Int

    public init(
      threads: Int? = nil, seed: UInt64 = 0, variables: Set<String> = [], planLimit: Int = 64
    ) {
      self.threads = threads
      self.seed = seed
      self.variables = variables
      self.planLimit = planLimit
    }
  }

  private let program: Program
  private let pool: ThreadPool
  private let random: RandomState
  private let planLimit: Int
  private var storage: [String: Tensor] = [:]
  private var plans: [[TensorSpec]: Plan] = [:]
  private let lender = ArenaLender()
  private let packed = PackedConstants()
  /// Shapes of which a value that only a run tells decides: such a graph runs node by node.
  private var needsValues = false

  /// - Parameter outputs: the values to compute, also from inside the graph; nil takes the graph's outputs.
  /// - Throws: `EngineError` where the graph is not whole.
  public init(_ model: Model, outputs: [String]? = nil, options: Options = Options()) throws {
    var program = try Program(model, outputs: outputs, variables: options.variables)
    Fusion.apply(to: &program)
    self.program = program
    planLimit = options.planLimit
    let threads = options.threads ?? ThreadPool.defaultThreadCount
    pool = threads <= 1 ? .serial : ThreadPool(threads: threads)
    random = RandomState(seed: options.seed)
    for (name, tensor) in program.variables {
      // A copy of its own: kernels write into it.
      var own = tensor
      own.withUnsafeMutableBytes { _ in }
      storage[name] = own
    }
  }

  /// The operators that the engine computes, `domain.Name` where the domain is not ONNX's own.
  public static var supportedOperators: [String] { Operator.table.keys.filter { !$0.hasPrefix("rankerkit.") }.sorted() }

  /// The operators that the engine differentiates.
  public static var differentiableOperators: [String] {
    Operator.table.filter { key, value in
      if case .rule = value.gradient { !key.hasPrefix("rankerkit.") } else { false }
    }.keys.sorted()
  }

  /// The inputs that the graph declares and no initializer fills.
  public var inputs: [ValueInfo] { program.inputs }

  /// The names that a run gives.
  public var outputs: [String] { program.outputs }

  /// The number of the next run, which the random numbers depend on; set it to go on where a saved training stopped.
  public var runNumber: UInt64 {
    get { random.run }
    set { random.run = newValue }
  }

  /// Runs the model.
  /// - Parameter feeds: a tensor for each input that the outputs depend on.
  /// - Returns: each output under its name.
  /// - Throws: `EngineError` where an input is missing or does not fit, or a node cannot be run.
  public func run(_ feeds: [String: Tensor]) throws -> [String: Tensor] {
    for name in feeds.keys where !program.inputs.contains(where: { $0.name == name }) {
      throw EngineError.invalidInput(
        name: name,
        problem: "the graph has no such input; it has \(program.inputs.map(\.name).joined(separator: ", "))")
    }
    guard let plan = try plan(for: feeds.mapValues(\.spec)) else { return try runNodeByNode(feeds) }
    for (name, tensor) in feeds { plan.write(tensor, to: name) }
    try execute(plan)
    var results: [String: Tensor] = [:]
    for name in program.outputs { results[name] = plan.read(name) }
    return results
  }

  /// The plan for inputs of the given types, made once; nil where shapes depend on a value that only a run tells.
  ///
  /// A plan spares the copies of `run`: write its inputs in place, `execute` it, read its outputs in place. Inputs and
  /// outputs are the plan's own; what lies between shares its memory with the session's other plans.
  /// - Throws: `EngineError` as `run` does.
  public func plan(for feeds: [String: TensorSpec]) throws -> Plan? {
    guard !needsValues else { return nil }
    let key = try checkedSpecs(feeds)
    if let plan = plans[key] { return plan }
    do {
      var planner = Planner(
        program: program,
        variables: storage.mapValues {
          Buffer(spec: $0.spec, pointer: UnsafeMutableRawPointer(mutating: $0.unsafeBaseAddress))
        }, pool: pool, random: random, lender: lender, packed: packed)
      let generation = lender.generation
      let plan = try planner.plan(for: feeds)
      // Plans that work in memory of before would keep it beside the new.
      if plans.count >= planLimit || lender.generation != generation { plans.removeAll() }
      plans[key] = plan
      return plan
    } catch is Inference.NeedsValue {
      needsValues = true
      return nil
    }
  }

  /// The types of the inputs in the graph's order, after each was compared with what the graph declares.
  private func checkedSpecs(_ feeds: [String: TensorSpec]) throws -> [TensorSpec] {
    var extents: [String: (input: String, extent: Int)] = [:]
    return try program.inputs.map { input in
      guard let spec = feeds[input.name] else { throw EngineError.invalidInput(name: input.name, problem: "missing") }
      try input.check(spec)
      for (axis, name) in input.axisNames {
        let known = extents[name] ?? (input.name, spec.shape[axis])
        guard known.extent == spec.shape[axis] else {
          throw EngineError.invalidInput(
            name: input.name,
            problem: "has \(spec.shape[axis]) for '\(name)', and '\(known.input)' has \(known.extent)")
        }
        extents[name] = known
      }
      return spec
    }
  }

  /// Runs a plan of this session once over the inputs that were written to it.
  /// - Throws: `EngineError.invalidNode` where a node met a value that it cannot compute with, such as an index outside
  ///   its range; outputs and variables are then of no use.
  public func execute(_ plan: Plan) throws {
    try plan.run()
    random.run += 1
  }

  /// A variable as the last run left it.
  public func variable(_ name: String) -> Tensor? {
    guard let tensor = storage[name] else { return nil }
    return tensor.withUnsafeBytes { Tensor(bytes: $0, shape: tensor.shape, elementType: tensor.elementType) }
  }

  /// Sets a variable.
  /// - Throws: `EngineError.invalidInput` where there is none of that name, type and shape.
  public func setVariable(_ name: String, to value: Tensor) throws {
    guard let tensor = storage[name] else {
      throw EngineError.invalidInput(name: name, problem: "the session has no such variable")
    }
    guard tensor.spec == value.spec else {
      throw EngineError.invalidInput(name: name, problem: "is \(tensor.spec), not \(value.spec)")
    }
    value.withUnsafeBytes { bytes in
      UnsafeMutableRawPointer(mutating: tensor.unsafeBaseAddress).copyMemory(
        from: bytes.baseAddress!, byteCount: bytes.count)
    }
  }

  /// Runs the nodes in order with every value known, for graphs whose shapes depend on values.
  private func runNodeByNode(_ feeds: [String: Tensor]) throws -> [String: Tensor] {
    guard storage.isEmpty else {
      throw EngineError.invalidGraph(
        problem: "the graph '\(program.name)' has shapes that depend on values; such a graph runs but does not train")
    }
    var values = program.constants
    _ = try checkedSpecs(feeds.mapValues(\.spec))
    values.merge(feeds) { $1 }
    var nodes = Array(program.nodes.reversed())
    while let node = nodes.popLast() {
      if node.operatorType == "If", node.domain.isEmpty {
        let branch = try IfBranch(of: node, condition: values[node.inputs.first ?? ""])
        for initializer in branch.initializers { values[initializer.name] = initializer.tensor }
        nodes.append(contentsOf: branch.nodes.reversed())
        continue
      }
      let inputs = node.inputs.map { $0.isEmpty ? nil : values[$0] }
      let known = try Operator.required(for: node, inputs: inputs.map { $0?.spec })
      let inference = Inference(
        node: node, opset: program.opset, inputs: inputs.map { $0?.spec }, constants: inputs)
      let results = try known.known?(inference) ?? known.evaluate(inference, random: random)
      for (name, tensor) in zip(node.outputs, results) where !name.isEmpty { values[name] = tensor }
    }
    random.run += 1
    return Dictionary(
      program.outputs.compactMap { name in values[name].map { (name, $0) } }, uniquingKeysWith: { a, _ in a })
  }
}

extension ValueInfo {
  /// The axes whose extent the graph gives a name: the same name stands for the same extent in every input.
  fileprivate var axisNames: [(axis: Int, name: String)] {
    guard case .tensor(let declared, _)? = type, let dimensions = declared.shape else { return [] }
    return dimensions.enumerated().compactMap { axis, dimension in
      if case .named(let name) = dimension.extent, !name.isEmpty { (axis, name) } else { nil }
    }
  }

  /// Requires that a tensor's type is what the graph declares for this input.
  fileprivate func check(_ spec: TensorSpec) throws {
    guard case .tensor(let declared, _)? = type else { return }
    guard declared.elementType == spec.elementType else {
      throw EngineError.invalidInput(
        name: name, problem: "the graph takes \(declared.elementType), and \(spec.elementType) was given")
    }
    guard let dimensions = declared.shape else { return }
    let fits =
      dimensions.count == spec.shape.rank
      && zip(dimensions, spec.shape).allSatisfy { dimension, extent in
        if case .fixed(let fixed) = dimension.extent { Int(fixed) == extent } else { true }
      }
    guard fits else {
      let wanted = dimensions.map { dimension in
        switch dimension.extent {
        case .fixed(let fixed): "\(fixed)"
        case .named(let name): name
        case .unknown: "?"
        }
      }
      throw EngineError.invalidInput(
        name: name, problem: "the graph takes [\(wanted.joined(separator: ", "))], and \(spec.shape) was given")
    }
  }
}
