// Items that are written again with other embeddings: nothing else may change.

import CommandSupport
import Datasets
import Foundation
import Testing

@Suite struct ItemRecordTests {
  let directory = try! TemporaryDirectory()

  func rewritten(_ text: String, _ embedding: [Float]?) throws -> [String] {
    let path = try directory.write(text, to: "items.jsonl")
    let file = try ItemRecords(path: path)
    var items = file.items
    for index in items.indices { if let embedding { items[index].embedding = embedding } }
    try file.write(items, to: path)
    return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test("an embedding goes behind all else, or in the place of the old one, wherever that stands")
  func places() throws {
    #expect(
      try rewritten(
        #"""
        {"id": "a", "extra": {"embedding": [9], "deep": [{"x": 1e5}]}, "text": "say \"embedding\": [1], {"}
        {"embedding": [1, 2.50], "id": "b"}
        {"id":"c","embedding":null,"item_type":"embedding"}
        { "id" : "d" , "embedding" : [ 0.5 ] }
        {"item_type": "embedding", "id": "e", "text": "ü\\"}
        """#, [0.25, -1])
        == [
          #"{"id": "a", "extra": {"embedding": [9], "deep": [{"x": 1e5}]}, "text": "say \"embedding\": [1], {", "embedding": [0.25, -1.0]}"#,
          #"{"embedding":[0.25, -1.0], "id": "b"}"#,
          #"{"id":"c","embedding":[0.25, -1.0],"item_type":"embedding"}"#,
          #"{ "id" : "d" , "embedding" :[0.25, -1.0]}"#,
          #"{"item_type": "embedding", "id": "e", "text": "ü\\", "embedding": [0.25, -1.0]}"#,
        ])
  }

  @Test("items whose embedding stays are written byte for byte, fields that nobody knows included")
  func unchanged() throws {
    let lines = [#"{"id": "a",   "embedding": [1.0, 2],"x":[1,{"y":"\u00e9"}]}"#, #"{"id":"b"}"#]
    #expect(try rewritten(lines.joined(separator: "\n"), nil) == lines)
  }

  @Test("an array over several lines becomes an item a line")
  func array() throws {
    #expect(
      try rewritten("[\n  {\n    \"id\": \"a\"\n  },\n  {\"id\": \"b\", \"n\": 1}\n]\n", [1])
        == [#"{     "id": "a"   , "embedding": [1.0]}"#, #"{"id": "b", "n": 1, "embedding": [1.0]}"#])
  }

  @Test("a line that is no item is an error, as writing the file again would lose it")
  func strict() throws {
    let path = try directory.write("{\"id\": \"a\"}\n{\"text\": \"b\"}\n", to: "items.jsonl")
    let error = #expect(throws: DatasetError.self) { try ItemRecords(path: path) }
    #expect(error?.description.hasSuffix("line 2: \"id\" is missing") == true)
  }
}
