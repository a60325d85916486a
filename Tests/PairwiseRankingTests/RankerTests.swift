// A trained ranker in use.

import CommandSupport
import Datasets
import Foundation
import ONNX
import PairwiseRanking
import Testing
import Verification

@Suite("Using a ranker")
struct RankerTests {
  private let folder = try! TemporaryDirectory()

  private func trained() throws -> Ranker {
    var training = RankerTraining(
      input: try folder.write(simplePairs(150), to: "pairs.jsonl"), output: folder.path("model"))
    training.settings.hiddenDimension = 16
    training.settings.epochs = 30
    _ = try training.run()
    return try Ranker(directory: folder.path("model"))
  }

  private func item(_ id: String, clarity: Double, embedding: [Float]? = [0, 0, 0]) -> Item {
    Item(id: id, embedding: embedding, metrics: ["clarity": clarity, "impact": 0.5])
  }

  @Test("ranks by what the pairs preferred, best first, and cuts after k")
  func ranks() throws {
    let ranker = try trained()
    let items = [0.2, 0.9, 0.5, 0.7].map { item("clarity-\($0)", clarity: $0) }
    let ranking = try ranker.rank(items)
    #expect(ranking.entries.map(\.item.id) == ["clarity-0.9", "clarity-0.7", "clarity-0.5", "clarity-0.2"])
    #expect(ranking.entries.map(\.rank) == [1, 2, 3, 4])
    #expect(try ranker.rank(items, topK: 2).entries.map(\.item.id) == ["clarity-0.9", "clarity-0.7"])
    #expect(try ranker.compare(items[1], items[0]) == ranking.entries[0].score - ranking.entries[3].score)
  }

  @Test("an item's score does not depend on the items beside it")
  func independent() throws {
    let ranker = try trained()
    let items = (0..<700).map { item("\($0)", clarity: Double($0) / 700, embedding: [Float($0) / 700, 0.1, -0.2]) }
    let together = try ranker.scores(of: items)
    for index in [0, 511, 512, 699] {
      #expect(abs(try ranker.scores(of: [items[index]])[0] - together[index]) <= 1e-6)
    }
  }

  @Test("items that cannot be scored are left out with the reason")
  func leftOut() throws {
    let ranker = try trained()
    let ranking = try ranker.rank([
      item("good", clarity: 0.5), item("bare", clarity: 0.5, embedding: nil),
      item("wide", clarity: 0.5, embedding: [1, 2, 3, 4]),
    ])
    #expect(ranking.entries.map(\.item.id) == ["good"])
    #expect(ranking.leftOut.map(\.id) == ["bare", "wide"])
    #expect(ranking.leftOut[0].reason.contains("no embedding"))
    #expect(ranking.leftOut[1].reason.contains("4 numbers") && ranking.leftOut[1].reason.contains("takes 3"))
    #expect(throws: RankingError.self) { try ranker.rank([item("bare", clarity: 0.5, embedding: nil)]) }
  }

  @Test("several threads get the scores that one gets")
  func threads() async throws {
    let ranker = try trained()
    let items = (0..<64).map { item("\($0)", clarity: Double($0) / 64) }
    let expected = try ranker.scores(of: items)
    try await withThrowingTaskGroup(of: [Float].self) { group in
      for _ in 0..<16 { group.addTask { try ranker.scores(of: items) } }
      for try await scores in group { #expect(scores == expected) }
    }
  }

  @Test("a changed scorer is refused before it is used")
  func changedFile() throws {
    _ = try trained()
    let path = folder.path("model/pairwise_ranker_scorer.onnx")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    let error = try #require(throws: (any Error).self) { try Ranker(directory: folder.path("model")) }
    #expect("\(error)".contains("SHA-256"))
  }

  @Test("evaluating on the training's own pairs gives the metadata's measures")
  func evaluates() throws {
    let ranker = try trained()
    let measures = try ranker.evaluate(path: folder.path("pairs.jsonl")).measures
    let (training, validation) = (ranker.metadata.training, try #require(ranker.metadata.validation))
    #expect(measures.pairs == training.pairs + validation.pairs)
    for row in 0..<3 {
      for column in 0..<3 {
        #expect(
          measures.confusion[row][column] == training.confusion[row][column] + validation.confusion[row][column])
      }
    }
    let mean =
      (training.loss * Double(training.pairs) + validation.loss * Double(validation.pairs)) / Double(measures.pairs)
    #expect(abs(measures.loss - mean) < 1e-5)
  }

  @Test("a listing shows whole models, and broken ones with the reason")
  func listing() throws {
    _ = try trained()
    try folder.write("{\"model_type\": \"pairwise_ranker\"}", to: "broken_metadata.json")
    try folder.write("{\"model_type\": \"recommender\"}", to: "other_metadata.json")
    let models = try ModelSummary.models(in: folder.url.path)
    #expect(models.count == 3)
    #expect(models[0].path.hasSuffix("broken_metadata.json"))
    #expect(models[0].problem?.contains("missing") == true)
    #expect(models[1].path.hasSuffix("model/pairwise_ranker_metadata.json"))
    #expect(models[1].problem == nil)
    #expect(models[2].problem?.contains("is missing") == true)
    try FileManager.default.removeItem(atPath: folder.path("model/pairwise_ranker.pth"))
    #expect(try ModelSummary.models(in: folder.url.path)[1].problem?.contains("pairwise_ranker.pth") == true)
  }

  @Test("conversions keep the numbers: half precision to three digits, formats to the bit")
  func conversions() throws {
    let ranker = try trained()
    for format in ModelConversion.Format.allCases {
      for precision in [nil, ModelConversion.Precision.float16, .bfloat16] {
        let path = folder.path("converted.\(format.rawValue)")
        let conversion = ModelConversion(source: folder.path("model"), format: format, precision: precision)
        _ = try conversion.write(to: path)
        var training = RankerTraining(input: folder.path("pairs.jsonl"), output: folder.path("again"))
        training.settings.hiddenDimension = 16
        training.settings.epochs = 1
        training.settings.learningRate = 1e-12
        // A graph in half precision names its stored weights otherwise.
        guard format != .onnx else {
          try Model(contentsOf: path).check(fullCheck: true)
          continue
        }
        training.initialParameters = path
        _ = try training.run()
        let items = simplePairs(3).map(\.itemA)
        let before = try ranker.scores(of: items)
        let after = try Ranker(directory: folder.path("again")).scores(of: items)
        let tolerance: Float = precision == nil ? 1e-5 : precision == .float16 ? 5e-3 : 5e-2
        for (a, b) in zip(before, after) { #expect(abs(a - b) < tolerance) }
      }
    }
  }
}
