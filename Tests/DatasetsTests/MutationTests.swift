// Damaged files: whatever bytes come, the reader answers with pairs or an error, and the same ones each time.

import CommandSupport
import Datasets
import Foundation
import Testing

@Suite("Damaged files")
struct MutationTests {
  private let directory: TemporaryDirectory
  private let original: [UInt8]

  init() throws {
    directory = try TemporaryDirectory()
    var text: [UInt8] = []
    for number in 0..<4 {
      var pair = PreferencePair(
        itemA: Item(
          id: "p-\(number % 2)", itemType: "project", embedding: [0.25, -1.5e-7, 3],
          metrics: ["clarity": 0.5, "é": -2],
          text: "A \"quoted\" text,\nof two lines \u{1F3B5} {[", createdAt: Timestamp("2026-01-02T03:04:05.678Z")),
        itemB: Item(id: "q", itemType: "project", embedding: [1, 2, 3], embeddingID: "e", metrics: ["clarity": 1]),
        label: PreferenceLabel(rawValue: number % 3 - 1)!)
      pair.reasonTags = ["relevance", "a b"]
      pair.similarity = 0.5
      pair.appendJSON(to: &text)
      text.append(UInt8(ascii: "\n"))
    }
    original = text
  }

  /// Reads with one thread and with three; both must agree, in pairs or in error.
  private func check(_ bytes: [UInt8], _ what: @autoclosure () -> String) throws {
    let path = try directory.write(bytes, to: "mutant.jsonl")
    func outcome(_ threadCount: Int) throws -> String {
      do {
        let file = try PairFile(
          path: path, options: ReadOptions(embeddingWidth: .uniform, allowsReferences: true, threadCount: threadCount))
        #expect(!file.pairs.isEmpty)
        for pair in file.pairs {
          let numbers = (file.items[pair.itemA].embedding ?? []) + (file.items[pair.itemB].embedding ?? [])
          #expect(numbers.allSatisfy { $0.isFinite })
        }
        return "\(file.pairs.count) \(file.items.count) \(file.skipped)"
      } catch { return "\(error)" }
    }
    #expect(try outcome(1) == outcome(3), Comment(rawValue: what()))
  }

  @Test("a file cut at any byte reads, or says why not")
  func cuts() throws {
    for length in 0...original.count { try check(Array(original[..<length]), "cut at \(length)") }
  }

  @Test("thousands of files with changed, removed, added and moved bytes read, or say why not")
  func mutations() throws {
    var generator = SeededGenerator(seed: 20)
    let interesting = Array("{}[]\",:\\\n\r\t 0-e.1nNtfaI\u{FEFF}".utf8) + [0, 0x80, 0xC3, 0xED, 0xF4, 0xFF]
    for round in 0..<6_000 {
      var bytes = original
      for _ in 0...generator.below(4) where !bytes.isEmpty {
        let place = generator.below(bytes.count)
        switch generator.below(7) {
        case 0: bytes[place] ^= UInt8(1 << generator.below(8))
        case 1: bytes[place] = interesting[generator.below(interesting.count)]
        case 2: bytes.insert(interesting[generator.below(interesting.count)], at: place)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + generator.below(40)))
        case 4:
          let end = min(bytes.count, place + 1 + generator.below(200))
          bytes.insert(contentsOf: bytes[place..<end], at: generator.below(bytes.count))
        case 5: bytes.insert(contentsOf: "1e999".utf8, at: place)
        default:
          let repeated = interesting[generator.below(interesting.count)]
          bytes.insert(contentsOf: [UInt8](repeating: repeated, count: generator.below(300)), at: place)
        }
      }
      try check(bytes, "mutation \(round)")
    }
  }

  @Test("random bytes read, or say why not")
  func randomBytes() throws {
    var generator = SeededGenerator(seed: 21)
    for round in 0..<1_000 {
      let start: [UInt8] = [[], Array("[".utf8), Array("{\"item_a\":".utf8)][generator.below(3)]
      try check(
        start + (0..<generator.below(400)).map { _ in UInt8(generator.below(256)) }, "random file \(round)")
    }
  }

  @Test("what is written reads back the same, and is JSON to Foundation too")
  func roundTrip() throws {
    let path = try directory.write(original, to: "whole.jsonl")
    let file = try PairFile(path: path)
    var text: [UInt8] = []
    for index in file.pairs.indices {
      file.preferencePair(at: index).appendJSON(to: &text)
      text.append(UInt8(ascii: "\n"))
    }
    #expect(text == original)
    for (index, line) in original.split(separator: UInt8(ascii: "\n")).enumerated() {
      let decoded = try JSONDecoder().decode(PreferencePair.self, from: Data(line))
      #expect(decoded == file.preferencePair(at: index))
      #expect(try JSONDecoder().decode(PreferencePair.self, from: JSONEncoder().encode(decoded)) == decoded)
    }
  }
}
