// Neural collaborative filtering as a graph: written once, for training, ranking, export and verification alike.

import Datasets
import Glibc
import GraphEngine
import ONNX
import Tensors

/// A network that scores pairs of a user and an item (He et al., "Neural Collaborative Filtering", 2017).
///
/// Three architectures share one form: rows of embedding tables go in, one logit comes out.
/// - `mlp`: `output(mlp([u; i]))`, the two rows concatenated and led through layers of `Linear` and ReLU.
/// - `gmf`: `output(u ⊙ i)`, the generalised matrix factorisation: a weighted inner product.
/// - `neumf`: `output([u' ⊙ i'; mlp([u; i])])`, both, with tables of their own.
public struct NCFGraph: Sendable, Hashable {
  public typealias Value = GraphBuilder.Value

  public enum Architecture: String, Sendable, Hashable, Codable, CaseIterable {
    case mlp, gmf, neumf
  }

  /// What the training minimises.
  public enum Loss: String, Sendable, Hashable, Codable, CaseIterable {
    /// Binary cross-entropy of the logits against 1 for what the user turned to and 0 for the drawn rest.
    case bce
    /// Bayesian personalised ranking (Rendle et al., 2009): `-log σ(positive - negative)` of pairs of items.
    case bpr
  }

  public var architecture: Architecture
  public var userCount: Int
  public var itemCount: Int
  /// Numbers in a row of each embedding table.
  public var embeddingDimension: Int
  /// Outputs of each hidden layer, the first first; `gmf` has none.
  public var hiddenLayers: [Int]
  public var loss: Loss
  /// Probability with which the training zeroes the output of a hidden layer.
  public var dropout: Float
  public var opset: Int

  public init(
    architecture: Architecture = .mlp, userCount: Int, itemCount: Int, embeddingDimension: Int = 64,
    hiddenLayers: [Int] = [128, 64, 32], loss: Loss = .bce, dropout: Float = 0, opset: Int = 17
  ) {
    self.architecture = architecture
    self.userCount = userCount
    self.itemCount = itemCount
    self.embeddingDimension = embeddingDimension
    self.hiddenLayers = architecture == .gmf ? [] : hiddenLayers
    self.loss = loss
    self.dropout = dropout
    self.opset = opset
  }

  // MARK: Parameters

  /// The trained parameters with their shapes, in the order of the PyTorch module's `state_dict`.
  ///
  /// `mlp` and `gmf` have `user_embedding.weight` and `item_embedding.weight`; `neumf` has two of each, with the suffixes
  /// `_gmf` and `_mlp`. `mlp.0`, `mlp.2`, … are the `Linear` layers of a `Sequential` with ReLUs between, and `output` is
  /// the last one.
  public var parameterShapes: [(name: String, shape: Shape)] {
    var shapes: [(String, Shape)] = []
    for table in tables {
      shapes.append((table.user, [userCount, embeddingDimension]))
      shapes.append((table.item, [itemCount, embeddingDimension]))
    }
    for layer in layers {
      shapes.append(("\(layer.name).weight", [layer.outputs, layer.inputs]))
      shapes.append(("\(layer.name).bias", [layer.outputs]))
    }
    return shapes
  }

  /// The names of the trained parameters.
  public var parameterNames: [String] { parameterShapes.map(\.name) }

  /// The names of the embedding tables of users and of items, whose rows belong to ids.
  public var userTables: [String] { tables.map(\.user) }
  public var itemTables: [String] { tables.map(\.item) }

  private var tables: [(user: String, item: String)] {
    func pair(_ suffix: String) -> (String, String) {
      ("user_embedding\(suffix).weight", "item_embedding\(suffix).weight")
    }
    return architecture == .neumf ? [pair("_gmf"), pair("_mlp")] : [pair("")]
  }

  private var layers: [(name: String, inputs: Int, outputs: Int)] {
    var layers: [(String, Int, Int)] = []
    var width = 2 * embeddingDimension
    for (index, outputs) in hiddenLayers.enumerated() {
      layers.append(("mlp.\(2 * index)", width, outputs))
      width = outputs
    }
    let inputs =
      switch architecture {
      case .mlp: width
      case .gmf: embeddingDimension
      case .neumf: embeddingDimension + width
      }
    return layers + [("output", inputs, 1)]
  }

  /// The standard deviation of the embeddings that a training starts from (He et al. 2017).
  public static let embeddingDeviation: Float = 0.01

  /// Where a training starts.
  ///
  /// - Embeddings: normal with `embeddingDeviation`.
  /// - Weights: uniform with the variance `2 / inputs` where a ReLU follows, so that signals of rows that small keep their
  ///   size through the layers (He et al., "Delving deep into rectifiers", 2015), and `1 / inputs` for the last one.
  ///   `torch.nn.Linear` has `1 / (3 · inputs)`: three such layers make the rows 15 times smaller, and a training of a few
  ///   hundred steps ends before it sees them.
  /// - Biases: 0, but the last one says what is known without looking, the log-odds of a positive sample (Lin et al.,
  ///   "Focal loss for dense object detection", 2017): no step is spent on learning how many negatives are drawn.
  ///
  /// - Parameter positiveShare: the share of samples that are labelled 1, between 0 and 1; nil where samples are pairs of
  ///   items.
  public func initialParameters(seed: UInt64, positiveShare: Float? = nil) -> [String: Tensor] {
    var generator = SeededGenerator(seed: seed)
    var parameters: [String: Tensor] = [:]
    let tables = Set(userTables + itemTables)
    let logOdds = positiveShare.map { logf($0 / (1 - $0)) } ?? 0
    for (name, shape) in parameterShapes {
      // Of its own number each, so that what one draws does not hang on the size of another.
      var noise = NoiseStream(key: generator.next())
      parameters[name] = Tensor(uninitialized: shape, elementType: .float) { bytes in
        let values = bytes.bindMemory(to: Float.self)
        if tables.contains(name) {
          noise.fillNormal(values, deviation: Self.embeddingDeviation)
        } else if shape.count == 1 {
          values.update(repeating: name == "output.bias" ? logOdds : 0)
        } else {
          // A uniform distribution in ±b has the variance b² / 3.
          noise.fillUniform(values, bound: ((name == "output.weight" ? 3 : 6) / Float(shape[1])).squareRoot())
        }
      }
    }
    return parameters
  }

  /// The network with tables of one row: what a drawing shows.
  var smallest: NCFGraph {
    var graph = self
    (graph.userCount, graph.itemCount) = (1, 1)
    return graph
  }

  // MARK: Graphs

  /// The names of the graphs' values.
  public static let lossName = "loss"
  public static let scoreName = "score"

  /// The graph of a training, its parameters zeros: `user` and `item` `[batch]` with `label` `[batch]` (1 or 0; `bce`) or
  /// with `negative` `[batch]` (an item; `bpr`) to the scalar `loss`.
  ///
  /// - Parameter isWeighted: adds the input `weight` `[batch]`: the loss is the mean of the samples' losses times their
  ///   weights.
  public func training(isWeighted: Bool = false) -> Model {
    let builder = GraphBuilder(name: "ncf_training", opset: opset)
    let user = builder.input("user", .int64, ["batch"])
    let item = builder.input("item", .int64, ["batch"])
    let losses: Value
    switch loss {
    case .bce:
      // -(y log σ(z) + (1 - y) log(1 - σ(z))) = softplus(z) - y z: finite for any z.
      let label = builder.input("label", .float, ["batch"])
      let logit = logit(user: user, item: item)
      losses = logit.softplus() - label * logit
    case .bpr:
      // Both items of a pair in one batch of twice the size: the weights are read once a step.
      let negative = builder.input("negative", .int64, ["batch"])
      let logits = logit(
        user: .concatenate([user, user], axis: 0), item: .concatenate([item, negative], axis: 0)
      ).split(parts: 2, axis: 0)
      losses = (logits[1] - logits[0]).softplus()
    }
    let weighted = isWeighted ? losses * builder.input("weight", .float, ["batch"]) : losses
    builder.output(weighted.mean(), Self.lossName, .float, [])
    return builder.model()
  }

  /// The graph that is exported, its parameters zeros: `user` and `item` `[batch]`, int64, to `score` `[batch]`, the
  /// sigmoid of the logit.
  public func scorer() -> Model {
    let builder = GraphBuilder(name: "ncf", opset: opset)
    let user = builder.input("user", .int64, ["batch"])
    let item = builder.input("item", .int64, ["batch"])
    builder.output(logit(user: user, item: item).sigmoid(), Self.scoreName, .float, ["batch"])
    return described(
      builder.model().forInference(outputs: [Self.scoreName]),
      "The probability that a user turns to an item, of the pairs user[n], item[n].")
  }

  /// The graph that ranks, its parameters zeros: one `user` `[1]`, int64, to the `score` of every item, `[items]`.
  ///
  /// It computes what `scorer` does for the pairs of the user with each item, with less work: the first layer of the
  /// concatenated rows is the sum of a part that only the user decides about and a part that only the item does,
  /// `W [u; i] + b = Wᵤ u + (Wᵢ i + b)`, and a runtime that folds constants computes the items' part once for all users.
  /// The generalised matrix factorisation is a product of the items' table with one vector.
  public func ranker() -> Model {
    let builder = GraphBuilder(name: "ncf_ranker", opset: opset)
    let user = builder.input("user", .int64, [1])
    var zeros: [String: Value] = [:]
    for (name, shape) in parameterShapes {
      zeros[name] = builder.parameter(name, Tensor(zeros: shape, elementType: .float))
    }
    func row(_ table: String) -> Value { builder.node("Gather", [zeros[table]!, user]) }
    func product(_ x: Value, _ weight: Value, _ bias: Value? = nil) -> Value {
      builder.node("Gemm", [x, weight] + (bias.map { [$0] } ?? []), [Attribute("transB", .int(1))])
    }
    func linear(_ layer: String, _ x: Value) -> Value { product(x, zeros["\(layer).weight"]!, zeros["\(layer).bias"]!) }
    /// `Σ wⱼ uⱼ iⱼ` for each item.
    func factorization(_ table: (user: String, item: String), _ weight: Value) -> Value {
      product(zeros[table.item]!, row(table.user) * weight)
    }
    /// The last hidden layer's output for each item, or the concatenated rows where there is no hidden layer.
    func perceptron(_ table: (user: String, item: String), _ first: String, _ rest: [String]) -> Value {
      let weights = zeros["\(first).weight"]!.split([embeddingDimension, embeddingDimension], axis: 1)
      let sum = product(row(table.user), weights[0]) + product(zeros[table.item]!, weights[1], zeros["\(first).bias"]!)
      return rest.reduce(sum) { linear($1, $0.relu()) }
    }
    let hidden = layers.dropLast().map(\.name)
    let logit: Value
    switch architecture {
    case .mlp:
      let chain = hidden + ["output"]
      logit = perceptron(tables[0], chain[0], Array(chain.dropFirst()))
    case .gmf: logit = factorization(tables[0], zeros["output.weight"]!) + zeros["output.bias"]!
    case .neumf:
      let width = hiddenLayers.last ?? 2 * embeddingDimension
      let weights = zeros["output.weight"]!.split([embeddingDimension, width], axis: 1)
      let deep: Value
      if hidden.isEmpty {
        let parts = weights[1].split([embeddingDimension, embeddingDimension], axis: 1)
        deep = product(row(tables[1].user), parts[0]) + product(zeros[tables[1].item]!, parts[1])
      } else {
        deep = product(perceptron(tables[1], hidden[0], Array(hidden.dropFirst())).relu(), weights[1])
      }
      logit = factorization(tables[0], weights[0]) + deep + zeros["output.bias"]!
    }
    builder.output(logit.squeezed([1]).sigmoid(), Self.scoreName, .float, [Dimension(itemCount)])
    return builder.model()
  }

  /// `[batch]` and `[batch]` to `[batch]`.
  private func logit(user: Value, item: Value) -> Value {
    let builder = user.builder
    var zeros: [String: Value] = [:]
    for (name, shape) in parameterShapes {
      zeros[name] = builder.parameter(name, Tensor(zeros: shape, elementType: .float))
    }
    func row(_ table: String, _ index: Value) -> Value { builder.node("Gather", [zeros[table]!, index]) }
    func linear(_ name: String, _ x: Value) -> Value {
      builder.node("Gemm", [x, zeros["\(name).weight"]!, zeros["\(name).bias"]!], [Attribute("transB", .int(1))])
    }
    func product(_ table: (user: String, item: String)) -> Value { row(table.user, user) * row(table.item, item) }
    func perceptron(_ table: (user: String, item: String)) -> Value {
      layers.dropLast().reduce(.concatenate([row(table.user, user), row(table.item, item)], axis: 1)) {
        linear($1.name, $0).relu().dropout(dropout)
      }
    }
    let features: Value =
      switch architecture {
      case .mlp: perceptron(tables[0])
      case .gmf: product(tables[0])
      case .neumf: .concatenate([product(tables[0]), perceptron(tables[1])], axis: 1)
      }
    return linear("output", features).squeezed([1])
  }

  private func described(_ model: Model, _ purpose: String) -> Model {
    var model = model
    model.producerName = Toolkit.name
    model.producerVersion = Toolkit.version
    model.documentation = """
      Neural collaborative filtering (\(architecture.rawValue)). \(purpose)
      Users and items are numbers from 0, in the order of the metadata's ids.
      """
    model.metadata = [
      MetadataEntry(key: "model_type", value: Self.modelType),
      MetadataEntry(key: "architecture", value: architecture.rawValue),
      MetadataEntry(key: "num_users", value: String(userCount)),
      MetadataEntry(key: "num_items", value: String(itemCount)),
      MetadataEntry(key: "embedding_dim", value: String(embeddingDimension)),
      MetadataEntry(key: "hidden_layers", value: hiddenLayers.map(String.init).joined(separator: ",")),
    ]
    return model
  }

  /// What metadata and graphs call this kind of model.
  public static let modelType = "ncf"
}
