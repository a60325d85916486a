// Several processes on one store, and processes that are killed: what was confirmed is there.

import CommandSupport
import Foundation
import PreferenceStore
import Testing

@Suite("Durability", .serialized)
struct DurabilityTests {
  private let ranker: Command
  private let directory: TemporaryDirectory

  init() throws {
    ranker = try Command("ranker")
    directory = try TemporaryDirectory()
  }

  private func importItems(_ count: Int) throws {
    try directory.write((0..<count).map { #"{"id": "i\#($0)"}"# }.joined(separator: "\n"), to: "items.jsonl")
    #expect(try ranker.run(["items", "import", "items.jsonl"], in: directory).status == 0)
  }

  private func store() throws -> PreferenceStore {
    try PreferenceStore(path: directory.path("ranker.db"), isCreated: false)
  }

  @Test("processes that open a new store and add pairs at once lose none")
  func concurrentProcesses() throws {
    // Each makes its own items and pairs, so the very first moment, when the tables are made, is contended too.
    let rounds = 12
    for round in 0..<rounds {
      let running = try (0..<4).map { writer in
        try ranker.start(
          ["add-pair", "--create", "--item-a", "a\(round)", "--item-b", "b\(writer)", "--label", "1"], in: directory,
          errors: directory.path("errors-\(round)-\(writer)"))
      }
      for (writer, command) in running.enumerated() {
        let status = command.wait()
        let errors = String(decoding: try directory.bytes(of: "errors-\(round)-\(writer)"), as: UTF8.self)
        #expect(status == 0, Comment(rawValue: errors))
      }
    }
    let pairs = try store().pairs()
    #expect(pairs.count == rounds * 4)
    #expect(Set(pairs.map { $0.itemA + $0.itemB }).count == rounds * 4)
    #expect(try store().items().count == rounds + 4)
  }

  @Test("two sittings of a hundred answers each, at once, lose none")
  func concurrentSittings() throws {
    try importItems(30)
    let input = try directory.write(String(repeating: "a\ntag\n", count: 100), to: "answers")
    let sittings = try (0..<2).map { number in
      try ranker.start(
        ["add-pair", "-i", "--strategy", "random", "--seed", "\(number)"], in: directory, input: input,
        output: directory.path("out-\(number)"))
    }
    #expect(sittings.map { $0.wait() } == [0, 0])
    let pairs = try store().pairs()
    #expect(pairs.count == 200)
    #expect(pairs.allSatisfy { $0.reasonTags == ["tag"] })
  }

  @Test("killed again and again in the middle of its work, a sitting loses nothing that it confirmed")
  func killed() throws {
    try importItems(60)
    let input = try directory.write(String(repeating: "a\n\n", count: 1_700), to: "answers")
    var confirmed: Set<Substring> = []
    var killedCount = 0
    for round in 0..<15 {
      let sitting = try ranker.start(
        ["add-pair", "-i", "--strategy", "random", "--seed", "\(round)"], in: directory, input: input,
        output: directory.path("out-\(round)"))
      usleep(UInt32(60_000 + round * 9_000))
      sitting.signal(SIGKILL)
      if sitting.wait() == 128 + SIGKILL { killedCount += 1 }
      let text = String(decoding: try directory.bytes(of: "out-\(round)"), as: UTF8.self)
      // A line is a confirmation only with its end: the last one may be cut.
      for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
        if let range = line.range(of: "stored pair ") { confirmed.insert(line[range.upperBound...]) }
      }
    }
    #expect(killedCount > 5)
    #expect(confirmed.count > 20, "the killed sittings had begun to answer")
    let stored = Set(try store().pairs().map { Substring("\($0.id): \($0.itemA) > \($0.itemB)") })
    #expect(confirmed.subtracting(stored).isEmpty)
  }
}
