// `ranker tokenize`: JSON lines of tokens, and what it says to wrong files.

import CommandSupport
import Foundation
import Testing

@Suite("ranker tokenize")
struct TokenizeCommandTests {
  private let folder = try! TemporaryDirectory()
  private let ranker = try! Command("ranker")

  private func tokenize(_ arguments: [String]) throws -> CommandResult {
    _ = try folder.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\n!\n", to: "vocab.txt")
    return try ranker.run(["tokenize", "--encoder", "."] + arguments, in: folder)
  }

  @Test("a line of JSON for each text, empty ones too")
  func texts() throws {
    _ = try folder.write("Hello [SEP]\n\nw\u{F6}rlds", to: "texts.txt")
    let found = try tokenize(["--text", "Hello WORLDS!", "--input", "texts.txt", "--max-length", "4"])
    #expect(
      found.output.split(separator: "\n") == [
        #"{"ids":[2,5,6,3],"tokens":["[CLS]","hello","world","[SEP]"],"truncated":true}"#,
        #"{"ids":[2,5,3,3],"tokens":["[CLS]","hello","[SEP]","[SEP]"],"truncated":false}"#,
        #"{"ids":[2,3],"tokens":["[CLS]","[SEP]"],"truncated":false}"#,
        ###"{"ids":[2,6,7,3],"tokens":["[CLS]","world","##s","[SEP]"],"truncated":false}"###,
      ], "\(found.errors)")
  }

  @Test("JSON lines hold texts with line breaks, and pairs")
  func jsonLines() throws {
    _ = try folder.write("\"hello\\nworld\"\n{\"text\": \"hello\", \"pair\": \"world\"}\n", to: "texts.jsonl")
    let found = try tokenize(["--input", "texts.jsonl"])
    #expect(
      found.output.split(separator: "\n") == [
        #"{"ids":[2,5,6,3],"tokens":["[CLS]","hello","world","[SEP]"],"truncated":false}"#,
        #"{"ids":[2,5,3,6,3],"tokens":["[CLS]","hello","[SEP]","world","[SEP]"],"truncated":false,"#
          + #""type_ids":[0,0,0,1,1]}"#,
      ], "\(found.errors)")
    _ = try folder.write("\"hello\"\n[1]\n", to: "texts.jsonl")
    let wrong = try tokenize(["--input", "texts.jsonl"])
    #expect(wrong.status != 0 && wrong.errors.contains("texts.jsonl, line 2: expected a JSON string or an object"))
  }

  @Test("no text, no room and no tokenizer are said")
  func mistakes() throws {
    #expect(try tokenize([]).errors.contains("Give --text TEXT or --input FILE."))
    let short = try tokenize(["--text", "a", "--max-length", "2"])
    #expect(short.errors.contains("--max-length is 2; expected 3 or more"))
    let missing = try ranker.run(["tokenize", "--encoder", "nowhere", "--text", "a"], in: folder)
    #expect(missing.status != 0 && missing.errors.contains("nowhere: neither vocab.txt nor tokenizer.json is there"))
  }
}
