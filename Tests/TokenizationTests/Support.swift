// A small vocabulary, and folders for files.

import Foundation
import Tokenization

/// What every vocabulary here begins with: ids 0 to 4.
let specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

/// A tokenizer of these tokens, behind the special ones.
func tokenizer(
  _ tokens: [String], lowercases: Bool = true, stripsAccents: Bool? = nil, isolatesIdeographs: Bool = true
) throws -> WordPieceTokenizer {
  let normalization = Normalization(
    lowercases: lowercases, stripsAccents: stripsAccents, isolatesIdeographs: isolatesIdeographs)
  return try WordPieceTokenizer(
    vocabulary: WordPieceVocabulary(tokens: specialTokens + tokens),
    settings: TokenizerSettings(normalization: normalization))
}

extension WordPieceTokenizer {
  /// The tokens of a text without [CLS] and [SEP], each as its UTF-8: as texts, é in one piece equals é in two.
  func pieces(_ text: String) -> [[UInt8]] { tokens(encode(text).ids).dropFirst().dropLast().map { Array($0.utf8) } }
}

/// Tokens as `pieces` gives them.
func utf8(_ tokens: String...) -> [[UInt8]] { tokens.map { Array($0.utf8) } }

/// Runs `body` with an empty folder, which goes away with all that is in it.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("tokenization-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
