// The graphs that are made of an encoder: its hidden states, embeddings of whole texts, a classifier.

import GraphEngine
import ONNX
import Tensors

extension EncoderConfiguration {
  /// The names of the graphs' outputs.
  public static let hiddenOutput = "last_hidden_state"
  public static let embeddingOutput = "sentence_embedding"
  public static let logitsOutput = "logits"
  public static let probabilitiesOutput = "probabilities"

  /// The encoder alone: `input_ids`, `attention_mask` and (BERT) `token_type_ids`, int64 `[batch, sequence]`, to
  /// `last_hidden_state` `[batch, sequence, width]`.
  public func encoderModel(_ parameters: [String: Tensor], opset: Int = 17) -> Model {
    model("encoder", parameters, opset) { network, builder in
      let states = network.hiddenStates(network.inputs())
      builder.output(states, Self.hiddenOutput, .float, ["batch", "sequence", Dimension(width)])
    }
  }

  /// The encoder with mean pooling: the same inputs to `sentence_embedding` `[batch, width]`, each of length 1.
  public func embeddingModel(_ parameters: [String: Tensor], opset: Int = 17) -> Model {
    model("sentence_encoder", parameters, opset) { network, builder in
      let embeddings = network.sentenceEmbeddings(network.inputs())
      builder.output(embeddings, Self.embeddingOutput, .float, ["batch", Dimension(width)])
    }
  }

  /// The encoder with a classifier: the same inputs to `logits` and `probabilities` `[batch, labels]`, where the
  /// probability of each label is the sigmoid of its logit: a text may have several labels, or none.
  public func classifierModel(_ parameters: [String: Tensor], labels: Int, opset: Int = 17) -> Model {
    model("text_classifier", parameters, opset) { network, builder in
      let logits = network.logits(network.inputs())
      let probabilities = logits.sigmoid()
      let shape: [Dimension] = ["batch", Dimension(labels)]
      builder.output(logits, Self.logitsOutput, .float, shape)
      builder.output(probabilities, Self.probabilitiesOutput, .float, shape)
    }
  }

  private func model(
    _ name: String, _ parameters: [String: Tensor], _ opset: Int, write: (EncoderNetwork, GraphBuilder) -> Void
  ) -> Model {
    let builder = GraphBuilder(name: name, opset: opset)
    write(EncoderNetwork(withoutDropout, parameters: parameters, in: builder), builder)
    return builder.model()
  }
}
