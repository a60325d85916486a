// The store: what goes in comes out, and what makes no sense is refused.

import CommandSupport
import Datasets
import Foundation
import PreferenceStore
import Testing

@Suite("The store")
struct StoreTests {
  private let directory: TemporaryDirectory
  private let store: PreferenceStore

  init() throws {
    directory = try TemporaryDirectory()
    store = try PreferenceStore(path: directory.path("ranker.db"))
  }

  private func addItems(_ ids: [String], type: String = "project") throws {
    _ = try store.importItems(ids.map { Item(id: $0, itemType: type) })
  }

  @Test("an item comes back as it went in, to the last bit")
  func roundTrip() throws {
    let item = Item(
      id: "p\"é\u{1F3B5}", itemType: "project", itemReferenceID: "ref",
      embedding: [0.1, -.leastNonzeroMagnitude, .greatestFiniteMagnitude, 1 / 3], embeddingID: "e",
      metrics: ["a": 0.1, "b c": -1e300, "\"": .leastNonzeroMagnitude], text: "two\nlines\t",
      createdAt: Timestamp("2020-02-03T04:05:06.7Z"))
    let first = try store.importItems([item])
    #expect([first.added, first.updated, first.unchanged] as [Int] == [1, 0, 0])
    #expect(try store.item(item.id) == item)
    #expect(try PreferenceStore(path: store.path, isCreated: false).items() == [item])
  }

  @Test("an import adds, updates and leaves alone; an embedding that the file leaves out stays")
  func update() throws {
    _ = try store.importItems([Item(id: "a", embedding: [1, 2], embeddingID: "e"), Item(id: "b")])
    let created = try store.item("a").createdAt
    let result = try store.importItems([Item(id: "a", metrics: ["m": 1]), Item(id: "b"), Item(id: "c")])
    #expect([result.added, result.updated, result.unchanged] as [Int] == [1, 1, 1])
    let a = try store.item("a")
    #expect(a.embedding == [1, 2])
    #expect(a.metrics == ["m": 1])
    #expect(a.createdAt == created)
    _ = try store.importItems([Item(id: "a", embeddingID: "another")])
    #expect(try store.item("a").embedding == nil)
  }

  @Test("one item that can't be stored keeps the whole import out")
  func wholeImports() throws {
    #expect(throws: StoreError.notFinite(itemID: "b", what: "metric \"m\"")) {
      try store.importItems([Item(id: "a"), Item(id: "b", metrics: ["m": .nan])])
    }
    #expect(throws: StoreError.notFinite(itemID: "b", what: "embedding[1]")) {
      try store.importItems([Item(id: "b", embedding: [0, .infinity])])
    }
    #expect(throws: StoreError.emptyField(name: "an item's id")) { try store.importItems([Item(id: "")]) }
    #expect(try store.items().isEmpty)
  }

  @Test("lists filter by type and search in id, reference and text without regard to case")
  func search() throws {
    _ = try store.importItems([
      Item(id: "P-1", itemType: "project", text: "Harvest of Apples"), Item(id: "p-2", itemType: "project"),
      Item(id: "s-1", itemType: "skill", itemReferenceID: "skill/ÄPFEL", embedding: [1, 2, 3]),
    ])
    #expect(try store.summaries().map(\.id) == ["P-1", "p-2", "s-1"])
    #expect(try store.summaries(ofType: "project").map(\.id) == ["P-1", "p-2"])
    #expect(try store.summaries(search: "apples").map(\.id) == ["P-1"])
    #expect(try store.summaries(search: "äpfel").map(\.id) == ["s-1"])
    #expect(try store.summaries(search: "p-1").map(\.id) == ["P-1"])
    #expect(try store.summaries().map(\.embeddingWidth) == [nil, nil, 3])
    #expect(try store.itemTypes().map { "\($0.type) \($0.itemCount)" } == ["project 2", "skill 1"])
  }

  @Test("the similarity of a pair is the cosine of its embeddings, where both have one of the same width")
  func similarity() throws {
    _ = try store.importItems([
      Item(id: "a", embedding: [3, 4]), Item(id: "b", embedding: [4, 3]), Item(id: "c", embedding: [1, 2, 3]),
      Item(id: "d"), Item(id: "zero", embedding: [0, 0]),
    ])
    // (3·4 + 4·3) / (5·5)
    let similar = try #require(try store.addPair(itemA: "a", itemB: "b", label: 1).similarity)
    #expect(abs(similar - 0.96) < 1e-12)
    for other in ["c", "d", "zero"] {
      #expect(try store.addPair(itemA: "a", itemB: other, label: 0).similarity == nil)
    }
  }

  @Test("a mistyped id is refused, and the ids most like it are named")
  func suggestions() throws {
    try addItems(["proj-1", "proj-2", "proj-12", "skill-1", "other"])
    #expect(throws: StoreError.unknownItem(id: "porj-1", nearest: ["proj-1", "proj-12", "proj-2"])) {
      try store.addPair(itemA: "porj-1", itemB: "proj-2", label: 1)
    }
    #expect(throws: StoreError.unknownItem(id: "PROJ-2", nearest: ["proj-2", "proj-1", "proj-12"])) {
      try store.item("PROJ-2")
    }
    #expect(throws: StoreError.unknownItem(id: "completely different", nearest: [])) {
      try store.item("completely different")
    }
  }

  @Test(
    "an exchange of neighbours, a letter missing, added or wrong is one step, nearer than two wrong letters",
    arguments: ["abdc", "abc", "abcde", "axcd"])
  func nearest(_ name: String) {
    #expect(NearestNames.nearest(to: "abcd", among: ["xxcd", name], limit: 1) == [name])
    #expect(NearestNames.nearest(to: "abcd", among: ["zyxw", "abcdefgh"]).isEmpty)
  }

  @Test("pairs that make no sense are refused")
  func refusedPairs() throws {
    try addItems(["a", "b"])
    try addItems(["s"], type: "skill")
    #expect(throws: StoreError.comparedWithItself(id: "a")) { try store.addPair(itemA: "a", itemB: "a", label: 1) }
    #expect(throws: StoreError.labelOutOfRange(2)) { try store.addPair(itemA: "a", itemB: "b", label: 2) }
    #expect(throws: StoreError.typesDiffer(idA: "a", typeA: "project", idB: "s", typeB: "skill")) {
      try store.addPair(itemA: "a", itemB: "s", label: 1)
    }
    #expect(throws: StoreError.unexpectedType(id: "a", type: "project", expected: "skill")) {
      try store.addPair(itemA: "a", itemB: "s", label: 1, type: "skill")
    }
    #expect(try store.pairs().isEmpty)
  }

  @Test("unknown ids become items where that is asked for, of the other item's type")
  func create() throws {
    try addItems(["s"], type: "skill")
    #expect(try store.addPair(itemA: "s", itemB: "new", label: -1, createsItems: true).itemType == "skill")
    #expect(try store.item("new").itemType == "skill")
    #expect(throws: StoreError.self) {
      try store.addPair(itemA: "x", itemB: "s", label: 1, type: "project", createsItems: true)
    }
    // The refused answer left no item behind.
    #expect(throws: StoreError.self) { try store.item("x") }
  }

  @Test("an item that pairs refer to goes only with them")
  func removal() throws {
    try addItems(["a", "b", "c"])
    _ = try store.addPair(itemA: "a", itemB: "b", label: 1)
    _ = try store.addPair(itemA: "c", itemB: "a", label: 0)
    _ = try store.addPair(itemA: "b", itemB: "c", label: 0)
    #expect(throws: StoreError.itemInUse(id: "a", pairCount: 2)) { try store.removeItem("a") }
    #expect(try store.removeItem("a", cascade: true) == 2)
    #expect(try store.pairs().map(\.itemA) == ["b"])
    #expect(throws: StoreError.unknownPair(id: 1)) { try store.removePair(1) }
    #expect(try store.removePair(3).itemB == "c")
    #expect(try store.removeItem("b") == 0)
  }

  @Test("a removed pair's number is not given again")
  func pairNumbers() throws {
    try addItems(["a", "b"])
    let first = try store.addPair(itemA: "a", itemB: "b", label: 1)
    try store.removePair(first.id)
    #expect(try store.addPair(itemA: "a", itemB: "b", label: 1).id > first.id)
  }

  @Test("an exported dataset imports into an empty store and exports to the same bytes; a second import adds nothing")
  func exportImport() throws {
    _ = try store.importItems([
      Item(id: "a", itemType: "t", embedding: [0.1, 0.2], metrics: ["m": 0.3], text: "A"),
      Item(id: "b", itemType: "t", embedding: [0.3, -0.2], metrics: ["m": 0.1]), Item(id: "c", itemType: "u"),
      Item(id: "d", itemType: "u"),
    ])
    _ = try store.addPair(itemA: "a", itemB: "b", label: 1, reasonTags: ["x", "y"])
    _ = try store.addPair(itemA: "c", itemB: "d", label: 0)
    _ = try store.addPair(itemA: "b", itemB: "a", label: -1)
    #expect(try store.export(to: directory.path("one.jsonl")) == 3)

    let other = try PreferenceStore(path: directory.path("other.db"))
    let file = try PairFile(path: directory.path("one.jsonl"), options: ReadOptions(isStrict: true))
    let result = try other.importPairs(file)
    #expect([result.added, result.known, result.items.added] as [Int] == [3, 0, 4])
    #expect(try other.export(to: directory.path("two.jsonl")) == 3)
    #expect(try directory.bytes(of: "one.jsonl") == directory.bytes(of: "two.jsonl"))

    let again = try other.importPairs(file)
    #expect([again.added, again.known, again.items.added] as [Int] == [0, 3, 0])
    #expect(try store.export(to: directory.path("t.jsonl"), ofType: "t") == 2)
    #expect(try store.export(to: directory.path("none.jsonl"), ofType: "none") == 0)
    #expect(!FileManager.default.fileExists(atPath: directory.path("none.jsonl")))
  }

  @Test("--since compares moments, not texts")
  func since() throws {
    let lines = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2026-01-01T03:00:00+02:00"].map {
      #"{"item_a": {"id": "a"}, "item_b": {"id": "b"}, "label": 1, "created_at": "\#($0)"}"#
    }
    let path = try directory.write(lines.joined(separator: "\n"), to: "pairs.jsonl")
    _ = try store.importPairs(try PairFile(path: path))
    #expect(try store.pairs(since: Timestamp("2026-01-01T00:00:00.2Z")).map(\.id) == [2, 3])
    #expect(try store.pairs(since: Timestamp("2026-01-01T01:00:00Z")).map(\.id) == [3])
  }

  @Test("an import that refers to an unknown id stores nothing; stored items stay as they are unless asked")
  func importReferences() throws {
    try addItems(["a", "b"])
    let options = ReadOptions(allowsReferences: true)
    let unknown = try directory.write(
      #"{"item_a": "a", "item_b": "b", "label": 1}"# + "\n" + #"{"item_a": "a", "item_b": "bb", "label": 1}"#,
      to: "unknown.jsonl")
    #expect(throws: StoreError.unknownItem(id: "bb", nearest: ["b", "a"])) {
      try store.importPairs(try PairFile(path: unknown, options: options))
    }
    #expect(try store.pairs().isEmpty)
    let path = try directory.write(
      #"{"item_a": {"id": "a", "item_type": "project", "text": "new"}, "item_b": "b", "label": 1}"#, to: "pairs.jsonl")
    let file = try PairFile(path: path, options: options)
    // Both items are known: the one that comes whole stays as it is.
    #expect(try store.importPairs(file).items.updated == 0)
    #expect(try store.item("a").text == nil)
    #expect(try store.importPairs(file, updatesItems: true).items.updated == 1)
    #expect(try store.item("a").text == "new")
  }

  @Test("files that are no store of ours are named as what they are")
  func otherFiles() throws {
    #expect(throws: StoreError.noDatabase(path: directory.path("no.db"))) {
      try PreferenceStore(path: directory.path("no.db"), isCreated: false)
    }
    let text = try directory.write(String(repeating: "not a database ", count: 200), to: "text.db")
    #expect(throws: StoreError.file(.notADatabase(path: text))) { try PreferenceStore(path: text) }
    #expect {
      try PreferenceStore(path: directory.path("no/where.db"))
    } throws: {
      "\($0)".contains("does its directory exist")
    }
    // SQLite's header holds the program's mark in bytes 68 to 71 and the schema's version in 60 to 63.
    let checkpointed = try PreferenceStore(path: directory.path("closed.db")).path
    var header = try directory.bytes(of: "closed.db")
    #expect(Array(header[68..<72]) == Array("RnkK".utf8))
    header.replaceSubrange(68..<72, with: [0, 0, 0, 0])
    let foreign = try directory.write(header, to: "foreign.db")
    #expect(throws: StoreError.file(.foreignDatabase(path: foreign))) { try PreferenceStore(path: foreign) }
    header = try directory.bytes(of: "closed.db")
    header[63] = 200
    let newer = try directory.write(header, to: "newer.db")
    #expect(throws: StoreError.file(.newerDatabase(path: newer, version: 200, known: 1))) {
      try PreferenceStore(path: newer)
    }
    #expect(try PreferenceStore(path: checkpointed).items().isEmpty)
  }
}
