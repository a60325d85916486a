// Embeddings of texts, against those that transformers makes with the same small encoder (Resources/make_encoder.py).

import CommandSupport
import Datasets
import Encoders
import Foundation
import Testing
import TextClassification

@Suite struct EmbeddingTests {
  private struct Expected: Decodable {
    let text: String
    let tokens: [String]
    let embedding: [Float]
  }

  private let directory = try! TemporaryDirectory()
  private let encoder = Bundle.module.bundlePath + "/Resources/encoder"
  private let expected = try! JSONDecoder().decode(
    [Expected].self,
    from: Data(contentsOf: URL(fileURLWithPath: Bundle.module.bundlePath + "/Resources/expected_embeddings.json")))

  private func difference(_ a: [Float], _ b: [Float]) -> Float {
    #expect(a.count == b.count)
    return zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test("embeddings are those of transformers: accents, ideographs, control characters, texts cut at the end")
  func transformers() throws {
    let embedder = TextEmbedder(directory: encoder)
    for (one, made) in zip(expected, try embedder.embed(expected.map(\.text))) {
      #expect(difference(made.embedding, one.embedding) < 1e-5, "\(one.text)")
      #expect(made.isTruncated == (one.tokens.count == 24))
      // Alone or among others, padded or not.
      #expect(try difference(embedder.embed([one.text])[0].embedding, one.embedding) < 1e-5)
    }
    #expect(try embedder.width() == 16)
  }

  @Test("many texts keep their order, whatever their lengths, and several tasks may ask at once")
  func order() async throws {
    let embedder = TextEmbedder(directory: encoder, threads: 2)
    let texts = (0..<700).map { expected[$0 % 5].text }
    try await withThrowingTaskGroup(of: Float.self) { group in
      for _ in 0..<4 {
        group.addTask {
          zip(texts.indices, try embedder.embed(texts)).map { index, made in
            zip(made.embedding, expected[index % 5].embedding).map { abs($0 - $1) }.max()!
          }.max()!
        }
      }
      for try await largest in group { #expect(largest < 1e-5) }
    }
  }

  @Test("a blank text is named, a text of a megabyte is read to where the encoder ends")
  func extremes() throws {
    let embedder = TextEmbedder(directory: encoder)
    for blank in ["", " \n", "\u{7}\u{0}", "\u{3000}"] {
      #expect(throws: TextUseError.blankText(index: 1)) { try embedder.embed(["bread", blank]) }
    }
    let long = try embedder.embed([String(repeating: "how are stars born ", count: 60_000)])[0]
    #expect(long.isTruncated)
    #expect(difference(long.embedding, expected[5].embedding) < 1e-5)
    #expect(try embedder.embed([]).isEmpty)
  }

  @Test("fewer tokens may be read, more than the encoder has places for may not")
  func length() throws {
    // [CLS] how stars [SEP]: what is behind has no part in it.
    let short = TextEmbedder(directory: encoder, maximumLength: 4)
    let (a, b) = (try short.embed(["How stars are born."])[0], try short.embed(["how stars"])[0])
    #expect(a.isTruncated && !b.isTruncated && difference(a.embedding, b.embedding) < 1e-6)
    #expect(throws: TextUseError.invalidLength(found: 25, maximum: 24)) {
      try TextEmbedder(directory: encoder, maximumLength: 25).embed(["bread"])
    }
  }

  @Test("a vocabulary with more tokens than the table has rows is refused")
  func vocabulary() throws {
    let copy = directory.path("encoder")
    try FileManager.default.copyItem(atPath: encoder, toPath: copy)
    let vocabulary = try String(contentsOfFile: copy + "/vocab.txt", encoding: .utf8)
    try (vocabulary + "extra\n").write(toFile: copy + "/vocab.txt", atomically: true, encoding: .utf8)
    let error = #expect(throws: EncoderError.self) { try TextEmbedder(directory: copy).width() }
    guard case .vocabularyDoesNotFit(_, 67, 66)? = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
  }

  @Test("items with an embedding keep it, those without a text are an error that names the line, or stay")
  func items() throws {
    let embedder = TextEmbedder(directory: encoder)
    var items = [
      Item(id: "a", embedding: [1, 2], text: "bread"), Item(id: "b", text: "bread"), Item(id: "c", text: " "),
    ]
    #expect(throws: TextUseError.itemWithoutText(path: "items.jsonl", line: 7, id: "c")) {
      try embedder.embed(&items, lines: [1, 4, 7], path: "items.jsonl")
    }
    #expect(items[1].embedding == nil)
    let result = try embedder.embed(&items, lines: [1, 4, 7], path: "items.jsonl", skippingWithoutText: true)
    #expect(result.embedded == 1 && result.kept == 1 && result.withoutText == 1 && result.otherWidth == 2)
    #expect(items[0].embedding == [1, 2] && items[2].embedding == nil)
    #expect(difference(items[1].embedding ?? [], expected[1].embedding) < 1e-5)
    let forced = try embedder.embed(
      &items, lines: [1, 4, 7], path: "items.jsonl", replacing: true, skippingWithoutText: true)
    #expect(forced.embedded == 2 && forced.otherWidth == nil && items[0].embedding == items[1].embedding)
  }
}
