// A trained classifier in use: texts in, labels with probabilities out.

import Encoders
import ONNX
import Synchronization
import Tokenization
import Verification

/// A trained classifier of texts.
///
/// ```swift
/// let classifier = TextClassifier(directory: "models/classification/benchmark_v1")
/// for label in try classifier.classify("How stars are born").assigned { print(label.name, label.probability) }
/// ```
///
/// Making one costs nothing: the files are read, and held against their checksums, when something is first asked. What was
/// read is kept. May be shared by any number of tasks.
public final class TextClassifier: Sendable {
  public let directory: String
  /// Which of the graphs is run.
  public let precision: ExportPrecision
  /// Threads that share a piece of work; nil takes as many as the processor has cores.
  public let threads: Int?
  private let loaded = Mutex<LoadedClassifier?>(nil)

  /// - Parameter precision: `int8` needs a model that was trained with it.
  public init(directory: String, precision: ExportPrecision = .float32, threads: Int? = nil) {
    self.directory = directory
    self.precision = precision
    self.threads = threads
  }

  /// What the model is.
  public struct Facts: Sendable, Hashable {
    /// In the order of the graph's outputs.
    public var labels: [String]
    /// From which probability on each label is taken as given.
    public var thresholds: [Double]
    /// The most tokens of a text that are read, special ones included.
    public var maximumLength: Int
  }

  /// A label and how probable it is.
  public struct Label: Sendable, Hashable {
    public var name: String
    /// The sigmoid of the label's logit: labels do not exclude each other, so their probabilities need not add up to 1.
    public var probability: Float
    /// Whether the probability reaches the label's threshold.
    public var isAssigned: Bool
  }

  /// What is said of a text.
  public struct Classification: Sendable, Hashable {
    /// All labels, the most probable first.
    public var labels: [Label]
    /// In the order of the model's labels.
    public var logits: [Float]
    /// Tokens that were read, special ones included.
    public var tokenCount: Int
    /// Whether the text goes on behind what was read.
    public var isTruncated: Bool

    /// The labels that the text is taken to have, the most probable first; maybe none.
    public var assigned: [Label] { labels.filter(\.isAssigned) }
  }

  /// Reads the model where that was not done yet.
  /// - Throws: `ModelError` where there is none (it says how to train one), `CheckpointError` where a file was changed;
  ///   and so does everything below.
  public func facts() throws -> Facts { try model().facts }

  /// Classifies a text.
  ///
  /// - Parameter threshold: from which probability on labels are assigned; nil takes the model's own, one a label.
  /// - Throws: `TextUseError.blankText` for one with nothing to read.
  public func classify(_ text: String, threshold: Double? = nil) throws -> Classification {
    try classify([text], threshold: threshold)[0]
  }

  /// Classifies texts, those of about one length together. What comes out is in the order of the texts and does not
  /// depend on which others there are, rounding aside.
  public func classify(_ texts: [String], threshold: Double? = nil) throws -> [Classification] {
    if let threshold, !(0...1).contains(threshold) { throw TextUseError.invalidThreshold(threshold) }
    let model = try model()
    return try model.runner.rows(texts).map { row in
      let labels = model.facts.labels.indices.map { label in
        Label(
          name: model.facts.labels[label], probability: row.values[1][label],
          isAssigned: Double(row.values[1][label]) >= threshold ?? model.facts.thresholds[label])
      }
      let order = labels.indices.sorted { (-labels[$0].probability, $0) < (-labels[$1].probability, $1) }
      return Classification(
        labels: order.map { labels[$0] }, logits: row.values[0], tokenCount: row.tokenCount,
        isTruncated: row.isTruncated)
    }
  }

  private func model() throws -> LoadedClassifier {
    try loaded.withLock { loaded in
      if let loaded { return loaded }
      let model = try LoadedClassifier(directory: directory, precision: precision, threads: threads)
      loaded = model
      return model
    }
  }
}

/// A classifier's files, held against their checksums.
private struct LoadedClassifier: Sendable {
  let facts: TextClassifier.Facts
  let runner: TextRunner

  init(directory path: String, precision: ExportPrecision, threads: Int?) throws {
    let model = try ModelDirectory<ClassificationMetadata>(path: path)
    let metadata = model.metadata
    typealias Files = ClassificationMetadata.Files
    guard precision == .float32 || metadata.quantized != nil else {
      throw TextUseError.noQuantizedGraph(directory: model.path)
    }
    let graph = precision == .int8 ? Files.quantizedGraph : Files.graph
    for name in [graph, Files.vocabulary, Files.tokenizer] { try model.verifyChecksum(of: name) }
    let tokenizer = try WordPieceTokenizer(directory: model.path)
    guard tokenizer.vocabulary.count <= metadata.configuration.vocabularySize else {
      throw EncoderError.vocabularyDoesNotFit(
        path: model.path(of: Files.vocabulary), tokens: tokenizer.vocabulary.count,
        rows: metadata.configuration.vocabularySize)
    }
    facts = TextClassifier.Facts(
      labels: metadata.labels, thresholds: metadata.thresholds, maximumLength: metadata.settings.maximumLength)
    runner = try TextRunner(
      Model(contentsOf: model.path(of: graph)), tokenizer: tokenizer,
      outputs: [EncoderConfiguration.logitsOutput, EncoderConfiguration.probabilitiesOutput],
      maximumLength: facts.maximumLength, threads: threads)
  }
}
