// `ranker embed` and `ranker items import --embed`: what becomes of the files.

import CommandSupport
import Foundation
import Testing

@Suite struct EmbedTests {
  private let directory = try! TemporaryDirectory()
  private let ranker = try! Command("ranker")
  /// The small encoder of the library's tests.
  private let encoder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    + "/TextClassificationTests/Resources/encoder"

  private func lines(_ name: String) throws -> [[String: Any]] {
    try String(contentsOfFile: directory.path(name), encoding: .utf8).split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test("a file is filled in place, everything else as it was, and a second time nothing is left to do")
  func inPlace() throws {
    try directory.write(
      "{\"id\": \"a\", \"text\": \"How stars are born.\", \"mine\": [1]}\n{\"id\": \"b\", \"embedding\": [1, 2]}\n",
      to: "items.jsonl")
    let arguments = ["embed", "--encoder", encoder, "--input", "items.jsonl", "--output", "items.jsonl"]
    let result = try ranker.run(arguments, in: directory)
    #expect(result.status == 0 && result.output == "items.jsonl: 1 item embedded, 1 kept theirs\n")
    #expect(result.errors.contains("items that kept their embedding have 2 numbers, the new ones 16"))
    let items = try lines("items.jsonl")
    let embedding = try #require(items[0]["embedding"] as? [Double])
    #expect(embedding.count == 16 && abs(embedding.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    #expect(items[0]["mine"] as? [Int] == [1] && items[1]["embedding"] as? [Int] == [1, 2])
    let before = try Data(contentsOf: URL(fileURLWithPath: directory.path("items.jsonl")))
    #expect(try ranker.run(arguments, in: directory).output == "items.jsonl: 0 items embedded, 2 kept theirs\n")
    #expect(try Data(contentsOf: URL(fileURLWithPath: directory.path("items.jsonl"))) == before)
  }

  @Test("an item without a text is named with its line, and the file stays as it was")
  func withoutText() throws {
    let text = "{\"id\": \"a\", \"text\": \"bread\"}\n{\"id\": \"b\"}\n"
    try directory.write(text, to: "items.jsonl")
    let arguments = ["embed", "--encoder", encoder, "--input", "items.jsonl", "--output", "items.jsonl"]
    let result = try ranker.run(arguments, in: directory)
    #expect(result.status != 0 && result.errors.contains("items.jsonl, line 2: the item \"b\" has no text to embed"))
    #expect(try String(contentsOfFile: directory.path("items.jsonl"), encoding: .utf8) == text)
    let lenient = try ranker.run(arguments + ["--skip-without-text"], in: directory)
    #expect(lenient.status == 0 && lenient.output.contains("1 item embedded, 1 without a text left as they are"))
    #expect(try lines("items.jsonl").map { $0["embedding"] == nil } == [false, true])
  }

  @Test("no encoder says how to get one")
  func noEncoder() throws {
    try directory.write("{\"id\": \"a\", \"text\": \"bread\"}\n", to: "items.jsonl")
    let result = try ranker.run(
      ["embed", "--input", "items.jsonl", "--output", "items.jsonl"], in: directory,
      environment: ["XDG_CACHE_HOME": directory.path("cache")])
    #expect(result.status != 0 && result.errors.contains("obtain it with tools/fetch-encoder"))
    let wrong = try ranker.run(
      ["embed", "--encoder", "nowhere", "--input", "items.jsonl", "--output", "items.jsonl"], in: directory)
    #expect(wrong.status != 0 && wrong.errors.contains("nowhere is no directory of an encoder"))
  }

  @Test("import --embed stores embeddings, and keeps what is stored for the same text")
  func imported() throws {
    try directory.write("{\"id\": \"a\", \"text\": \"bread\"}\n", to: "items.jsonl")
    let arguments = ["items", "import", "items.jsonl", "--embed", "--encoder", encoder]
    let first = try ranker.run(arguments, in: directory)
    #expect(first.status == 0 && first.output.hasPrefix("1 item embedded\n1 item added"))
    #expect(try ranker.run(arguments, in: directory).output.hasPrefix("0 items embedded, 1 kept theirs\n0 items added"))
    try directory.write("{\"id\": \"a\", \"text\": \"stars\"}\n", to: "items.jsonl")
    #expect(
      try ranker.run(arguments, in: directory).output.hasPrefix("1 item embedded\n0 items added, 1 updated"))
    let shown = try ranker.run(["items", "show", "a"], in: directory)
    #expect(shown.output.contains("16 numbers"))
    let alone = try ranker.run(["items", "import", "items.jsonl", "--encoder", encoder], in: directory)
    #expect(alone.status != 0 && alone.errors.contains("go with --embed"))
  }
}
