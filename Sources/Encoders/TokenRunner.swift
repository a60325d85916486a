// Runs an encoder's graph over tokenized texts: batches of like lengths, rows of the outputs in the texts' order.

import GraphEngine
import ONNX
import Synchronization
import Tensors

/// A graph that takes tokens.
///
/// May be used by several tasks at once; they take turns at the graph.
package final class TokenRunner: Sendable {
  private let outputs: [String]
  private let hasTypes: Bool
  private let padding: Int32
  private let session: Mutex<Session>
  /// The most tokens of a text, special ones included: what the graph has places for, or less.
  package let maximumLength: Int

  /// - Parameters:
  ///   - outputs: of the graph, float `[batch, …]`.
  ///   - padding: the token that fills short texts up.
  ///   - threads: nil for as many as the processor has cores.
  package init(_ model: Model, outputs: [String], padding: Int32, maximumLength: Int, threads: Int?) throws {
    self.outputs = outputs
    self.padding = padding
    self.maximumLength = maximumLength
    hasTypes = model.graph.inputs.contains { $0.name == EncoderNetwork.typeInput }
    session = Mutex(
      try Session(model, outputs: outputs, options: Session.Options(threads: threads, planLimit: Self.keptPlans)))
  }

  /// The outputs for texts, in their order: for each text a row of each output, flat. An output with an element for each
  /// token (`[batch, sequence, …]`) has those of padding behind them.
  ///
  /// - Throws: `EngineError`; `CancellationError` where the task is cancelled.
  package func rows(_ texts: [[Int32]]) throws -> [[[Float]]] {
    var rows = [[[Float]]](repeating: [], count: texts.count)
    // Equals next to each other: little of a batch is padding. The longest come first, so that memory is at its peak at
    // the beginning.
    let order = texts.indices.sorted { (-texts[$0].count, $0) < (-texts[$1].count, $1) }
    var start = 0
    while start < order.count {
      try Task.checkCancellation()
      let longest = texts[order[start]].count
      let length = min(Self.raised(longest), max(maximumLength, longest))
      let batch = order[start..<min(start + max(1, min(Self.mostTexts, Self.mostTokens / length)), order.count)]
      start = batch.endIndex
      let feeds = Self.inputs(batch.map { texts[$0] }, length: length, padding: padding, hasTypes: hasTypes)
      let results = try session.withLock { try $0.run(feeds) }
      for output in outputs {
        let values: [Float] = results[output]!.elements()
        let width = values.count / batch.count
        for (place, text) in batch.enumerated() {
          rows[text].append(Array(values[place * width..<(place + 1) * width]))
        }
      }
    }
    return rows
  }

  /// Texts as the inputs of an encoder's graph, int64 `[texts, length]` each.
  ///
  /// - Precondition: no text is longer than `length`.
  package static func inputs(
    _ texts: [some Collection<Int32>], length: Int, padding: Int32, hasTypes: Bool
  ) -> [String: Tensor] {
    let shape: Shape = [texts.count, length]
    var (ids, mask) = ([Int64](), [Int64]())
    for text in texts {
      ids += text.lazy.map { Int64($0) }
      ids += repeatElement(Int64(padding), count: length - text.count)
      mask += repeatElement(1, count: text.count)
      mask += repeatElement(0, count: length - text.count)
    }
    var inputs = [
      EncoderNetwork.tokenInput: Tensor(ids, shape: shape), EncoderNetwork.maskInput: Tensor(mask, shape: shape),
    ]
    if hasTypes { inputs[EncoderNetwork.typeInput] = Tensor(zeros: shape, elementType: .int64) }
    return inputs
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
