// Items and embeddings from JSON lines.

import CommandSupport
import Datasets
import Testing

@Suite("Reading items")
struct ItemReadingTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test("items come in the order of the file, with their lines, across threads too")
  func order() throws {
    let text = (0..<500).map { $0 % 5 == 4 ? "bad" : #"{"id": "i\#($0)", "embedding": [\#($0), 1]}"# }
      .joined(separator: "\n")
    let path = try directory.write(text, to: "items.jsonl")
    for threadCount in [1, 3] {
      let file = try ItemFile(path: path, options: ReadOptions(threadCount: threadCount))
      let expected = (0..<500).filter { $0 % 5 != 4 }
      #expect(file.items.map(\.id) == expected.map { "i\($0)" })
      #expect(file.lines == expected.map { $0 + 1 })
      #expect(file.items.map { $0.embedding?[0] } == expected.map { Float($0) })
      #expect(file.skipped.count == 100)
      #expect(file.skipped.examples[0].line == 5)
    }
  }

  @Test("an item of another width is left out where one width is asked for; one without an embedding stays")
  func widths() throws {
    let path = try directory.write(
      #"{"id": "a", "embedding": [1, 2]}"# + "\n" + #"{"id": "b", "embedding": [1]}"# + "\n" + #"{"id": "c"}"# + "\n"
        + #"{"id": "d", "embedding": [3, 4]}"#, to: "items.jsonl")
    let file = try ItemFile(path: path, options: ReadOptions(embeddingWidth: .uniform))
    #expect(file.items.map(\.id) == ["a", "c", "d"])
    #expect(
      file.skipped.examples == [
        LineProblem(line: 2, message: "\"b\" has an embedding of 1 numbers, expected 2 (as on line 1)")
      ])
    #expect(throws: DatasetError.self) {
      try ItemFile(path: path, options: ReadOptions(isStrict: true, embeddingWidth: .exactly(2)))
    }
    #expect(try ItemFile(path: path).items.count == 4)
  }

  @Test("embeddings that items name come from their own file; missing ones are told")
  func embeddings() throws {
    let items = try directory.write(
      #"{"id": "a", "embedding_id": "e1"}"# + "\n" + #"{"id": "b", "embedding_id": "e2", "embedding": [9]}"# + "\n"
        + #"{"id": "c", "embedding_id": "e3"}"#, to: "items.jsonl")
    let embeddings = try directory.write(
      #"{"embedding_id": "e1", "embedding": [1, 2]}"# + "\n" + #"{"embedding_id": "e2", "embedding": [3]}"# + "\n"
        + #"{"embedding_id": "e1", "embedding": [1, 2]}"# + "\n" + #"{"embedding_id": "e1", "embedding": [5]}"# + "\n"
        + #"{"embedding_id": "e4"}"#, to: "embeddings.jsonl")
    var file = try ItemFile(path: items)
    let vectors = try EmbeddingFile(path: embeddings)
    #expect(vectors.vectors == ["e1": [1, 2], "e2": [3]])
    #expect(
      vectors.skipped.examples == [
        LineProblem(line: 4, message: "embedding \"e1\" was there before with other numbers; the first are kept"),
        LineProblem(line: 5, message: "\"embedding\" is missing"),
      ])
    #expect(file.resolveEmbeddings(from: vectors).map(\.id) == ["c"])
    #expect(file.items.map(\.embedding) == [[1, 2], [9], nil])
  }
}
