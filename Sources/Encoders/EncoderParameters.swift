// The trained tensors of an encoder: their names in PyTorch, their shapes, and where a training from nothing starts.

import Glibc
import Tensors

/// The names of an encoder's parameters, as the state dict of `BertForSequenceClassification` or
/// `DistilBertForSequenceClassification` has them.
struct ParameterNames {
  let family: EncoderConfiguration.Family

  /// What stands before the names of everything but the head.
  var prefix: String { family == .bert ? "bert." : "distilbert." }

  var tokens: String { prefix + "embeddings.word_embeddings.weight" }
  var positions: String { prefix + "embeddings.position_embeddings.weight" }
  var tokenTypes: String { prefix + "embeddings.token_type_embeddings.weight" }
  var embeddingNormalization: String { prefix + "embeddings.LayerNorm" }
  /// The dense layer between the first token's hidden state and the classifier.
  var pooler: String { family == .bert ? "bert.pooler.dense" : "pre_classifier" }
  var classifier: String { "classifier" }

  /// The stems of a layer's names; each has a `.weight` and a `.bias`.
  struct Layer {
    let query, key, value, attentionOutput, attentionNormalization, inner, outer, outputNormalization: String
  }

  func layer(_ index: Int) -> Layer {
    switch family {
    case .bert:
      let stem = "\(prefix)encoder.layer.\(index)."
      return Layer(
        query: stem + "attention.self.query", key: stem + "attention.self.key", value: stem + "attention.self.value",
        attentionOutput: stem + "attention.output.dense", attentionNormalization: stem + "attention.output.LayerNorm",
        inner: stem + "intermediate.dense", outer: stem + "output.dense",
        outputNormalization: stem + "output.LayerNorm")
    case .distilbert:
      let stem = "\(prefix)transformer.layer.\(index)."
      return Layer(
        query: stem + "attention.q_lin", key: stem + "attention.k_lin", value: stem + "attention.v_lin",
        attentionOutput: stem + "attention.out_lin", attentionNormalization: stem + "sa_layer_norm",
        inner: stem + "ffn.lin1", outer: stem + "ffn.lin2", outputNormalization: stem + "output_layer_norm")
    }
  }
}

extension EncoderConfiguration {
  var names: ParameterNames { ParameterNames(family: family) }

  /// The parameters of the encoder with their shapes, in the order of PyTorch's state dict: the tables, the layers.
  public var encoderParameters: [(name: String, shape: Shape)] {
    let names = names
    var shapes: [(String, Shape)] = [
      (names.tokens, [vocabularySize, width]), (names.positions, [maximumLength, width]),
    ]
    if tokenTypeCount > 0 { shapes.append((names.tokenTypes, [tokenTypeCount, width])) }
    func add(_ stem: String, _ weight: Shape) {
      shapes.append(("\(stem).weight", weight))
      shapes.append(("\(stem).bias", [weight[0]]))
    }
    add(names.embeddingNormalization, [width])
    for index in 0..<layerCount {
      let layer = names.layer(index)
      for stem in [layer.query, layer.key, layer.value, layer.attentionOutput] { add(stem, [width, width]) }
      add(layer.attentionNormalization, [width])
      add(layer.inner, [innerWidth, width])
      add(layer.outer, [width, innerWidth])
      add(layer.outputNormalization, [width])
    }
    return shapes
  }

  /// The dense layer before the classifier.
  public var poolerParameters: [(name: String, shape: Shape)] {
    [("\(names.pooler).weight", [width, width]), ("\(names.pooler).bias", [width])]
  }

  /// The classifier's own.
  public func classifierParameters(labels: Int) -> [(name: String, shape: Shape)] {
    [("\(names.classifier).weight", [labels, width]), ("\(names.classifier).bias", [labels])]
  }

  /// Every parameter of a classifier of so many labels, in the order of PyTorch's state dict.
  public func allParameters(labels: Int) -> [(name: String, shape: Shape)] {
    encoderParameters + poolerParameters + classifierParameters(labels: labels)
  }

  /// The names of the parameters below a layer: the tables and the first `layers` layers, for a training that leaves
  /// them as they are.
  public func parameters(below layers: Int) -> Set<String> {
    let all = encoderParameters.map(\.name)
    guard layers < layerCount else { return Set(all) }
    let first = "\(names.layer(layers).query).weight"
    return Set(all.prefix { $0 != first })
  }

  /// The parameters of this network taken from one of more layers and the same sizes: its tables and its head, and for
  /// each layer that one of the other.
  public func parameters(fromLayersOf large: [String: Tensor], at layers: [Int]) -> [String: Tensor] {
    let stem = names.layer(0).query.prefix { $0 != "0" }
    var parameters = large.filter { !$0.key.hasPrefix(stem) }
    for (own, other) in layers.enumerated() {
      for (name, tensor) in large where name.hasPrefix("\(stem)\(other).") {
        parameters["\(stem)\(own).\(name.dropFirst("\(stem)\(other).".count))"] = tensor
      }
    }
    return parameters
  }

  /// Whether weight decay leaves a parameter alone, as fine-tuning is commonly done: biases and layer normalisations.
  public static func isUndecayed(_ name: String) -> Bool {
    name.hasSuffix(".bias") || name.contains("LayerNorm.") || name.contains("layer_norm.")
  }

  /// Where a training starts that has no trained values: weights normal with `initializerRange` around 0, biases 0,
  /// normalisations the identity, the padding token's row 0 (transformers' `_init_weights`).
  public func initialParameters(
    _ shapes: [(name: String, shape: Shape)], using generator: inout some RandomNumberGenerator
  ) -> [String: Tensor] {
    var parameters: [String: Tensor] = [:]
    for (name, shape) in shapes {
      if name.hasSuffix(".bias") {
        parameters[name] = Tensor(zeros: shape, elementType: .float)
      } else if Self.isUndecayed(name) {
        parameters[name] = Tensor([Float](repeating: 1, count: shape.elementCount), shape: shape)
      } else {
        parameters[name] = Tensor(uninitialized: shape, elementType: .float) { bytes in
          let values = bytes.bindMemory(to: Float.self)
          generator.fillNormal(values, deviation: Float(initializerRange))
          if name == names.tokens {
            values[paddingToken * width..<(paddingToken + 1) * width].update(repeating: 0)
          }
        }
      }
    }
    return parameters
  }
}

extension RandomNumberGenerator {
  /// Fills with numbers of a normal distribution around 0 (Box and Muller, 1958).
  fileprivate mutating func fillNormal(_ values: UnsafeMutableBufferPointer<Float>, deviation: Float) {
    for index in values.indices {
      let word = next()
      // In (0, 1], so that the logarithm is finite.
      let radius = (-2 * logf(Float((word >> 40) + 1) * 0x1p-24)).squareRoot()
      values[index] = deviation * radius * cosf(Float(word & 0xFF_FFFF) * (0x1p-23 * Float.pi))
    }
  }
}
