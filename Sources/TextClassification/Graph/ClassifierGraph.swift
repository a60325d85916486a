// A classifier of texts as a graph: an encoder, a head, and for the training the loss behind it.

import Encoders
import GraphEngine
import ONNX
import Tensors

/// An encoder with one output a label. A text may have several labels, so each has a probability of its own, the sigmoid
/// of its logit.
public struct ClassifierGraph: Sendable, Hashable {
  public typealias Value = GraphBuilder.Value

  public var configuration: EncoderConfiguration
  public var opset: Int

  /// - Precondition: the configuration has labels.
  public init(configuration: EncoderConfiguration, opset: Int = 17) {
    precondition(configuration.labels?.isEmpty == false, "a classifier needs labels")
    self.configuration = configuration
    self.opset = opset
  }

  public static let lossName = "loss"
  static let labelInput = "labels"
  static let weightInput = "weight"
  static let pooledOutput = "pooled"

  public var labels: [String] { configuration.labels ?? [] }

  /// Every parameter with its shape, in the order of PyTorch's state dict.
  public var parameterShapes: [(name: String, shape: Shape)] { configuration.allParameters(labels: labels.count) }

  public var parameterCount: Int { parameterShapes.reduce(0) { $0 + $1.shape.elementCount } }

  /// The names of the trained parameters, where the tables and the first `frozen` layers stay as they are; 0 trains all.
  public func trainedParameters(frozen: Int) -> [String] {
    guard frozen > 0 else { return parameterShapes.map(\.name) }
    let still = configuration.parameters(below: frozen)
    return parameterShapes.map(\.name).filter { !still.contains($0) }
  }

  /// The inputs that are tokens: `input_ids`, `attention_mask` and, where the encoder has token types, `token_type_ids`.
  public var tokenInputs: [String] {
    [EncoderNetwork.tokenInput, EncoderNetwork.maskInput]
      + (configuration.tokenTypeCount > 0 ? [EncoderNetwork.typeInput] : [])
  }

  /// The graph of a training: the tokens of a batch of texts and `labels` `[batch, labels]` (from 0 to 1) to the scalar
  /// `loss`.
  ///
  /// With logits `z` and labels `y` the loss is the mean over texts and labels of the binary cross-entropy
  /// `softplus(z) - y z`, which is `-(y log σ(z) + (1 - y) log(1 - σ(z)))`, finite for any `z`.
  ///
  /// - Parameter isWeighted: adds the input `weight` `[batch, 1]`, by which each text's losses are multiplied.
  public func training(_ parameters: [String: Tensor], isWeighted: Bool) -> Model {
    let builder = GraphBuilder(name: "text_classifier_training", opset: opset)
    let network = EncoderNetwork(configuration, parameters: parameters, in: builder)
    let logits = network.logits(network.inputs())
    let target = builder.input(Self.labelInput, .float, ["batch", Dimension(labels.count)])
    var losses = logits.softplus() - target * logits
    if isWeighted { losses = losses * builder.input(Self.weightInput, .float, ["batch", 1]) }
    builder.output(losses.mean(), Self.lossName, .float, [])
    return builder.model()
  }

  /// The graph that is exported: tokens to `logits` and `probabilities`, both `[batch, labels]`.
  public func classifier(_ parameters: [String: Tensor]) -> Model {
    var model = configuration.classifierModel(parameters, labels: labels.count, opset: opset)
    model.graph.documentation = "The probability that a text has each label; the labels' names are in config.json."
    return model
  }

  /// The exported graph with its dense layers and its tables in 8 bits, as `Model.dynamicallyQuantized(keeping:)` makes
  /// it: about a quarter of the size, the same inputs and outputs.
  public func quantizedClassifier(_ parameters: [String: Tensor]) -> Model {
    classifier(parameters).dynamicallyQuantized()
  }

  /// The graph whose outputs the head looks at: tokens to `pooled` `[batch, width]`.
  func pooler(_ parameters: [String: Tensor]) -> Model {
    let builder = GraphBuilder(name: "pooler", opset: opset)
    let network = EncoderNetwork(configuration.withoutDropout, parameters: parameters, in: builder)
    let pooled = network.pooled(network.inputs())
    builder.output(pooled, Self.pooledOutput, .float, ["batch", Dimension(configuration.width)])
    return builder.model()
  }

  /// The network with one layer and small tables: what a drawing shows.
  func drawn() -> Model {
    var smallest = configuration
    (smallest.layerCount, smallest.vocabularySize, smallest.maximumLength) = (1, 1, 2)
    (smallest.width, smallest.headCount, smallest.innerWidth) = (1, 1, 1)
    let shapes = smallest.allParameters(labels: 1)
    let zeros = Dictionary(
      uniqueKeysWithValues: shapes.map { ($0.name, Tensor(zeros: $0.shape, elementType: .float)) })
    return smallest.classifierModel(zeros, labels: 1, opset: opset)
  }
}
