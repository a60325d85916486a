// `ranker train als` and `ranker train popular` as a person meets them: files, messages, a kill and what comes after it.

import CommandSupport
import Datasets
import Foundation
import Testing

@Suite("ranker train als, ranker train popular")
struct ALSCommandTests {
  private let folder = try! TemporaryDirectory()
  private let ranker = try! Command("ranker")

  /// Made-up interactions of two kinds.
  private func data(users: Int = 60, items: Int = 80) throws -> String {
    var generator = SeededGenerator(seed: 8)
    var lines = "user_id\titem_id\ttimestamp\tinteraction_type\n"
    for user in 0..<users {
      for item in generator.permutation(items).prefix(12) {
        lines += "u\(user)\ti\(item)\t\(1_600_000_000 + item)\t\(item % 5 == 0 ? "contact" : "view")\n"
      }
    }
    return try folder.write(lines, to: "interactions.tsv")
  }

  private func train(_ kind: String, _ data: String, _ more: [String] = []) throws -> CommandResult {
    try ranker.run(["train", kind, "--data-path", data] + more, in: folder)
  }

  @Test("both write to one directory, say how well they recommend, and pass onnx-verify there")
  func trains() throws {
    let data = try data()
    let more = ["--leave-one-out", "--event-weights", "contact=5", "--half-life", "30"]
    let factors = try train("als", data, more + ["--factors", "8", "--iterations", "3"])
    #expect(factors.status == 0, "\(factors.errors)")
    #expect(
      factors.output.contains("ml_models/als.onnx: NDCG@10 0.") && factors.output.contains("on 60 held-out cases"))
    #expect(factors.errors.contains("660 pairs of 60 users and 80 items to train on, 60 cases held out"))
    #expect(factors.errors.contains("iteration 3 of 3: loss "))
    let popular = try train("popular", data, more)
    #expect(
      popular.status == 0 && popular.output.contains("ml_models/popularity.onnx: NDCG@10 0."), "\(popular.errors)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("ml_models")).sorted()
    #expect(
      files == [
        "als.onnx", "als.pt", "als_interactions.safetensors", "als_metadata.json", "als_report.html",
        "als_test_data_set_0", "als_top_k.onnx", "als_top_k_test_data_set_0", "als_training_state.pth",
        "popularity.onnx", "popularity.pt", "popularity_interactions.safetensors", "popularity_metadata.json",
        "popularity_report.html", "popularity_test_data_set_0", "popularity_top_k.onnx",
        "popularity_top_k_test_data_set_0",
      ])
    let verified = try Command("onnx-verify").run(["ml_models"], in: folder)
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    for name in ["als.onnx", "als_top_k.onnx", "popularity.onnx", "popularity_top_k.onnx"] {
      #expect(verified.output.contains("ml_models/\(name): matches"))
    }
  }

  @Test("--json tells each iteration, with a loss that falls")
  func json() throws {
    let told = try train("als", data(), ["--json", "--factors", "4", "--iterations", "5"])
    let lines = try told.output.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    #expect(lines.first?["event"] as? String == "began")
    let losses = lines.filter { $0["event"] as? String == "epoch" }.compactMap { $0["loss"] as? Double }
    #expect(losses.count == 5 && zip(losses, losses.dropFirst()).allSatisfy { $0 > $1 })
    #expect(lines.last?["event"] as? String == "done" && lines.last?["verified"] as? Bool == true)
    #expect(try train("popular", data(), ["--quiet"]).errors.isEmpty)
  }

  @Test("a training killed with SIGKILL goes on and ends in the bytes of one that never stopped")
  func killed() throws {
    let arguments = [
      "train", "als", "--data-path", try data(users: 800, items: 300), "--factors", "128", "--iterations", "150",
    ]
    let running = try ranker.start(arguments + ["--output-dir", "parts"], in: folder)
    let state = folder.path("parts/als_training_state.pth")
    let deadline = Date(timeIntervalSinceNow: 60)
    while !FileManager.default.fileExists(atPath: state), Date() < deadline { usleep(2_000) }
    running.signal(SIGKILL)
    _ = running.wait()
    #expect(!FileManager.default.fileExists(atPath: folder.path("parts/als_metadata.json")), "it was killed too late")

    let saved = try ranker.run(arguments + ["--output-dir", "parts", "--resume", "--json"], in: folder)
    #expect(saved.status == 0 && saved.output.contains("\"event\":\"resumed\""), "\(saved.errors)")
    let whole = try ranker.run(arguments + ["--output-dir", "whole", "--quiet"], in: folder)
    #expect(whole.status == 0)
    for name in ["als.pt", "als.onnx", "als_top_k.onnx", "als_interactions.safetensors", "als_report.html"] {
      #expect(try folder.bytes(of: "parts/\(name)") == folder.bytes(of: "whole/\(name)"), "\(name)")
    }
  }

  @Test(
    "mistakes are told with what was expected",
    arguments: [
      ("als", ["--factors", "0"], Int32(64), "--factors is 0; expected 1 to 4096"),
      ("als", ["--solver", "lu"], 64, "cholesky"),
      ("als", ["--event-weights", "contact"], 64, "event-weights"),
      ("als", ["--event-weights", "buy=3"], 1, "buy"),
      ("als", ["--half-life", "0"], 64, "--half-life is 0.0; expected a number of days above 0"),
      ("als", ["--block-size", "8", "--solver", "conjugate-gradient"], 64, "--solver cholesky with it"),
      ("als", ["--resume"], 1, "there is no saved state"),
      ("popular", ["--by", "users", "--half-life", "3"], 64, "--by is users; expected strength"),
      ("popular", ["--opset", "3"], 64, "--opset is 3; expected 13 to 21"),
    ])
  func mistakes(kind: String, arguments: [String], status: Int32, message: String) throws {
    let result = try train(kind, data(), arguments)
    #expect(result.status == status && result.errors.contains(message), "\(result.errors)")
  }
}
