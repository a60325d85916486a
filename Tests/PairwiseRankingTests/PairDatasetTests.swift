// The data of the ranker: columns, gaps, and what is refused.

import CommandSupport
import Datasets
import Foundation
import PairwiseRanking
import Testing

@Suite("The ranker's data")
struct PairDatasetTests {
  private let folder = try! TemporaryDirectory()

  private func dataset(_ pairs: [PreferencePair], embeddingDimension: Int? = nil) throws -> PairDataset {
    try PairDataset(path: folder.write(pairs, to: "pairs.jsonl"), embeddingDimension: embeddingDimension)
  }

  private func item(_ id: String, _ embedding: [Float]?, _ metrics: [String: Double] = [:]) -> Item {
    Item(id: id, embedding: embedding, metrics: metrics)
  }

  private func rows(_ data: PairDataset) -> [[Float]] {
    let values = data.features.elements(as: Float.self)
    return (0..<data.itemCount).map { Array(values[$0 * data.layout.count..<($0 + 1) * data.layout.count]) }
  }

  @Test("columns are the embedding, then the metrics in the order of their names")
  func columns() throws {
    let data = try dataset([
      PreferencePair(
        itemA: item("a", [1, 2], ["zeal": 3, "art": 4]), itemB: item("b", [5, 6], ["art": 7, "zeal": 8]),
        label: .preferA)
    ])
    #expect(data.layout.summary == "embedding[2], then art, zeal")
    #expect(rows(data) == [[1, 2, 4, 3], [5, 6, 7, 8]])
  }

  @Test("each item is kept once, however many pairs it is in")
  func itemsOnce() throws {
    let (a, b, c) = (item("a", [1]), item("b", [2]), item("c", [3]))
    let data = try dataset([
      PreferencePair(itemA: a, itemB: b, label: .preferA), PreferencePair(itemA: c, itemB: a, label: .preferB),
      PreferencePair(itemA: b, itemB: a, label: .preferB),
    ])
    #expect(data.itemCount == 3)
    #expect(data.pairs.map(\.itemA) == [0, 2, 1])
    #expect(data.pairs.map(\.itemB) == [1, 0, 0])
    // The last pair is the first one's mirror.
    #expect(data.groups == [0, 1, 0])
  }

  @Test("a missing metric is NaN in the matrix and counted by name")
  func missing() throws {
    let data = try dataset([
      PreferencePair(itemA: item("a", nil, ["x": 1, "y": 2]), itemB: item("b", nil, ["x": 3]), label: .preferB)
    ])
    #expect(data.layout.embeddingDimension == 0)
    #expect(data.missingMetrics == ["y": 1])
    #expect(rows(data)[1][0] == 3)
    #expect(rows(data)[1][1].isNaN)
    #expect(data.warnings.contains { $0.contains("y (1 items)") })
  }

  @Test("pairs of another embedding width are left out with the line and both widths")
  func mixedWidths() throws {
    let (a, b) = (item("a", [1, 2]), item("b", [3, 4]))
    let data = try dataset([
      PreferencePair(itemA: a, itemB: b, label: .preferA),
      PreferencePair(itemA: a, itemB: item("c", [1, 2, 3]), label: .preferA),
      PreferencePair(itemA: b, itemB: a, label: .preferB),
    ])
    #expect(data.pairs.count == 2)
    #expect(data.skipped.count == 1)
    let problem = try #require(data.skipped.examples.first)
    #expect(problem.line == 2)
    #expect(problem.message.contains("3") && problem.message.contains("2"))
  }

  @Test("a width that no pair has is refused with what was found")
  func wrongWidth() throws {
    let error = try #require(throws: (any Error).self) { try dataset(simplePairs(3), embeddingDimension: 1536) }
    #expect("\(error)".contains("3 numbers") && "\(error)".contains("1536"))
  }

  @Test("only ties are refused, and the message says what to label")
  func onlyTies() throws {
    let pairs = simplePairs(5).map { PreferencePair(itemA: $0.itemA, itemB: $0.itemB, label: .equal) }
    let error = try #require(throws: RankingError.self) { try dataset(pairs) }
    #expect(error == .onlyTies(path: folder.path("pairs.jsonl"), count: 5))
    #expect(error.description.contains("1 (A preferred)"))
  }

  @Test("one label only is allowed, as which item is called A is arbitrary, but told")
  func oneLabel() throws {
    let pairs = simplePairs(40).filter { $0.label != .equal }.map { pair in
      pair.label == .preferA ? pair : PreferencePair(itemA: pair.itemB, itemB: pair.itemA, label: .preferA)
    }
    #expect(try dataset(pairs).warnings.contains { $0.contains("every pair with a winner is labelled 1") })
  }

  @Test("items without embedding and metrics teach nothing")
  func noFeatures() throws {
    let error = try #require(throws: RankingError.self) {
      try dataset([PreferencePair(itemA: item("a", nil), itemB: item("b", nil), label: .preferA)])
    }
    #expect(error == .noFeatures(path: folder.path("pairs.jsonl")))
  }

  @Test("a metric beyond single precision is named with its item")
  func tooLarge() throws {
    let error = try #require(throws: RankingError.self) {
      try dataset([
        PreferencePair(itemA: item("a", nil, ["x": 1]), itemB: item("b", nil, ["x": 1e300]), label: .preferA)
      ])
    }
    #expect(error == .metricTooLarge(item: "b", metric: "x", value: 1e300))
  }
}
