// The network as a graph: features of words in, probabilities of concepts out.

import Datasets
import GraphEngine
import ONNX
import Tensors

/// Scores the concepts of a lexicon for notes.
///
/// A word is the sum of its features' embeddings over the square root of their number, and scores each concept by its
/// product with the concept's embedding, over the square root of their width. Three words that follow one another are
/// scored together, and a note has a concept as strongly as its best three words speak for it:
///
///     v[w]    = (sum over the n features f of word w of E[f]) / √(n · width)
///     s[w, c] = C[c] · v[w]
///     z[c]    = b[c] + max over w of (s[w, c] + s[w+1, c] + s[w+2, c])
///
/// with s = 0 behind the last word. The maximum keeps what a long note says besides from drowning what speaks for a
/// concept: the mean over a whole note finds half as many. The square root does the same within a word: a mean would count
/// each half of a compound by the letters of the other one.
public struct ConceptGraph: DetectorGraph, Hashable {
  public typealias Value = GraphBuilder.Value

  /// Rows of the table of features, padding among them.
  public var featureRows: Int
  /// Numbers in an embedding.
  public var width: Int
  public var conceptCount: Int
  public var opset: Int

  public init(featureRows: Int, width: Int, conceptCount: Int, opset: Int = 17) {
    self.featureRows = featureRows
    self.width = width
    self.conceptCount = conceptCount
    self.opset = opset
  }

  /// Words that are scored together.
  public static let window = 3

  public static let featureInput = "features"
  public static let logitsOutput = "logits"
  public static let probabilitiesOutput = "probabilities"
  public static let wordScoresOutput = "word_scores"
  public static let lossName = "loss"
  static let targetInput = "concepts"
  static let weightInput = "weight"

  static let featureTable = "feature_embedding.weight"
  static let conceptTable = "concepts.weight"
  static let conceptBias = "concepts.bias"

  /// Every parameter with its shape, as a PyTorch module with an `EmbeddingBag` and a `Linear` has them.
  public var parameterShapes: [(name: String, shape: Shape)] {
    [
      (Self.featureTable, [featureRows, width]), (Self.conceptTable, [conceptCount, width]),
      (Self.conceptBias, [conceptCount]),
    ]
  }

  /// The standard deviation of the features' embeddings that a training starts from.
  private static let featureDeviation = 0.1
  /// The length of the concepts' embeddings that a training starts from: with it steps of 0.001 move a score fast enough
  /// to reach every alias in thirty epochs, and slowly enough to leave what stands beside it alone.
  private static let conceptDeviation = 6.0
  /// The probability of a concept that a note without a word would have at the start: about that of any concept in a
  /// sentence, so that no step is spent on learning how seldom concepts are.
  static let firstLogit: Float = -4

  /// Where a training starts: normal embeddings of features (row 0, padding, stays 0) and of concepts.
  public func initialParameters(seed: UInt64) -> [String: Tensor] {
    var generator = SeededGenerator(seed: seed)
    func normal(_ shape: Shape, deviation: Double, isPadded: Bool = false) -> Tensor {
      Tensor(uninitialized: shape, elementType: .float) { bytes in
        let values = bytes.bindMemory(to: Float.self)
        generator.fillNormal(values, standardDeviation: deviation)
        if isPadded { for index in 0..<shape[1] { values[index] = 0 } }
      }
    }
    return [
      Self.featureTable: normal([featureRows, width], deviation: Self.featureDeviation, isPadded: true),
      Self.conceptTable: normal(
        [conceptCount, width], deviation: Self.conceptDeviation / Double(width).squareRoot()),
      Self.conceptBias: Tensor([Float](repeating: Self.firstLogit, count: conceptCount)),
    ]
  }

  /// The network with a table of one row: what a drawing shows.
  var smallest: ConceptGraph {
    var graph = self
    graph.featureRows = 1
    return graph
  }

  private var zeros: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: parameterShapes.map { ($0.name, Tensor(zeros: $0.shape, elementType: .float)) })
  }

  // MARK: Graphs

  /// The graph of a training: `features` as in ``detector(_:)``, and `concepts` and `weight` `[notes, concepts]`, to the
  /// scalar `loss`: the mean of the weighted binary cross-entropy of the logits, `softplus(z) - y z`, which is
  /// `-(y log σ(z) + (1 - y) log(1 - σ(z)))`, finite for any z. `concepts` is 1 where a note has the concept and 0
  /// elsewhere; `weight` is 0 for what is not told.
  public func training(_ parameters: [String: Tensor]) -> Model {
    let builder = GraphBuilder(name: "concepts_training", opset: opset)
    let features = builder.input(Self.featureInput, .int64, ["notes", "words", "features"])
    writeLoss(of: logits(features, parameters).logits, rows: "notes")
    return builder.model()
  }

  /// The graph that is exported: `features`, int64 `[notes, words, features]`, padded with 0, to `logits` and
  /// `probabilities` `[notes, concepts]` and `word_scores` `[notes, words, concepts]`, what each word adds to the score
  /// of a concept.
  public func detector(_ parameters: [String: Tensor]) -> Model {
    let builder = GraphBuilder(name: "concepts", opset: opset)
    let features = builder.input(Self.featureInput, .int64, ["notes", "words", "features"])
    let (logits, scores) = logits(features, parameters)
    writeAnswers(logits, rows: "notes")
    builder.output(scores, Self.wordScoresOutput, .float, ["notes", "words", Dimension(conceptCount)])
    return described(builder.model(), reading: "The features of words are hashed as the metadata say.")
  }

  public func drawn() -> Model { smallest.detector(smallest.zeros) }

  /// `[notes, words, features]` to `[notes, concepts]`, and what the words add, `[notes, words, concepts]`.
  private func logits(_ features: Value, _ parameters: [String: Tensor]) -> (logits: Value, wordScores: Value) {
    let builder = features.builder
    func integers(_ values: [Int64]) -> Value { builder.constant(Tensor(values)) }
    func sum(_ value: Value, _ axis: Int64, keeping: Bool) -> Value {
      builder.node("ReduceSum", [value, integers([axis])], [Attribute("keepdims", .int(keeping ? 1 : 0))])
    }
    let table = builder.parameter(Self.featureTable, parameters[Self.featureTable]!)
    let concepts = builder.parameter(Self.conceptTable, parameters[Self.conceptTable]!)
    let bias = builder.parameter(Self.conceptBias, parameters[Self.conceptBias]!)

    let isPadding = builder.node("Equal", [features, builder.constant(Tensor(scalar: Int64(0)))])
    let isFeature = builder.node(
      "Cast", [builder.node("Not", [isPadding])], [Attribute("to", .int(Int64(ElementType.float.rawValue)))])
    let counts = sum(isFeature, -1, keeping: true)
    let sums = sum(builder.node("Gather", [table, features]), -2, keeping: false)
    let scale = builder.node("Sqrt", [counts * Float(width)])
    // A place without a word has no features: it scores 0.
    let words = sums / builder.node("Max", [scale, builder.constant(Tensor(scalar: Float(1)))])
    let scores = words.matmul(concepts.transposed([1, 0]))

    let padded = builder.node("Pad", [scores, integers([0, 0, 0, 0, Int64(Self.window - 1), 0])])
    let shifted = (0..<Self.window).map { shift -> Value in
      let end = Self.window - 1 - shift
      return builder.node(
        "Slice",
        [padded, integers([Int64(shift)]), integers([end == 0 ? .max : Int64(-end)]), integers([1])])
    }
    let windows = shifted.dropFirst().reduce(shifted[0], +)
    // Three places without a word speak for nothing.
    let isEmpty = builder.node(
      "Cast", [builder.node("Equal", [counts, builder.constant(Tensor(scalar: Float(0)))])],
      [Attribute("to", .int(Int64(ElementType.float.rawValue)))])
    let told = windows - isEmpty * emptyPenalty
    return (told.greatestOfSecondAxis() + bias, scores)
  }
}
