// The commands as a person meets them: exit codes and messages.

import CommandSupport
import Datasets
import Foundation
import Testing

@Suite("The commands of the ranker")
struct CommandTests {
  private let folder = try! TemporaryDirectory()

  private func train(_ input: String, _ more: String...) throws -> CommandResult {
    var arguments = ["train", "pairwise", "--input", input, "--output", folder.path("model")]
    arguments += ["--epochs", "2", "--hidden-dim", "8"] + more
    return try runRanker(arguments)
  }

  @Test("a usage mistake exits with 64, and says what was expected")
  func usage() throws {
    let result = try train("pairs.jsonl", "--dropout", "1.5")
    #expect(result.status == 64)
    #expect(result.errors.contains("--dropout is 1.5; expected from 0 to below 1"))
    #expect(try runRanker("train", "pairwise").status == 64)
  }

  @Test("a missing, an empty and a broken file are told apart, and exit with 1")
  func files() throws {
    let missing = try train(folder.path("nothing.jsonl"))
    #expect(missing.status == 1)
    #expect(missing.errors.contains("nothing.jsonl") && missing.errors.contains("No such file"))
    let empty = try train(folder.write("", to: "empty.jsonl"))
    #expect(empty.status == 1)
    #expect(empty.errors.contains("is empty"))
    let broken = try train(folder.write("{\"item_a\": 1}\nnonsense\n", to: "broken.jsonl"))
    #expect(broken.status == 1)
    #expect(broken.errors.contains("no usable pair") && broken.errors.contains("line 2"))
  }

  @Test("a bad line is skipped, counted and named; with --strict it ends the training")
  func badLine() throws {
    let path = try folder.write(simplePairs(30), to: "pairs.jsonl")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let mended = try folder.write("{\"oops\": \n" + text, to: "mended.jsonl")
    let result = try train(mended)
    #expect(result.status == 0)
    #expect(result.errors.contains("1 of 31 lines") && result.errors.contains("line 1"))
    let strict = try train(mended, "--strict")
    #expect(strict.status == 1)
    #expect(strict.errors.contains("line 1"))
  }

  @Test("a number that is not finite names its line")
  func notFinite() throws {
    let path = try folder.write(simplePairs(3), to: "pairs.jsonl")
    let text = try String(contentsOfFile: path, encoding: .utf8).replacingOccurrences(
      of: "\"clarity\": 0.", with: "\"clarity\": 1e999, \"x\": 0.")
    let result = try train(folder.write(text, to: "infinite.jsonl"))
    #expect(result.status == 1)
    #expect(result.errors.contains("line 1"))
  }

  @Test("an output directory that cannot be made is told before the data is read")
  func unwritable() throws {
    let file = try folder.write("", to: "a-file")
    let result = try runRanker("train", "pairwise", "--input", "/nothing", "--output", "\(file)/model")
    #expect(result.status == 1)
    #expect(result.errors.contains("a-file") && !result.errors.contains("/nothing"))
  }

  @Test("a full disk is an error that names the file and what to do, and leaves no model")
  func fullDisk() throws {
    // A limit on the size of files stands for the disk.
    let input = try folder.write(simplePairs(30, embedding: 400), to: "pairs.jsonl")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" train pairwise --input \"$1\" --output \"$2\" --epochs 1",
      try Command("ranker").path,
      input, folder.path("full"),
    ]
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(text.contains("File too large") && text.contains("full/pairwise_ranker"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("full/pairwise_ranker_metadata.json")))
  }

  @Test("--json prints one object a line, the last one saying how it went")
  func json() throws {
    let result = try train(folder.write(simplePairs(60), to: "pairs.jsonl"), "--json")
    #expect(result.status == 0)
    let lines = try result.output.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    #expect(lines.first?["event"] as? String == "began")
    #expect(lines.count { $0["event"] as? String == "epoch" } == 2)
    #expect(lines.last?["event"] as? String == "done")
    #expect(lines.last?["verified"] as? Bool == true)
    #expect(result.errors.isEmpty)
  }

  @Test("--quiet prints only the last line")
  func quiet() throws {
    let result = try train(folder.write(simplePairs(60), to: "pairs.jsonl"), "--quiet")
    #expect(result.output.split(separator: "\n").count == 1)
    #expect(result.output.contains("verified") && result.output.contains(folder.path("model")))
    #expect(result.errors.isEmpty)
  }

  @Test("--quiet still says how many lines were left out, on that one line")
  func quietAboutBadLines() throws {
    let pairs = try String(contentsOfFile: folder.write(simplePairs(60), to: "pairs.jsonl"), encoding: .utf8)
    let result = try train(folder.write("{}\n{\"oops\": \n" + pairs + "nonsense\n", to: "some.jsonl"), "--quiet")
    #expect(result.status == 0)
    #expect(result.output.split(separator: "\n").count == 1)
    #expect(result.output.hasSuffix("; 3 lines of data left out\n"))
    #expect(result.errors.isEmpty)
    let clean = try train(folder.path("pairs.jsonl"), "--quiet")
    #expect(clean.status == 0 && !clean.output.contains("left out"))
  }

  @Test("ctrl-C saves the state, says how to go on, and exits with 130")
  func interrupted() throws {
    let input = try folder.write(simplePairs(60), to: "pairs.jsonl")
    let err = folder.path("err")
    let process = try Command("ranker").start(
      ["train", "pairwise", "--input", input, "--output", folder.path("model"), "--epochs", "10000000"],
      in: folder, errors: err)
    // The first epochs are told on standard error; then the handler is in place.
    let deadline = ContinuousClock.now + .seconds(30)
    while try !String(contentsOfFile: err, encoding: .utf8).contains("epoch 1 "), ContinuousClock.now < deadline {
      usleep(10_000)
    }
    process.signal(SIGINT)
    #expect(process.wait() == 130)
    #expect(try String(contentsOfFile: err, encoding: .utf8).contains("--epochs 10000000 --resume"))
    #expect(FileManager.default.fileExists(atPath: folder.path("model/pairwise_ranker_training_state.pth")))
  }

  @Test("rank, evaluate, models, inspect and convert work on what train wrote")
  func walk() throws {
    #expect(try train(folder.write(simplePairs(60), to: "pairs.jsonl")).status == 0)
    let items = simplePairs(5).map(\.itemA)
    var text: [UInt8] = []
    for item in items {
      item.appendJSON(to: &text)
      text.append(UInt8(ascii: "\n"))
    }
    let path = try folder.write(String(decoding: text, as: UTF8.self), to: "items.jsonl")
    let model = folder.path("model")
    let rank = try runRanker("rank", "--model", model, "--items", path, "--top-k", "2", "--json")
    #expect(rank.status == 0)
    let ranking = try #require(try JSONSerialization.jsonObject(with: Data(rank.output.utf8)) as? [String: Any])
    #expect((ranking["ranking"] as? [[String: Any]])?.count == 2)
    let evaluation = try runRanker("evaluate", "--model-path", model, "--input", folder.path("pairs.jsonl"))
    #expect(evaluation.status == 0 && evaluation.output.contains("accuracy"))
    let list = try runRanker("models", "list", "--directory", folder.url.path)
    #expect(list.output.contains("pairwise_ranker") && list.output.contains("verified"))
    let inspection = try runRanker("inspect", model)
    #expect(inspection.output.contains("Gemm") && inspection.output.contains("shared_layer.0.weight"))
    let convert = try runRanker(
      "convert", model, "--to", "safetensors", "--precision", "float16", "--output", folder.path("half.safetensors"))
    #expect(convert.status == 0 && FileManager.default.fileExists(atPath: folder.path("half.safetensors")))
  }
}
