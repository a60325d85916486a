// The trainings as a whole: what they write, that it is right, that they repeat themselves to the bit.

import Checkpoints
import CommandSupport
import Foundation
import GraphEngine
import ONNX
import Recommendation
import Tensors
import Testing
import Training
import Verification

@Suite("Training a factorisation, and popularity")
struct ALSTrainingTests {
  private let folder = try! TemporaryDirectory()

  /// The rows of a matrix as CSV, a second apart.
  private func csv(_ matrix: InteractionMatrix = tastefulMatrix(), kinds: Bool = false) throws -> String {
    var lines = ["user_id,item_id,timestamp" + (kinds ? ",interaction_type" : "")]
    var time = 1_700_000_000
    for user in 0..<matrix.rowCount {
      for item in matrix[user] {
        lines.append("u\(user),i\(item),\(time)" + (kinds ? (item % 2 == 0 ? ",view" : ",contact") : ""))
        time += 1
      }
    }
    return try folder.write(lines.joined(separator: "\n") + "\n", to: "data.csv")
  }

  private func training(to output: String, iterations: Int = 5) throws -> ALSTraining {
    var training = ALSTraining(data: try csv(), output: folder.path(output))
    training.settings.factors = 8
    training.settings.iterations = iterations
    training.settings.leavesOneOut = true
    return training
  }

  private static let files = [
    "als.onnx", "als_top_k.onnx", "als.pt", "als_interactions.safetensors", "als_report.html",
    "als_test_data_set_0/output_0.pb", "als_top_k_test_data_set_0/output_1.pb",
  ]

  private func expectSameFiles(_ a: String, _ b: String) throws {
    for name in Self.files {
      #expect(try folder.bytes(of: "\(a)/\(name)") == folder.bytes(of: "\(b)/\(name)"), "\(name)")
    }
    func untimed(_ name: String) throws -> [String] {
      String(decoding: try folder.bytes(of: "\(name)/als_metadata.json"), as: UTF8.self).split(separator: "\n")
        .map(String.init).filter { !$0.contains("\"created_at\"") && !$0.contains("\"training_time\"") }
    }
    #expect(try untimed(a) == untimed(b))
  }

  @Test("finds the left-out items far better than popularity, and its loss falls at each iteration")
  func learns() throws {
    let outcome = try training(to: "model", iterations: 8).run()
    let measures = try #require(outcome.metadata.measures)
    var popularity = PopularityTraining(data: folder.path("data.csv"), output: folder.path("model"))
    popularity.settings.leavesOneOut = true
    let popular = try #require(try popularity.run().metadata.measures)
    #expect(measures.caseCount == 60 && popular.caseCount == 60)
    #expect(measures.ndcg > 1.3 * popular.ndcg)
    let losses = outcome.metadata.history.map(\.trainLoss)
    #expect(losses.count == 8)
    #expect(zip(losses, losses.dropFirst()).allSatisfy { $0 > $1 })
    #expect(outcome.metadata.history.last?.metrics["ndcg@10"] == measures.ndcg)
    #expect(outcome.metadata.common.headline?.measure == "ndcg@10")
  }

  @Test("writes models that the verifier proves, both kinds in one directory")
  func verified() throws {
    _ = try training(to: "model").run()
    _ = try PopularityTraining(data: folder.path("data.csv"), output: folder.path("model")).run()
    let verifier = PathVerifier(families: [.als, .popularity])
    let result = verifier.verify(folder.path("model"))
    #expect(result.verdict == .matched, "\(result)")
    #expect(result.reports.count == 4)
    for name in ["als.pt", "als.onnx", "als_metadata.json", "popularity.pt", "popularity_top_k.onnx"] {
      let one = verifier.verify(folder.path("model/\(name)"))
      #expect(one.verdict == .matched && one.reports.count == 2, "\(name): \(one)")
    }
    // A flipped bit is found.
    var model = try Model(contentsOf: folder.path("model/als.onnx"))
    model.graph.initializers[0].tensor.withUnsafeMutableElements(as: Float.self) { $0[3] += 0.25 }
    try model.write(to: folder.path("model/als.onnx"))
    #expect(verifier.verify(folder.path("model/als.pt")).verdict == .mismatched)
  }

  @Test("items that stand alike may change places in the verification")
  func alike() throws {
    // Every user and item stands as all others do: scores are equal but for rounding.
    let lines = (0..<40).flatMap { user in (0..<25).map { "u\(user),i\((user * 3 + $0 * $0) % 50)" } }
    var training = ALSTraining(
      data: try folder.write("user_id,item_id\n" + lines.joined(separator: "\n") + "\n", to: "alike.csv"),
      output: folder.path("alike"))
    training.settings.factors = 8
    _ = try training.run()
    #expect(PathVerifier(families: [.als]).verify(folder.path("alike")).verdict == .matched)
  }

  @Test("the same seed gives the same bytes on any number of threads, metadata too but for the times")
  func sameSeed() throws {
    for (name, threads) in [("a", 1), ("b", 2)] {
      var training = try training(to: name)
      training.settings.threads = threads
      _ = try training.run()
    }
    try expectSameFiles("a", "b")
  }

  @Test("a cancelled training goes on and ends in the bytes of one that never stopped", arguments: [nil, 3])
  func resumed(block: Int?) async throws {
    var whole = try training(to: "whole", iterations: 7)
    whole.settings.blockSize = block
    _ = try whole.run()
    var interrupted = try training(to: "parts", iterations: 7)
    interrupted.settings.blockSize = block
    for stop in 1...3 {
      interrupted.resumes = stop > 1
      let part = interrupted
      let task = Task {
        var iterations = 0
        _ = try part.run { event in
          guard case .progress = event else { return }
          iterations += 1
          if iterations == 2 { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    interrupted.resumes = true
    var resumedAt: Int?
    let outcome = try interrupted.run { if case .resumed(let iterations) = $0 { resumedAt = iterations } }
    #expect(resumedAt == 6)
    #expect(!outcome.wasFinished)
    try expectSameFiles("whole", "parts")
    #expect(try interrupted.run().wasFinished)
    // More iterations may be asked for; other settings are another training.
    interrupted.settings.iterations = 8
    #expect(try interrupted.run().metadata.history.count == 8)
    interrupted.settings.alpha = 2
    let error = #expect(throws: TrainingError.self) { try interrupted.run() }
    #expect("\(error!)".contains("--alpha was 1.0 and is now 2.0"))
  }

  @Test("the exported graphs score and rank as the factors do")
  func graphs() throws {
    let outcome = try training(to: "model").run()
    let checkpoint = try CheckpointValue(contentsOf: folder.path("model/als.pt"))
    let state = try StateDictionary(contentsOf: folder.path("model/als.pt"), key: "model_state_dict")
    let users: [Float] = state["user_factors.weight"]!.elements()
    let items: [Float] = state["item_factors.weight"]!.elements()
    #expect(state["user_factors.weight"]!.shape == [60, 8] && state["item_factors.weight"]!.shape == [45, 8])
    #expect(checkpoint["num_users"]?.int == 60 && checkpoint["num_items"]?.int == 45)
    #expect(checkpoint["factors"]?.int == 8)
    #expect(checkpoint["user_id_map"]?["u7"]?.int == 7)
    #expect(checkpoint["training_metrics"]?["hit_rate@10"]?.float == outcome.metadata.measures?.hitRate)
    let user = 7
    let expected = (0..<45).map { item in
      (0..<8).reduce(0.0) { $0 + Double(users[user * 8 + $1]) * Double(items[item * 8 + $1]) }
    }
    let scores = try Session(Model(contentsOf: folder.path("model/als.onnx"))).run(["user": Tensor([Int64(user)])])
    for (a, b) in zip(scores["scores"]!.elements(as: Float.self), expected) { #expect(abs(Double(a) - b) < 1e-5) }
    let top = try Session(Model(contentsOf: folder.path("model/als_top_k.onnx"))).run([
      "user": Tensor([Int64(user)]), "k": Tensor([5] as [Int64]),
    ])
    let best = expected.indices.sorted { expected[$0] > expected[$1] }.prefix(5).map(Int64.init)
    #expect(top["items"] == Tensor(best, shape: [1, 5]))
    #expect(try SeenItems(contentsOf: folder.path("model/als_interactions.safetensors")).userCount == 60)
  }

  @Test("popularity counts users, or strengths by kind and age, the same for every user")
  func popularity() throws {
    var training = PopularityTraining(
      data: try folder.write(
        """
        user_id,item_id,interaction_type,timestamp
        a,x,view,0
        a,x,view,86400
        b,x,contact,172800
        b,y,view,172800
        c,y,contact,172800
        c,z,contact,86400

        """, to: "kinds.csv"), output: folder.path("popular"))
    func scores() throws -> [Float] {
      _ = try training.run()
      return try StateDictionary(contentsOf: folder.path("popular/popularity.pt"), key: "model_state_dict")[
        "item_scores"]!.elements()
    }
    #expect(try scores() == [2, 2, 1])
    training.settings.eventWeights = ["contact": 5]
    #expect(try scores() == [7, 6, 5])
    training.settings.halfLife = 1
    #expect(try scores() == [0.25 + 0.5 + 5, 6, 2.5])
    let top = try Session(Model(contentsOf: folder.path("popular/popularity_top_k.onnx"))).run([
      "user": Tensor([0, 999] as [Int64]), "k": Tensor([2] as [Int64]),
    ])
    #expect(top["items"] == Tensor([1, 0, 1, 0] as [Int64], shape: [2, 2]))
    #expect(top["scores"] == Tensor([6, 5.75, 6, 5.75] as [Float], shape: [2, 2]))
    training.settings.measure = .users
    #expect(throws: RecommendationError.self) { try training.run() }
  }

  @Test("weights by kind and age change the factors")
  func weights() throws {
    func factors(_ change: (inout ALSSettings) -> Void) throws -> [UInt8] {
      var training = ALSTraining(data: try csv(kinds: true), output: folder.path("weighed"))
      training.settings.factors = 4
      training.settings.iterations = 2
      change(&training.settings)
      _ = try training.run()
      return try folder.bytes(of: "weighed/als.pt")
    }
    let plain = try factors { _ in }
    let byKind = try factors { $0.eventWeights = ["contact": 5] }
    let byAge = try factors { $0.halfLife = 0.001 }
    #expect(plain != byKind && plain != byAge && byKind != byAge)
  }

  @Test("says what is wrong with settings and data")
  func errors() throws {
    func message(_ change: (inout ALSTraining) -> Void) throws -> String {
      var training = try training(to: "errors")
      change(&training)
      do {
        _ = try training.run()
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(try message { $0.settings.factors = 0 } == "--factors is 0; expected 1 to 4096")
    #expect(try message { $0.settings.regularization = 0 } == "--regularization is 0.0; expected a number above 0")
    #expect(try message { $0.settings.alpha = .nan }.hasPrefix("--alpha is nan"))
    #expect(try message { $0.settings.halfLife = -1 }.hasPrefix("--half-life is -1.0"))
    #expect(
      try message {
        $0.settings.solver = .conjugateGradient
        $0.settings.blockSize = 4
      }.contains("--solver cholesky"))
    #expect(try message { $0.settings.eventWeights = ["buy": 2] }.contains("interaction_type"))
    #expect(try message { $0.resumes = true }.contains("there is no saved state"))
    let timeless = try folder.write("user_id,item_id\na,x\nb,x\n", to: "timeless.csv")
    #expect(
      try message {
        $0.data = timeless
        $0.settings.halfLife = 3
      }.contains("has no timestamps, and --half-life weighs interactions by their age"))
  }

  @Test("trains on one user with one item, and says that nothing was measured")
  func smallest() throws {
    let data = try folder.write("user_id,item_id\nonly,one\n", to: "smallest.csv")
    var training = ALSTraining(data: data, output: folder.path("smallest"))
    training.settings.leavesOneOut = true
    var warnings: [String] = []
    let outcome = try training.run { if case .began(let beginning) = $0 { warnings = beginning.warnings } }
    #expect(outcome.metadata.measures == nil)
    #expect(warnings.contains { $0.contains("no user has two items") })
    #expect(PathVerifier(families: [.als]).verify(folder.path("smallest")).verdict == .matched)
  }
}
