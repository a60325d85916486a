// `ranker classify`: a small classifier, trained once, asked in every way.

import CommandSupport
import Foundation
import Testing

@Suite struct ClassifyTests {
  private let directory = try! TemporaryDirectory()
  private let ranker = try! Command("ranker")

  /// A classifier of three synthesized topics; nothing is expected of it but that it answers.
  private static let model = Result {
    let directory = try TemporaryDirectory()
    let ranker = try Command("ranker")
    let made = try ranker.run(
      ["data", "synthesize", "classification", "--samples", "60", "--labels", "3", "--output", "data.json"],
      in: directory)
    let trained = try ranker.run(
      [
        "train", "classification", "--from-scratch", "--data-path", "data.json", "--epochs", "1", "--max-length", "16",
        "--output-dir", "model", "--quiet",
      ], in: directory)
    guard made.status == 0, trained.status == 0 else { throw Failure(text: made.errors + trained.errors) }
    return directory
  }

  private struct Failure: Error {
    let text: String
  }

  private func model() throws -> String { try Self.model.get().path("model") }

  private func rows(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test("what is said of a text is the same alone, in a file, in every form, and among texts of other lengths")
  func forms() throws {
    let texts = ["bidu muna", "Klai klai, toura.", String(repeating: "lokle toura ", count: 40)]
    let model = try model()
    let alone = try texts.map { text in
      let result = try ranker.run(["classify", "--model", model, "--text", text, "--json"], in: directory)
      let answers = try #require(try JSONSerialization.jsonObject(with: result.outputBytes) as? [[String: Any]])
      return try #require(answers[0]["labels"] as? [[String: Any]])
    }
    let lines = texts.enumerated().map { "{\"id\": \($0.offset), \"text\": \"\($0.element)\"}" }
    try directory.write(lines.joined(separator: "\n"), to: "texts.jsonl")
    let read = try ranker.run(
      ["classify", "--model", model, "--input", "texts.jsonl", "--threshold", "0"], in: directory)
    #expect(read.status == 0 && read.errors.contains("1 text is longer than the 16 tokens that the model reads"))
    for (index, row) in try rows(read.output).enumerated() {
      let labels = try #require(row["labels"] as? [String])
      let probabilities = try #require(row["probabilities"] as? [Double])
      #expect(row["id"] as? String == "\(index)" && row["line"] as? Int == index + 1)
      #expect(row["is_truncated"] as? Bool == (index == 2))
      #expect(labels == alone[index].map { $0["label"] as? String })
      for (probability, label) in zip(probabilities, alone[index]) {
        #expect(abs(probability - (label["probability"] as! Double)) < 1e-6)
      }
      #expect(probabilities == probabilities.sorted(by: >))
    }
    let table = try ranker.run(
      [
        "classify", "--model", model, "--input", "texts.jsonl", "--threshold", "0", "--top-k", "2", "--output",
        "out.csv",
      ],
      in: directory)
    #expect(table.output == "out.csv: 3 texts\n")
    let csv = try String(contentsOfFile: directory.path("out.csv"), encoding: .utf8).split(separator: "\n")
    #expect(csv[0] == "line,id,text,labels,probabilities,is_truncated")
    #expect(csv[2].hasPrefix("2,1,\"Klai klai, toura.\",\(alone[1][0]["label"]!);\(alone[1][1]["label"]!),"))
    for name in ["out.parquet", "out.tsv", "out.jsonl"] {
      let result = try ranker.run(
        ["classify", "--model", model, "--input", "texts.jsonl", "--output", name], in: directory)
      #expect(result.status == 0 && result.output.hasPrefix("\(name): 3 texts"))
    }
    // The table can be read again, as texts of its own.
    let again = try ranker.run(
      ["classify", "--model", model, "--input", "out.parquet", "--threshold", "0"], in: directory)
    #expect(
      try rows(again.output).map { $0["probabilities"] as? [Double] }
        == rows(read.output).map { $0["probabilities"] as? [Double] })
  }

  @Test("labels are assigned from the threshold on, and shown either way")
  func threshold() throws {
    let model = try model()
    for threshold in [0, 0.25, 0.75] {
      let arguments = ["classify", "--model", model, "--text", "bidu", "--threshold", "\(threshold)"]
      let answers = try #require(
        try JSONSerialization.jsonObject(with: ranker.run(arguments + ["--json"], in: directory).outputBytes)
          as? [[String: Any]])
      let labels = try #require(answers[0]["labels"] as? [[String: Any]])
      #expect(labels.count == 3)
      for label in labels {
        #expect(label["is_assigned"] as? Bool == ((label["probability"] as! Double) >= threshold))
      }
      let shown = try ranker.run(arguments, in: directory).output
      let assigned = labels.count { $0["is_assigned"] as! Bool }
      #expect(shown.components(separatedBy: "assigned").count == assigned + 1)
      #expect(labels.allSatisfy { shown.contains($0["label"] as! String) })
    }
  }

  @Test("blank texts are refused or left out with their lines; control characters and a megabyte of text are read")
  func texts() throws {
    let model = try model()
    let blank = try ranker.run(["classify", "--model", model, "--text", " "], in: directory)
    #expect(blank.status != 0 && blank.errors.contains("text 1 is blank"))
    try directory.write("text\na\u{1}b\n\" \"\n\(String(repeating: "word ", count: 200_000))\n", to: "texts.csv")
    let result = try ranker.run(["classify", "--model", model, "--input", "texts.csv", "--top-k", "1"], in: directory)
    #expect(result.status == 0)
    #expect(try rows(result.output).map { $0["line"] as? Int } == [2, 4])
    #expect(result.errors.contains("left out 1 line") && result.errors.contains("line 3: \"text\" is blank"))
    let strict = try ranker.run(
      ["classify", "--model", model, "--input", "texts.csv", "--strict", "--output", "out.jsonl"], in: directory)
    #expect(strict.status != 0 && !FileManager.default.fileExists(atPath: directory.path("out.jsonl")))
    try directory.write("", to: "empty.csv")
    let empty = try ranker.run(["classify", "--model", model, "--input", "empty.csv"], in: directory)
    #expect(empty.status != 0 && empty.errors.contains("empty.csv holds no texts"))
  }

  @Test("no model says how to train one, a changed file is named, and so is a name without a form")
  func problems() throws {
    let missing = try ranker.run(["classify", "--model", "nowhere", "--text", "a"], in: directory)
    #expect(missing.status != 0 && missing.errors.contains("ranker train classification"))
    let copy = directory.path("model")
    try FileManager.default.copyItem(atPath: model(), toPath: copy)
    let vocabulary = try String(contentsOfFile: copy + "/vocab.txt", encoding: .utf8)
    try (vocabulary + "extra\n").write(toFile: copy + "/vocab.txt", atomically: true, encoding: .utf8)
    let changed = try ranker.run(["classify", "--model", copy, "--text", "a"], in: directory)
    #expect(changed.status != 0 && changed.errors.contains("vocab.txt"))
    try directory.write("text\na\n", to: "texts.csv")
    let form = try ranker.run(
      ["classify", "--model", model(), "--input", "texts.csv", "--output", "out.xls"], in: directory)
    #expect(form.status != 0 && form.errors.contains("out.xls does not say in which form to write"))
    let both = try ranker.run(
      ["classify", "--model", model(), "--input", "texts.csv", "--text", "a"], in: directory)
    #expect(both.status != 0 && both.errors.contains("Give texts in one way"))
  }
}
