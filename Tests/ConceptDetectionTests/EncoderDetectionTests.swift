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
      family: family, vocabularySize: tokens.count, width: 32, layerCount: 2, headCount: 4, innerWidth: 48,
      maximumLength: 40)
    configuration.initializerRange = 0.2
    var generator = SeededGenerator(seed: seed)
    let encoder = PretrainedEncoder(
      directory: "", configuration: configuration,
      parameters: configuration.initialParameters(configuration.encoderParameters, using: &generator))
    var directory = try ArtifactDirectory(path: notes.folder.path("encoder"))
    try encoder.write(to: &directory)
    try WordPieceTokenizer(vocabulary: try WordPieceVocabulary(tokens: tokens)).write(to: directory.path)
    self.configuration = configuration
  }

  func training(to name: String = "model", epochs: Int = 20) throws -> ConceptTraining {
    var training = try notes.training(to: name, epochs: epochs)
    training.encoder = notes.folder.path("encoder")
    training.settings.learningRate = 0.02
    return training
  }

  var detector: ConceptDetector { ConceptDetector(directory: notes.folder.path("model")) }
}

@Suite("Detecting with an encoder")
struct EncoderDetectionTests {
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
          (0..<32).reduce(0) { $0 + hidden[token * 32 + $1] * weights[concept * 32 + $1] }
        }.max()!
        #expect(abs(Double(found[row * 3 + concept]) - best - bias[concept]) < 1e-3, "\(text), concept \(concept)")
      }
    }
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
