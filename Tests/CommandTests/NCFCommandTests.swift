// `ranker train ncf` as a person meets it: exit codes, messages, a kill and what comes after it.

import CommandSupport
import Datasets
import Foundation
import Testing

@Suite("ranker train ncf")
struct NCFCommandTests {
  private let folder = try! TemporaryDirectory()
  private let ranker = try! Command("ranker")

  /// A table of made-up interactions, a few thousand samples an epoch.
  private func data() throws -> String {
    var generator = SeededGenerator(seed: 8)
    var lines = "user_id\titem_id\ttimestamp\n"
    for user in 0..<60 {
      for item in generator.permutation(80).prefix(12) { lines += "u\(user)\ti\(item)\t\(1_600_000_000 + item)\n" }
    }
    return try folder.write(lines, to: "interactions.tsv")
  }

  private func train(_ data: String, _ output: String, _ more: String...) throws -> CommandResult {
    try ranker.run(arguments(data, output) + more, in: folder)
  }

  private func arguments(_ data: String, _ output: String) -> [String] {
    [
      "train", "ncf", "--data-path", data, "--output-path", output, "--epochs", "2", "--embedding-dim", "8",
      "--hidden-layers", "16,8", "--threads", "2",
    ]
  }

  @Test(
    "it says how well the model ranks and where it is; onnx-verify takes the checkpoint, and --json tells each epoch")
  func trains() throws {
    let data = try data()
    let result = try train(data, "models/a.pt", "--leave-one-out")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("models/a.pt: NDCG@10 0.") && result.output.contains("of 60 users"))
    #expect(result.errors.contains("720 pairs of 60 users and 80 items: 660 to train on, 60 users to validate"))
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("models")).sorted()
    #expect(
      files == [
        "a.onnx", "a.pt", "a_interactions.safetensors", "a_metadata.json", "a_report.html", "a_test_data_set_0",
        "a_training_state.pth",
      ])
    let verified = try Command("onnx-verify").run(["models/a.pt"], in: folder)
    #expect(verified.status == 0 && verified.output.contains("models/a.onnx: matches"), "\(verified.errors)")

    let told = try train(data, "models/b.pt", "--json")
    let lines = try told.output.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    #expect(lines.first?["event"] as? String == "began")
    #expect(lines.count { $0["event"] as? String == "epoch" } == 2)
    #expect(lines.last?["event"] as? String == "done" && lines.last?["verified"] as? Bool == true)
    #expect(try train(data, "models/c.pt", "--quiet").errors.isEmpty)
  }

  @Test("a training killed with SIGKILL goes on and ends in the bytes of one that never stopped")
  func killed() throws {
    let data = try data()
    // Some seconds of training: the state is first written after one.
    let more = ["--epochs", "3000", "--patience", "3000"]
    let running = try ranker.start(arguments(data, "parts/m.pt") + more, in: folder)
    let state = folder.path("parts/m_training_state.pth")
    let deadline = Date(timeIntervalSinceNow: 60)
    while !FileManager.default.fileExists(atPath: state), Date() < deadline { usleep(2_000) }
    running.signal(SIGKILL)
    _ = running.wait()
    #expect(!FileManager.default.fileExists(atPath: folder.path("parts/m_metadata.json")), "it was killed too late")

    let saved = try ranker.run(arguments(data, "parts/m.pt") + more + ["--resume", "--json"], in: folder)
    #expect(saved.status == 0 && saved.output.contains("\"event\":\"resumed\""), "\(saved.errors)")
    let whole = try ranker.run(arguments(data, "whole/m.pt") + more + ["--quiet"], in: folder)
    #expect(whole.status == 0)
    for name in ["m.pt", "m.onnx", "m_interactions.safetensors"] {
      #expect(try folder.bytes(of: "parts/\(name)") == folder.bytes(of: "whole/\(name)"), "\(name)")
    }
  }

  @Test(
    "mistakes are told with what was expected",
    arguments: [
      (["--hidden-layers", "16,x"], Int32(64), "hidden-layers"),
      (["--architecture", "deep"], 64, "mlp"),
      (["--negative-ratio", "0"], 64, "--negative-ratio is 0; expected 1 to 1000"),
      (["--resume"], 1, "there is no saved state"),
      (["--init-from", "nothing.pt"], 1, "nothing.pt"),
      (["--output-path", "models"], 1, "--output-path is \"models\""),
    ])
  func mistakes(arguments: [String], status: Int32, message: String) throws {
    let result = try ranker.run(self.arguments(data(), "models/m.pt") + arguments, in: folder)
    #expect(result.status == status && result.errors.contains(message), "\(result.errors)")
  }

  @Test("without data it trains on the sample, and ranks its held-out items well in ten epochs")
  func sample() throws {
    let settings = [
      "--epochs", "10", "--batch-size", "256", "--learning-rate", "0.001", "--embedding-dim", "64", "--hidden-layers",
      "128,64,32",
    ]
    let result = try ranker.run(["train", "ncf", "--output-path", "m.pt", "--json"] + settings, in: folder)
    #expect(result.status == 0, "\(result.errors)")
    let last = try #require(result.output.split(separator: "\n").last)
    let done = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
    let test = try #require(done["test"] as? [String: Any])
    // What everybody likes reaches 0.33 there.
    #expect(try #require(test["ndcg"] as? Double) > 0.5)
  }

  @Test("data without an interaction, data that is not there, and a file that is no data are told apart")
  func noData() throws {
    let empty = try train(folder.write("user_id,item_id\n", to: "empty.csv"), "m.pt")
    #expect(empty.status == 1 && empty.errors.contains("holds no interactions"), "\(empty.errors)")
    let missing = try train("nothing.csv", "m.pt")
    #expect(missing.status == 1 && missing.errors.contains("can't read nothing.csv"))
    #expect(missing.errors.contains("check the path"))
    try folder.write("\u{8}\u{0}model", to: "model.onnx")
    let binary = try train("model.onnx", "m.pt")
    #expect(binary.status == 1)
    #expect(binary.errors.contains("model.onnx is a binary file; expected JSON, CSV, TSV or Parquet"))
  }
}
