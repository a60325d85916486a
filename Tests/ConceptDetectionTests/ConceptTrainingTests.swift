// A training of a detector from files to a model: what is written, how it goes on, what it leaves out, what it refuses.

import Checkpoints
import CommandSupport
import ConceptDetection
import Foundation
import Tensors
import Testing
import Training
import Verification

/// A lexicon of three concepts and notes that use its words.
struct ConceptWorld {
  let folder: TemporaryDirectory

  static let lexicon = """
    {"boat": {"label": "Boats", "aliases": ["sailboat", "yacht", "Segelboot", "voilier"], "bucket": "lifestyle"},
     "bread": {"label": "Bread", "aliases": "fresh loaf|baguette|Sauerteig|oven", "bucket": "preferences"},
     "star": {"label": "Stars", "aliases": ["telescope", "comet", "Fernrohr", "étoile"], "bucket": "occasion"}}
    """
  private static let words = [
    ["sailboat", "yacht", "Segelboot", "voilier"], ["fresh loaf", "baguette", "Sauerteig", "oven"],
    ["telescope", "comet", "Fernrohr", "étoile"],
  ]
  private static let contexts = [
    ["in the harbour with the crew", "am Hafen mit der Mannschaft"],
    ["from the baker with flour", "vom Bäcker mit Mehl"],
    ["in the night sky with a lens", "am Nachthimmel mit Linse"],
  ]

  init(notes: Int = 90, extra: [String] = []) throws {
    folder = try TemporaryDirectory()
    try folder.write(Self.lexicon, to: "lexicon.json")
    var lines: [String] = []
    for index in 0..<notes {
      let topic = index % 3
      let word = Self.words[topic][index / 3 % 4]
      let context = Self.contexts[topic][index % 2]
      lines.append(
        #"{"text": "Note \#(index): \#(word) \#(context).", "language": "\#(index % 2 == 0 ? "en" : "de")"}"#)
    }
    try folder.write((lines + extra).joined(separator: "\n") + "\n", to: "notes_clean.jsonl")
    try folder.write("candidate\numbrella\nthe parking meter\nyacht\n", to: "candidates.csv")
  }

  func training(to name: String = "model", epochs: Int = 12) throws -> ConceptTraining {
    var training = ConceptTraining(
      paths: try ConceptDataPaths(dataFolder: folder.path("."), taxonomy: folder.path("lexicon.json")),
      output: folder.path(name))
    training.settings.epochs = epochs
    training.settings.learningRate = 0.01
    training.settings.threads = 2
    return training
  }
}

@Suite("Training a detector")
struct ConceptTrainingTests {
  private static let files = [
    "concept_mapping.json", "concept_model.pth", "metadata.json", "model.onnx", "report.html", "training_examples.json",
    "training_state.pth", "test_data_set_0/input_0.pb", "test_data_set_0/output_0.pb",
  ]

  @Test("a training learns its concepts with their contexts, and its files say so and verify")
  func learns() throws {
    let world = try ConceptWorld()
    let outcome = try world.training().run()
    let metadata = outcome.metadata
    #expect(metadata.loss < 0.1 && metadata.loss == metadata.history[metadata.bestEpoch - 1].trainLoss)
    #expect(metadata.aliasChecks.typos.top1 > 0.8 && metadata.aliasChecks.heldOut.aliases == 3)
    #expect(metadata.data.noteCount == 90 && metadata.data.negativeCandidates == 2)
    #expect(metadata.data.languages == ["en": 45, "de": 45])
    #expect(metadata.data.notes.sha256 == (try SHA256.hexadecimal(ofFile: world.folder.path("notes_clean.jsonl"))))
    #expect(PathVerifier(families: [.conceptDetector]).verify(outcome.directory).verdict == .matched)
    for name in Self.files {
      #expect(FileManager.default.fileExists(atPath: world.folder.path("model/\(name)")), "\(name)")
    }
    let summary = try #require(try ModelSummary.models(in: world.folder.path(".")).first)
    #expect(summary.problem == nil && summary.metadata?.modelType == "concept_detector")

    let parameters = try StateDictionary(contentsOf: world.folder.path("model/concept_model.pth"))
    #expect(parameters["concepts.weight"]?.shape == [3, 128])
    let table = try #require(parameters["feature_embedding.weight"])
    #expect(table.shape == [65537, 128] && table.elements(as: Float.self)[..<128].allSatisfy { $0 == 0 })

    let mapping = try ConceptMapping(contentsOf: world.folder.path("model/concept_mapping.json"))
    #expect(mapping.concepts.map(\.id) == ["boat", "bread", "star"])
    #expect(mapping.concepts.map(\.bucket) == [.lifestyle, .preferences, .occasion])
    struct Examples: Decodable {
      struct Example: Decodable {
        let kind, text: String
        let concepts: [String]
        let masked: Bool
      }
      let examples: [Example]
    }
    let examples = try JSONDecoder().decode(
      Examples.self, from: Data(world.folder.bytes(of: "model/training_examples.json"))
    ).examples
    #expect(Set(examples.map(\.kind)).isSuperset(of: ["alias", "candidate", "clause", "compound", "joined", "note"]))
    #expect(examples.contains { $0.kind == "candidate" && $0.text == "umbrella" && $0.concepts.isEmpty })
    #expect(examples.contains { $0.masked && !$0.concepts.isEmpty })
    #expect(examples.contains { $0.concepts.count == 2 })
  }

  @Test("no example contains an alias that is held out")
  func heldOut() throws {
    let world = try ConceptWorld()
    var training = try world.training(epochs: 1)
    let held = try training.run().metadata
    #expect(held.data.heldOutAliases == 3)
    training.settings.holdsOutAliases = false
    training.output = world.folder.path("all")
    let all = try training.run().metadata
    #expect(all.data.heldOutAliases == 0 && all.aliasChecks.heldOut.aliases == 0)
    // The notes with a held-out alias, one of twelve in turn and three concepts, train in the second only.
    #expect(all.data.examplesPerEpoch > held.data.examplesPerEpoch)
  }

  @Test("a training that is stopped goes on to the bytes of one that never stopped")
  func resumes() async throws {
    let world = try ConceptWorld()
    let expected = try world.training(to: "whole", epochs: 4).run()
    var interrupted = try world.training(to: "parts", epochs: 4)
    for stop in 1...2 {
      interrupted.resumes = stop > 1
      let part = interrupted
      let task = Task {
        var epochs = 0
        _ = try part.run { event in
          guard case .progress(let progress) = event, progress.record != nil else { return }
          epochs += 1
          if epochs == 1 { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    interrupted.resumes = true
    let outcome = try interrupted.run()
    #expect(!outcome.wasFinished && outcome.metadata.history == expected.metadata.history)
    for name in Self.files where !["metadata.json", "training_state.pth"].contains(name) {
      #expect(try world.folder.bytes(of: "whole/\(name)") == world.folder.bytes(of: "parts/\(name)"), "\(name)")
    }
    #expect(try interrupted.run().wasFinished)
    interrupted.settings.learningRate = 0.5
    let changed = interrupted
    #expect {
      try changed.run()
    } throws: {
      "\($0)".contains("--learning-rate")
    }
  }

  @Test("the same seed gives the same bytes on any number of threads, and another seed others")
  func seeds() throws {
    let world = try ConceptWorld()
    var training = try world.training(to: "two", epochs: 2)
    _ = try training.run()
    training.settings.threads = 1
    training.output = world.folder.path("one")
    _ = try training.run()
    training.settings.seed = 7
    training.output = world.folder.path("other")
    _ = try training.run()
    for name in ["concept_model.pth", "model.onnx", "training_examples.json", "report.html"] {
      #expect(try world.folder.bytes(of: "one/\(name)") == world.folder.bytes(of: "two/\(name)"), "\(name)")
      #expect(try world.folder.bytes(of: "one/\(name)") != world.folder.bytes(of: "other/\(name)"), "\(name)")
    }
  }

  @Test("patience ends a training whose loss on what is held out gets no better")
  func patience() throws {
    let world = try ConceptWorld()
    var training = try world.training(epochs: 60)
    training.settings.patience = 2
    training.settings.learningRate = 0.2
    let metadata = try training.run().metadata
    #expect(metadata.history.count < 60 && metadata.history.count == metadata.bestEpoch + 2)
  }

  @Test("what identifies a person is in no file of the model, and with --no-redact it is")
  func redaction() throws {
    let secrets = ["anna.rossi@example.com", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "+44 20 7946 0958"]
    let notes = secrets.map { #"{"text": "Yacht in the harbour, reach her at \#($0) please.", "language": "en"}"# }
    let world = try ConceptWorld(extra: Array(repeating: notes, count: 20).flatMap(\.self))
    try world.folder.write(
      "candidate\nmail anna.rossi@example.com\ncall +44 20 7946 0958 today\n", to: "candidates.csv")
    try world.folder.write(
      ConceptWorld.lexicon.replacing("\"comet\"", with: "\"comet\", \"comet line +44 20 7946 0958\""),
      to: "lexicon.json")
    var training = try world.training(epochs: 2)
    let counts = try training.run().metadata.data.redactions
    #expect(counts.emails == 20 && counts.cards == 20 && counts.accounts == 20 && counts.phones == 20)
    // As written, and as folded words.
    let traces = secrets + ["anna rossi example", "4111 1111", "3704 0044", "7946 0958", "79460958"]
    func files(_ folder: String) throws -> [String] {
      try #require(FileManager.default.enumerator(atPath: world.folder.path(folder)))
        .compactMap { $0 as? String }.filter { $0 != "test_data_set_0" }
    }
    let written = try files("model")
    #expect(Set(written) == Set(Self.files).union(["test_data_set_0/output_1.pb", "test_data_set_0/output_2.pb"]))
    for name in written {
      let bytes = Data(try world.folder.bytes(of: "model/\(name)"))
      for trace in traces { #expect(bytes.range(of: Data(trace.utf8)) == nil, "\(trace) in \(name)") }
    }
    training.settings.redacts = false
    training.output = world.folder.path("open")
    #expect(try training.run().metadata.data.redactions.total == 0)
    let examples = Data(try world.folder.bytes(of: "open/training_examples.json"))
    #expect(traces.contains { examples.range(of: Data($0.utf8)) != nil })
  }

  @Test("few notes, and notes without an alias, are warned of before the training")
  func warnings() throws {
    func warnings(_ world: ConceptWorld) throws -> [String] {
      var warnings: [String] = []
      _ = try world.training(epochs: 1).run { event in
        if case .began(let beginning) = event { warnings = beginning.warnings }
      }
      return warnings
    }
    #expect(try warnings(ConceptWorld(notes: 49)).contains { $0.contains("only 49 notes") })
    #expect(try !warnings(ConceptWorld(notes: 50)).contains { $0.contains("only") })
    let strangers = try ConceptWorld()
    try strangers.folder.write(
      (0..<60).map { "{\"text\": \"Talked about the weather, day \($0).\"}\n" }.joined(), to: "notes_clean.jsonl")
    #expect(try warnings(strangers).contains { $0.contains("no alias of the lexicon stands in any note") })
  }

  @Test(
    "settings that can't be are refused by name",
    arguments: [
      ("--epochs", \ConceptSettings.epochs, 0), ("--batch-size", \.batchSize, 0), ("--opset", \.opset, 12),
    ] as [(String, WritableKeyPath<ConceptSettings, Int> & Sendable, Int)])
  func settings(_ name: String, _ path: WritableKeyPath<ConceptSettings, Int> & Sendable, _ value: Int) throws {
    var settings = ConceptSettings()
    settings[keyPath: path] = value
    #expect {
      try settings.validate()
    } throws: {
      "\($0)".hasPrefix("\(name) is \(value); expected")
    }
  }
}
