// An encoder of the BERT family as a graph: written once, for training, export, embedding and verification alike.

import GraphEngine
import ONNX
import Tensors

/// Writes an encoder into a graph, in standard operators only.
///
/// Hidden states are kept as rows, `[batch · sequence, width]`, so that every dense layer is one `Gemm`; only the
/// attention looks at texts one by one.
///
/// ```swift
/// let builder = GraphBuilder(name: "encoder", opset: 17)
/// let network = EncoderNetwork(configuration, parameters: parameters, in: builder)
/// let states = network.hiddenStates(network.inputs())
/// ```
public struct EncoderNetwork {
  public typealias Value = GraphBuilder.Value

  public let configuration: EncoderConfiguration
  private let parameters: [String: Tensor]
  private let builder: GraphBuilder

  /// The names of the graphs' inputs.
  public static let tokenInput = "input_ids"
  public static let maskInput = "attention_mask"
  public static let typeInput = "token_type_ids"

  /// The oldest opset with `LayerNormalization`.
  public static let supportedOpsets = 17...GraphBuilder.supportedOpsets.upperBound

  /// - Parameter parameters: the tensors by their names, in their shapes.
  /// - Precondition: the builder's opset is one of `supportedOpsets`.
  public init(_ configuration: EncoderConfiguration, parameters: [String: Tensor], in builder: GraphBuilder) {
    precondition(Self.supportedOpsets.contains(builder.opset), "opset \(builder.opset) has no LayerNormalization")
    self.configuration = configuration
    self.parameters = parameters
    self.builder = builder
  }

  /// What the network takes in.
  public struct Inputs {
    /// Numbers of tokens, int64 `[batch, sequence]`.
    public var tokens: Value
    /// 1 for a token, 0 for padding, int64 `[batch, sequence]`.
    public var mask: Value
    /// 0 for the first text, 1 for a second, int64 `[batch, sequence]`; nil in DistilBERT.
    public var types: Value?
  }

  /// Declares the inputs, with batch and length open.
  public func inputs() -> Inputs {
    func input(_ name: String) -> Value { builder.input(name, .int64, ["batch", "sequence"]) }
    return Inputs(
      tokens: input(Self.tokenInput), mask: input(Self.maskInput),
      types: configuration.tokenTypeCount > 0 ? input(Self.typeInput) : nil)
  }

  // MARK: The encoder

  /// The last layer's hidden states, `[batch, sequence, width]`.
  public func hiddenStates(_ inputs: Inputs) -> Value {
    let shape = builder.node("Shape", [inputs.tokens])
    var rows = embeddings(inputs, shape)
    let attention = Attention(shape: headShape(shape), bias: maskBias(inputs.mask))
    for index in 0..<configuration.layerCount { rows = layer(index, rows, attention) }
    return perText(rows, shape)
  }

  /// The last layer's hidden state of each text's first token, `[batch, width]`.
  ///
  /// The other tokens of the last layer serve only as what the first one attends to, so that layer computes queries and
  /// the feed-forward block for one token a text: the same numbers as `hiddenStates` gives, for less.
  public func firstStates(_ inputs: Inputs) -> Value {
    let shape = builder.node("Shape", [inputs.tokens])
    var rows = embeddings(inputs, shape)
    let attention = Attention(shape: headShape(shape), bias: maskBias(inputs.mask))
    let last = configuration.layerCount - 1
    for index in 0..<last { rows = layer(index, rows, attention) }
    let first = builder.node(
      "Gather", [perText(rows, shape), builder.constant(Tensor(scalar: Int64(0)))], [Attribute("axis", .int(1))])
    return layer(last, rows, attention, queries: (rows: first, perText: 1))
  }

  /// Rows as `[batch, sequence, width]`.
  private func perText(_ rows: Value, _ shape: Value) -> Value {
    let width = builder.constant(Tensor([Int64(configuration.width)]))
    return builder.node("Reshape", [rows, .concatenate([shape, width], axis: 0)])
  }

  /// `[batch, sequence, heads, width of a head]`, which rows are reshaped to.
  private func headShape(_ shape: Value) -> Value {
    let heads = builder.constant(Tensor([Int64(configuration.headCount), Int64(configuration.headWidth)]))
    return .concatenate([shape, heads], axis: 0)
  }

  /// What is added to the scores: 0 for a token, the least number for padding, `[batch, 1, 1, sequence]`. Where a whole
  /// text is padding every score becomes the same, in single and in double precision.
  private func maskBias(_ mask: Value) -> Value {
    let float = builder.node("Cast", [mask], [Attribute("to", .int(Int64(ElementType.float.rawValue)))])
    let spread = builder.node("Unsqueeze", [1 - float, builder.constant(Tensor([Int64(1), Int64(2)]))])
    return spread * -Float.greatestFiniteMagnitude
  }

  /// Tokens, positions and types, normalised: rows.
  private func embeddings(_ inputs: Inputs, _ shape: Value) -> Value {
    let names = configuration.names
    func constant(_ values: Int64...) -> Value { builder.constant(Tensor(values)) }
    var sum = builder.node("Gather", [parameter(names.tokens), inputs.tokens])
    if let types = inputs.types { sum = sum + builder.node("Gather", [parameter(names.tokenTypes), types]) }
    let length = builder.node("Slice", [shape, constant(1), constant(2), constant(0)])
    sum = sum + builder.node("Slice", [parameter(names.positions), constant(0), length, constant(0)])
    let rows = sum.reshaped([-1, configuration.width])
    return normalized(rows, names.embeddingNormalization).dropout(Float(configuration.hiddenDropout))
  }

  /// What the attention of every layer shares.
  private struct Attention {
    let shape: Value
    let bias: Value
  }

  /// One layer: attention and feed-forward block, each with its residual and normalisation.
  /// - Parameter queries: rows that attend and come out, as many of each text; nil stands for all.
  private func layer(
    _ index: Int, _ rows: Value, _ attention: Attention, queries: (rows: Value, perText: Int)? = nil
  ) -> Value {
    let names = configuration.names.layer(index)
    let (heads, headWidth) = (configuration.headCount, configuration.headWidth)
    let asking = queries?.rows ?? rows
    let query = dense(asking, names.query)
    let perHead =
      (queries.map { query.reshaped([-1, $0.perText, heads, headWidth]) }
      ?? builder.node("Reshape", [query, attention.shape])).transposed([0, 2, 1, 3])
    let key = builder.node("Reshape", [dense(rows, names.key), attention.shape]).transposed([0, 2, 3, 1])
    let value = builder.node("Reshape", [dense(rows, names.value), attention.shape]).transposed([0, 2, 1, 3])
    let scores = perHead.matmul(key) * (1 / Float(headWidth).squareRoot()) + attention.bias
    let weights = builder.node("Softmax", [scores], [Attribute("axis", .int(-1))])
      .dropout(Float(configuration.attentionDropout))
    let context = weights.matmul(value).transposed([0, 2, 1, 3]).reshaped([-1, configuration.width])

    var attended = dense(context, names.attentionOutput)
    if configuration.family == .bert { attended = attended.dropout(Float(configuration.hiddenDropout)) }
    let middle = normalized(attended + asking, names.attentionNormalization)
    let inner = activated(dense(middle, names.inner))
    let outer = dense(inner, names.outer).dropout(Float(configuration.hiddenDropout))
    return normalized(outer + middle, names.outputNormalization)
  }

  // MARK: The heads

  /// What a classifier looks at: the first token's state through a dense layer, `[batch, width]`.
  public func pooled(_ inputs: Inputs) -> Value {
    let pooled = dense(firstStates(inputs), configuration.names.pooler)
    return configuration.family == .bert ? builder.node("Tanh", [pooled]) : pooled.relu()
  }

  /// The logits of a classifier, `[batch, labels]`.
  public func logits(_ inputs: Inputs) -> Value {
    dense(pooled(inputs).dropout(Float(configuration.classifierDropout)), configuration.names.classifier)
  }

  /// The mean of each text's hidden states, of length 1: `[batch, width]`, as sentence-transformers make it.
  public func sentenceEmbeddings(_ inputs: Inputs) -> Value {
    func axes(_ axis: Int64) -> Value { builder.constant(Tensor([axis])) }
    func sum(_ value: Value, over axis: Int64, keeps: Bool) -> Value {
      builder.node("ReduceSum", [value, axes(axis)], [Attribute("keepdims", .int(keeps ? 1 : 0))])
    }
    func atLeast(_ value: Value, _ bound: Float) -> Value {
      builder.node("Max", [value, builder.constant(Tensor(scalar: bound))])
    }
    let mask = builder.node("Cast", [inputs.mask], [Attribute("to", .int(Int64(ElementType.float.rawValue)))])
    let total = sum(hiddenStates(inputs) * builder.node("Unsqueeze", [mask, axes(2)]), over: 1, keeps: false)
    let mean = total / atLeast(sum(mask, over: 1, keeps: true), 1e-9)
    return mean / atLeast(sum(mean * mean, over: 1, keeps: true).sqrt(), 1e-12)
  }

  // MARK: Layers

  private func parameter(_ name: String) -> Value {
    guard let tensor = parameters[name] else { preconditionFailure("the network needs the parameter '\(name)'") }
    return builder.parameter(name, tensor)
  }

  /// `x·Wᵀ + b`.
  private func dense(_ x: Value, _ stem: String) -> Value {
    builder.node(
      "Gemm", [x, parameter("\(stem).weight"), parameter("\(stem).bias")], [Attribute("transB", .int(1))])
  }

  private func normalized(_ x: Value, _ stem: String) -> Value {
    builder.node(
      "LayerNormalization", [x, parameter("\(stem).weight"), parameter("\(stem).bias")],
      [Attribute("axis", .int(-1)), Attribute("epsilon", .float(Float(configuration.normalizationEpsilon)))])
  }

  private func activated(_ x: Value) -> Value {
    func constant(_ value: Float) -> Value { builder.constant(Tensor(scalar: value)) }
    switch configuration.activation {
    case .relu: return x.relu()
    case .gelu:
      if builder.opset >= 20 { return builder.node("Gelu", [x]) }
      let erf = builder.node("Erf", [x / constant(Float(2).squareRoot())])
      return x * (erf + constant(1)) * 0.5
    case .geluNew:
      if builder.opset >= 20 { return builder.node("Gelu", [x], [Attribute("approximate", .string("tanh"))]) }
      let cube = builder.node("Pow", [x, constant(3)])
      let tanh = builder.node("Tanh", [(x + cube * 0.044715) * (2 / Float.pi).squareRoot()])
      return x * 0.5 * (tanh + constant(1))
    }
  }
}
