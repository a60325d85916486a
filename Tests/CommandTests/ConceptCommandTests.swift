// Concept detection as a person meets it on the command line: training, detecting, measuring, and what is said of mistakes.

import CommandSupport
import Foundation
import Testing

@Suite struct ConceptCommandTests {
  private let directory = try! TemporaryDirectory()
  private let ranker = try! Command("ranker")

  /// Three concepts, sixty notes, and labels for two of them, in the folders that the commands look into by themselves.
  private func writeData() throws {
    try FileManager.default.createDirectory(atPath: directory.path("data/processed"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: directory.path("taxonomy"), withIntermediateDirectories: true)
    try directory.write(
      """
      {"boat": {"label": "Boats", "aliases": ["sailboat", "yacht", "Segelboot"], "bucket": "lifestyle"},
       "bread": {"label": "Bread", "aliases": "baguette|fresh loaf|Sauerteig", "bucket": "preferences"},
       "star": {"label": "Stars", "aliases": ["telescope", "comet", "Fernrohr"], "bucket": "occasion"}}
      """, to: "taxonomy/lexicon_v1.json")
    let texts = [
      "Sailboat with a crew", "Yacht at sea", "Baguette from the baker", "Fresh loaf, flour", "Comet at night",
    ]
    try directory.write(
      "text,language,client_id\n" + (0..<60).map { "\"\(texts[$0 % 5]), \($0)\",en,C-\($0)\n" }.joined(),
      to: "data/processed/notes_clean.csv")
    try directory.write(
      """
      {"text": "Sold a sailbot", "language": "en", "concepts": ["boat"]}
      {"text": "Rain again", "language": "en", "concepts": []}

      """, to: "labels.jsonl")
  }

  private func train(_ options: String...) throws -> CommandResult {
    try ranker.run(
      [
        "train", "concept", "--data-dir", "data", "--learning-rate", "0.01", "--no-hold-out-aliases", "--quiet",
      ] + options, in: directory)
  }

  @Test("trains, lists, detects, measures and verifies")
  func walk() throws {
    try writeData()
    let trained = try train("--epochs", "15")
    #expect(trained.status == 0, "\(trained.errors)")
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: directory.path("models")).first)
    #expect(name.hasPrefix("concept_model_base_20"))
    #expect(trained.output.hasPrefix("✓ models/\(name): loss 0.0"))
    let model = "models/\(name)"

    let listed = try ranker.run(["models", "list"], in: directory)
    #expect(listed.output.contains("concept_detector") && listed.output.contains("60 notes, 3 concepts"))
    #expect(listed.output.contains("verified"))

    let found = try ranker.run(
      ["detect", "--model-path", model, "--text", "Sold a sailbot", "--json"], in: directory)
    let answers = try #require(try JSONSerialization.jsonObject(with: found.outputBytes) as? [[String: Any]])
    let concepts = try #require(answers[0]["concepts"] as? [[String: Any]])
    #expect(concepts.map { $0["concept"] as? String } == ["boat"])
    #expect(concepts[0]["bucket"] as? String == "lifestyle" && (concepts[0]["words"] as! String).contains("sailbot"))
    let table = try ranker.run(["detect", "--model-path", model, "--text", "Sold a sailbot"], in: directory)
    #expect(table.output.contains("CONCEPT") && table.output.contains("Boats"))

    let streamed = try ranker.run(
      ["detect", "--model-path", model, "--input", "labels.jsonl", "--output", "found.csv"], in: directory)
    #expect(streamed.output == "found.csv: 2 notes, 1 of them without a concept\n")
    let lines = String(decoding: try directory.bytes(of: "found.csv"), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 3 && lines[1].hasPrefix("1,,en,Sold a sailbot,boat,lifestyle,0."))

    let measured = try ranker.run(["evaluate", "--model-path", model, "--labels", "labels.jsonl"], in: directory)
    #expect(measured.status == 0 && measured.output.contains("accuracy     100.0%"))
    #expect(measured.output.contains("bucket lifestyle") && measured.output.contains("language en"))
    #expect(try train("--epochs", "1", "--size", "large", "--output", "models/other").status == 0)
    let compared = try ranker.run(
      ["evaluate", "--model-path", model, "models/other", "--labels", "labels.jsonl"], in: directory)
    #expect(compared.output.contains(model) && compared.output.contains("models/other"))
    #expect(try Command("onnx-verify").run([model], in: directory).status == 0)
    // The last training of that size had ended.
    let again = try train("--epochs", "15", "--resume")
    #expect(again.status == 0 && again.output.contains("nothing was left to do"))
  }

  @Test(
    "mistakes are told with what to do",
    arguments: [
      (["train", "concept", "--data-dir", "nowhere"], "notes_clean.parquet or notes_clean.jsonl or notes_clean.csv"),
      (["train", "concept", "--data-dir", "data", "--taxonomy", "none.json"], "lexicon_v1.json"),
      (["train", "concept", "--data-dir", "data", "--taxonomy", "empty.json"], "is an empty lexicon"),
      (["train", "concept", "--data-dir", "data", "--taxonomy", "bare.json"], "has no aliases"),
      (["train", "concept", "--data-dir", "headless"], "\"text\""),
      (["train", "concept", "--epochs", "0"], "--epochs is 0; expected at least 1"),
      (["train", "concept", "--resume"], "--resume finds no training"),
      (["detect", "--model-path", "data", "--text", "x"], "train one with: ranker train concept"),
      (["detect", "--model-path", "data"], "Give notes in one way"),
      (["evaluate", "--model-path", "data"], "a ranker is measured on pairs"),
      (["evaluate", "--model-path", "nowhere", "--labels", "labels.jsonl"], "there is no such file or directory"),
    ])
  func mistakes(arguments: [String], message: String) throws {
    try writeData()
    try directory.write("{}", to: "empty.json")
    try directory.write(#"{"a": {"label": "A", "aliases": [], "bucket": "intent"}}"#, to: "bare.json")
    try FileManager.default.createDirectory(atPath: directory.path("headless"), withIntermediateDirectories: true)
    try directory.write("memorandum,language\nhello,en\n", to: "headless/notes_clean.csv")
    let result = try ranker.run(arguments, in: directory)
    #expect(result.status != 0 && result.errors.contains(message), "\(result.errors)")
  }

  @Test("data validate looks at lexicon, notes and candidates, and data stats knows the folder by looking")
  func data() throws {
    try writeData()
    let sound = try ranker.run(["data", "validate", "data", "--type", "concept"], in: directory)
    #expect(sound.status == 0, "\(sound.output)")
    #expect(sound.output.contains("✓ taxonomy/lexicon_v1.json: 3 concepts can be used"))
    #expect(sound.output.contains("✓ data/processed/notes_clean.csv: 60 notes can be used"))
    try directory.write(
      "{\n\"a\": {\"label\": \"A\", \"aliases\": [], \"bucket\": \"intent\"},\n"
        + "\"b\": {\"label\": \"B\", \"aliases\": [\"yacht\"], \"bucket\": \"intent\"}}", to: "bare.json")
    let bare = try ranker.run(
      ["data", "validate", "data", "--type", "concept", "--taxonomy", "bare.json"], in: directory)
    #expect(bare.status == 1 && bare.output.contains("concept \"a\": has no aliases"))
    #expect(bare.output.contains("  line 2\n") && bare.output.contains("✗ bare.json: 1 concept can be used"))
    let shown = try ranker.run(["data", "stats", "data"], in: directory)
    #expect(shown.status == 0 && shown.output.contains("NOTES WITH ONE"), "\(shown.errors)")
    let json = try ranker.run(["data", "stats", "data", "--json"], in: directory)
    let object = try #require(try JSONSerialization.jsonObject(with: json.outputBytes) as? [String: Any])
    #expect(object["notes"] as? Int == 60 && object["aliases"] as? Int == 9 && object["named_notes"] as? Int == 60)
  }
}
