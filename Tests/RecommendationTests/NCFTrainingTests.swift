// A training of NCF from a file to a model: what is written, how it goes on, how it grows, what it refuses.

import Checkpoints
import CommandSupport
import Datasets
import Foundation
import ONNX
import Recommendation
import Tensors
import Testing
import Training
import Verification

@Suite("Training NCF")
struct NCFTrainingTests {
  private let folder = try! TemporaryDirectory()

  /// Users and items of two tastes: a user mostly turns to items of the own taste, which only the pairs tell.
  private func tasteful(users: Int = 40, items: Int = 60, each: Int = 12, times: Bool = true, seed: UInt64 = 2)
    -> String
  {
    var generator = SeededGenerator(seed: seed)
    var lines = [times ? "user_id,item_id,timestamp" : "user_id,item_id"]
    for user in 0..<users {
      var taken: Set<Int> = []
      while taken.count < each {
        let taste = generator.uniform() < 0.95 ? user % 2 : 1 - user % 2
        let item = generator.below(items / 2) * 2 + taste
        guard taken.insert(item).inserted else { continue }
        lines.append("u\(user),i\(item)" + (times ? ",\(1_700_000_000 + taken.count * 60)" : ""))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func training(_ data: String, to name: String = "model/ncf.pt", epochs: Int = 3) throws -> NCFTraining {
    var training = NCFTraining(
      dataPath: try folder.write(data, to: "\(abs(data.hashValue)).csv"), outputPath: folder.path(name))
    training.settings.epochs = epochs
    training.settings.embeddingDimension = 8
    training.settings.hiddenLayers = [16, 8]
    training.settings.batchSize = 64
    training.settings.learningRate = 0.01
    training.settings.threads = 2
    return training
  }

  @Test(
    "a training learns whose taste is whose, and its files say so and verify",
    arguments: NCFGraph.Architecture.allCases, NCFGraph.Loss.allCases)
  func learns(architecture: NCFGraph.Architecture, loss: NCFGraph.Loss) throws {
    var training = try training(tasteful(), epochs: 20)
    training.settings.architecture = architecture
    training.settings.loss = loss
    training.settings.leavesOneOut = true
    let outcome = try training.run()
    let metadata = outcome.metadata
    // One of 49 candidates by chance: the first ten of them hit in a fifth of all cases; of one's own taste in twice that.
    let measures = try #require(metadata.validation)
    #expect(measures.caseCount == 40)
    #expect(measures.hitRate > 0.3)
    #expect(metadata.history.last!.trainLoss < metadata.history[0].trainLoss)
    #expect(metadata.verification.map(\.passed) == [true])

    let checkpoint = try CheckpointValue(contentsOf: folder.path("model/ncf.pt"))
    #expect(checkpoint["num_users"]?.int == 40)
    #expect(checkpoint["embedding_dim"]?.int == 8)
    #expect(checkpoint["hidden_layers"]?.elements?.map(\.int) == (architecture == .gmf ? [] : [16, 8]))
    #expect(checkpoint["training_metrics"]?["ndcg@10"]?.float == measures.ndcg)
    #expect(checkpoint["training_metrics"]?["hit_rate@10"]?.float == measures.hitRate)
    #expect(checkpoint["user_id_map"]?["u0"]?.int == 0)
    let names = checkpoint["model_state_dict"]?.dictionary?.keys ?? []
    #expect(Set(names) == Set(metadata.graph.parameterNames.map { .string($0) }))

    let verified = PathVerifier(families: [.ncf]).verify(folder.path("model/ncf.pt"))
    #expect(verified.verdict == .matched)
    let graph = try Model(contentsOf: folder.path("model/ncf.onnx"))
    #expect(graph.graph.inputs.map(\.name) == ["user", "item"])
    #expect(graph.graph.outputs.map(\.name) == ["score"])
    let seen = try SeenItems(contentsOf: folder.path("model/ncf_interactions.safetensors"))
    #expect(seen.items.count == 40 * 12, "what is held out for validation is seen, too")
  }

  @Test("a training that is stopped again and again ends in the bytes of one that never stopped")
  func resumes() async throws {
    let data = tasteful()
    var whole = try training(data, to: "whole/ncf.pt", epochs: 5)
    whole.settings.dropout = 0.2
    whole.settings.isWeighted = true
    let expected = try whole.run()
    var interrupted = whole
    interrupted.outputPath = folder.path("parts/ncf.pt")
    for stop in 1...2 {
      interrupted.resumes = stop > 1
      let part = interrupted
      let task = Task {
        var epochs = 0
        _ = try part.run { event in
          guard case .progress(let progress) = event, progress.record != nil else { return }
          epochs += 1
          if epochs == stop { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    interrupted.resumes = true
    let outcome = try interrupted.run()
    #expect(!outcome.wasFinished && outcome.metadata.history == expected.metadata.history)
    for name in ["ncf.pt", "ncf.onnx", "ncf_interactions.safetensors", "ncf_report.html"] {
      #expect(try folder.bytes(of: "whole/\(name)") == folder.bytes(of: "parts/\(name)"), "\(name)")
    }
    #expect(try interrupted.run().wasFinished)
    interrupted.settings.negativeRatio = 2
    let changed = interrupted
    #expect {
      try changed.run()
    } throws: {
      "\($0)".contains("--negative-ratio")
    }
  }

  @Test("from an earlier model known ids keep their rows, and new users and items get rows behind them")
  func extendsTables() throws {
    _ = try training(tasteful(users: 10, items: 20, each: 5), to: "first/ncf.pt").run()
    // Other users and items first in the file, then one that is known.
    var training = try training(
      "user_id,item_id\nnew,fresh\nnew,i1\nu3,fresh\nu3,i1\nanother,i2\nanother,fresh\n", to: "second/ncf.pt", epochs: 1
    )
    training.initialModel = folder.path("first/ncf.pt")
    training.settings.validationSplit = 0
    // Steps too short to change a number: what is written is what was taken over.
    training.settings.optimizer = .sgd
    training.settings.learningRate = 1e-30
    let outcome = try training.run()
    #expect(outcome.metadata.initializedFrom?.path == folder.path("first/ncf.pt"))
    let first = try NCFCheckpoint(contentsOf: folder.path("first/ncf.pt"))
    let second = try NCFCheckpoint(contentsOf: folder.path("second/ncf.pt"))
    #expect(second.users.ids == first.users.ids + ["new", "another"])
    #expect(second.items.ids == first.items.ids + ["fresh"])
    for (name, tensor) in first.parameters {
      let (before, after) = (tensor.elements(as: Float.self), second.parameters[name]!.elements(as: Float.self))
      #expect(Array(after.prefix(before.count)) == before, "\(name)")
      let added = after.dropFirst(before.count)
      #expect(added.allSatisfy { abs($0) < 0.6 } && added.allSatisfy { $0 != 0 }, "\(name)")
    }
    training.settings.embeddingDimension = 4
    #expect {
      try training.run()
    } throws: {
      "\($0)".contains("it has --embedding-dim 8, this training 4")
    }
  }

  @Test("a user with every item is told of and gets no negatives; the others train on")
  func fullUser() throws {
    var lines = "user_id,item_id\n"
    for item in 0..<8 { lines += "all,i\(item)\n" }
    for user in 0..<6 { lines += "u\(user),i\(user)\nu\(user),i\(user + 1)\nu\(user),i\(user + 2)\n" }
    var training = try training(lines, epochs: 1)
    training.settings.validationSplit = 0
    var warnings: [String] = []
    let outcome = try training.run { if case .began(let beginning) = $0 { warnings = beginning.warnings } }
    #expect(warnings.contains { $0.contains("a user has every item (all)") })
    #expect(outcome.metadata.data.samplesPerEpoch == 18 * 5 + 8)
    #expect(outcome.metadata.validation == nil)
  }

  @Test("one user is enough to train on, and a lone user with every item is refused where pairs are compared")
  func oneUser() throws {
    var training = try training("user_id,item_id\na,x\na,y\na,z\n", epochs: 1)
    training.settings.validationSplit = 0
    #expect(try training.run().metadata.userCount == 1)
    training.settings.loss = .bpr
    #expect {
      try training.run()
    } throws: {
      "\($0)".contains("every user has every item")
    }
  }

  @Test("settings out of range are named with what was expected")
  func settings() throws {
    func problem(_ change: (inout NCFSettings) -> Void) -> String {
      var settings = NCFSettings()
      change(&settings)
      do { try settings.validate() } catch { return "\(error)" }
      return ""
    }
    #expect(problem { $0.hiddenLayers = [16, 0] } == "--hidden-layers is 16,0; expected numbers of 1 to 8192")
    #expect(problem { $0.negativeRatio = 0 }.contains("--negative-ratio is 0"))
    #expect(problem { ($0.patience, $0.validationSplit) = (2, 0) }.contains("--patience is 2"))
    #expect(throws: RecommendationError.self) {
      try NCFTraining(dataPath: "x", outputPath: folder.path("models")).run()
    }
  }

  @Test("a checkpoint whose values do not fit together is refused, and says which")
  func damagedCheckpoint() throws {
    let graph = NCFGraph(userCount: 2, itemCount: 3, embeddingDimension: 2, hiddenLayers: [2])
    let whole = NCFCheckpoint(
      graph: graph, parameters: graph.initialParameters(seed: 1), users: Vocabulary(["a", "b"]),
      items: Vocabulary(["x", "y", "z"]), metrics: ["ndcg@10": 0.5])
    let path = folder.path("whole.pt")
    try whole.write(to: path)
    let value = try CheckpointValue(contentsOf: path)
    #expect(try NCFCheckpoint(contentsOf: path).items.ids == ["x", "y", "z"])
    func problem(_ change: (inout CheckpointDictionary) -> Void) throws -> String {
      var dictionary = value.dictionary!
      change(&dictionary)
      let path = folder.path("damaged.pt")
      try CheckpointValue.dictionary(dictionary).writePyTorch(to: path)
      do { _ = try NCFCheckpoint(contentsOf: path) } catch { return "\(error)" }
      return ""
    }
    #expect(try problem { $0["num_users"] = nil }.contains("'num_users' is missing"))
    #expect(try problem { $0["num_users"] = 3 }.contains("'user_embedding.weight' is float[2, 2]"))
    #expect(try problem { $0["num_items"] = -1 }.contains("'num_items' is -1"))
    #expect(try problem { $0["user_id_map"] = ["a": 0, "b": 0] }.contains("'user_id_map' does not give"))
    #expect(try problem { $0["item_id_map"] = ["x": 0] }.contains("'item_id_map' has 1 ids for 3 rows"))
    #expect(try problem { $0["hidden_layers"] = [4] }.contains("'mlp.0.weight'"))
    #expect(try problem { $0["architecture"] = "deep" }.contains("expected mlp, gmf or neumf"))
  }
}
