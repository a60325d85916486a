// Factors of users and items as graphs: one that trains them, and those that are exported.

import GraphEngine
import ONNX
import Tensors

/// A matrix factorisation: the score of user `u` and item `i` is `user_factors[u] · item_factors[i]`.
public struct ALSGraph: Sendable, Hashable {
  public var userCount: Int
  public var itemCount: Int
  /// Numbers in a row of each table.
  public var factors: Int
  public var opset: Int

  public init(userCount: Int, itemCount: Int, factors: Int, opset: Int = 17) {
    self.userCount = userCount
    self.itemCount = itemCount
    self.factors = factors
    self.opset = opset
  }

  /// What metadata and graphs call this kind of model.
  public static let modelType = "als"

  static let userTable = "user_factors.weight"
  static let itemTable = "item_factors.weight"

  /// The trained parameters with their shapes.
  public var parameterShapes: [(name: String, shape: Shape)] {
    [(Self.userTable, [userCount, factors]), (Self.itemTable, [itemCount, factors])]
  }

  // MARK: What is exported

  /// `user` int64 `[batch]` to `scores` float `[batch, items]`; the parameters are zeros.
  public func scorer() -> Model {
    let builder = GraphBuilder(name: "als", opset: opset)
    let scores = scores(of: builder.input("user", .int64, ["batch"]))
    builder.output(scores, "scores", .float, ["batch", items])
    return described(builder.model(), "The scores of all items for the users user[n].")
  }

  /// `user` int64 `[batch]` and `k` int64 `[1]` to the `k` items with the highest scores, best first: `items` int64
  /// `[batch, k]` and `scores` float `[batch, k]`. Of equal scores the item with the lower place comes first.
  public func topItems() -> Model {
    let builder = GraphBuilder(name: "als_top_k", opset: opset)
    let user = builder.input("user", .int64, ["batch"])
    let top = builder.nodes("TopK", [scores(of: user), builder.input("k", .int64, [1])], outputs: 2)
    builder.output(top[1], "items", .int64, ["batch", "k"])
    builder.output(top[0], "scores", .float, ["batch", "k"])
    return described(builder.model(), "The k items with the highest scores for each of the users user[n].")
  }

  private var items: Dimension { Dimension(.fixed(Int64(itemCount))) }

  private func scores(of user: GraphBuilder.Value) -> GraphBuilder.Value {
    let builder = user.builder
    let tables = parameterShapes.map { builder.parameter($0.name, Tensor(zeros: $0.shape, elementType: .float)) }
    let rows = builder.node("Gather", [tables[0], user])
    return builder.node("Gemm", [rows, tables[1]], [Attribute("transB", .int(1))])
  }

  private func described(_ model: Model, _ purpose: String) -> Model {
    var model = model
    model.producerName = Toolkit.name
    model.producerVersion = Toolkit.version
    model.documentation = """
      A matrix factorisation by alternating least squares. \(purpose)
      Users and items are numbers from 0, in the order of the checkpoint's user_id_map and item_id_map.
      """
    model.metadata = [
      MetadataEntry(key: "model_type", value: Self.modelType),
      MetadataEntry(key: "num_users", value: String(userCount)),
      MetadataEntry(key: "num_items", value: String(itemCount)),
      MetadataEntry(key: "factors", value: String(factors)),
    ]
    return model
  }

  // MARK: What trains

  /// One iteration as a graph: the users' half-step, the items', and the loss after both. A run of it updates both tables.
  ///
  /// - Parameters:
  ///   - matrix: users by items, the values the entries' strengths.
  ///   - parameters: where both tables start.
  func training(_ matrix: InteractionMatrix, settings: ALSSettings, parameters: [String: Tensor]) -> Model {
    var graph = Graph(name: "als_training")
    for (name, _) in parameterShapes { graph.initializers.append(Initializer(name, parameters[name]!)) }
    var attributes = [Attribute("unobserved", .float(settings.unobservedWeight))]
    switch settings.solver {
    case .cholesky: attributes.append(Attribute("block", .int(Int64(settings.blockSize ?? 0))))
    case .conjugateGradient: attributes.append(Attribute("steps", .int(Int64(settings.conjugateGradientSteps))))
    }
    /// Solves for `table` given the `other` side's factors; returns the names of the updated table and the objectives.
    func halfStep(_ side: String, _ table: String, _ other: String, _ matrix: InteractionMatrix) -> (String, String) {
      let offsets = matrix.offsets
      let regularization = (0..<matrix.rowCount).map {
        settings.regularization(entries: offsets[$0 + 1] - offsets[$0], others: matrix.columnCount)
      }
      graph.initializers += [
        Initializer("\(side)_offsets", Tensor(offsets.map(Int64.init))),
        Initializer("\(side)_columns", Tensor(matrix.columns)),
        Initializer("\(side)_confidences", Self.confidences(matrix.values, settings)),
        Initializer("\(side)_regularization", Tensor(regularization)),
      ]
      graph.nodes += [
        Node(
          "GramMatrix", domain: trainingDomain, name: "\(side)_gram", inputs: [other], outputs: ["\(side)_gram"]),
        Node(
          "LeastSquares", domain: trainingDomain, name: "\(side)_half_step",
          inputs: [
            table, other, "\(side)_gram", "\(side)_offsets", "\(side)_columns", "\(side)_confidences",
            "\(side)_regularization",
          ], outputs: ["\(side)_updated", "\(side)_objective"], attributes: attributes),
      ]
      return ("\(side)_updated", "\(side)_objective")
    }
    let (users, _) = halfStep("user", Self.userTable, Self.itemTable, matrix)
    let (_, objective) = halfStep("item", Self.itemTable, users, matrix.transposed)
    graph.nodes.append(
      Node(
        "FactorizationLoss", domain: trainingDomain, name: "loss",
        inputs: [objective, users, "user_regularization"], outputs: [Self.lossName]))
    graph.outputs = [ValueInfo(Self.lossName, .double, [])]
    return Model(operatorSets: [OperatorSet(version: Int64(opset))], graph: graph)
  }

  static let lossName = "loss"

  /// `α₀ + α r` of each entry, or one number where all are the same: the solver is quicker then.
  static func confidences(_ strengths: [Float], _ settings: ALSSettings) -> Tensor {
    if let first = strengths.first, strengths.allSatisfy({ $0 == first }) {
      return Tensor([settings.unobservedWeight + settings.alpha * first])
    }
    return Tensor(strengths.map { settings.unobservedWeight + settings.alpha * $0 })
  }
}
