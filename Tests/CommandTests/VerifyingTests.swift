// onnx-verify as a person runs it: what it says, and how it exits.

import CommandSupport
import Foundation
import ONNX
import Tensors
import Testing

@Suite("The command onnx-verify")
struct VerifyingTests {
  private let directory: TemporaryDirectory
  private let verify: Command

  /// A small ranker, trained by the command: 24 items of two metrics, preferred by the first.
  init() throws {
    directory = try TemporaryDirectory()
    verify = try Command("onnx-verify")
    let lines = (0..<60).map { index in
      let (a, b) = (index % 24, (index * 7 + 5) % 24)
      func item(_ number: Int) -> String {
        #"{"id": "i\#(number)", "metrics": {"x": \#(Double(number) / 24), "y": \#(Double(number * 5 % 24) / 24)}}"#
      }
      let label = a == b ? 0 : a > b ? 1 : -1
      return #"{"item_a": \#(item(a)), "item_b": \#(item(a == b ? (b + 1) % 24 : b)), "label": \#(label)}"#
    }
    try lines.joined(separator: "\n").write(
      toFile: directory.path("pairs.jsonl"), atomically: true, encoding: .utf8)
    let training = try Command("ranker").run(
      [
        "train", "pairwise", "--input", "pairs.jsonl", "--output", "model", "--epochs", "2", "--hidden-dim", "8",
        "--name", "small",
      ], in: directory)
    try #require(training.status == 0, "\(training.errors)")
  }

  private func run(_ arguments: String...) throws -> CommandResult { try verify.run(arguments, in: directory) }

  private func changeGraph(_ change: (inout Model) -> Void) throws {
    let path = directory.path("model/small.onnx")
    var model = try Model(contentsOf: path)
    change(&model)
    try model.write(to: path)
  }

  @Test("exits with 0 where all matches, and names every output")
  func matches() throws {
    let result = try run("model")
    #expect(result.status == 0, "\(result.output)")
    for output in ["score_a", "score_b", "score_diff"] { #expect(result.output.contains(output)) }
  }

  @Test("exits with 1 on a mismatch, and names the tensor and the place")
  func mismatch() throws {
    try changeGraph { model in
      let index = model.graph.initializers.firstIndex { $0.name == "shared_layer.3.weight" }!
      model.graph.initializers[index].tensor.withUnsafeMutableElements(as: Float.self) { $0[9] += 0.5 }
    }
    let result = try run("model")
    #expect(result.status == 1)
    #expect(result.output.contains("shared_layer.3.weight") && result.output.contains("[1, 1]"))
  }

  @Test("a renamed output is a mismatch")
  func renamedOutput() throws {
    try changeGraph { model in
      for index in model.graph.nodes.indices {
        model.graph.nodes[index].outputs = model.graph.nodes[index].outputs.map { $0 == "score_diff" ? "gap" : $0 }
      }
      let index = model.graph.outputs.firstIndex { $0.name == "score_diff" }!
      model.graph.outputs[index].name = "gap"
    }
    let result = try run("model")
    #expect(result.status == 1)
    #expect(result.output.contains("gap"))
  }

  @Test("exits with 2 where a file is cut, missing or no model, and says why")
  func unreadable() throws {
    let path = directory.path("model/small.onnx")
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
    #expect(try run("model").status == 2)
    #expect(try run("nowhere").status == 2)
    let result = try run("pairs.jsonl")
    #expect(result.status == 2)
    #expect(result.output.contains("pairs.jsonl"))
  }

  @Test("a wrong call exits as ArgumentParser does")
  func usage() throws {
    #expect(try run().status == 64)
    #expect(try run("model", "--rtol", "-1").status == 64)
    #expect(try run("model", "model", "--checkpoint", "x.pth").status == 64)
  }

  @Test("a lone graph is held against a checkpoint")
  func checkpoint() throws {
    let honest = try run("model/small.onnx", "--checkpoint", "model/small.pth")
    #expect(honest.status == 0, "\(honest.output)")
    try changeGraph { model in
      let index = model.graph.initializers.firstIndex { $0.name == "score_layer.bias" }!
      model.graph.initializers[index].tensor = Tensor([1] as [Float])
    }
    let changed = try run("model/small.onnx", "--checkpoint", "model/small.pth")
    #expect(changed.status == 1)
    #expect(changed.output.contains("score_layer.bias"))
  }

  @Test(
    "the recorded test data replays in both runtimes, and --json says what came of it",
    arguments: ["reference", "engine"])
  func replay(runtime: String) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: directory.path("recorded"), withIntermediateDirectories: true)
    try files.copyItem(atPath: directory.path("model/small.onnx"), toPath: directory.path("recorded/model.onnx"))
    try files.copyItem(
      atPath: directory.path("model/test_data_set_0"), toPath: directory.path("recorded/test_data_set_0"))
    let result = try run("recorded", "--runtime", runtime, "--json", "--report", "report.json")
    #expect(result.status == 0, "\(result.output)")
    let written = try Data(contentsOf: URL(fileURLWithPath: directory.path("report.json")))
    for json in [result.outputBytes, written] {
      let results = try #require(try JSONSerialization.jsonObject(with: json) as? [[String: Any]])
      #expect(results.count == 1 && results[0]["verdict"] as? String == "matched")
    }
  }
}
