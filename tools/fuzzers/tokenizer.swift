// libFuzzer's way into the tokenizer: bytes as a text, repaired where they are not UTF-8; and as a vocabulary.

import Foundation
import Tokenization

/// Every byte, the letters also within words, and some tokens that share beginnings.
private let tokens: [String] = {
  let letters = (0x21..<0x7F).map { String(Unicode.Scalar(UInt8($0))) }
  let wide = ["\u{E9}", "\u{4E2D}", "\u{8C48}", "\u{1100}", "\u{1F600}", "\u{302E}", "\u{1D165}", "\u{3C3}"]
  let longer = ["the", "them", "in", "in\u{E9}", "##ing", "##in", "##\u{302E}\u{1D165}"]
  return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + wide + (letters + wide).map { "##" + $0 } + longer
}()

private let tokenizers: [WordPieceTokenizer] = [(true, nil), (false, nil), (true, false), (false, true)].map {
  (lowercases: Bool, stripsAccents: Bool?) in
  let normalization = Normalization(
    lowercases: lowercases, stripsAccents: stripsAccents, isolatesIdeographs: stripsAccents == nil)
  do {
    return try WordPieceTokenizer(
      vocabulary: WordPieceVocabulary(tokens: tokens), settings: TokenizerSettings(normalization: normalization))
  } catch {
    fatalError("no tokenizer: \(error)")
  }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  let text = String(decoding: bytes, as: UTF8.self)
  for tokenizer in tokenizers { check(tokenizer, text) }

  // Lines as a vocabulary: an error, or ids that lead to their tokens and back.
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  do {
    let vocabulary = try WordPieceVocabulary(tokens: lines)
    for (id, line) in lines.enumerated() where !line.isEmpty {
      guard vocabulary.id(of: line) == Int32(id) else { fatalError("line \(id) has another id") }
    }
  } catch is TokenizationError {
  } catch {
    fatalError("a foreign error: \(error)")
  }
  return 0
}

private func check(_ tokenizer: WordPieceTokenizer, _ text: String) {
  let whole = tokenizer.encode(text, withRanges: true)
  guard whole.ids == tokenizer.encode(text).ids, whole.ids.allSatisfy({ $0 >= 0 && $0 < tokenizer.vocabulary.count })
  else { fatalError("other tokens without ranges") }
  guard whole.ranges!.allSatisfy({ $0.lowerBound >= 0 && $0.upperBound <= text.utf8.count }) else {
    fatalError("a range outside of the text")
  }
  // What is cut off is a beginning of the whole.
  for length in [2, 3, 7] {
    let cut = tokenizer.encode(text, maxLength: length)
    guard cut.ids.dropLast() == whole.ids.dropLast().prefix(length - 1), cut.isTruncated == (whole.count > length) else {
      fatalError("another beginning with \(length) tokens")
    }
  }
  // Two halves with a space between are the tokens of both.
  let middle = text.unicodeScalars.index(text.startIndex, offsetBy: text.unicodeScalars.count / 2)
  let (first, second) = (String(text.unicodeScalars[..<middle]), String(text.unicodeScalars[middle...]))
  let parts = tokenizer.encode(first).ids.dropLast() + tokenizer.encode(second).ids.dropFirst()
  guard tokenizer.encode(first + " " + second).ids == Array(parts) else { fatalError("other tokens in two halves") }
  let pair = tokenizer.encode(pairs: [(first, second)], maxLength: 11, threads: 1)[0]
  guard pair.count <= 11, pair.typeIDs.count == pair.count else { fatalError("a pair of \(pair.count) tokens") }
  _ = tokenizer.decode(whole.ids)
}
