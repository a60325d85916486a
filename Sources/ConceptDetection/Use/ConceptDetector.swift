// A trained detector in use: notes in, concepts with the words that speak for them out.

import Encoders
import GraphEngine
import ONNX
import Synchronization
import Threads
import Tokenization
import Verification

/// A trained detector of a lexicon's concepts.
///
/// ```swift
/// let detector = ConceptDetector(directory: "models/concept_model_base")
/// for found in try detector.detect("Bague de fiançailles en or gris, budget 3000").concepts {
///   print(found.id, found.probability)
/// }
/// ```
///
/// Making one costs nothing: the files are read, and held against their checksums, when something is first asked. What was
/// read is kept. May be shared by any number of tasks; they take turns.
public final class ConceptDetector: Sendable {
  public let directory: String
  /// Threads that share a piece of work; nil takes as many as the processor has cores.
  public let threads: Int?
  private let loaded = Mutex<LoadedDetector?>(nil)

  public init(directory: String, threads: Int? = nil) {
    self.directory = directory
    self.threads = threads
  }

  /// What the model is.
  public struct Facts: Sendable, Hashable {
    /// In the order of the graph's outputs.
    public var concepts: [ConceptMapping.Entry]
    /// From which probability on a note has a concept.
    public var threshold: Double
  }

  /// A concept of a note.
  public struct Finding: Sendable, Hashable {
    public var id: String
    public var label: String
    public var bucket: ConceptBucket
    /// The sigmoid of the concept's logit: concepts do not exclude each other.
    public var probability: Float
    /// The words that speak for it, in their order: where each stands, in bytes of the text's UTF-8.
    public var words: [Range<Int>]
  }

  /// What is found in a note.
  public struct Detection: Sendable, Hashable {
    /// The most probable first; those that reach the threshold.
    public var concepts: [Finding]
  }

  /// Reads the model where that was not done yet.
  /// - Throws: `ModelError` where there is none (it says how to train one), `CheckpointError` where a file was changed;
  ///   and so does everything below.
  public func facts() throws -> Facts { try withModel(\.facts) }

  /// Finds the concepts of a text; one without a word has none.
  ///
  /// - Parameter threshold: from which probability on a concept counts; nil takes the model's own.
  public func detect(_ text: String, threshold: Double? = nil) throws -> Detection {
    try detect([text], threshold: threshold)[0]
  }

  /// Finds the concepts of texts, in their order.
  ///
  /// - Parameter withWords: whether the words that speak for them are looked for as well.
  /// - Throws: ``ConceptUseError/invalidThreshold(_:)``.
  public func detect(_ texts: [String], threshold: Double? = nil, withWords: Bool = true) throws -> [Detection] {
    if let threshold, !(0...1).contains(threshold) { throw ConceptUseError.invalidThreshold(threshold) }
    return try withModel { try $0.detect(texts, threshold: threshold, withWords: withWords) }
  }

  /// The logits of texts, in the order of the texts and the model's concepts: `[texts, concepts]`.
  public func logits(_ texts: [String]) throws -> [Float] { try withModel { try $0.logits(texts) } }

  private func withModel<Result>(_ body: (LoadedDetector) throws -> Result) throws -> Result {
    try loaded.withLock { loaded in
      if loaded == nil { loaded = try LoadedDetector(directory: directory, threads: threads) }
      return try body(loaded!)
    }
  }
}

/// What goes wrong in using a detector.
public enum ConceptUseError: Error, Sendable, Hashable {
  /// A threshold that no probability is.
  case invalidThreshold(Double)
  /// The files of a model are not of one model.
  case modelDoesNotFit(path: String, problem: String)
  /// The name of an output does not say in which form to write.
  case unknownForm(path: String)
  /// A file holds no text to read.
  case noTexts(path: String)
}

extension ConceptUseError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidThreshold(let threshold): "the threshold is \(threshold); expected 0 to 1"
    case .modelDoesNotFit(let path, let problem): "\(path): \(problem)"
    case .unknownForm(let path):
      "\(path) does not say in which form to write; a name that ends in .jsonl, .csv, .tsv or .parquet was expected"
    case .noTexts(let path): "\(path) holds no note that can be read; at least one with a text was expected"
    }
  }
}

/// A detector's files, held against their checksums, with a scorer for each thread.
private final class LoadedDetector: Sendable {
  let facts: ConceptDetector.Facts
  private let workers: [Worker]

  /// A scorer that one thread works with at a time.
  private final class Worker: Sendable {
    let scorer: Mutex<any NoteScorer>

    init(_ scorer: sending any NoteScorer) { self.scorer = Mutex(scorer) }
  }

  init(directory path: String, threads: Int?) throws {
    let model = try ModelDirectory<ConceptMetadata>(path: path)
    let metadata = model.metadata
    typealias Files = ConceptMetadata.Files
    let ofEncoder = metadata.network.encoder == nil ? [] : [Files.vocabulary, Files.tokenizer]
    for name in [Files.graph, Files.mapping] + ofEncoder { try model.verifyChecksum(of: name) }
    let mapping = try ConceptMapping(contentsOf: model.path(of: Files.mapping))
    guard mapping.concepts.count == metadata.network.concepts else {
      throw ConceptUseError.modelDoesNotFit(
        path: model.path(of: Files.mapping),
        problem: "names \(mapping.concepts.count) concepts; the network has \(metadata.network.concepts)")
    }
    facts = ConceptDetector.Facts(concepts: mapping.concepts, threshold: metadata.configuration.threshold)
    let graph = try Model(contentsOf: model.path(of: Files.graph))
    let redacts = metadata.configuration.redacts
    if let encoder = metadata.network.encoder {
      // Its matrix products are large enough to share among threads, and one copy of its weights is enough.
      let tokenizer = try WordPieceTokenizer(directory: model.path)
      guard tokenizer.vocabulary.count <= encoder.configuration.vocabularySize else {
        throw EncoderError.vocabularyDoesNotFit(
          path: model.path(of: Files.vocabulary), tokens: tokenizer.vocabulary.count,
          rows: encoder.configuration.vocabularySize)
      }
      workers = [
        Worker(
          try TokenNoteScorer(
            graph, tokenizer: tokenizer, maximumLength: encoder.maximumLength, redacts: redacts, threads: threads))
      ]
    } else {
      let features = ConceptFeatures(bits: metadata.network.features?.bits ?? ConceptFeatures.defaultBits)
      workers = try (0..<max(threads ?? Int(processorCount), 1)).map { _ in
        Worker(try WordNoteScorer(graph, features: features, redacts: redacts))
      }
    }
  }

  func detect(_ texts: [String], threshold: Double?, withWords: Bool) throws -> [ConceptDetector.Detection] {
    let threshold = threshold ?? facts.threshold
    return try shared(texts) {
      try $0.detections($1, threshold: threshold, concepts: self.facts.concepts, withWords: withWords)
    }
  }

  func logits(_ texts: [String]) throws -> [Float] { try shared(texts) { try $0.logits($1) } }

  /// Shares texts among the threads, and joins the results in their order.
  private func shared<Value: Sendable>(
    _ texts: [String], _ body: @Sendable (any NoteScorer, ArraySlice<String>) throws -> [Value]
  ) throws -> [Value] {
    let parts = max(1, min(workers.count, texts.count / Self.fewestTexts))
    let results = concurrently(parts) { part in
      let range = texts.count * part / parts..<texts.count * (part + 1) / parts
      return Result { try self.workers[part].scorer.withLock { try body($0, texts[range]) } }
    }
    return try results.flatMap { try $0.get() }
  }

  /// A thread is worth its start from so many texts on.
  private static let fewestTexts = 64
}
