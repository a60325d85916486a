// Runs an encoder's graph over texts: tokens, and rows of the outputs in the texts' order.

import Datasets
import Encoders
import ONNX
import Tokenization

/// A graph that takes tokens, and the tokenizer that makes them.
///
/// May be used by several tasks at once; they take turns at the graph.
final class TextRunner: Sendable {
  private let tokenizer: WordPieceTokenizer
  private let runner: TokenRunner
  private let threads: Int?

  var maximumLength: Int { runner.maximumLength }

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
    self.threads = threads
    runner = try TokenRunner(
      model, outputs: outputs, padding: tokenizer.padID, maximumLength: maximumLength, threads: threads)
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
    return zip(tokenized, try runner.rows(tokenized.map(\.ids))).map { text, values in
      Row(values: values, tokenCount: text.count, isTruncated: text.isTruncated)
    }
  }
}

extension String {
  /// Whether nothing in it can be read.
  var isBlank: Bool {
    var text = self
    return text.withUTF8 { UTF8Check.isBlank(UnsafeRawBufferPointer($0)) }
  }
}
