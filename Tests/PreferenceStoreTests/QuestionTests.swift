// Which question comes next, and a sitting of answers.

import CommandSupport
import Datasets
import PreferenceStore
import Testing

@Suite("Questions")
struct QuestionTests {
  private let items = (0..<8).map { (id: "i\($0)", type: $0 < 5 ? "long" : "short") }

  private func source(_ strategy: QuestionStrategy, seed: UInt64 = 1, scores: [String: Double] = [:]) -> QuestionSource
  {
    QuestionSource(items: items, pairs: [], strategy: strategy, seed: seed, scores: scores)
  }

  @Test("every two items of a type are asked about once, and no others", arguments: QuestionStrategy.allCases)
  func completeness(_ strategy: QuestionStrategy) {
    let scores = Dictionary(uniqueKeysWithValues: items.enumerated().map { ($1.id, Double($0 * $0 % 7)) })
    var source = source(strategy, scores: scores)
    var asked: Set<Set<String>> = []
    let typeOf = Dictionary(uniqueKeysWithValues: items.map { ($0.id, $0.type) })
    while let (a, b) = source.next() {
      #expect(typeOf[a] == typeOf[b])
      #expect(asked.insert([a, b]).inserted)
      if asked.count % 3 == 0 { source.noteSkip(a, b) } else { source.noteAnswer(a, b) }
    }
    #expect(asked.count == 5 * 4 / 2 + 3 * 2 / 2)
  }

  @Test("the same seed asks the same, and which item is A is drawn", arguments: QuestionStrategy.allCases)
  func seeds(_ strategy: QuestionStrategy) {
    let scores = Dictionary(uniqueKeysWithValues: items.enumerated().map { ($1.id, Double($0)) })
    func questions(_ seed: UInt64) -> [String] {
      var source = source(strategy, seed: seed, scores: scores)
      var all: [String] = []
      while let (a, b) = source.next() {
        all.append("\(a) \(b)")
        source.noteAnswer(a, b)
      }
      return all
    }
    #expect(questions(1) == questions(1))
    #expect(Set((0..<20).map { questions($0)[0] }).count > 1)
  }

  @Test("least-compared brings every item its first question before any gets its third")
  func leastCompared() {
    var source = source(.leastCompared)
    var counts: [String: Int] = [:]
    for _ in 0..<5 {
      let (a, b) = source.next()!
      counts[a, default: 0] += 1
      counts[b, default: 0] += 1
      source.noteAnswer(a, b)
    }
    #expect(counts.count == 8)
    #expect(counts.values.max()! <= 2)
  }

  @Test("uncertain asks where two scores are closest, then where they are next closest")
  func uncertain() {
    let scores = ["i0": 0, "i1": 10, "i2": 10.5, "i3": 30, "i4": 33, "i5": 1, "i6": 100, "i7": 101.0]
    var source = source(.uncertain, scores: scores)
    var asked: [Set<String>] = []
    for _ in 0..<4 {
      let (a, b) = source.next()!
      asked.append([a, b])
      source.noteAnswer(a, b)
    }
    // Differences: 0.5, 1, 3, 10; i0 and i5 are of different types.
    #expect(asked == [["i1", "i2"], ["i6", "i7"], ["i3", "i4"], ["i0", "i1"]])
  }

  @Test("an answer that was taken back may be asked again")
  func undo() {
    var source = QuestionSource(items: [("a", "t"), ("b", "t")], pairs: [], strategy: .leastCompared, seed: 1)
    let (a, b) = source.next()!
    source.noteAnswer(a, b)
    #expect(source.next() == nil)
    source.noteUndo(a, b)
    #expect(source.next() != nil)
  }

  @Test("a sitting stores every answer at once and takes back only its own")
  func session() throws {
    let directory = try TemporaryDirectory()
    let store = try PreferenceStore(path: directory.path("ranker.db"))
    _ = try store.importItems(["a", "b", "c"].map { Item(id: $0) })
    _ = try store.addPair(itemA: "a", itemB: "b", label: 1, reasonTags: ["clear"])
    let session = try AnsweringSession(store: store, strategy: .leastCompared, seed: 3)
    #expect(session.storedCount == 1)
    #expect(try session.suggestedTags() == ["clear"])

    let question = try #require(session.question)
    let pair = try session.answer(.preferB)
    #expect(try store.pairs().map(\.id) == [1, pair.id])
    #expect([pair.itemA, pair.itemB] == [question.a.id, question.b.id])
    try session.setReasonTags(["short", "clear"])
    #expect(try store.pairs().last?.reasonTags == ["short", "clear"])
    try session.advance()
    #expect(session.question != question)

    #expect(try session.undo())
    #expect(session.question == question)
    #expect(try store.pairs().map(\.id) == [1])
    #expect(try session.undo() == false)
    #expect(try store.pairs().count == 1)

    try session.skip()
    try session.skip()
    #expect(session.question == nil)
    #expect([session.skippedCount, session.answers.count, session.storedCount] == [2, 0, 1])
  }

  @Test("a sitting asks a model where it is least sure")
  func scoring() throws {
    let directory = try TemporaryDirectory()
    let store = try PreferenceStore(path: directory.path("ranker.db"))
    _ = try store.importItems((0..<6).map { Item(id: "i\($0)", metrics: ["m": Double($0 * $0)]) })
    let session = try AnsweringSession(store: store, strategy: .uncertain, seed: 1) { items in
      items.map { $0.metrics["m"]! }
    }
    let question = try #require(session.question)
    #expect(Set([question.a.id, question.b.id]) == ["i0", "i1"])
  }
}
