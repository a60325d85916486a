// Runs an encoder's graph over texts: tokens, batches of like lengths, rows of the outputs in the texts' order.

import Datasets
import Encoders
import GraphEngine
import ONNX
import Synchronization
import Tensors
import Tokenization

/// A graph that takes tokens, and the tokenizer that makes them.
///
/// May be used by several tasks at once; they take turns at the graph.
final class TextRunner: Sendable {
  let maximumLength: Int
  private let tokenizer: WordPieceTokenizer
  private let outputs: [String]
  private let inputs: Set<String>
  private let threads: Int?
  private let session: Mutex<Session>

  /// What the graph says of one text.
  struct Row {
    /// A row of each output, in the order asked for.
    var values: [[Float]]
    var tokenCount: Int
    /// Whether the text has more tokens than are read.
    var isTruncated: Bool
  }

  /// - Parameters:
  ///   - outputs: of the graph, float `[batch, …]`.
  ///   - maximumLength: in tokens, special ones included; what is behind is not read.
  ///   - threads: nil for as many as the processor has cores.
  init(
    _ model: Model, tokenizer: WordPieceTokenizer, outputs: [String], maximumLength: Int, threads: Int?
  ) throws {
    self.tokenizer = tokenizer
    self.outputs = outputs
    self.maximumLength = maximumLength
    self.threads = threads
    inputs = Set(model.graph.inputs.map(\.name))
    session = Mutex(
      try Session(model, outputs: outputs, options: Session.Options(threads: threads, planLimit: Self.keptPlans)))
  }

  /// The rows of texts, in their order.
  ///
  /// - Throws: ``TextUseError/blankText(index:)`` before anything is computed; `EngineError`; `CancellationError` where
  ///   the task is cancelled.
  func rows(_ texts: [String]) throws -> [Row] {
    if let blank = texts.firstIndex(where: \.isBlank) { throw TextUseError.blankText(index: blank) }
    let tokenized =
      threads.map { tokenizer.encode(batch: texts, maxLength: maximumLength, threads: $0) }
      ?? tokenizer.encode(batch: texts, maxLength: maximumLength)
    var rows = tokenized.map { Row(values: [], tokenCount: $0.count, isTruncated: $0.isTruncated) }
    // Equals next to each other: little of a batch is padding. The longest come first, so that memory is at its peak at
    // the beginning.
    let order = tokenized.indices.sorted { (-tokenized[$0].count, $0) < (-tokenized[$1].count, $1) }
    var start = 0
    while start < order.count {
      try Task.checkCancellation()
      let length = min(Self.raised(tokenized[order[start]].count), max(maximumLength, tokenized[order[start]].count))
      let batch = order[start..<min(start + max(1, min(Self.mostTexts, Self.mostTokens / length)), order.count)]
      start = batch.endIndex
      let results = try run(batch.map { tokenized[$0] }, length: length)
      for (place, text) in batch.enumerated() {
        rows[text].values = results.map { values in
          let width = values.count / batch.count
          return Array(values[place * width..<(place + 1) * width])
        }
      }
    }
    return rows
  }

  /// The outputs of one batch, each flat.
  private func run(_ batch: [TokenizedText], length: Int) throws -> [[Float]] {
    let shape: Shape = [batch.count, length]
    var (ids, mask) = ([Int64](), [Int64]())
    for text in batch {
      ids += text.ids.lazy.map(Int64.init)
      ids += repeatElement(Int64(tokenizer.padID), count: length - text.count)
      mask += repeatElement(1, count: text.count)
      mask += repeatElement(0, count: length - text.count)
    }
    var feeds = [
      EncoderNetwork.tokenInput: Tensor(ids, shape: shape), EncoderNetwork.maskInput: Tensor(mask, shape: shape),
    ]
    if inputs.contains(EncoderNetwork.typeInput) {
      feeds[EncoderNetwork.typeInput] = Tensor(zeros: shape, elementType: .int64)
    }
    let results = try session.withLock { try $0.run(feeds) }
    return outputs.map { results[$0]!.elements() }
  }

  /// Enough for the matrix products, few enough for the cache.
  private static let mostTexts = 32
  private static let mostTokens = 4096
  private static let keptPlans = 32

  /// Lengths are raised to a few, so that texts of about one length share a plan: to a multiple of 8, from 64 tokens on of
  /// 16, from 128 on of 32, and so on.
  private static func raised(_ length: Int) -> Int {
    var step = 8
    while length > step * 8 { step *= 2 }
    return (length + step - 1) / step * step
  }
}

extension String {
  /// Whether nothing in it can be read.
  var isBlank: Bool {
    var text = self
    return text.withUTF8 { UTF8Check.isBlank(UnsafeRawBufferPointer($0)) }
  }
}
