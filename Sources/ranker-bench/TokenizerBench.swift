// Tokenizing: texts of a file, or made-up ones, on one thread and on several.

import Datasets
import Foundation
import Tokenization

/// Encoding many short texts, as a training does it once, and one after the other, as a service does it.
///
/// - Parameters:
///   - directory: a tokenizer's; without it a vocabulary is learnt from the texts.
///   - path: a text a line, up to the first tab; without it texts are made up.
func measureTokenizer(directory: String?, texts path: String?, threads: Int, seconds: Double) throws -> [Measurement] {
  let texts = try path.map(readTexts) ?? madeUpTexts()
  let tokenizer = try directory.map { try WordPieceTokenizer(directory: $0) } ?? WordPieceTrainer().train(texts)
  let bytes = texts.reduce(0) { $0 + $1.utf8.count }
  var rows: [Measurement] = []
  for count in Set([1, threads]).sorted() {
    var tokens = 0
    let timing = Timing(seconds: seconds) {
      tokens = tokenizer.encode(batch: texts, maxLength: 128, threads: count).reduce(0) { $0 + $1.count }
    }
    rows.append(
      Measurement(
        name: "tokenizing, \(count) thread\(count == 1 ? "" : "s")", value: timing.median * 1e3, unit: "ms",
        detail:
          "\(texts.count) texts of \(bytes) bytes, \(tokens) tokens, \(tokenizer.vocabulary.count) in the vocabulary"))
  }
  let large = texts.joined(separator: " ")
  let timing = Timing(seconds: seconds) { _ = tokenizer.encode(large) }
  rows.append(
    Measurement(
      name: "tokenizing one large text", value: timing.median * 1e3, unit: "ms", detail: "\(large.utf8.count) bytes"))
  return rows
}

private func readTexts(_ path: String) throws -> [String] {
  try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n")).map {
    String(decoding: $0.prefix { $0 != UInt8(ascii: "\t") }, as: UTF8.self)
  }
}

/// Texts of made-up words, the short ones more frequent, with some capitals, accents and punctuation.
private func madeUpTexts() -> [String] {
  var generator = SeededGenerator(seed: 7)
  let syllables = ["ka", "lo", "mi", "ren", "ta", "st\u{F8}", "vi", "an", "\u{E9}r", "ing", "ou", "sch", "pe", "del"]
  let words = (0..<20_000).map { _ in
    (0...generator.below(4)).map { _ in syllables[generator.below(syllables.count)] }.joined()
  }
  return (0..<40_000).map { _ in
    (0..<5 + generator.below(20)).map { place in
      let word = words[min(generator.below(words.count), generator.below(words.count), generator.below(words.count))]
      let ending = generator.below(8) == 0 ? "," : ""
      return (place == 0 ? word.capitalized : word) + ending
    }.joined(separator: " ") + "."
  }
}
