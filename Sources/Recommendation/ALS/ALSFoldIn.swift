// A place among the users for somebody whom the training never saw: one row of a half-step.

import GraphEngine
import ONNX
import Synchronization
import Tensors

/// Gives new users factors from the items that they have turned to, as the training's next half-step would.
///
/// ```swift
/// let foldIn = try ALSFoldIn(itemFactors: table, settings: settings)
/// let factors = try foldIn.factors(ofSeen: [3, 17, 29])
/// ```
///
/// Always exact, whatever solver trained. May be used from several tasks at once; they take turns.
public final class ALSFoldIn: Sendable {
  public let factors: Int
  public let itemCount: Int
  private let settings: ALSSettings
  private let session: Mutex<UncheckedSession>

  /// The mutex lets one thread at it at a time.
  private struct UncheckedSession: @unchecked Sendable { let session: Session }

  /// - Parameter itemFactors: `item_factors.weight` of the trained model, float `[items, factors]`.
  /// - Throws: `EngineError` where it is something else.
  public init(itemFactors: Tensor, settings: ALSSettings) throws {
    guard itemFactors.shape.rank == 2, itemFactors.elementType == .float else {
      throw EngineError.invalidInput(
        name: ALSGraph.itemTable, problem: "is \(itemFactors.spec), expected float of [items, factors]")
    }
    itemCount = itemFactors.shape[0]
    factors = itemFactors.shape[1]
    self.settings = settings
    session = Mutex(
      UncheckedSession(session: try Session(Self.model(itemFactors, settings), options: .init(threads: 1))))
  }

  /// The factors of a user with these items.
  ///
  /// - Parameters:
  ///   - items: places of items, in any order; one that repeats adds up its strengths.
  ///   - strengths: of each item; nil: 1 for each.
  /// - Returns: `factors` numbers; zeros where there are no items. Their products with the items' factors are scores.
  /// - Throws: `RecommendationError.unknownPlaces` for items that the model does not have.
  public func factors(ofSeen items: [Int32], strengths: [Float]? = nil) throws -> [Float] {
    precondition(strengths == nil || strengths!.count == items.count, "a strength for each item")
    let unknown = items.filter { $0 < 0 || Int($0) >= itemCount }
    guard unknown.isEmpty else {
      throw RecommendationError.unknownPlaces(unknown.map(Int.init), of: "items", count: itemCount)
    }
    guard !items.isEmpty else { return [Float](repeating: 0, count: factors) }
    let row = InteractionMatrix(
      rows: [Int32](repeating: 0, count: items.count), columns: items,
      values: strengths ?? [Float](repeating: 1, count: items.count), rowCount: 1, columnCount: itemCount)
    let feeds = [
      "start": Tensor(zeros: [1, factors], elementType: .float), "offsets": Tensor([0, Int64(row.count)]),
      "columns": Tensor(row.columns),
      "confidences": Tensor(row.values.map { settings.unobservedWeight + settings.alpha * $0 }),
      "regularization": Tensor([settings.regularization(entries: row.count, others: itemCount)]),
    ]
    return try session.withLock { try $0.session.run(feeds)["factors"]!.elements() }
  }

  /// The scores of all items for a user with these factors: `[items]`.
  public static func scores(of factors: [Float], itemFactors: Tensor) -> [Float] {
    itemFactors.withUnsafeElements(as: Float.self) { table in
      factors.withUnsafeBufferPointer { user in
        (0..<table.count / max(user.count, 1)).map { item in
          dotProduct(user.baseAddress!, table.baseAddress! + item * user.count, count: user.count)
        }
      }
    }
  }

  private static func model(_ itemFactors: Tensor, _ settings: ALSSettings) throws -> Model {
    let (items, factors) = (itemFactors.shape[0], itemFactors.shape[1])
    let gram = Graph(
      name: "gram", nodes: [Node("GramMatrix", domain: trainingDomain, inputs: ["y"], outputs: ["gram"])],
      inputs: [ValueInfo("y", .float, [Dimension(.fixed(Int64(items))), Dimension(.fixed(Int64(factors)))])],
      outputs: [ValueInfo("gram", nil)])
    let sets = [OperatorSet(version: 17)]
    // Once, not for every user: it takes longer than all the rest.
    let product = try Session(Model(operatorSets: sets, graph: gram)).run(["y": itemFactors])["gram"]!
    let graph = Graph(
      name: "fold_in",
      nodes: [
        Node(
          "LeastSquares", domain: trainingDomain, name: "fold_in",
          inputs: ["start", ALSGraph.itemTable, "gram", "offsets", "columns", "confidences", "regularization"],
          outputs: ["factors"], attributes: [Attribute("unobserved", .float(settings.unobservedWeight))])
      ],
      initializers: [Initializer(ALSGraph.itemTable, itemFactors), Initializer("gram", product)],
      inputs: [
        ValueInfo("start", .float, [1, Dimension(.fixed(Int64(factors)))]), ValueInfo("offsets", .int64, [2]),
        ValueInfo("columns", .int32, ["entries"]), ValueInfo("confidences", .float, ["entries"]),
        ValueInfo("regularization", .float, [1]),
      ], outputs: [ValueInfo("factors", nil)])
    return Model(operatorSets: sets, graph: graph)
  }
}

/// `Σ a[i] b[i]`, in sixteen sums that are added up in a fixed order.
func dotProduct(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
  var sums = SIMD16<Float>()
  var index = 0
  while index + 16 <= count {
    let left = UnsafeRawPointer(a + index).loadUnaligned(as: SIMD16<Float>.self)
    sums += left * UnsafeRawPointer(b + index).loadUnaligned(as: SIMD16<Float>.self)
    index += 16
  }
  var sum = sums.sum()
  while index < count {
    sum += a[index] * b[index]
    index += 1
  }
  return sum
}
