// What a pretrained encoder makes of the texts of a training.

import Encoders
import GraphEngine
import Tensors

/// The encoder's last hidden states of texts. Where they fit they are computed once and kept; otherwise each batch is
/// computed when it is asked for, so that the memory does not grow with the notes.
final class TokenStates {
  let texts: [[Int32]]
  private let runner: TokenRunner
  private let width: Int
  /// The states of all texts, token by token; nil where they are too many to keep.
  private var kept: [Float]?
  /// Where each text's tokens begin among those of all texts, and behind the last one.
  private let offsets: [Int]

  /// Numbers that are kept: one gibibyte of them, the tokens of about fifty thousand sentences with an encoder of 384.
  private static let mostKept = 1 << 28
  /// Texts that are encoded between two looks at whether the task was cancelled.
  private static let piece = 512

  init(_ texts: [[Int32]], runner: TokenRunner, width: Int) throws {
    self.texts = texts
    self.runner = runner
    self.width = width
    offsets = texts.reduce(into: [0]) { $0.append($0.last! + $1.count) }
    guard offsets.last! * width <= Self.mostKept else { return }
    var states = [Float](repeating: 0, count: offsets.last! * width)
    // Of like lengths, so that little of what is computed is padding.
    let order = texts.indices.sorted { (texts[$0].count, $0) < (texts[$1].count, $1) }
    for start in stride(from: 0, to: order.count, by: Self.piece) {
      let piece = order[start..<min(start + Self.piece, order.count)]
      for (text, row) in zip(piece, try runner.rows(piece.map { texts[$0] })) {
        states.replaceSubrange(
          offsets[text] * width..<offsets[text + 1] * width, with: row[0][..<(texts[text].count * width)])
      }
    }
    kept = states
  }

  var isKept: Bool { kept != nil }

  /// The extents of a batch: texts, the most tokens of one (raised to a few, so that few plans serve all batches), width.
  func shape(of batch: some Collection<Int>) -> Shape {
    let longest = batch.reduce(1) { max($0, texts[$1].count) }
    return [batch.count, (longest + 3) / 4 * 4, width]
  }

  /// The types of a training's inputs for a batch.
  func specs(_ batch: some Collection<Int>) -> [String: TensorSpec] {
    let shape = shape(of: batch)
    return [
      EncoderConceptGraph.statesInput: TensorSpec(.float, shape),
      EncoderNetwork.maskInput: TensorSpec(.int64, [shape[0], shape[1]]),
    ]
  }

  /// Writes a batch into a plan's inputs.
  func fill(_ plan: Plan, _ batch: some Collection<Int>) throws {
    let shape = shape(of: batch)
    let fresh = isKept ? nil : try runner.rows(batch.map { texts[$0] })
    plan.withUnsafeMutableInput(EncoderConceptGraph.statesInput, as: Float.self) { values in
      values.update(repeating: 0)
      for (row, text) in batch.enumerated() {
        let start = row * shape[1] * width
        let count = texts[text].count * width
        if let fresh {
          for place in 0..<count { values[start + place] = fresh[row][0][place] }
        } else {
          kept!.withUnsafeBufferPointer { kept in
            let own = UnsafeBufferPointer(rebasing: kept[offsets[text] * width..<offsets[text] * width + count])
            _ = UnsafeMutableBufferPointer(rebasing: values[start..<start + count]).update(fromContentsOf: own)
          }
        }
      }
    }
    plan.withUnsafeMutableInput(EncoderNetwork.maskInput, as: Int64.self) { values in
      for (row, text) in batch.enumerated() {
        for place in 0..<shape[1] { values[row * shape[1] + place] = place < texts[text].count ? 1 : 0 }
      }
    }
  }

  /// For each of some texts the mean of its states.
  func means(of chosen: [Int]) throws -> [[Double]] {
    var means: [[Double]] = []
    for start in stride(from: 0, to: chosen.count, by: Self.piece) {
      let piece = Array(chosen[start..<min(start + Self.piece, chosen.count)])
      let fresh = isKept ? nil : try runner.rows(piece.map { texts[$0] })
      for (row, text) in piece.enumerated() {
        let count = texts[text].count
        let states = fresh?[row][0][...] ?? kept![offsets[text] * width..<offsets[text + 1] * width]
        var sum = [Double](repeating: 0, count: width)
        for (place, value) in states.prefix(count * width).enumerated() { sum[place % width] += Double(value) }
        means.append(sum.map { $0 / Double(count) })
      }
    }
    return means
  }
}
