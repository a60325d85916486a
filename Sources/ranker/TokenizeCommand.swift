// `ranker tokenize`: what an encoder makes of a text.

import ArgumentParser
import Files
import Foundation
import Tokenization

struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the tokens that an encoder reads of texts.",
    discussion: """
      One line of JSON for each text: "ids", "tokens", and whether a maximum length cut something off.

        ranker tokenize --encoder models/classification/benchmark_v1 --text "Hello, world!"
        ranker tokenize --encoder all-MiniLM-L6-v2 --input texts.txt --max-length 128
      """)

  @Option(help: ArgumentHelp("A directory with vocab.txt and tokenizer_config.json.", valueName: "dir"))
  var encoder: String

  @Option(help: ArgumentHelp("A text; may be repeated.", valueName: "text"))
  var text: [String] = []

  @Option(
    help: ArgumentHelp(
      "A file with a text a line; in one that ends with .jsonl a line is a JSON string, or an object with \"text\" and, "
        + "for two texts in one, \"pair\".", valueName: "file"))
  var input: String?

  @Option(
    help: ArgumentHelp("The most tokens, the special ones included; nothing is cut off without it.", valueName: "n"))
  var maxLength: Int?

  func validate() throws {
    guard !text.isEmpty || input != nil else { throw ValidationError("Give --text TEXT or --input FILE.") }
    if let maxLength, maxLength < 3 {
      throw ValidationError("--max-length is \(maxLength); expected 3 or more, as a pair has 3 special tokens.")
    }
  }

  func run() throws {
    let tokenizer = try WordPieceTokenizer(directory: encoder)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    for text in try text.map({ Text(text: $0, pair: nil) }) + lines() {
      let encoded =
        text.pair.map { tokenizer.encode(text.text, pair: $0, maxLength: maxLength) }
        ?? tokenizer.encode(text.text, maxLength: maxLength)
      let line = Line(
        ids: encoded.ids, tokens: tokenizer.tokens(encoded.ids), truncated: encoded.isTruncated,
        typeIDs: text.pair == nil ? nil : encoded.typeIDs)
      print(String(decoding: try encoder.encode(line), as: UTF8.self))
    }
  }

  private func lines() throws -> [Text] {
    guard let input else { return [] }
    let bytes = try MappedFile(path: input).withUnsafeBytes { Data($0) }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // Behind the last line break is nothing.
    if lines.last?.isEmpty == true { lines.removeLast() }
    return try lines.enumerated().map { index, line in
      guard input.hasSuffix(".jsonl") else { return Text(text: String(decoding: line, as: UTF8.self), pair: nil) }
      do {
        return try JSONDecoder().decode(Text.self, from: line)
      } catch {
        throw ValidationFailure(
          "\(input), line \(index + 1): expected a JSON string or an object with \"text\" and perhaps \"pair\"")
      }
    }
  }

  private struct Text: Decodable {
    let text: String
    let pair: String?

    enum CodingKeys: CodingKey { case text, pair }

    init(text: String, pair: String?) { (self.text, self.pair) = (text, pair) }

    init(from decoder: any Decoder) throws {
      if let text = try? decoder.singleValueContainer().decode(String.self) {
        self.init(text: text, pair: nil)
      } else {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
          text: try fields.decode(String.self, forKey: .text),
          pair: try fields.decodeIfPresent(String.self, forKey: .pair))
      }
    }
  }

  private struct Line: Encodable {
    let ids: [Int32]
    let tokens: [String]
    let truncated: Bool
    let typeIDs: [Int32]?

    enum CodingKeys: String, CodingKey {
      case ids, tokens, truncated
      case typeIDs = "type_ids"
    }
  }
}
