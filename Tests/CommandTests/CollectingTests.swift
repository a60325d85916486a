// Collecting preferences at the command line, as a person or a script does.

import CommandSupport
import Datasets
import Foundation
import Testing

@Suite("ranker: items, pairs, export")
struct CollectingTests {
  private let ranker: Command
  private let directory: TemporaryDirectory

  init() throws {
    ranker = try Command("ranker")
    directory = try TemporaryDirectory()
    let items = (1...6).map {
      #"{"id": "proj-\#($0)", "item_type": "project", "embedding": [\#($0), 1], "metrics": {"m": 0.\#($0)}}"#
    }
    try directory.write(
      items.joined(separator: "\n") + "\n" + #"{"id": "skill-1", "item_type": "skill"}"# + "\n", to: "items.jsonl")
  }

  @discardableResult
  private func run(_ line: String, input: String = "", expecting status: Int32 = 0) throws -> CommandResult {
    let result = try ranker.run(line.split(separator: " ").map(String.init), input: input, in: directory)
    #expect(result.status == status, Comment(rawValue: "\(line): \(result.output)\(result.errors)"))
    return result
  }

  @Test("the issue's walk: import, add a pair, list, export")
  func walk() throws {
    #expect(try run("items import items.jsonl").output == "7 items added, 0 updated, 0 unchanged in ranker.db\n")
    let added = try run(
      "add-pair --item-type project --item-a proj-1 --item-b proj-2 --label 1 --reason-tags relevance,metrics")
    // (1·2 + 1·1) / (√2 · √5) = 0.9487
    #expect(added.output == "stored pair 1: proj-1 > proj-2  (similarity 0.949)\n")
    try run("add-pair --item-a proj-2 --item-b proj-3 --label -1")
    let list = try JSONSerialization.jsonObject(with: run("pairs list --json").outputBytes) as? [[String: Any]]
    #expect(list?.map { $0["label"] as? Int } == [1, -1])
    #expect(list?[0]["reason_tags"] as? [String] == ["relevance", "metrics"])
    #expect(try run("export --output dataset.jsonl").output == "2 pairs written to dataset.jsonl\n")
    #expect(try run("export --output -").outputBytes == Data(directory.bytes(of: "dataset.jsonl")))

    let line = try #require(try directory.bytes(of: "dataset.jsonl").split(separator: UInt8(ascii: "\n")).first)
    let pair = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
    #expect((pair["item_a"] as? [String: Any])?["embedding"] as? [Double] == [1, 1])
    #expect(pair["label"] as? Int == 1)
    #expect(pair["reason_tags"] as? [String] == ["relevance", "metrics"])
    #expect(abs((pair["similarity"] as? Double ?? 0) - 0.9486832980505138) < 1e-12)
  }

  @Test("wrong calls end with 64 and say what is wrong; failures end with 1")
  func statuses() throws {
    #expect(try run("items list", expecting: 1).errors.contains("there is no database at ranker.db"))
    try run("items import items.jsonl")
    for (line, message) in [
      (
        "add-pair --item-a proj-1 --item-b proj-2 --label 5",
        "--label 5 is not one of 1 (A preferred), 0 (equal) and -1"
      ),
      ("add-pair --item-a proj-1", "--item-b and --label missing"),
      ("add-pair --interactive --strategy uncertain", "needs --model"),
      ("add-pair --interactive --label 1", "--label does not go with"), ("pairs list --since yesterday", "--since"),
      ("nonsense", "nonsense"),
    ] {
      #expect(try run(line, expecting: 64).errors.contains(message))
    }
    for (line, message) in [
      ("add-pair --item-a prj-1 --item-b proj-2 --label 1", #"there is no item "prj-1"; did you mean one of "proj-1""#),
      ("add-pair --item-a proj-1 --item-b proj-1 --label 1", "can't be compared with itself"),
      ("add-pair --item-a proj-1 --item-b skill-1 --label 1", "only items of one type are compared"),
      ("items import nowhere.jsonl", "can't read nowhere.jsonl: No such file"),
      ("items show proj-99", "there is no item"), ("pairs remove 5", "there is no pair 5"),
      ("export --output x.jsonl", "there are no pairs to export"),
    ] {
      #expect(try run(line, expecting: 1).errors.contains(message))
    }
  }

  @Test("bad lines are counted and named, or fatal with --strict, and then nothing is stored")
  func badLines() throws {
    try directory.write(#"{"id": "a"}"# + "\nbroken\n" + #"{"id": "b"}"#, to: "some.jsonl")
    #expect(
      try run("items import some.jsonl --strict", expecting: 1).errors.contains("some.jsonl, line 2: not valid JSON"))
    #expect(!FileManager.default.fileExists(atPath: directory.path("ranker.db")))
    let result = try run("items import some.jsonl")
    #expect(result.errors.contains("left out 1 line\n  line 2: not valid JSON"))
    #expect(result.output.hasPrefix("2 items added"))
  }

  @Test("--create makes items, --cascade removes pairs with an item")
  func createAndCascade() throws {
    try run("add-pair --item-type note --item-a x --item-b y --label 0 --create")
    #expect(try run("items show x").output.contains("note"))
    #expect(try run("items remove x", expecting: 1).errors.contains(#"1 pair refers to "x"; remove it"#))
    #expect(try run("items remove x --cascade").output == "removed \"x\" and 1 pair\n")
  }

  @Test("the database is where --database, then RANKER_DATABASE says")
  func database() throws {
    try run("items import items.jsonl --database one.db")
    let other = try ranker.run(
      ["items", "import", "items.jsonl"], in: directory, environment: ["RANKER_DATABASE": directory.path("two.db")])
    #expect(other.status == 0)
    #expect(FileManager.default.fileExists(atPath: directory.path("one.db")))
    #expect(FileManager.default.fileExists(atPath: directory.path("two.db")))
    #expect(!FileManager.default.fileExists(atPath: directory.path("ranker.db")))
  }

  @Test("stats warn below 100 pairs and show contradictions and circles")
  func stats() throws {
    try run("items import items.jsonl")
    for (a, b) in [(1, 2), (2, 3), (3, 1), (4, 5), (5, 4)] {
      try run("add-pair --item-a proj-\(a) --item-b proj-\(b) --label 1")
    }
    let result = try run("pairs stats")
    #expect(result.errors.hasPrefix("warning: 5 pairs; a ranker needs 100 or more"))
    #expect(result.output.contains("proj-1 > proj-2 > proj-3 > proj-1"))
    #expect(result.output.contains("proj-4 > proj-5 in pair 4, the other way in pair 5"))
    let report = try #require(
      try JSONSerialization.jsonObject(with: run("pairs stats --json").outputBytes) as? [String: Any])
    #expect(report["pairs"] as? Int == 5)
    #expect((report["cycles"] as? [[String: Any]])?.first?["items"] as? [String] == ["proj-1", "proj-2", "proj-3"])
    #expect(report["never_compared"] as? [String] == ["proj-6", "skill-1"])
  }

  @Test("a dataset that can't be written says why, and leaves the old one as it was")
  func atomicExport() throws {
    try run("items import items.jsonl")
    try run("add-pair --item-a proj-1 --item-b proj-2 --label 1")
    try run("export --output dataset.jsonl")
    let before = try directory.bytes(of: "dataset.jsonl")
    try run("add-pair --item-a proj-1 --item-b proj-3 --label 1")
    let export = Process()  // into a device that is always full
    export.executableURL = URL(fileURLWithPath: ranker.path)
    export.arguments = ["export", "--output", "-"]
    export.currentDirectoryURL = directory.url
    let errors = Pipe()
    export.standardError = errors
    export.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
    try export.run()
    export.waitUntilExit()
    #expect(export.terminationStatus == 1)
    #expect(
      String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
        .contains("standard output: cannot write: No space left on device"))
    #expect(try run("export --output .", expecting: 1).errors.contains("Is a directory"))
    #expect(try run("export --output no/where.jsonl", expecting: 1).errors.contains("No such file or directory"))
    #expect(try directory.bytes(of: "dataset.jsonl") == before)
    try run("export --output dataset.jsonl")
    #expect(try directory.bytes(of: "dataset.jsonl").starts(with: before))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory.url.path).allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("an item's text can't send commands to the terminal")
  func controlCharacters() throws {
    try run("items import -", input: #"{"id": "evil", "text": "\u001b]0;title\u0007 \u009b31m red\nnext"}"#)
    for command in ["items list", "items show evil"] {
      let output = try run(command).output
      #expect(output.contains("red"))
      #expect(output.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
    }
  }

  @Test("--help names every command and opens nothing")
  func help() throws {
    let output = try run("--help").output
    for name in ["items", "pairs", "add-pair", "export"] { #expect(output.contains("\n  \(name) ")) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.url.path) == ["items.jsonl"])
  }
}
