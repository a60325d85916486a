// Alternating least squares itself: a session over the graph of one iteration.

import Datasets
import GraphEngine
import ONNX
import Tensors

/// Factorises a matrix of interactions, one iteration at a time.
///
/// ```swift
/// let solver = try ALSSolver(InteractionMatrix(interactions), settings: ALSSettings())
/// for _ in 0..<10 { print(try solver.iterate()) }
/// let items = solver.parameters["item_factors.weight"]!
/// ```
///
/// Used by one thread at a time; the engine shares the work among `settings.threads`.
public final class ALSSolver {
  public let graph: ALSGraph
  private let session: Session
  private let plan: Plan
  /// Iterations done.
  public private(set) var iteration = 0

  /// - Parameters:
  ///   - matrix: users by items, the values the entries' strengths.
  ///   - parameters: where the tables start (`user_factors.weight` `[users, factors]`, `item_factors.weight`
  ///     `[items, factors]`); nil draws them from the seed.
  /// - Throws: `EngineError` where the tables do not fit.
  public init(_ matrix: InteractionMatrix, settings: ALSSettings, parameters: [String: Tensor]? = nil) throws {
    graph = ALSGraph(
      userCount: matrix.rowCount, itemCount: matrix.columnCount, factors: settings.factors, opset: settings.opset)
    let start = parameters ?? Self.initialParameters(graph, settings: settings)
    session = try Session(
      graph.training(matrix, settings: settings, parameters: start),
      options: Session.Options(
        threads: settings.threads, seed: settings.seed, variables: Set(graph.parameterShapes.map(\.name))))
    // The graph's shapes follow from its initializers, so there is a plan.
    guard let plan = try session.plan(for: [:]) else {
      throw EngineError.invalidGraph(problem: "the graph of alternating least squares has no plan")
    }
    self.plan = plan
  }

  /// Improves the users' factors, then the items'.
  ///
  /// - Returns: the loss after it; see ``ALSSettings``.
  /// - Throws: `EngineError` where a row's equations have no solution.
  public func iterate() throws -> Double {
    try session.execute(plan)
    iteration += 1
    return plan.withUnsafeOutput(ALSGraph.lossName, as: Double.self) { $0[0] } ?? .nan
  }

  /// Both tables as they stand, by name.
  public var parameters: [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: graph.parameterShapes.compactMap { name, _ in session.variable(name).map { (name, $0) } })
  }

  /// Goes on after `iteration` iterations that left these tables.
  /// - Throws: `EngineError.invalidInput` where one does not fit.
  public func restore(_ parameters: [String: Tensor], iteration: Int) throws {
    for (name, tensor) in parameters { try session.setVariable(name, to: tensor) }
    self.iteration = iteration
  }

  /// Normal numbers with a standard deviation of `initialScale / √factors`. Where the users' first half-step is exact, it
  /// asks nothing of their own start, which is then zeros.
  static func initialParameters(_ graph: ALSGraph, settings: ALSSettings) -> [String: Tensor] {
    let deviation = Double(settings.initialScale) / Double(settings.factors).squareRoot()
    let isExact = settings.solver == .cholesky && (settings.blockSize ?? settings.factors) >= settings.factors
    var generator = SeededGenerator(seed: settings.seed)
    var parameters: [String: Tensor] = [:]
    for (name, shape) in graph.parameterShapes.reversed() {
      if isExact, name == ALSGraph.userTable {
        parameters[name] = Tensor(zeros: shape, elementType: .float)
      } else {
        parameters[name] = Tensor(uninitialized: shape, elementType: .float) { bytes in
          generator.fillNormal(bytes.bindMemory(to: Float.self), standardDeviation: deviation)
        }
      }
    }
    return parameters
  }
}
