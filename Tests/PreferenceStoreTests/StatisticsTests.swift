// Statistics on graphs drawn by hand.

import CommandSupport
import Datasets
import PreferenceStore
import Testing

@Suite("Statistics")
struct StatisticsTests {
  /// The statistics of answers written as `a>b`, `a=b`, `a<b`, over items named by one letter.
  private func statistics(_ answers: String, items: String = "") throws -> PairStatistics {
    let directory = try TemporaryDirectory()
    let store = try PreferenceStore(path: directory.path("ranker.db"))
    let answers = answers.split(separator: " ").map(Array.init)
    let names = Set(answers.flatMap { [String($0[0]), String($0[2])] } + items.map(String.init))
    _ = try store.importItems(names.map { Item(id: $0, itemType: $0 < "x" ? "letter" : "late letter") })
    for answer in answers {
      _ = try store.addPair(
        itemA: String(answer[0]), itemB: String(answer[2]), label: answer[1] == ">" ? 1 : answer[1] == "<" ? -1 : 0,
        reasonTags: answer.count > 3 ? [String(answer[3])] : [])
    }
    return try store.statistics()
  }

  @Test("labels, coverage, repetitions and tags are counted")
  func counts() throws {
    let found = try statistics("a>br a<cr b=ct a=b x>yr", items: "dz")
    #expect([found.pairCount, found.preferACount, found.equalCount, found.preferBCount] == [5, 2, 2, 1])
    #expect(found.coverage.map(\.itemType) == ["late letter", "letter"])
    #expect(found.coverage.map(\.itemCount) == [3, 4])
    #expect(found.coverage.map(\.comparedCount) == [2, 3])
    #expect(found.coverage.map(\.pairCount) == [1, 4])
    #expect(found.neverCompared == ["z", "d"])
    #expect(found.repeatedCount == 1)
    #expect(found.reasonTags.map { "\($0.tag) \($0.count)" } == ["r 3", "t 1"])
  }

  @Test(
    "answers in order make no cycle, ties and balanced answers neither",
    arguments: ["a>b b>c a>c", "a=b b=c c=a", "a>b b>a", ""])
  func noCycles(_ answers: String) throws {
    #expect(try statistics(answers).cycles.isEmpty)
  }

  @Test("a circle of three is found and begins with its first name")
  func triangle() throws {
    let cycles = try statistics("c>a b>c b<a d>a").cycles
    #expect(cycles.map(\.items) == [["a", "b", "c"]])
    #expect(cycles.map(\.tangledCount) == [3])
  }

  @Test("of a large tangle the shortest circle is shown, of several tangles one each")
  func tangles() throws {
    // A ring of six with a chord that closes a circle of four (a b c d); apart from it a triangle.
    let cycles = try statistics("a>b b>c c>d d>e e>f f>a d>a k>l l>m m>k f>k").cycles
    #expect(cycles.map(\.items) == [["a", "b", "c", "d"], ["k", "l", "m"]])
    #expect(cycles.map(\.tangledCount) == [6, 3])
  }

  @Test("the majority of answers about two items is what counts in a circle")
  func majority() throws {
    #expect(try statistics("a>b b>c c>a a>c a>c").cycles.isEmpty)
    #expect(try statistics("a>b b>c c>a a>c c>a").cycles.count == 1)
  }

  @Test("opposite answers about two items contradict each other, whichever item was A")
  func contradictions() throws {
    let found = try statistics("a>b b>c b>a a=c c=a c<b b<c").contradictions
    #expect(found.map { $0.itemA + $0.itemB } == ["ab", "bc"])
    #expect(found[0].preferA == [1])
    #expect(found[0].preferB == [3])
    #expect(found[1].preferA == [2, 6])
    #expect(found[1].preferB == [7])
    #expect(try statistics("a>b b<a a=b").contradictions.isEmpty)
  }

  @Test("a chain of thousands of answers is no trouble, closed to a ring neither")
  func longChain() throws {
    let directory = try TemporaryDirectory()
    let store = try PreferenceStore(path: directory.path("ranker.db"))
    let count = 5_000
    let lines = (0..<count).map { number in
      #"{"item_a": {"id": "i\#(number)"}, "item_b": {"id": "i\#((number + 1) % count)"}, "label": 1}"#
    }
    _ = try store.importPairs(
      try PairFile(path: directory.write(lines.dropLast().joined(separator: "\n"), to: "chain.jsonl")))
    #expect(try store.statistics().cycles.isEmpty)
    _ = try store.importPairs(try PairFile(path: directory.write(lines.last!, to: "last.jsonl")))
    #expect(try store.statistics().cycles.map(\.items.count) == [count])
  }
}
