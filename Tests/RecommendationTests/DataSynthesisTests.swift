// Synthesized data: what was asked for is there, the same each time, and there is something to find in it.

import CommandSupport
import Datasets
import Foundation
import Recommendation
import Testing

@Suite struct DataSynthesisTests {
  private let directory = try! TemporaryDirectory()

  @Test("the sample has what it says, every user and item in it, and its answers are not in the interactions")
  func sample() throws {
    let data = try InteractionDataset(path: InteractionDataset.samplePath)
    #expect(data.interactions.users.count == 50 && data.interactions.items.count == 200)
    #expect(data.interactions.count == 1_000 && data.heldOut.count == 50)
    #expect(data.warnings.isEmpty && data.notes.isEmpty && data.skipped.count == 0)
    #expect(Set(data.interactions.itemIndices).count == 200)
    #expect(data.heldOut.allSatisfy { $0.candidates.count == 40 && $0.relevant.count == 10 })
  }

  @Test("the sample is what the command's defaults make")
  func sampleIsCurrent() throws {
    try InteractionSynthesis().write(to: directory.path("again.json"))
    let sample = InteractionDataset.samplePath
    #expect(try directory.bytes(of: "again.json") == [UInt8](contentsOf: sample))
  }

  @Test("the same settings give the same rows in every form, another seed gives others")
  func forms() throws {
    let synthesis = InteractionSynthesis(users: 20, items: 40, interactions: 200, heldOutItems: 0, candidates: 0)
    var read: [Interactions] = []
    for name in ["a.json", "a.jsonl", "a.csv", "a.tsv", "a.parquet"] {
      try synthesis.write(to: directory.path(name))
      read.append(try InteractionDataset(path: directory.path(name)).interactions)
    }
    #expect(read.allSatisfy { $0 == read[0] } && read[0].count == 200)
    var other = synthesis
    other.seed = 7
    try other.write(to: directory.path("b.csv"))
    #expect(try InteractionDataset(path: directory.path("b.csv")).interactions != read[0])
  }

  @Test("no pair comes twice, times ascend, and popularity has a long tail")
  func rows() throws {
    func measured(skew: Double) throws -> InteractionStatistics {
      let synthesis = InteractionSynthesis(
        users: 300, items: 500, interactions: 20_000, popularitySkew: skew, heldOutItems: 0, candidates: 0)
      try synthesis.write(to: directory.path("c.csv"))
      return InteractionStatistics(try InteractionDataset(path: directory.path("c.csv")))
    }
    let statistics = try measured(skew: 1)
    #expect(statistics.duplicates == 0 && statistics.users == 300 && statistics.items == 500)
    #expect(statistics.isInOrderOfTime == true)
    #expect(statistics.popularityGini > 1.5 * (try measured(skew: 0)).popularityGini)
    #expect(statistics.kinds.map(\.kind) == ["view", "like", "purchase"])
  }

  @Test("neighbours in taste foretell the held-out items clearly better than popularity")
  func structure() throws {
    let data = try InteractionDataset(path: InteractionDataset.samplePath)
    let matrix = InteractionMatrix(data.interactions)
    let popularity = (0..<200).map { item in Float(data.interactions.itemIndices.count { $0 == Int32(item) }) }
    let popular = try #require(
      RecommendationMeasures.evaluate(cases: data.heldOut, k: 10) { $0.candidates.map { popularity[Int($0)] } })
    // The plainest of models: an item counts the users who have it, each by the items shared with this user.
    let neighbours = try #require(
      RecommendationMeasures.evaluate(cases: data.heldOut, k: 10) { heldOut in
        let own = Set(matrix[Int(heldOut.user)])
        var scores = [Float](repeating: 0, count: 200)
        for user in 0..<50 where user != Int(heldOut.user) {
          let shared = Float(matrix[user].count { own.contains($0) }) / Float(matrix[user].count)
          for item in matrix[user] { scores[Int(item)] += shared * shared }
        }
        return heldOut.candidates.map { scores[Int($0)] }
      })
    #expect(neighbours.ndcg > 0.5)
    #expect(neighbours.ndcg > 1.5 * popular.ndcg)
  }

  @Test("settings that can't be met say what can")
  func refused() {
    func error(_ synthesis: InteractionSynthesis, _ name: String = "x.csv") -> String {
      do {
        try synthesis.write(to: directory.path(name))
        return "none"
      } catch { return "\(error)" }
    }
    #expect(
      error(InteractionSynthesis(users: 10, items: 10, interactions: 60, heldOutItems: 0))
        == "interactions: 60 can't be; expected at most half of the 100 pairs of users and items")
    #expect(error(InteractionSynthesis(users: 0)).hasPrefix("users: 0 can't be"))
    #expect(error(InteractionSynthesis(noise: .nan)).hasPrefix("noise: nan can't be"))
    #expect(error(InteractionSynthesis(), "x.xml").contains(".jsonl"))
  }
}

extension [UInt8] {
  fileprivate init(contentsOf path: String) throws {
    self = try String(contentsOfFile: path, encoding: .utf8).utf8.map { $0 }
  }
}
