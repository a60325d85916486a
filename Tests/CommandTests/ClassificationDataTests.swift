// `ranker data` of labelled texts: what a person meets who checks, looks at, makes up and varies them.

import CommandSupport
import Foundation
import Testing

@Suite struct ClassificationDataTests {
  private let directory = try! TemporaryDirectory()
  private let ranker = try! Command("ranker")

  private func object(_ result: CommandResult) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: result.outputBytes) as? [String: Any])
  }

  private func object(_ name: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: directory.path(name)))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test("validate names each bad row with its line, and what is odd about the labels")
  func validate() throws {
    try directory.write("text,labels\nGood,a;b\n,a\nFine,\nGood,a;b\n", to: "bad.csv")
    let result = try ranker.run(["data", "validate", "bad.csv", "--type", "classification"], in: directory)
    #expect(result.status == 1)
    #expect(
      result.output == """
        problem: "text" is empty
          line 3
        problem: "taxonomy_codes" is empty
          line 4
        warning: 1 sample repeats the text of another; a split keeps them on one side
        ✗ bad.csv: 2 samples can be used

        """)
  }

  @Test("stats knows labelled texts by looking, and counts their labels")
  func statistics() throws {
    try directory.write("labels\ttext\n4,27\tone two\n27\tthree\n", to: "data.tsv")
    let shown = try ranker.run(["data", "stats", "data.tsv"], in: directory)
    #expect(shown.status == 0 && shown.output.contains("LABEL") && shown.output.contains("4 + 27"))
    let json = try object(ranker.run(["data", "stats", "data.tsv", "--json"], in: directory))
    #expect(json["samples"] as? Int == 2)
    let classes = try #require(json["classes"] as? [[String: Any]])
    #expect(classes.map { $0["label"] as? String } == ["4", "27"] && classes.map { $0["count"] as? Int } == [1, 2])
    // Without names of columns they say what the file is.
    try directory.write("one two\t4,27\tx1\nthree\t27\tx2\n", to: "bare.tsv")
    let bare = try object(
      ranker.run(["data", "stats", "bare.tsv", "--columns", "text,labels,id", "--json"], in: directory))
    #expect(bare["samples"] as? Int == 2)
  }

  @Test("augment keeps what is held out as it is, and makes nothing of it")
  func augment() throws {
    let made = try ranker.run(
      ["data", "synthesize", "classification", "--samples", "60", "--labels", "3", "--output", "data.json"],
      in: directory)
    #expect(made.status == 0 && made.output == "data.json: 60 texts, 3 labels\n")
    let result = try ranker.run(
      [
        "data", "augment", "data.json", "--target-size", "200", "--output", "train.json", "--validation-output",
        "held_out.json",
      ], in: directory)
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("held_out.json: ") && result.output.contains("train.json: 200 samples, "))
    func samples(_ name: String) throws -> [[String: Any]] {
      try #require(try object(name)["samples"] as? [[String: Any]])
    }
    let (all, training, heldOut) = try (samples("data.json"), samples("train.json"), samples("held_out.json"))
    let texts = Set(heldOut.map { $0["text"] as! String })
    #expect(training.count == 200)
    #expect(texts.isSubset(of: all.map { $0["text"] as! String }))
    #expect(training.allSatisfy { !texts.contains($0["text"] as! String) })
    #expect(training.allSatisfy { !texts.contains($0["variant_of"] as? String ?? "") })
    #expect(training.count { $0["variant_of"] == nil } + heldOut.count == 60)
    #expect((9...15).contains(heldOut.count))
    // The file that was written has nothing to warn of but what it is.
    let again = try ranker.run(["data", "validate", "train.json", "--type", "classification"], in: directory)
    #expect(again.status == 0 && again.output == "✓ train.json: 200 samples can be used\n")
  }

  @Test("augment says where texts are too short, and which names say no form")
  func augmentProblems() throws {
    try directory.write("text,labels\nab,x\ncd,x\n", to: "short.csv")
    let short = try ranker.run(
      ["data", "augment", "short.csv", "--target-size", "100", "--output", "more.csv"], in: directory)
    #expect(short.status == 0 && short.errors.contains("the texts are too short for 100 different samples"))
    let form = try ranker.run(["data", "augment", "short.csv", "--output", "more.xls"], in: directory)
    #expect(form.status != 0 && form.errors.contains("more.xls does not say in which form to write"))
    let nothing = try ranker.run(
      ["data", "augment", "short.csv", "--target-size", "0", "--output", "more.csv"], in: directory)
    #expect(nothing.status != 0 && nothing.errors.contains("--target-size is 0"))
    let endless = try ranker.run(
      ["data", "augment", "short.csv", "--target-size", "999999999999", "--output", "more.csv"], in: directory)
    #expect(endless.status != 0 && endless.errors.contains("expected 1 to 16777216"))
    let same = try ranker.run(
      ["data", "augment", "short.csv", "--output", "one.csv", "--validation-output", "./one.csv"], in: directory)
    #expect(same.status != 0 && same.errors.contains("--validation-output is the file of --output"))
    #expect(!FileManager.default.fileExists(atPath: directory.path("one.csv")))
  }
}
