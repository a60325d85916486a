// What every kind of detector's network has in common.

import GraphEngine
import ONNX
import Tensors

/// A network that scores the concepts of a lexicon, as a graph that can be exported.
public protocol DetectorGraph: Sendable {
  /// Every parameter with its shape, in the order of the PyTorch module's state dict.
  var parameterShapes: [(name: String, shape: Shape)] { get }
  /// How many numbers a training changes.
  var trainedParameterCount: Int { get }
  var conceptCount: Int { get }
  /// Numbers in a concept's embedding.
  var width: Int { get }

  /// The graph that is exported, with `logits` and `probabilities` `[…, concepts]` among its outputs.
  func detector(_ parameters: [String: Tensor]) -> Model

  /// The graph with zeros for parameters, small enough for a drawing.
  func drawn() -> Model
}

extension DetectorGraph {
  public var parameterCount: Int { parameterShapes.reduce(0) { $0 + $1.shape.elementCount } }
  public var trainedParameterCount: Int { parameterCount }

  /// Writes the loss behind logits: the inputs `concepts` `[rows, concepts]`, 1 where a row has the concept and 0
  /// elsewhere, and `weight` of the same shape, 0 for what is not told, and the scalar `loss`: the mean of the weighted
  /// binary cross-entropy of the logits, `softplus(z) - y z`, which is `-(y log σ(z) + (1 - y) log(1 - σ(z)))`, finite
  /// for any z.
  func writeLoss(of logits: GraphBuilder.Value, rows: Dimension) {
    let builder = logits.builder
    let target = builder.input(ConceptGraph.targetInput, .float, [rows, Dimension(conceptCount)])
    let weight = builder.input(ConceptGraph.weightInput, .float, [rows, Dimension(conceptCount)])
    builder.output(((logits.softplus() - target * logits) * weight).mean(), ConceptGraph.lossName, .float, [])
  }

  /// Writes the outputs `logits` and `probabilities`, `[rows, concepts]`.
  func writeAnswers(_ logits: GraphBuilder.Value, rows: Dimension) {
    let shape = [rows, Dimension(conceptCount)]
    let probabilities = logits.sigmoid()
    logits.builder.output(logits, ConceptGraph.logitsOutput, .float, shape)
    logits.builder.output(probabilities, ConceptGraph.probabilitiesOutput, .float, shape)
  }

  /// The graph's model with what a reader of the file should know.
  /// - Parameter reading: how a text becomes the graph's input.
  func described(_ model: Model, reading: String) -> Model {
    var model = model
    model.producerName = Toolkit.name
    model.producerVersion = Toolkit.version
    model.documentation =
      "Finds concepts of a lexicon in notes. \(reading) Concepts are numbered as in concept_mapping.json."
    model.metadata = [
      MetadataEntry(key: "model_type", value: ConceptMetadata.modelType),
      MetadataEntry(key: "width", value: "\(width)"), MetadataEntry(key: "concepts", value: "\(conceptCount)"),
    ]
    return model
  }
}

/// Below any score that a training reaches: what is no word or token speaks for nothing.
let emptyPenalty: Float = 1e4

extension GraphBuilder.Value {
  /// The greatest over the second of three axes, which goes away.
  func greatestOfSecondAxis() -> GraphBuilder.Value {
    builder.opset < 18
      ? builder.node("ReduceMax", [self], [Attribute("axes", .ints([1])), Attribute("keepdims", .int(0))])
      : builder.node(
        "ReduceMax", [self, builder.constant(Tensor([Int64(1)]))], [Attribute("keepdims", .int(0))])
  }
}
