// The pairwise ranker as a graph: written once, for training, export and verification alike.

import Datasets
import GraphEngine
import ONNX
import Tensors

/// The network of the pairwise ranker.
///
/// A shared scorer, `Linear → ReLU → Dropout → Linear → ReLU → Linear`, sees both items of a pair; the difference of
/// their scores says which is better. (The idea is RankNet's: Burges et al., "Learning to Rank using Gradient Descent",
/// 2005; the loss is the margin's, as in RankSVM.)
///
/// Both items go through the scorer as one batch of twice the size, so its weights are read once a step.
public struct RankerGraph: Sendable {
  public typealias Value = GraphBuilder.Value

  public let layout: FeatureLayout
  public let scaling: MetricScaling
  public let hiddenDimension: Int
  /// Probability with which the training zeroes a hidden number.
  public let dropout: Float
  /// By how much the winner's score should be ahead.
  public let margin: Float
  public let opset: Int

  public init(
    layout: FeatureLayout, scaling: MetricScaling, hiddenDimension: Int = 256, dropout: Float = 0.2,
    margin: Float = 1, opset: Int = 17
  ) {
    self.layout = layout
    self.scaling = scaling
    self.hiddenDimension = hiddenDimension
    self.dropout = dropout
    self.margin = margin
    self.opset = opset
  }

  /// The name of the loss in `training`.
  public static let loss = "loss"

  /// The names of the trained parameters: those of the PyTorch module with `shared_layer` (a `Sequential`) and
  /// `score_layer`.
  public static let parameterNames = [
    "shared_layer.0.weight", "shared_layer.0.bias", "shared_layer.3.weight", "shared_layer.3.bias",
    "score_layer.weight", "score_layer.bias",
  ]

  /// The shape that each parameter has, by name.
  public var parameterShapes: [String: Shape] {
    [
      "shared_layer.0.weight": [hiddenDimension, layout.count], "shared_layer.0.bias": [hiddenDimension],
      "shared_layer.3.weight": [hiddenDimension, hiddenDimension], "shared_layer.3.bias": [hiddenDimension],
      "score_layer.weight": [1, hiddenDimension], "score_layer.bias": [1],
    ]
  }

  /// The graph of a training: `input_a`, `input_b` `[batch, features]` and `label` `[batch]` (1, 0 or -1) to
  /// `score_diff`, `score_a`, `score_b` `[batch]` and the scalar `loss`.
  ///
  /// - Parameter seed: where the initial parameters are drawn from.
  public func training(seed: UInt64) -> Model { training(seed: Optional(seed)) }

  private func training(seed: UInt64?) -> Model {
    let builder = GraphBuilder(name: "pairwise_ranker", opset: opset)
    let difference = pair(in: builder, seed: seed)
    let label = builder.input("label", .float, ["batch"])
    let loss = Self.marginRankingLoss(difference, label, margin: margin)
    builder.output(loss, Self.loss, .float, [])
    return described(
      builder.model(), "Scores of two items and their difference: above 0 where A is better, below 0 where B is.")
  }

  /// The graph that ranks, its parameters zeros: `input` `[batch, features]` to `score` `[batch]`.
  public func scorer() -> Model {
    let builder = GraphBuilder(name: "pairwise_ranker_scorer", opset: opset)
    let input = builder.input("input", .float, ["batch", Dimension(layout.count)])
    builder.output(score(input, seed: nil), "score", .float, ["batch"])
    return described(
      builder.model().forInference(outputs: ["score"]), "The score of each item; the larger, the better.")
  }

  /// The graph that compares, as it is exported, its parameters zeros.
  public func comparer() -> Model {
    training(seed: nil).forInference(outputs: ["score_diff", "score_a", "score_b"])
  }

  /// The loss alone: `score_diff` and `label` `[batch]` to `loss`, to measure differences that are known already.
  func lossOfDifferences() -> Model {
    let builder = GraphBuilder(name: "margin_ranking_loss", opset: opset)
    let difference = builder.input("score_diff", .float, ["batch"])
    let label = builder.input("label", .float, ["batch"])
    builder.output(Self.marginRankingLoss(difference, label, margin: margin), Self.loss, .float, [])
    return builder.model()
  }

  private func pair(in builder: GraphBuilder, seed: UInt64?) -> Value {
    let a = builder.input("input_a", .float, ["batch", Dimension(layout.count)])
    let b = builder.input("input_b", .float, ["batch", Dimension(layout.count)])
    let scores = score(.concatenate([a, b], axis: 0), seed: seed).split(parts: 2, axis: 0)
    let difference = builder.output(scores[0] - scores[1], "score_diff", .float, ["batch"])
    builder.output(scores[0], "score_a", .float, ["batch"])
    builder.output(scores[1], "score_b", .float, ["batch"])
    return difference
  }

  /// `[rows, features]` to `[rows]`.
  private func score(_ input: Value, seed: UInt64?) -> Value {
    let builder = input.builder
    var generator = seed.map { SeededGenerator(seed: $0) }
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> Linear {
      guard generator != nil else { return Linear(name, inputs: inputs, outputs: outputs, in: builder) }
      return Linear(name, inputs: inputs, outputs: outputs, in: builder, generator: &generator!)
    }
    let first = linear("shared_layer.0", layout.count, hiddenDimension)
    let second = linear("shared_layer.3", hiddenDimension, hiddenDimension)
    let head = linear("score_layer", hiddenDimension, 1)
    let hidden = second(first(standardized(input)).relu().dropout(dropout)).relu()
    return head(hidden).squeezed([1])
  }

  /// `(x - mean) / std` with the mean for what is NaN. An embedding's columns have the mean 0 and the deviation 1, which
  /// changes no bit of them: one pass over whole rows is cheaper than taking them apart and together.
  private func standardized(_ input: Value) -> Value {
    guard !layout.metricNames.isEmpty else { return input }
    let embedding = layout.embeddingDimension
    let mean = input.builder.constant(
      Tensor([Float](repeating: 0, count: embedding) + scaling.means), name: "feature_mean")
    let deviation = input.builder.constant(
      Tensor([Float](repeating: 1, count: embedding) + scaling.standardDeviations), name: "feature_std")
    return (input.isNaN().select(mean, input) - mean) / deviation
  }

  /// The margin ranking loss of score differences `d` with preferences `y`: the mean over the batch of
  /// `max(0, margin - y · d)` where `y = ±1`, and of `|d|` where `y = 0`.
  ///
  /// - Parameters:
  ///   - difference: `score_a - score_b`, shape `[batch]`.
  ///   - label: -1, 0 or 1, shape `[batch]`.
  /// - Returns: a scalar.
  /// - Note: PyTorch's `MarginRankingLoss` has no rule for ties; a tie there only adds a constant.
  static func marginRankingLoss(_ difference: Value, _ label: Value, margin: Float) -> Value {
    let isTie = label.equals(label.builder.constant(Tensor(scalar: Float(0))))
    let hinge = (margin - label * difference).relu()
    return isTie.select(difference.abs(), hinge).mean()
  }

  private func described(_ model: Model, _ purpose: String) -> Model {
    var model = model
    model.producerName = Toolkit.name
    model.producerVersion = Toolkit.version
    model.documentation = """
      A pairwise ranker. \(purpose)
      Columns of an input: \(layout.summary). Metrics are raw numbers, NaN where one is missing: the graph standardises \
      them and fills gaps with the training's means.
      """
    model.metadata = [
      MetadataEntry(key: "model_type", value: Self.modelType),
      MetadataEntry(key: "features", value: layout.summary),
      MetadataEntry(key: "embedding_dim", value: String(layout.embeddingDimension)),
      MetadataEntry(key: "metric_names", value: layout.metricNames.joined(separator: ",")),
      MetadataEntry(key: "metric_means", value: scaling.means.map(\.description).joined(separator: ",")),
      MetadataEntry(key: "metric_stds", value: scaling.standardDeviations.map(\.description).joined(separator: ",")),
      MetadataEntry(key: "margin", value: margin.description),
    ]
    for index in model.graph.inputs.indices where model.graph.inputs[index].name.hasPrefix("input") {
      model.graph.inputs[index].documentation = layout.summary
    }
    return model
  }

  /// What metadata and graphs call this kind of model.
  public static let modelType = "pairwise_ranker"
}
