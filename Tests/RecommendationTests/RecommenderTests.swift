// Using recommenders: against the exported graphs in the reference runtime, sorted here.

import CommandSupport
import Foundation
import ONNX
import Parquet
import Recommendation
import ReferenceRuntime
import Tensors
import Testing
import Verification

@Suite("Using a recommender")
struct RecommenderTests {
  private let folder = try! TemporaryDirectory()

  /// 12 users and 20 items of two tastes; item `i0` is everybody's. `u11` has a single item.
  private var data: String {
    var lines = ["user_id,item_id,timestamp"]
    for user in 0..<11 {
      lines.append("u\(user),i0,\(1000 + user)")
      for step in 0..<5 { lines.append("u\(user),i\((user % 2) + 2 * ((user * 3 + step * 2) % 9 + 1)),\(2000 + step)") }
    }
    lines.append("u11,i0,1")
    return lines.joined(separator: "\n") + "\n"
  }

  private func als(_ name: String = "als") throws -> Recommender {
    var training = ALSTraining(data: try folder.write(data, to: "data.csv"), output: folder.path(name))
    training.settings.factors = 8
    training.settings.iterations = 4
    _ = try training.run()
    return Recommender(path: folder.path("\(name)/als.pt"), threads: 2)
  }

  private func ncf(_ architecture: NCFGraph.Architecture = .mlp) throws -> Recommender {
    var training = NCFTraining(
      dataPath: try folder.write(data, to: "data.csv"), outputPath: folder.path("\(architecture).pt"))
    training.settings.architecture = architecture
    training.settings.epochs = 1
    training.settings.embeddingDimension = 6
    training.settings.hiddenLayers = [8]
    training.settings.validationSplit = 0
    _ = try training.run()
    return Recommender(path: folder.path("\(architecture).pt"), threads: 2)
  }

  private func popularity() throws -> Recommender {
    _ = try PopularityTraining(data: try folder.write(data, to: "data.csv"), output: folder.path("popular")).run()
    return Recommender(path: folder.path("popular"))
  }

  /// The items in the order of their first line, as the training numbers them.
  private var itemIDs: [String] {
    var seen: Set<String> = []
    return data.split(separator: "\n").dropFirst().map { String($0.split(separator: ",")[1]) }
      .filter { seen.insert($0).inserted }
  }

  private func seen(_ user: String) -> Set<String> {
    Set(data.split(separator: "\n").filter { $0.hasPrefix("\(user),") }.map { String($0.split(separator: ",")[1]) })
  }

  /// Every item's score for a user by the exported file in the reference runtime.
  private func exported(_ file: String, user: Int) throws -> [Float] {
    let session = try ReferenceSession(try Model(contentsOf: folder.path(file)))
    let count = itemIDs.count
    if file.hasPrefix("als") {
      return try session.run(["user": Tensor([Int64(user)])])["scores"]!.elements()
    }
    return try session.run([
      "user": Tensor([Int64](repeating: Int64(user), count: count)), "item": Tensor((0..<Int64(count)).map { $0 }),
    ])["score"]!.elements()
  }

  private func expectOrder(
    _ entries: [Recommender.Entry], is scores: [Float], leavingOut hidden: Set<String>, count: Int
  ) {
    let byItem = Dictionary(uniqueKeysWithValues: zip(itemIDs, scores))
    let best = byItem.filter { !hidden.contains($0.key) }.values.sorted(by: >).prefix(count)
    #expect(entries.count == best.count)
    for (entry, score) in zip(entries, best) {
      #expect(abs(entry.score - score) < 1e-5)
      #expect(abs(byItem[entry.item]! - score) < 1e-5)
      #expect(!hidden.contains(entry.item))
    }
  }

  @Test("ALS recommends what its exported graph scores highest, without what was seen unless asked")
  func alsOrder() throws {
    let recommender = try als()
    for user in [0, 5] {
      let scores = try exported("als/als.onnx", user: user)
      let new = try recommender.recommend(user: "u\(user)", count: 6)
      #expect(new.source == .model)
      expectOrder(new.entries, is: scores, leavingOut: seen("u\(user)"), count: 6)
      let all = try recommender.recommend(user: "u\(user)", count: 100, includesSeen: true)
      expectOrder(all.entries, is: scores, leavingOut: [], count: 100)
    }
  }

  @Test("NCF recommends what its exported graph scores highest", arguments: NCFGraph.Architecture.allCases)
  func ncfOrder(architecture: NCFGraph.Architecture) throws {
    let recommender = try ncf(architecture)
    let scores = try exported("\(architecture).onnx", user: 3)
    let found = try recommender.recommend(user: "u3", count: 7)
    expectOrder(found.entries, is: scores, leavingOut: seen("u3"), count: 7)
    let prediction = try recommender.predict(user: "u3", item: itemIDs[4])
    #expect(abs(prediction.score - scores[4]) < 1e-5)
    #expect(try recommender.similar(to: "i0", count: 3).count == 3)
  }

  @Test("everybody at once gets what one at a time gets, in order")
  func everybody() throws {
    for recommender in [try als(), try ncf(), try popularity()] {
      var all: [Recommender.Recommendation] = []
      try recommender.recommendAll(count: 4) { all.append($0) }
      #expect(all.map(\.user) == (0..<12).map { "u\($0)" })
      for recommendation in all {
        #expect(try recommender.recommend(user: recommendation.user, count: 4) == recommendation)
      }
    }
  }

  @Test("a user whom the model does not know gets the popular items, and the answer says so")
  func coldStart() throws {
    for recommender in [try als(), try ncf()] {
      let cold = try recommender.recommend(user: "stranger", count: 3)
      #expect(cold.source == .popularity)
      #expect(cold.entries[0].item == "i0" && cold.entries[0].score == 1)
      var all: [Recommender.Source] = []
      try recommender.recommendAll(users: ["u1", "stranger"], count: 2) { all.append($0.source) }
      #expect(all == [.model, .popularity])
      let prediction = try recommender.predict(user: "stranger", item: "i0")
      #expect(prediction.source == .popularity && prediction.score == 1)
    }
  }

  @Test("a new user with items seen gets the place that a user with the same items has")
  func foldIn() throws {
    let recommender = try als()
    let items = seen("u4").sorted()
    let (found, leftOut) = try recommender.recommend(user: "new", itemsSeen: items, count: 5)
    #expect(found.source == .foldIn)
    #expect(leftOut.isEmpty)
    #expect(Set(found.entries.map(\.item)).isDisjoint(with: items))
    // One exact half-step from where u4 stands after its own last half-step and the items' last one.
    let own = try recommender.recommend(user: "u4", count: 5)
    #expect(Set(found.entries.map(\.item)).intersection(own.entries.map(\.item)).count >= 4)
    #expect(try ncf().recommend(user: "new", itemsSeen: items).recommendation.source == .popularity)
  }

  @Test("unknown items are named, or left out and told where that is asked for")
  func unknownItems() throws {
    let recommender = try als()
    #expect(
      throws: RecommendationError.unknownItems(["x", "y"], path: folder.path("als/als.pt"), count: itemIDs.count)
    ) {
      try recommender.predictBatch([("u1", "x"), ("u1", "i0"), ("u2", "y"), ("u2", "x")])
    }
    let (predictions, leftOut) = try recommender.predictBatch(
      [("u1", "x"), ("u1", "i0")], unknownItems: .leftOut)
    #expect(predictions.map(\.item) == ["i0"] && leftOut == ["x"])
    #expect(throws: RecommendationError.self) { try recommender.similar(to: "x") }
    #expect(throws: RecommendationError.noSimilarity(path: folder.path("popular"))) {
      try popularity().similar(to: "i0")
    }
  }

  @Test("similar items are those whose factors point the same way")
  func similarity() throws {
    let recommender = try als()
    let table = try #require(
      try Model(contentsOf: folder.path("als/als.onnx")).graph.initializers.first { $0.name == "item_factors.weight" }
    )
    .tensor
    let width = table.shape[1]
    let values = table.elements(as: Float.self).map(Double.init)
    func row(_ item: Int) -> [Double] { Array(values[item * width..<(item + 1) * width]) }
    func cosine(_ a: [Double], _ b: [Double]) -> Double {
      func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
    }
    let expected =
      itemIDs.indices.dropFirst(3).map { cosine(row(2), row($0)) }
      + [0, 1].map { cosine(row(2), row($0)) }
    let found = try recommender.similar(to: itemIDs[2], count: 5)
    for (entry, value) in zip(found, expected.sorted(by: >)) { #expect(abs(Double(entry.score) - value) < 1e-5) }
    #expect(!found.map(\.item).contains(itemIDs[2]))
  }

  @Test("a missing model says how to train one; a changed file is refused")
  func missing() throws {
    let nothing = Recommender(path: folder.path("nothing"))
    do {
      _ = try nothing.recommend(user: "u1")
      Issue.record("a missing model was used")
    } catch { #expect("\(error)".contains("ranker train als --data-path")) }
    _ = try als()
    let path = folder.path("als/als_interactions.safetensors")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(throws: (any Error).self) { try Recommender(path: folder.path("als")).recommend(user: "u1") }
  }

  @Test("many tasks share one recommender, read once")
  func shared() async throws {
    let recommender = try als()
    let expected = try Recommender(path: folder.path("als")).recommend(user: "u2", count: 5)
    let answers = try await withThrowingTaskGroup(of: Recommender.Recommendation.self) { group in
      for _ in 0..<16 { group.addTask { try recommender.recommend(user: "u2", count: 5) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.count == 16 && answers.allSatisfy { $0 == expected })
  }

  @Test("recommendations are written as CSV, JSON lines and Parquet with the same rows")
  func files() throws {
    let recommender = try als()
    func write(_ name: String) throws -> String {
      let writer = try RecommendationWriter(path: folder.path(name), content: .recommendations)
      try recommender.recommendAll(count: 3) { try writer.write($0) }
      try writer.finish()
      #expect(writer.rowCount == 36)
      return folder.path(name)
    }
    let csv = try String(contentsOfFile: write("out.csv"), encoding: .utf8).split(separator: "\n").map(String.init)
    let lines = try String(contentsOfFile: write("out.jsonl"), encoding: .utf8).split(separator: "\n")
    let table = try ParquetFile(path: write("out.parquet"))
    #expect(csv[0] == "user_id,item_id,rank,score,source")
    #expect(csv.count == 37 && lines.count == 36 && table.rowCount == 36)
    let users = try table.column("user_id", as: String.self)
    let items = try table.column("item_id", as: String.self)
    let scores = try table.column("score", as: Float.self)
    struct Row: Decodable {
      var user, item: String
      var rank: Int
      var score: Float

      enum CodingKeys: String, CodingKey {
        case user = "user_id"
        case item = "item_id"
        case rank, score
      }
    }
    for row in 0..<36 {
      let fields = csv[row + 1].split(separator: ",").map(String.init)
      let json = try JSONDecoder().decode(Row.self, from: Data(lines[row].utf8))
      #expect([users.values[row], items.values[row]] == [fields[0], fields[1]])
      #expect(json.user == fields[0] && json.item == fields[1] && json.rank == Int(fields[2]))
      #expect(scores.values[row] == Float(fields[3]) && json.score == scores.values[row])
    }
    #expect(throws: RecommendationError.unknownForm(path: folder.path("out.xlsx"))) {
      try RecommendationWriter(path: folder.path("out.xlsx"), content: .predictions)
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("out.xlsx")))
  }
}
