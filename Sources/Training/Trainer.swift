// A model with a loss, its gradient and its optimizer as one graph: a run of it is a step of training.

import GraphEngine
import ONNX
import Tensors

/// Trains the parameters of a model whose graph holds its loss.
///
/// The trainer differentiates the graph and appends the optimizer's updates as nodes, so that one step is one run of
/// one plan. The model that comes out is the graph that went in, with other numbers.
public final class Trainer {
  /// What a trainer needs beside the graph.
  public struct Options: Sendable {
    public var optimizer: Optimizer
    /// Gradients are scaled down together where their joint Euclidean norm is larger; nil leaves them.
    public var gradientClip: Float?
    /// Parameters that weight decay leaves alone.
    public var undecayed: Set<String>
    /// For embedding tables the row that padding names: it stays as it is. Tables that are read by `Gather` alone.
    public var padding: [String: Int]
    /// Where dropout's random numbers start.
    public var seed: UInt64
    /// Threads that share a step; nil takes as many as the processor has cores.
    public var threads: Int?

    public init(
      optimizer: Optimizer = .adam(), gradientClip: Float? = nil, undecayed: Set<String> = [],
      padding: [String: Int] = [:], seed: UInt64 = 0, threads: Int? = nil
    ) {
      self.optimizer = optimizer
      self.gradientClip = gradientClip
      self.undecayed = undecayed
      self.padding = padding
      self.seed = seed
      self.threads = threads
    }
  }

  /// Everything that a later step depends on: restoring it makes the training go on as if it had never stopped.
  public struct State: Sendable {
    /// Steps taken.
    public var step: Int
    /// Parameters by name.
    public var parameters: [String: Tensor]
    /// The optimizer's moments, `parameter` and a number: `shared_layer.0.weight/moment1`.
    public var moments: [String: Tensor]

    public init(step: Int, parameters: [String: Tensor], moments: [String: Tensor]) {
      self.step = step
      self.parameters = parameters
      self.moments = moments
    }
  }

  /// The name of the loss among the graph's values.
  public let loss: String
  /// The names of the trained parameters.
  public let parameterNames: [String]
  private let session: Session
  private let momentNames: [String]
  private(set) public var stepCount = 0

  private static let learningRateInput = "training/learning_rate"
  private static let stepInput = "training/step"

  /// - Parameters:
  ///   - model: a graph with the loss among its values.
  ///   - loss: the name of a scalar to be made small.
  ///   - parameters: initializers to train.
  ///   - watched: further values that can be read after each step.
  /// - Throws: `EngineError` naming the node, where one on the way from a parameter to the loss has no gradient.
  public init(
    _ model: Model, loss: String, parameters: [String], watching watched: [String] = [], options: Options = Options()
  ) throws {
    self.loss = loss
    parameterNames = parameters
    let shapes = Dictionary(
      model.graph.initializers.map { ($0.name, $0.tensor.shape) }, uniquingKeysWith: { first, _ in first })
    var training = model
    let differentiated = try model.graph.differentiated(
      of: loss, withRespectTo: parameters, opset: model.operatorSetVersion() ?? 17, keeping: watched)
    training.graph = differentiated.graph
    training.graph.inputs.append(ValueInfo(Self.learningRateInput, .float, []))
    training.graph.inputs.append(ValueInfo(Self.stepInput, .int64, []))

    var scale = ""
    if let clip = options.gradientClip {
      scale = "training/gradient_scale"
      let gradients = parameters.compactMap { differentiated.gradients[$0] }.map { gradient in
        switch gradient {
        case .dense(let name): name
        case .rows(_, let rows): rows
        }
      }
      training.graph.nodes.append(
        Node(
          "ClipScale", domain: trainingDomain, name: scale, inputs: gradients, outputs: [scale],
          attributes: [Attribute("max_norm", .float(clip))]))
    }
    var moments: [String] = []
    for parameter in parameters {
      guard let gradient = differentiated.gradients[parameter], let shape = shapes[parameter] else { continue }
      let optimizer = options.undecayed.contains(parameter) ? options.optimizer.withoutDecay : options.optimizer
      let own = (0..<optimizer.momentCount).map { "\(parameter)/moment\($0 + 1)" }
      for name in own {
        training.graph.initializers.append(Initializer(name, Tensor(zeros: shape, elementType: .float)))
      }
      moments += own
      let (suffix, gradients) =
        switch gradient {
        case .dense(let name): ("", [name])
        case .rows(let indices, let rows): ("Rows", [indices, rows])
        }
      let padding = options.padding[parameter].map { [Attribute("padding", .int(Int64($0)))] } ?? []
      guard padding.isEmpty || !suffix.isEmpty else {
        throw EngineError.invalidGraph(
          problem: "'\(parameter)' has a row for padding, and is read by something else than Gather")
      }
      training.graph.nodes.append(
        Node(
          optimizer.operatorType + suffix, domain: trainingDomain, name: "\(parameter)/update",
          inputs: [parameter] + gradients + [Self.learningRateInput, Self.stepInput, scale] + own,
          outputs: ["\(parameter)/updated"], attributes: optimizer.attributes + padding))
    }
    momentNames = moments
    session = try Session(
      training, outputs: [loss] + watched,
      options: Session.Options(
        threads: options.threads, seed: options.seed, variables: Set(parameters).union(moments)))
  }

  /// Takes one step.
  /// - Parameters:
  ///   - batch: the types of the graph's inputs for this batch.
  ///   - learningRate: the step's length.
  ///   - fill: writes the batch into the plan's inputs.
  ///   - read: looks at the plan's outputs after the step.
  /// - Returns: the loss before the update.
  @discardableResult
  public func step(
    _ batch: [String: TensorSpec], learningRate: Float, fill: (Plan) throws -> Void,
    read: (Plan) throws -> Void = { _ in }
  ) throws -> Float {
    let plan = try prepared(batch, learningRate: learningRate)
    try fill(plan)
    try session.execute(plan)
    stepCount += 1
    try read(plan)
    return plan.withUnsafeOutput(loss, as: Float.self) { $0[0] } ?? .nan
  }

  /// Takes one step as `step` does, and says how many seconds each node of it took.
  public func profiledStep(
    _ batch: [String: TensorSpec], learningRate: Float, fill: (Plan) throws -> Void
  ) throws -> [(node: Node, seconds: Double)] {
    let plan = try prepared(batch, learningRate: learningRate)
    try fill(plan)
    stepCount += 1
    return try plan.profiled()
  }

  /// The plan for a batch of the given types, with the step's own numbers written.
  private func prepared(_ batch: [String: TensorSpec], learningRate: Float) throws -> Plan {
    var specs = batch
    specs[Self.learningRateInput] = TensorSpec(.float, .scalar)
    specs[Self.stepInput] = TensorSpec(.int64, .scalar)
    guard let plan = try session.plan(for: specs) else {
      throw EngineError.invalidGraph(
        problem: "the shapes of this graph depend on values that only a run tells; such a graph runs but does not train"
      )
    }
    plan.withUnsafeMutableInput(Self.learningRateInput) { $0[0] = learningRate }
    plan.withUnsafeMutableInput(Self.stepInput, as: Int64.self) { $0[0] = Int64(stepCount + 1) }
    session.runNumber = UInt64(stepCount)
    return plan
  }

  /// The parameters as they stand, by name.
  public var parameters: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: parameterNames.compactMap { name in session.variable(name).map { (name, $0) } })
  }

  /// Everything that a later step depends on.
  public var state: State {
    State(
      step: stepCount, parameters: parameters,
      moments: Dictionary(
        uniqueKeysWithValues: momentNames.compactMap { name in session.variable(name).map { (name, $0) } }))
  }

  /// Goes on from a saved state.
  /// - Throws: `EngineError.invalidInput` where a tensor of the state does not fit the graph.
  public func restore(_ state: State) throws {
    for (name, tensor) in state.parameters.merging(state.moments, uniquingKeysWith: { a, _ in a }) {
      try session.setVariable(name, to: tensor)
    }
    stepCount = state.step
  }
}

extension Optimizer {
  fileprivate var operatorType: String {
    switch self {
    case .adam, .adamW: "Adam"
    case .sgd: "SGD"
    }
  }

  fileprivate var attributes: [Attribute] {
    switch self {
    case .adam(let beta1, let beta2, let epsilon, let weightDecay):
      [
        Attribute("beta1", .float(beta1)), Attribute("beta2", .float(beta2)), Attribute("epsilon", .float(epsilon)),
        Attribute("weight_decay", .float(weightDecay)), Attribute("decoupled", .int(0)),
      ]
    case .adamW(let beta1, let beta2, let epsilon, let weightDecay):
      [
        Attribute("beta1", .float(beta1)), Attribute("beta2", .float(beta2)), Attribute("epsilon", .float(epsilon)),
        Attribute("weight_decay", .float(weightDecay)), Attribute("decoupled", .int(1)),
      ]
    case .sgd(let momentum, let nesterov, let weightDecay):
      [
        Attribute("momentum", .float(momentum)), Attribute("nesterov", .int(nesterov ? 1 : 0)),
        Attribute("weight_decay", .float(weightDecay)),
      ]
    }
  }
}
