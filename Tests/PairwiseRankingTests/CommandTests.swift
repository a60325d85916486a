// The commands as a person meets them: exit codes and messages.

import Datasets
import Foundation
import Testing

@Suite("The commands of the ranker")
struct CommandTests {
  private let folder = TemporaryFolder()

  private func train(_ input: String, _ more: String...) throws -> Program.Result {
    var arguments = ["train", "pairwise", "--input", input, "--output", folder.file("model")]
    arguments += ["--epochs", "2", "--hidden-dim", "8"] + more
    return try Program.run(arguments)
  }

  @Test("a usage mistake exits with 64, and says what was expected")
  func usage() throws {
    let result = try train("pairs.jsonl", "--dropout", "1.5")
    #expect(result.status == 64)
    #expect(result.errors.contains("--dropout is 1.5; expected from 0 to below 1"))
    #expect(try Program.run("train", "pairwise").status == 64)
  }

  @Test("a missing, an empty and a broken file are told apart, and exit with 1")
  func files() throws {
    let missing = try train(folder.file("nothing.jsonl"))
    #expect(missing.status == 1)
    #expect(missing.errors.contains("nothing.jsonl") && missing.errors.contains("No such file"))
    let empty = try train(folder.write("empty.jsonl", ""))
    #expect(empty.status == 1)
    #expect(empty.errors.contains("is empty"))
    let broken = try train(folder.write("broken.jsonl", "{\"item_a\": 1}\nnonsense\n"))
    #expect(broken.status == 1)
    #expect(broken.errors.contains("no usable pair") && broken.errors.contains("line 2"))
  }

  @Test("a bad line is skipped, counted and named; with --strict it ends the training")
  func badLine() throws {
    let path = folder.write("pairs.jsonl", simplePairs(30))
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let mended = folder.write("mended.jsonl", "{\"oops\": \n" + text)
    let result = try train(mended)
    #expect(result.status == 0)
    #expect(result.errors.contains("1 of 31 lines") && result.errors.contains("line 1"))
    let strict = try train(mended, "--strict")
    #expect(strict.status == 1)
    #expect(strict.errors.contains("line 1"))
  }

  @Test("a number that is not finite names its line")
  func notFinite() throws {
    let path = folder.write("pairs.jsonl", simplePairs(3))
    let text = try String(contentsOfFile: path, encoding: .utf8).replacingOccurrences(
      of: "\"clarity\": 0.", with: "\"clarity\": 1e999, \"x\": 0.")
    let result = try train(folder.write("infinite.jsonl", text))
    #expect(result.status == 1)
    #expect(result.errors.contains("line 1"))
  }

  @Test("an output directory that cannot be made is told before the data is read")
  func unwritable() throws {
    let file = folder.write("a-file", "")
    let result = try Program.run("train", "pairwise", "--input", "/nothing", "--output", "\(file)/model")
    #expect(result.status == 1)
    #expect(result.errors.contains("a-file") && !result.errors.contains("/nothing"))
  }

  @Test("a full disk is an error that names the file and what to do, and leaves no model")
  func fullDisk() throws {
    // A limit on the size of files stands for the disk.
    let input = folder.write("pairs.jsonl", simplePairs(30, embedding: 400))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" train pairwise --input \"$1\" --output \"$2\" --epochs 1",
      Program.path,
      input, folder.file("full"),
    ]
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(text.contains("File too large") && text.contains("full/pairwise_ranker"))
    #expect(!FileManager.default.fileExists(atPath: folder.file("full/pairwise_ranker_metadata.json")))
  }

  @Test("--json prints one object a line, the last one saying how it went")
  func json() throws {
    let result = try train(folder.write("pairs.jsonl", simplePairs(60)), "--json")
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
    let result = try train(folder.write("pairs.jsonl", simplePairs(60)), "--quiet")
    #expect(result.output.split(separator: "\n").count == 1)
    #expect(result.output.contains("verified") && result.output.contains(folder.file("model")))
    #expect(result.errors.isEmpty)
  }

  @Test("ctrl-C saves the state, says how to go on, and exits with 130")
  func interrupted() throws {
    let input = folder.write("pairs.jsonl", simplePairs(60))
    let err = folder.write("err", "")
    let process = try Program.start(
      ["train", "pairwise", "--input", input, "--output", folder.file("model"), "--epochs", "10000000"],
      errors: FileHandle(forWritingAtPath: err)!)
    // The first epochs are told on standard error; then the handler is in place.
    let deadline = ContinuousClock.now + .seconds(30)
    while try !String(contentsOfFile: err, encoding: .utf8).contains("epoch 1 "), ContinuousClock.now < deadline {
      usleep(10_000)
    }
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(try String(contentsOfFile: err, encoding: .utf8).contains("--epochs 10000000 --resume"))
    #expect(FileManager.default.fileExists(atPath: folder.file("model/pairwise_ranker_training_state.pth")))
  }

  @Test("rank, evaluate, models, inspect and convert work on what train wrote")
  func walk() throws {
    #expect(try train(folder.write("pairs.jsonl", simplePairs(60))).status == 0)
    let items = simplePairs(5).map(\.itemA)
    var text: [UInt8] = []
    for item in items {
      item.appendJSON(to: &text)
      text.append(UInt8(ascii: "\n"))
    }
    let path = folder.write("items.jsonl", String(decoding: text, as: UTF8.self))
    let model = folder.file("model")
    let rank = try Program.run("rank", "--model", model, "--items", path, "--top-k", "2", "--json")
    #expect(rank.status == 0)
    let ranking = try #require(try JSONSerialization.jsonObject(with: Data(rank.output.utf8)) as? [String: Any])
    #expect((ranking["ranking"] as? [[String: Any]])?.count == 2)
    let evaluation = try Program.run("evaluate", "--model-path", model, "--input", folder.file("pairs.jsonl"))
    #expect(evaluation.status == 0 && evaluation.output.contains("accuracy"))
    let list = try Program.run("models", "list", "--directory", folder.path)
    #expect(list.output.contains("pairwise_ranker") && list.output.contains("verified"))
    let inspection = try Program.run("inspect", model)
    #expect(inspection.output.contains("Gemm") && inspection.output.contains("shared_layer.0.weight"))
    let convert = try Program.run(
      "convert", model, "--to", "safetensors", "--precision", "float16", "--output", folder.file("half.safetensors"))
    #expect(convert.status == 0 && FileManager.default.fileExists(atPath: folder.file("half.safetensors")))
  }
}
