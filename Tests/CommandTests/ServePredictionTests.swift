import CommandSupport
import Foundation
import Testing
import TrainingClient

/// What a server's models say is what the commands say of the same files.
@Suite("Predictions of ranker serve", .serialized)
struct ServePredictionTests {
  private struct Session {
    let folder: TemporaryDirectory
    let client: TrainingClient

    /// Trains the next version of a model and puts it into use; the folder of its files.
    func train(_ kind: String, data: String? = nil, _ parameters: [String: String] = [:]) async throws -> String {
      let started = try await client.start(kind, data: data, parameters: parameters)
      let job = try await client.wait(for: started.id, patience: .seconds(120))
      #expect(job.status == "completed", "\(job)")
      try await client.promote(1, of: kind)
      return try #require(job.modelPath)
    }

    /// The JSON that a command prints.
    func ranker<Value: Decodable>(_ arguments: [String]) throws -> Value {
      let result = try Command("ranker").run(arguments + ["--json"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      return try JSONDecoder.snakeCase.decode(Value.self, from: result.outputBytes)
    }
  }

  private func session(_ body: (Session) async throws -> Void) async throws {
    let folder = try TemporaryDirectory()
    try ServerProcess.addUser(in: folder)
    let server = try await ServerProcess(in: folder)
    try await body(Session(folder: folder, client: try await server.client()))
    #expect(server.end(SIGTERM) == 0)
  }

  @Test("recommenders recommend, score and compare", arguments: ["popular", "als", "ncf"])
  func recommenders(kind: String) async throws {
    try await session { session in
      let model = try await session.train(kind, kind == "ncf" ? ["epochs": "1"] : [:])
      let users = ["user_20", "somebody new"]
      let expected: [ItemList] = try session.ranker(
        ["recommend", "--model", model, "--user", users[0], "--user", users[1], "--top-k", "4"])
      let found = try await session.client.recommend(kind, users: users, count: 4)
      #expect(found == expected)
      #expect(found.map(\.source) == ["model", "popularity"])
      let items = found[0].items.map(\.item)
      let pairs: [ScoredPair] = try session.ranker(
        ["predict", "--model", model, "--user", users[0], "--items", items.joined(separator: ",")])
      #expect(try await session.client.predict(kind, user: users[0], items: items) == pairs)
      let placed: [ItemList] = try session.ranker(
        ["recommend", "--model", model, "--items-seen", items.joined(separator: ","), "--top-k", "3"])
      #expect(try await session.client.recommend(kind, itemsSeen: items, count: 3).items == placed[0].items)
      if kind != "popular" {
        let similar = try await session.client.similar(kind, to: items[0], count: 2)
        #expect(similar.count == 2 && similar[0].score >= similar[1].score && similar[0].score <= 1)
      }
      await #expect {
        _ = try await session.client.predict(kind, user: users[0], items: ["item_000000"])
      } throws: { error in
        guard case TrainingClientError.refused(422, _, let fields) = error else { return false }
        return fields["items"]?.hasPrefix("items names \"item_000000\", not among the model's ") == true
      }
    }
  }

  @Test("a ranker ranks items")
  func ranks() async throws {
    try await session { session in
      let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Sources/PairwiseRanking/Resources").standardizedFileURL.path
      for arguments in [
        ["items", "import", "\(examples)/sample_items.jsonl"], ["pairs", "import", "\(examples)/sample_pairs.jsonl"],
        ["export", "--output", "dataset.jsonl"],
      ] { #expect(try Command("ranker").run(arguments, in: session.folder).status == 0) }
      let model = try await session.train("pairwise", data: "dataset.jsonl", ["epochs": "2", "hidden_dim": "16"])
      struct Ranking: Decodable {
        let ranking: [RankedItem]
      }
      let expected: Ranking = try session.ranker(
        ["rank", "--model", model, "--items", "\(examples)/sample_items.jsonl", "--top-k", "20"])
      let lines = try String(contentsOfFile: "\(examples)/sample_items.jsonl", encoding: .utf8).split(separator: "\n")
      let items = try lines.map { try JSONDecoder().decode(RankableItem.self, from: Data($0.utf8)) }
      #expect(try await session.client.rank("pairwise", items: items, count: 20) == expected.ranking)
    }
  }

  @Test("a classifier names labels, a detector concepts")
  func texts() async throws {
    try await session { session in
      let texts = ["How stars are born, shine and die", "A budget of 3000 for a present, une bague en or"]
      let classifier = try await session.train(
        "classification",
        ["from_scratch": "true", "epochs": "1", "max_length": "16", "target_size": "0", "batch_size": "64"])
      struct Classified: Decodable {
        struct Label: Decodable {
          let label: String
          let probability: Float
          let isAssigned: Bool
        }
        let labels: [Label]
      }
      let expected: [Classified] = try session.ranker(
        ["classify", "--model", classifier, "--text", texts[0], "--text", texts[1], "--top-k", "3"])
      let labels = try await session.client.classify("classification", texts: texts, count: 3)
      #expect(labels.map { $0.map(\.label) } == expected.map { $0.labels.map(\.label) })
      // Other threads may take other texts together, which changes the last digits.
      for (found, wanted) in zip(labels.joined(), expected.flatMap(\.labels)) {
        #expect(abs(found.probability - wanted.probability) < 1e-5)
      }

      let detector = try await session.train("concept", ["epochs": "2"])
      struct Detected: Decodable {
        let concepts: [FoundConcept]
      }
      let found: [Detected] = try session.ranker(
        ["detect", "--model-path", detector, "--text", texts[0], "--text", texts[1], "--threshold", "0.01"])
      let concepts = try await session.client.detect("concept", texts: texts, threshold: 0.01)
      #expect(concepts == found.map(\.concepts))
      #expect(concepts.joined().isEmpty == false)
    }
  }
}
