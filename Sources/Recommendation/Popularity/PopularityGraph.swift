// Popularity as graphs of the same form as a factorisation's, so that one takes the other's place.

import GraphEngine
import ONNX
import Tensors

/// The same scores for every user.
public struct PopularityGraph: Sendable, Hashable {
  public var itemCount: Int
  public var opset: Int

  public init(itemCount: Int, opset: Int = 17) {
    self.itemCount = itemCount
    self.opset = opset
  }

  /// What metadata and graphs call this kind of model.
  public static let modelType = "popularity"

  static let parameter = "item_scores"

  /// The parameter with its shape.
  public var parameterShapes: [(name: String, shape: Shape)] { [(Self.parameter, [itemCount])] }

  /// `user` int64 `[batch]` to `scores` float `[batch, items]`; the parameter is zeros. Any number stands for a user.
  public func scorer() -> Model {
    let builder = GraphBuilder(name: "popularity", opset: opset)
    let user = builder.input("user", .int64, ["batch"])
    let scores = repeated(itemScores(builder), user, builder.constant(Tensor([Int64(itemCount)]), name: "item_count"))
    builder.output(scores, "scores", .float, ["batch", Dimension(itemCount)])
    return described(builder.model(), "The scores of all items, the same for any users user[n].")
  }

  /// `user` int64 `[batch]` and `k` int64 `[1]` to the `k` items with the highest scores, best first: `items` int64
  /// `[batch, k]` and `scores` float `[batch, k]`. Of equal scores the item with the lower place comes first.
  public func topItems() -> Model {
    let builder = GraphBuilder(name: "popularity_top_k", opset: opset)
    let user = builder.input("user", .int64, ["batch"])
    let count = builder.input("k", .int64, [1])
    let top = builder.nodes("TopK", [itemScores(builder), count], outputs: 2)
    builder.output(repeated(top[1], user, count), "items", .int64, ["batch", "k"])
    builder.output(repeated(top[0], user, count), "scores", .float, ["batch", "k"])
    return described(builder.model(), "The k items with the highest scores, the same for any users user[n].")
  }

  private func itemScores(_ builder: GraphBuilder) -> GraphBuilder.Value {
    builder.parameter(Self.parameter, Tensor(zeros: [itemCount], elementType: .float))
  }

  /// One row for each user: `[count]` to `[batch, count]`.
  private func repeated(
    _ row: GraphBuilder.Value, _ user: GraphBuilder.Value, _ count: GraphBuilder.Value
  ) -> GraphBuilder.Value {
    let builder = user.builder
    let shape = builder.node(
      "Concat", [builder.node("Shape", [user]), count], [Attribute("axis", .int(0))])
    return builder.node("Expand", [row, shape])
  }

  private func described(_ model: Model, _ purpose: String) -> Model {
    var model = model
    model.producerName = Toolkit.name
    model.producerVersion = Toolkit.version
    model.documentation = """
      Popularity. \(purpose)
      Items are numbers from 0, in the order of the checkpoint's item_id_map.
      """
    model.metadata = [
      MetadataEntry(key: "model_type", value: Self.modelType),
      MetadataEntry(key: "num_items", value: String(itemCount)),
    ]
    return model
  }
}
