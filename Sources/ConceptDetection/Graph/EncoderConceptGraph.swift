// The network of a detector that reads notes with a pretrained encoder.

import Encoders
import GraphEngine
import ONNX
import Tensors

/// Scores the concepts of a lexicon for texts by what a pretrained encoder makes of their tokens.
///
/// With `h[t]` the encoder's last hidden state of token `t`, which knows the tokens around it, and the embedding `C[c]`
/// and the bias `b[c]` of a concept:
///
///     s[t, c] = C[c] · h[t]
///     z[c]    = b[c] + max over t of s[t, c]
///
/// The encoder stays as it came; the concepts' embeddings and biases are trained. The maximum over the tokens does here
/// what that over windows of words does in ``ConceptGraph``: what a note says besides does not drown what speaks for a
/// concept, and the tokens' scores say which words do.
public struct EncoderConceptGraph: DetectorGraph, Hashable {
  public typealias Value = GraphBuilder.Value

  public var configuration: EncoderConfiguration
  public var conceptCount: Int
  public var opset: Int

  /// - Precondition: the opset is one of `EncoderNetwork.supportedOpsets`.
  public init(configuration: EncoderConfiguration, conceptCount: Int, opset: Int = 17) {
    self.configuration = configuration.withoutDropout
    self.configuration.labels = nil
    self.conceptCount = conceptCount
    self.opset = opset
  }

  /// What each token adds to the score of a concept, `[batch, sequence, concepts]`.
  public static let tokenScoresOutput = "token_scores"
  static let statesInput = "states"

  public var width: Int { configuration.width }

  /// The encoder's parameters under their own names, then those of the concepts.
  public var parameterShapes: [(name: String, shape: Shape)] { configuration.encoderParameters + headShapes }

  /// The parameters that are trained, as PyTorch's `Linear` has them.
  var headShapes: [(name: String, shape: Shape)] {
    [(ConceptGraph.conceptTable, [conceptCount, width]), (ConceptGraph.conceptBias, [conceptCount])]
  }

  public var trainedParameterCount: Int { headShapes.reduce(0) { $0 + $1.shape.elementCount } }

  // MARK: Graphs

  /// The graph of a training: `states`, float `[texts, tokens, width]`, the encoder's for each token, and
  /// `attention_mask`, int64 `[texts, tokens]`, with `concepts` and `weight` to the scalar `loss`.
  func training(_ head: [String: Tensor]) -> Model {
    let builder = GraphBuilder(name: "concepts_training", opset: opset)
    writeLoss(of: logits(ofStatesIn: builder, head).logits, rows: "texts")
    return builder.model()
  }

  /// The head alone: `states` and `attention_mask` as in a training to `logits` `[texts, concepts]`.
  func scorer(_ head: [String: Tensor]) -> Model {
    let builder = GraphBuilder(name: "concepts", opset: opset)
    builder.output(
      logits(ofStatesIn: builder, head).logits, ConceptGraph.logitsOutput, .float, ["texts", Dimension(conceptCount)])
    return builder.model()
  }

  /// The graph that is exported: `input_ids`, `attention_mask` and (BERT) `token_type_ids`, int64 `[batch, sequence]`, to
  /// `logits` and `probabilities` `[batch, concepts]` and `token_scores` `[batch, sequence, concepts]`.
  public func detector(_ parameters: [String: Tensor]) -> Model {
    let builder = GraphBuilder(name: "concepts", opset: opset)
    let network = EncoderNetwork(configuration, parameters: parameters, in: builder)
    let inputs = network.inputs()
    let (logits, scores) = logits(network.hiddenStates(inputs), mask: inputs.mask, parameters)
    writeAnswers(logits, rows: "batch")
    builder.output(scores, Self.tokenScoresOutput, .float, ["batch", "sequence", Dimension(conceptCount)])
    return described(
      builder.model(), reading: "Texts become tokens as vocab.txt, tokenizer_config.json and the metadata say.")
  }

  public func drawn() -> Model {
    var small = self
    small.configuration.layerCount = min(1, configuration.layerCount)
    (small.configuration.vocabularySize, small.configuration.maximumLength) = (1, 2)
    (small.configuration.width, small.configuration.headCount, small.configuration.innerWidth) = (1, 1, 1)
    small.conceptCount = 1
    return small.detector(
      Dictionary(
        uniqueKeysWithValues: small.parameterShapes.map { ($0.name, Tensor(zeros: $0.shape, elementType: .float)) }))
  }

  private func logits(
    ofStatesIn builder: GraphBuilder, _ head: [String: Tensor]
  ) -> (logits: Value, tokenScores: Value) {
    let states = builder.input(Self.statesInput, .float, ["texts", "tokens", Dimension(width)])
    return logits(states, mask: builder.input(EncoderNetwork.maskInput, .int64, ["texts", "tokens"]), head)
  }

  /// States `[texts, tokens, width]` to `[texts, concepts]`, and what the tokens add, `[texts, tokens, concepts]`.
  private func logits(
    _ states: Value, mask: Value, _ parameters: [String: Tensor]
  ) -> (logits: Value, tokenScores: Value) {
    let builder = states.builder
    let concepts = builder.parameter(ConceptGraph.conceptTable, parameters[ConceptGraph.conceptTable]!)
    let bias = builder.parameter(ConceptGraph.conceptBias, parameters[ConceptGraph.conceptBias]!)
    let scores = states.matmul(concepts.transposed([1, 0]))
    let isToken = builder.node(
      "Unsqueeze",
      [
        builder.node("Cast", [mask], [Attribute("to", .int(Int64(ElementType.float.rawValue)))]),
        builder.constant(Tensor([Int64(2)])),
      ])
    let told = scores - (1 - isToken) * emptyPenalty
    return (told.greatestOfSecondAxis() + bias, scores)
  }
}
