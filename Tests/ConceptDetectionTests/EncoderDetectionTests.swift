// A detector that reads notes with a pretrained encoder: trained, exported, resumed and used.

import Checkpoints
import CommandSupport
import ConceptDetection
import Datasets
import Encoders
import Foundation
import ReferenceRuntime
import Tensors
import Testing
import Tokenization
import Verification

/// The notes of ``ConceptWorld`` and a small encoder of random numbers whose vocabulary has their words.
private struct EncoderWorld {
  let notes: ConceptWorld
  let configuration: EncoderConfiguration

  private static let words = [
    "sailboat", "yacht", "segelboot", "voilier", "fresh", "loaf", "baguette", "sauerteig", "oven", "telescope", "comet",
    "fernrohr", "etoile", "note", "in", "the", "harbour", "with", "crew", "from", "baker", "flour", "night", "sky",
    "a", "lens", "am", "hafen", "mit", "der", "mannschaft", "vom", "backer", "mehl", "nachthimmel", "linse", "sold",
  ]

  init(family: EncoderConfiguration.Family = .bert, seed: UInt64 = 5) throws {
    notes = try ConceptWorld()
    let characters = "abcdefghijklmnopqrstuvwxyz0123456789".map(String.init)
    let tokens =
      ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + Self.words + characters.filter { !Self.words.contains($0) }
      + characters.map { "##\($0)" }
    var configuration = EncoderConfiguration(
      family: family, vocabularySize: tokens.count, width: 64, layerCount: 1, headCount: 4, innerWidth: 48,
      maximumLength: 40)
    configuration.initializerRange = 0.05
    var generator = SeededGenerator(seed: seed)
    var parameters = configuration.initialParameters(configuration.encoderParameters, using: &generator)
    // Random places would count as much as the words; notes of these tests are short, and long where it is used.
    parameters["\(family.rawValue).embeddings.position_embeddings.weight"] = Tensor(
      zeros: [configuration.maximumLength, configuration.width], elementType: .float)
    let encoder = PretrainedEncoder(directory: "", configuration: configuration, parameters: parameters)
    var directory = try ArtifactDirectory(path: notes.folder.path("encoder"))
    try encoder.write(to: &directory)
    try WordPieceTokenizer(vocabulary: try WordPieceVocabulary(tokens: tokens)).write(to: directory.path)
    self.configuration = configuration
  }

  func training(to name: String = "model", epochs: Int = 40) throws -> ConceptTraining {
    var training = try notes.training(to: name, epochs: epochs)
    training.encoder = notes.folder.path("encoder")
    training.settings.learningRate = 0.03
    training.settings.holdsOutAliases = false
    return training
  }

  var detector: ConceptDetector { ConceptDetector(directory: notes.folder.path("model")) }
}

@Suite("Detecting with an encoder")
struct EncoderDetectionTests {
  @Test(
    "a training learns its concepts on an encoder that stays as it is, and writes both as one graph that verifies",
    arguments: EncoderConfiguration.Family.allCases)
  func learns(family: EncoderConfiguration.Family) throws {
    let world = try EncoderWorld(family: family)
    let outcome = try world.training().run()
    let folder = world.notes.folder
    #expect(outcome.metadata.loss < outcome.metadata.history[0].trainLoss / 2, "loss \(outcome.metadata.loss)")
    #expect(PathVerifier(families: [.conceptDetector]).verify(outcome.directory).verdict == .matched)
    for name in ["vocab.txt", "tokenizer_config.json", "report.html", "training_examples.json", "test_data_set_0"] {
      #expect(FileManager.default.fileExists(atPath: folder.path("model/\(name)")), "\(name)")
    }
    let reading = try #require(outcome.metadata.network.encoder)
    #expect(reading.file.sha256 == (try SHA256.hexadecimal(ofFile: folder.path("encoder/pytorch_model.bin"))))
    #expect(outcome.metadata.network.features == nil && outcome.metadata.network.width == 64)
    let summary = try #require(try ModelSummary.models(in: folder.path(".")).first)
    #expect(summary.problem == nil && summary.metadata?.modelType == "concept_detector")

    let given = try StateDictionary(contentsOf: folder.path("encoder/pytorch_model.bin"))
    let written = try StateDictionary(contentsOf: folder.path("model/concept_model.pth"))
    #expect(written["concepts.weight"]?.shape == [3, 64])
    for (name, tensor) in given { #expect(written[name] == tensor, "\(name)") }

    for (text, concept) in [
      ("sailboat in the harbour with the crew", "boat"), ("oven from the baker with flour", "bread"),
      ("comet in the night sky with a lens", "star"),
    ] {
      #expect(try world.detector.detect(text, threshold: 0).concepts.first?.id == concept, "\(text)")
    }
  }

  @Test("a text's logits are the greatest product of a token's state with the concept's embedding, and the bias")
  func formula() throws {
    let world = try EncoderWorld()
    _ = try world.training(epochs: 2).run()
    let folder = world.notes.folder
    let parameters = try StateDictionary(contentsOf: folder.path("model/concept_model.pth"))
    let encoder = try PretrainedEncoder(directory: folder.path("encoder"))
    let states = try ReferenceSession(encoder.configuration.encoderModel(encoder.parameters))
    let weights = try #require(parameters["concepts.weight"]).elements(as: Float.self).map(Double.init)
    let bias = try #require(parameters["concepts.bias"]).elements(as: Float.self).map(Double.init)
    // Folded by hand: small letters, no accents, words alone.
    let texts = [("Sold, the SAILBOAT!", "sold the sailboat"), ("Étoile – am Nachthimmel", "etoile am nachthimmel")]
    let found = try world.detector.logits(texts.map(\.0))
    for (row, text) in texts.enumerated() {
      let tokens = try encoder.tokenizer().encode(text.1).ids.map(Int64.init)
      let shape: Shape = [1, tokens.count]
      let output = try states.run([
        "input_ids": Tensor(tokens, shape: shape), "attention_mask": Tensor(tokens.map { _ in Int64(1) }, shape: shape),
        "token_type_ids": Tensor(zeros: shape, elementType: .int64),
      ])
      let hidden = try #require(output["last_hidden_state"]).doubles()
      for concept in 0..<3 {
        let best = tokens.indices.map { token in
          (0..<64).reduce(0) { $0 + hidden[token * 64 + $1] * weights[concept * 64 + $1] }
        }.max()!
        #expect(abs(Double(found[row * 3 + concept]) - best - bias[concept]) < 1e-3, "\(text), concept \(concept)")
      }
    }
  }

  @Test("finds concepts anywhere in long notes, says by which words, and needs no other notes for it")
  func uses() throws {
    let world = try EncoderWorld()
    var training = try world.training()
    training.settings.validationSplit = 0
    _ = try training.run()
    let detector = world.detector
    let text = "🚤 Ünd the Sailboat 7, mail anna@example.com"
    let boat = try #require(try detector.detect(text).concepts.first { $0.id == "boat" })
    #expect(boat.words(in: text).split(separator: " ").contains("Sailboat") && boat.bucket == .lifestyle)
    #expect(try detector.detect(" … ").concepts.isEmpty && detector.detect("").concepts.isEmpty)
    #expect(try detector.detect(text, threshold: 0).concepts.count == 3)
    for before in [0, 30, 36, 37, 38, 39, 200] {
      let long = String(repeating: "the ", count: before) + "sailboat " + String(repeating: "with ", count: 50)
      let found = try detector.detect(long).concepts
      #expect(found.contains { $0.id == "boat" && $0.words(in: long).contains("sailboat") }, "\(before) words before")
    }
    // A word of more tokens than are read at once.
    #expect(
      try detector.detect(String(repeating: "sky9", count: 24) + " sailboat").concepts.contains { $0.id == "boat" })
    let together = try detector.logits(["the sky"] + Array(repeating: "oven from the baker in the night", count: 40))
    #expect(zip(try detector.logits(["the sky"]), together).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test("a training that is stopped goes on to the same bytes, and with another encoder not at all")
  func resumes() async throws {
    let world = try EncoderWorld()
    let folder = world.notes.folder
    _ = try world.training(to: "whole", epochs: 3).run()
    var training = try world.training(to: "parts", epochs: 3)
    let part = training
    let task = Task {
      _ = try part.run { event in
        if case .progress(let progress) = event, progress.record != nil { withUnsafeCurrentTask { $0?.cancel() } }
      }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    training.resumes = true
    #expect(try training.run().metadata.history.count == 3)
    for name in ["concept_model.pth", "model.onnx", "report.html", "test_data_set_0/output_0.pb"] {
      #expect(try folder.bytes(of: "whole/\(name)") == folder.bytes(of: "parts/\(name)"), "\(name)")
    }
    let stranger = try EncoderWorld(seed: 6)
    training.encoder = stranger.notes.folder.path("encoder")
    let other = training
    #expect {
      try other.run()
    } throws: {
      "\($0)".contains("the encoder's SHA-256")
    }
  }

  @Test("an encoder that is none, and an operator set that is too old for one, are refused")
  func refused() throws {
    let world = try EncoderWorld()
    var training = try world.training(epochs: 1)
    training.settings.opset = 13
    #expect(
      throws: ConceptTrainingError.invalidSetting(name: "--opset", value: "13", expected: "17 to 21 with --encoder")
    ) {
      try training.run()
    }
    training.settings.opset = 17
    training.encoder = world.notes.folder.path("nowhere")
    #expect {
      try training.run()
    } throws: {
      "\($0)".contains("there is no such directory")
    }
  }
}
