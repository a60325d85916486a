// A training meets odd data and damaged encoders: each is told by name, and nothing is left out in silence.

import CommandSupport
import Encoders
import Foundation
import Testing
import TextClassification
import Verification

@Suite("What a training of a classifier is told")
struct TrustTests {
  /// The warnings of a training, and its outcome.
  private func run(
    _ training: ClassificationTraining
  ) throws -> (warnings: [String], outcome: ClassificationTraining.Outcome) {
    var warnings: [String] = []
    let outcome = try training.run { event in
      if case .began(let beginning) = event { warnings = beginning.warnings }
    }
    return (warnings, outcome)
  }

  private func complaint(_ training: ClassificationTraining) -> String {
    do {
      _ = try training.run()
      return ""
    } catch { return "\(error)" }
  }

  private func line(_ text: String, _ labels: String...) -> String {
    "{\"text\": \"\(text)\", \"taxonomy_codes\": [\(labels.map { "\"\($0)\"" }.joined(separator: ", "))]}\n"
  }

  @Test("a label that only validation has is named, counts as missed, and the model is whole")
  func onlyInValidation() throws {
    let world = try SmallWorld()
    // More than half is held out, so the only sample of its label is, too.
    let lines = try String(contentsOfFile: try world.data(60), encoding: .utf8) + line("the old moon", "moon")
    var training = world.training(try world.folder.write(lines, to: "moon.jsonl"))
    training.settings.validationSplit = 0.6
    let (warnings, outcome) = try run(training)
    #expect(
      warnings.contains(
        "only validation has \"moon\": the model can't learn it, and its measures count it as missed"))
    let metadata = outcome.metadata
    let place = try #require(metadata.labels.firstIndex(of: "moon"))
    #expect(metadata.data.labelCounts[place] == 0)
    let measured = try #require(metadata.validation?.labels[place])
    #expect(measured.label == "moon" && measured.support == 1 && measured.recall == 0 && measured.f1 == 0)
    #expect(metadata.configuration.labels?.count == 4)
    #expect(PathVerifier(families: [.textClassifier]).verify(outcome.directory).verdict == .matched)
  }

  @Test("empty and blank texts are left out and counted; with nothing else there is nothing to train on")
  func emptyTexts() throws {
    let world = try SmallWorld()
    let blank = line("", "sea") + line(" \\t\\u0007", "sky")
    let lines = try String(contentsOfFile: try world.data(60), encoding: .utf8)
    var training = world.training(try world.folder.write(blank + lines, to: "some.jsonl"), epochs: 1)
    let metadata = try training.run().metadata
    #expect(metadata.data.skippedRows == 2 && metadata.data.samples == 60)
    training.readOptions.isStrict = true
    #expect(complaint(training).contains("line 1: \"text\" is an empty string"))
    training.readOptions.isStrict = false
    training.dataPath = try world.folder.write(blank, to: "none.jsonl")
    let said = complaint(training)
    #expect(said.contains("none.jsonl holds no usable sample: all 2 rows were left out"))
    #expect(said.contains("line 2: \"text\" is blank"))
  }

  @Test("a text of words that the vocabulary does not have trains like any other")
  func unknownWords() throws {
    let world = try SmallWorld()
    let lines =
      try String(contentsOfFile: try world.data(60), encoding: .utf8)
      + line("\u{1F600} \u{4E2D}\u{56FD} zzz", "sea") + line("qqq", "sky")
    let outcome = try world.training(try world.folder.write(lines, to: "unknown.jsonl"), epochs: 1).run()
    #expect(outcome.metadata.data.skippedRows == 0 && outcome.metadata.data.samples == 62)
  }

  @Test("what learnt from nothing is not sure of what is wrong")
  func calibration() throws {
    let world = try SmallWorld()
    let data = world.folder.path("topics.json")
    try ClassificationSynthesis(samples: 600, labels: 4, sharpness: 1).file().write(to: data)
    var training = world.training(data, epochs: 4)
    training.encoder = nil
    training.settings.startsFromScratch = true
    training.settings.learningRate = nil
    training.settings.batchSize = 16
    training.settings.maximumLength = 48
    let metadata = try training.run().metadata
    let measures = try #require(metadata.validation)
    // The cross-entropy of saying for each label how often it is there. To be wrong and sure costs many times more.
    let entropies = measures.labels.map { label -> Double in
      let share = Double(label.support) / Double(measures.samples)
      return -share * log(share) - (1 - share) * log(1 - share)
    }
    #expect(measures.loss < 2 * entropies.reduce(0, +) / Double(entropies.count))
    #expect(measures.micro.f1 > 0.5)
  }

  @Test(
    "an encoder whose files do not fit each other is refused before anything is trained",
    arguments: [
      (
        #""model_type" : "bert""#, #""model_type" : "roberta""#,
        #"'model_type' is "roberta"; expected bert or distilbert"#
      ),
      (
        #""hidden_size" : 16"#, #""hidden_size" : 32"#,
        "'bert.embeddings.word_embeddings.weight' is float[21, 16], expected float[21, 32]"
      ),
      (
        #""num_hidden_layers" : 2"#, #""num_hidden_layers" : 3"#,
        "'bert.encoder.layer.2.attention.self.query.weight' float[16, 16] is missing"
      ),
      (
        #""num_hidden_layers" : 2"#, #""num_hidden_layers" : 1"#,
        "'bert.encoder.layer.1.attention.self.query.weight' float[16, 16] has no place in the network"
      ),
      (
        #""vocab_size" : 21"#, #""vocab_size" : 20"#,
        "'bert.embeddings.word_embeddings.weight' is float[21, 16], expected float[20, 16]"
      ),
      (#""model_type" : "bert","#, "", "'model_type' is missing; expected a text"),
    ])
  func damagedEncoder(found: String, written: String, message: String) throws {
    let world = try SmallWorld()
    let path = world.folder.path("encoder/config.json")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try #require(text.contains(found))
    try text.replacingOccurrences(of: found, with: written).write(toFile: path, atomically: true, encoding: .utf8)
    let said = complaint(world.training(try world.data(60)))
    #expect(said.contains(message), "\(said)")
    #expect(!FileManager.default.fileExists(atPath: world.folder.path("model/model.onnx")))
  }
}
