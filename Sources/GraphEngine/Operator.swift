// An operator owns everything about itself: its types, its kernel, its gradient. This is what one consists of.

import ONNX
import Tensors

/// The work of one node of a plan, bound to its memory. `scratch` has as many bytes as the binding asked for.
typealias Kernel = (_ scratch: UnsafeMutableRawPointer) -> Void

/// One operator of the engine: how its outputs are typed, computed and differentiated.
struct Operator: Sendable {
  let name: String
  var domain = ""
  /// How many inputs a node may have.
  let arity: ClosedRange<Int>
  var memory = Memory.separate
  /// Inputs of which only the shape counts: their memory is free for others before this operator runs.
  var shapeInputs: ClosedRange<Int>?
  /// How the outputs can be computed in parts; see `Schedule`.
  var rows = RowRule.none
  /// The multiply-adds of a node, where they are most of its work.
  var multiplyAdds: (@Sendable (Inference) -> Int?)?
  /// Types and shapes of the outputs, from those of the inputs and the values that are known before a run.
  let infer: @Sendable (Inference) throws -> [TensorSpec]
  /// The outputs where they follow from the types alone (`Shape`) or from known values by a shorter way; nil elsewhere.
  var known: (@Sendable (Inference) throws -> [Tensor]?)?
  /// The kernel over the node's memory.
  let bind: @Sendable (Binding) throws -> Kernel
  var gradient = Gradient.missing

  /// How an operator's first output uses memory.
  enum Memory: Sendable, Equatable {
    /// Its own.
    case separate
    /// The bytes of the first input where type and element count are the same: no kernel runs then.
    case viewWhereUnchanged
    /// May overwrite an input of the same type and shape that nothing reads later.
    case overwrites
    /// Its inputs one after the other: where no axis is before the joined one, they may be written in place.
    case joins
    /// Updates its first input, a variable, where it lies: never folded, never dropped.
    case updatesVariable
    /// Its own, and its kernel draws random numbers: never folded.
    case random
  }

  /// How an operator is differentiated.
  enum Gradient: Sendable {
    /// Appends the nodes that compute the gradients of the inputs.
    case rule(@Sendable (GradientRule) throws -> Void)
    /// Piecewise constant, or of integers: nothing flows back, and that is right.
    case zero
    /// Not known to the engine.
    case missing
  }
}

extension Operator {
  /// The operator of a node.
  /// - Throws: `EngineError.unsupportedOperator`, naming the node and its inputs' types.
  static func required(for node: Node, inputs: [TensorSpec?]) throws -> Operator {
    guard let known = named(node.operatorType, domain: node.domain) else {
      throw EngineError.unsupportedOperator(node: node.described(inputs))
    }
    return known
  }

  /// The outputs' types, after the number of inputs was checked.
  func checkedInfer(_ inference: Inference) throws -> [TensorSpec] {
    guard arity.contains(inference.inputs.count) else {
      throw inference.failure("takes \(arity.lowerBound) to \(arity.upperBound) inputs, not \(inference.inputs.count)")
    }
    let specs = try infer(inference)
    for spec in specs {
      guard let count = spec.shape.checkedElementCount, let bytes = spec.elementType.byteCount(count),
        bytes <= Self.maximumByteCount
      else { throw inference.failure("an output of \(spec) is larger than the engine takes") }
    }
    return specs
  }

  private static let largestFolded = 1 << 20

  /// A tensor of more bytes than this is taken for a mistake in a shape: 64 GiB.
  static let maximumByteCount = 64 << 30

  /// Whether a view serves: the output has the first input's bytes.
  func isUnchanged(from input: TensorSpec, to output: TensorSpec) -> Bool {
    input.elementType == output.elementType && input.shape.elementCount == output.shape.elementCount
  }

  /// The outputs' values, where they are known before a run.
  func fold(_ inference: Inference, random: RandomState) throws -> [Tensor]? {
    if let known, let values = try known(inference) { return values }
    guard memory != .updatesVariable, memory != .random else { return nil }
    var isWhole = true
    for (position, constant) in inference.constants.enumerated()
    where inference.isPresent(position) && constant == nil {
      guard shapeInputs?.contains(position) ?? false else { return nil }
      isWhole = false
    }
    // A value that only shapes decide about is kept with the plan: not a table of zeros.
    if !isWhole, try checkedInfer(inference).reduce(0, { $0 + $1.byteCount }) > Self.largestFolded { return nil }
    return try evaluate(inference, random: random)
  }

  /// Runs the operator once over known inputs, on the calling thread.
  func evaluate(_ inference: Inference, random: RandomState) throws -> [Tensor] {
    let inputs = inference.constants
    let outputs = try checkedInfer(inference).map { Tensor(zeros: $0.shape, elementType: $0.elementType) }
    if memory == .viewWhereUnchanged, let input = inputs.first ?? nil,
      isUnchanged(from: input.spec, to: outputs[0].spec)
    {
      return [input.reshaped(to: outputs[0].shape)]
    }
    func buffer(_ tensor: Tensor) -> Buffer {
      Buffer(spec: tensor.spec, pointer: UnsafeMutableRawPointer(mutating: tensor.unsafeBaseAddress))
    }
    let binding = Binding(
      inference: inference,
      inputs: inputs.enumerated().map { position, tensor in
        // Nothing reads the elements of an input of which only the shape is known.
        tensor.map(buffer) ?? inference.inputs[position].map { Buffer(spec: $0, pointer: Self.nowhere) }
      },
      outputs: outputs.enumerated().map { index, tensor in
        index < inference.node.outputs.count && !inference.node.outputs[index].isEmpty ? buffer(tensor) : nil
      }, pool: .serial, random: random, faults: Faults())
    let kernel = try bind(binding)
    withUnsafeTemporaryAllocation(byteCount: max(binding.scratchByteCount, 64), alignment: 64) { scratch in
      withExtendedLifetime((inputs, outputs)) { kernel(scratch.baseAddress!) }
    }
    try binding.faults.check()
    return outputs
  }

  nonisolated(unsafe) private static let nowhere = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)

  /// The name under which a node finds its operator.
  static func key(_ name: String, domain: String) -> String {
    domain.isEmpty || domain == "ai.onnx" ? name : "\(domain).\(name)"
  }
}

/// Where an operator's infer step stands: the node, its inputs' types, and their values where those are known.
struct Inference {
  let node: Node
  let opset: Int
  let inputs: [TensorSpec?]
  let constants: [Tensor?]

  /// Thrown by `constant` where shapes depend on a value that only a run tells.
  struct NeedsValue: Error { let name: String }

  func isPresent(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

  func spec(_ index: Int) throws -> TensorSpec {
    guard isPresent(index) else { throw failure("input \(index) is missing") }
    return inputs[index]!
  }

  func shape(_ index: Int) throws -> Shape { try spec(index).shape }

  /// The value of an input that the shapes depend on.
  func constant(_ index: Int) throws -> Tensor {
    _ = try spec(index)
    guard let value = constants[index] else { throw NeedsValue(name: node.inputs[index]) }
    return value
  }

  /// The integers of an input that the shapes depend on (`int64` or `int32`).
  func integers(_ index: Int) throws -> [Int] {
    let tensor = try constant(index)
    switch tensor.elementType {
    case .int64: return tensor.elements(as: Int64.self).map(Int.init)
    case .int32: return tensor.elements(as: Int32.self).map(Int.init)
    default: throw failure("input \(index) must hold integers, not \(tensor.elementType)")
    }
  }

  /// An axis in `-rank..<rank`, counted from the front.
  func axis(_ axis: Int, rank: Int) throws -> Int {
    guard axis >= -rank, axis < rank else { throw failure("axis \(axis) is outside a rank of \(rank)") }
    return axis < 0 ? axis + rank : axis
  }

  func failure(_ problem: String) -> EngineError { .invalidNode(node: node.described(inputs), problem: problem) }

  /// Requires that an input has one of the given element types.
  func require(_ index: Int, _ types: ElementType...) throws {
    let found = try spec(index).elementType
    guard types.contains(found) else {
      throw failure(
        "input \(index) is \(found); the engine computes it with \(types.map(\.description).joined(separator: ", "))")
    }
  }
}

/// The memory of a value in a plan.
struct Buffer {
  let spec: TensorSpec
  let pointer: UnsafeMutableRawPointer

  var shape: Shape { spec.shape }
  var count: Int { spec.shape.elementCount }

  func elements<Element>(as type: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
    pointer.assumingMemoryBound(to: type)
  }

  var floats: UnsafeMutablePointer<Float> { elements() }
}

/// Where an operator's bind step stands: the node, its memory, and what the session lends it.
final class Binding {
  let inference: Inference
  let inputs: [Buffer?]
  let outputs: [Buffer?]
  let pool: ThreadPool
  let random: RandomState
  /// Where the kernel notes values that it cannot compute with, such as an index outside its range.
  let faults: Faults
  /// What the session's plans keep of constants.
  let constants: PackedConstants
  /// The first output's elements before the first of this binding, where it is for a part of the rows.
  let offset: Int
  private(set) var scratchByteCount = 0

  init(
    inference: Inference, inputs: [Buffer?], outputs: [Buffer?], pool: ThreadPool, random: RandomState, faults: Faults,
    constants: PackedConstants = PackedConstants(), offset: Int = 0
  ) {
    self.inference = inference
    self.inputs = inputs
    self.outputs = outputs
    self.pool = pool
    self.random = random
    self.faults = faults
    self.constants = constants
    self.offset = offset
  }

  var node: Node { inference.node }

  /// Asks for bytes that the kernel may use while it runs, shared with the other nodes.
  func reserveScratch(_ byteCount: Int) { scratchByteCount = max(scratchByteCount, byteCount) }

  func input(_ index: Int) -> Buffer { inputs[index]! }

  func optionalInput(_ index: Int) -> Buffer? { index < inputs.count ? inputs[index] : nil }

  func output(_ index: Int = 0) -> Buffer { outputs[index]! }

  func optionalOutput(_ index: Int) -> Buffer? { index < outputs.count ? outputs[index] : nil }
}

/// The counter of a session's random numbers: a seed, and the number of the run, so that each run draws anew
/// and a resumed training draws what the uninterrupted one would have.
final class RandomState {
  let seed: UInt64
  var run: UInt64 = 0

  init(seed: UInt64) { self.seed = seed }
}
