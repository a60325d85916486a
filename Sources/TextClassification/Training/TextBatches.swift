// Texts as numbers, and batches of texts of about one length, padded to the longest.

import Datasets
import Encoders
import GraphEngine
import Tensors

/// The tokens of texts, one after the other.
struct TokenizedTexts: Sendable {
  private var tokens: [Int32] = []
  private var offsets = [0]

  mutating func append(_ text: some Sequence<Int32>) {
    tokens += text
    offsets.append(tokens.count)
  }

  var count: Int { offsets.count - 1 }

  func length(_ text: Int) -> Int { offsets[text + 1] - offsets[text] }

  subscript(text: Int) -> ArraySlice<Int32> { tokens[offsets[text]..<offsets[text + 1]] }
}

/// Cuts texts into batches of about one length, so that little of a batch is padding, and writes them into plans.
struct TextBatches: Sendable {
  let texts: TokenizedTexts
  let graph: ClassifierGraph
  /// The length that no batch passes.
  let maximumLength: Int

  /// Lengths are rounded up to a multiple of this, so that few plans serve all batches.
  static let step = 8

  /// The length of a batch of texts: the longest one's, rounded up.
  func length(_ batch: some Sequence<Int>) -> Int {
    let longest = batch.reduce(1) { max($0, texts.length($1)) }
    return min((longest + Self.step - 1) / Self.step * Self.step, max(maximumLength, longest))
  }

  /// The order of an epoch: a permutation of the texts, drawn from the seed, that consecutive batches are cut from.
  func order(_ count: Int, batchSize: Int, seed: UInt64) -> [Int] {
    LengthOrder.order(count, batchSize: batchSize, seed: seed, length: texts.length)
  }

  /// All texts by length, for an evaluation.
  var byLength: [Int] { (0..<texts.count).sorted { (texts.length($0), $0) < (texts.length($1), $1) } }

  /// The types of the token inputs for a batch.
  func specs(_ batch: ArraySlice<Int>) -> [String: TensorSpec] {
    let spec = TensorSpec(.int64, [batch.count, length(batch)])
    return Dictionary(uniqueKeysWithValues: graph.tokenInputs.map { ($0, spec) })
  }

  /// Writes a batch into a plan's token inputs.
  func fill(_ plan: Plan, _ batch: ArraySlice<Int>) {
    let length = length(batch)
    plan.withUnsafeMutableInput(EncoderNetwork.tokenInput, as: Int64.self) { tokens in
      plan.withUnsafeMutableInput(EncoderNetwork.maskInput, as: Int64.self) { mask in
        for (row, text) in batch.enumerated() {
          let own = texts[text]
          let start = row * length
          for (place, token) in own.enumerated() { tokens[start + place] = Int64(token) }
          for place in own.count..<length { tokens[start + place] = Int64(graph.configuration.paddingToken) }
          for place in 0..<length { mask[start + place] = place < own.count ? 1 : 0 }
        }
      }
    }
    plan.withUnsafeMutableInput(EncoderNetwork.typeInput, as: Int64.self) { $0.update(repeating: 0) }
  }

  /// A batch as tensors.
  func tensors(_ batch: ArraySlice<Int>) -> [String: Tensor] {
    TokenRunner.inputs(
      batch.map { texts[$0] }, length: length(batch), padding: Int32(graph.configuration.paddingToken),
      hasTypes: graph.tokenInputs.contains(EncoderNetwork.typeInput))
  }
}
