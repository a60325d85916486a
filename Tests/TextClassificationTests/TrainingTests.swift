// A training of a classifier from a file to a model: what is written, how it goes on, what it refuses.

import Checkpoints
import CommandSupport
import Datasets
import Encoders
import Foundation
import ONNX
import Tensors
import Testing
import TextClassification
import Tokenization
import Training
import Verification

/// A small encoder of random numbers, and texts of a few words that its vocabulary has.
struct SmallWorld {
  let folder: TemporaryDirectory
  static let topics = [["tide", "wave", "salt"], ["oven", "flour", "yeast"], ["lens", "star", "orbit"]]
  static let filler = ["the", "a", "of", "new", "old", "big", "red"]

  init(family: EncoderConfiguration.Family = .bert, layers: Int = 2) throws {
    folder = try TemporaryDirectory()
    let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + Self.topics.flatMap(\.self) + Self.filler
    var configuration = EncoderConfiguration(
      family: family, vocabularySize: tokens.count, width: 16, layerCount: layers, headCount: 2, innerWidth: 32,
      maximumLength: 24)
    configuration.initializerRange = 0.2
    var generator = SeededGenerator(seed: 5)
    let encoder = PretrainedEncoder(
      directory: "", configuration: configuration,
      parameters: configuration.initialParameters(
        configuration.encoderParameters + configuration.poolerParameters, using: &generator))
    var directory = try ArtifactDirectory(path: folder.path("encoder"))
    try encoder.write(to: &directory)
    try WordPieceTokenizer(vocabulary: try WordPieceVocabulary(tokens: tokens)).write(to: directory.path)
  }

  /// Texts of several words, each naming its topics' words among others; every fourth text has two topics.
  func data(_ count: Int = 120, confidence: Bool = false) throws -> String {
    var generator = SeededGenerator(seed: 3)
    var lines: [String] = []
    for index in 0..<count {
      let first = index % 3
      let topics = index % 4 == 3 ? [first, (first + 1) % 3].sorted() : [first]
      var words = (0..<3 + generator.below(9)).map { _ in Self.filler[generator.below(Self.filler.count)] }
      for topic in topics { words.insert(Self.topics[topic][generator.below(3)], at: generator.below(words.count + 1)) }
      let labels = topics.map { "\"\(["sea", "bread", "sky"][$0])\"" }.joined(separator: ", ")
      let weight = confidence ? ", \"confidence\": \(0.5 + generator.uniform() / 2)" : ""
      lines.append("{\"text\": \"\(words.joined(separator: " ")) \(index)\", \"taxonomy_codes\": [\(labels)]\(weight)}")
    }
    return try folder.write(lines.joined(separator: "\n") + "\n", to: "data-\(count)-\(confidence).jsonl")
  }

  func training(_ data: String, to name: String = "model", epochs: Int = 2) -> ClassificationTraining {
    var training = ClassificationTraining(dataPath: data, output: folder.path(name))
    training.encoder = folder.path("encoder")
    training.settings.epochs = epochs
    training.settings.batchSize = 8
    training.settings.learningRate = 0.005
    training.settings.maximumLength = 24
    training.settings.targetSize = 0
    training.settings.threads = 2
    return training
  }
}

@Suite("Training a classifier")
struct TrainingTests {
  @Test(
    "a training learns which words mean which label, and its files say so and verify",
    arguments: EncoderConfiguration.Family.allCases)
  func learns(family: EncoderConfiguration.Family) throws {
    let world = try SmallWorld(family: family)
    let outcome = try world.training(try world.data(), epochs: 40).run()
    let metadata = outcome.metadata
    let measures = try #require(metadata.validation)
    #expect(measures.micro.f1 > 0.9)
    #expect(measures.labels.map(\.label) == ["bread", "sea", "sky"])
    // A fifth of the texts, as near as whole groups of labels allow.
    #expect((20...30).contains(measures.samples))
    #expect(metadata.history.last!.trainLoss < metadata.history[0].trainLoss)
    #expect(metadata.history[0].metrics["validation_recall/sea"] != nil)
    #expect(metadata.verification.map(\.passed) == [true])
    #expect(PathVerifier(families: [.textClassifier]).verify(outcome.directory).verdict == .matched)

    let graph = try Model(contentsOf: "\(outcome.directory)/model.onnx").graph
    let inputs = ["input_ids", "attention_mask"] + (family == .bert ? ["token_type_ids"] : [])
    #expect(graph.inputs.map(\.name) == inputs)
    #expect(graph.outputs.map(\.name) == ["logits", "probabilities"])
    // The directory is an encoder's again, head and tokenizer included.
    let encoder = try PretrainedEncoder(directory: outcome.directory)
    #expect(encoder.configuration.labels == ["bread", "sea", "sky"])
    #expect(encoder.parameters["classifier.weight"]?.shape == [3, 16])
    #expect(try encoder.tokenizer().encode("the tide").ids == [2, 14, 5, 3])
    let map = try JSONDecoder().decode(
      LabelMap.self, from: Data(contentsOf: URL(fileURLWithPath: "\(outcome.directory)/label_map.json")))
    #expect(map.id2label == ["0": "bread", "1": "sea", "2": "sky"])
    #expect(map.thresholds == ["bread": 0.5, "sea": 0.5, "sky": 0.5])
  }

  @Test("a training that is stopped goes on to the bytes of one that never stopped")
  func resumes() async throws {
    let world = try SmallWorld()
    let data = try world.data(60, confidence: true)
    let whole = world.training(data, to: "whole", epochs: 4)
    let expected = try whole.run()
    var interrupted = world.training(data, to: "parts", epochs: 4)
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
    for name in ["pytorch_model.bin", "model.onnx", "config.json", "label_map.json", "text_classifier_report.html"] {
      #expect(try world.folder.bytes(of: "whole/\(name)") == world.folder.bytes(of: "parts/\(name)"), "\(name)")
    }
    #expect(try interrupted.run().wasFinished)
    interrupted.settings.warmup = 0.5
    let changed = interrupted
    #expect {
      try changed.run()
    } throws: {
      "\($0)".contains("--warmup")
    }
  }

  @Test("the number of threads changes no byte")
  func threads() throws {
    let world = try SmallWorld()
    var training = world.training(try world.data(60), to: "two")
    _ = try training.run()
    training.settings.threads = 1
    training.output = world.folder.path("one")
    _ = try training.run()
    #expect(try world.folder.bytes(of: "one/pytorch_model.bin") == world.folder.bytes(of: "two/pytorch_model.bin"))
  }

  @Test("a graph of bytes is written beside the other one, measured, verified and used where it is asked for")
  func bytes() throws {
    let world = try SmallWorld()
    var training = world.training(try world.data(), epochs: 40)
    training.precision = .int8
    let outcome = try training.run()
    let metadata = outcome.metadata
    let (whole, bytes) = (try #require(metadata.validation), try #require(metadata.quantized?.validation))
    #expect(bytes.samples == whole.samples)
    #expect(bytes.micro.f1 > 0.9)
    // Other numbers were measured, not the same ones twice.
    #expect(bytes.loss != whole.loss)
    #expect(abs(bytes.loss - whole.loss) < 0.05)
    #expect(metadata.verification.map(\.passed) == [true, true])
    #expect(metadata.common.files["onnx_int8"] == "model_int8.onnx")
    #expect(outcome.files.contains("int8_test_data_set_0/input_0.pb"))
    #expect(PathVerifier(families: [.textClassifier]).verify(outcome.directory).verdict == .matched)
    let graph = try Model(contentsOf: "\(outcome.directory)/model_int8.onnx").graph
    #expect(graph.nodes.contains { $0.operatorType == "MatMulInteger" })
    #expect(!graph.nodes.contains { $0.operatorType == "Gemm" })

    let text = "the tide and the big oven"
    let precise = try TextClassifier(directory: outcome.directory).classify(text)
    let rough = try TextClassifier(directory: outcome.directory, precision: .int8).classify(text)
    #expect(rough.labels.map(\.name).first == precise.labels.map(\.name).first)
    #expect(rough.logits != precise.logits)
    #expect(zip(rough.logits, precise.logits).allSatisfy { abs($0 - $1) < 0.2 * max(1, abs($1)) })

    // A changed byte of a weight shows.
    var damaged = try Model(contentsOf: "\(outcome.directory)/model_int8.onnx")
    let place = try #require(damaged.graph.initializers.firstIndex { $0.tensor.elementType == .int8 })
    var weights = damaged.graph.initializers[place].tensor.elements(as: Int8.self)
    weights[0] = weights[0] &+ 1
    damaged.graph.initializers[place].tensor = Tensor(weights, shape: damaged.graph.initializers[place].tensor.shape)
    try damaged.write(to: "\(outcome.directory)/model_int8.onnx")
    #expect(PathVerifier(families: [.textClassifier]).verify(outcome.directory).verdict == .mismatched)

    let plain = try world.training(try world.data(30), to: "plain").run()
    #expect(throws: TextUseError.noQuantizedGraph(directory: plain.directory)) {
      _ = try TextClassifier(directory: plain.directory, precision: .int8).facts()
    }
  }

  @Test("frozen layers stay as they were, bit for bit, and the others change")
  func freezing() throws {
    let world = try SmallWorld()
    var training = world.training(try world.data(60))
    training.settings.frozenLayers = 1
    _ = try training.run()
    let before = try PretrainedEncoder(directory: world.folder.path("encoder")).parameters
    let after = try PretrainedEncoder(directory: world.folder.path("model")).parameters
    for (name, tensor) in before {
      let isFrozen = name.contains("embeddings") || name.contains("layer.0.")
      #expect((after[name] == tensor) == isFrozen, "\(name)")
    }
  }

  @Test("tuned thresholds are written for each label")
  func tunedThresholds() throws {
    let world = try SmallWorld()
    var training = world.training(try world.data(), epochs: 3)
    training.settings.threshold = nil
    let metadata = try training.run().metadata
    #expect(metadata.thresholds.count == 3)
    #expect(metadata.thresholds.min()! > 0 && metadata.thresholds.max()! < 1)
    #expect(metadata.thresholds != [0.5, 0.5, 0.5])
    #expect(metadata.validation?.labels.map(\.threshold) == [nil, nil, nil])
  }

  @Test("a smaller classifier learns from a larger one's outputs")
  func distilling() throws {
    let world = try SmallWorld()
    let data = try world.data()
    let teacher = try world.training(data, to: "teacher", epochs: 40).run()
    var training = world.training(data, to: "student", epochs: 30)
    training.encoder = nil
    training.teacher = teacher.directory
    let student = try training.run().metadata
    #expect(student.configuration.layerCount == 1)
    #expect(student.encoder.origin == .distilled)
    #expect(try #require(student.validation).micro.f1 > 0.85)
    training.settings.studentLayers = 3
    let tooLarge = training
    #expect {
      try tooLarge.run()
    } throws: {
      "\($0)".contains("at most 2")
    }
  }

  @Test("variations are made of what trains, and what validates stays as it was")
  func variations() throws {
    let world = try SmallWorld()
    var training = world.training(try world.data(60), epochs: 1)
    let plain = try training.run().metadata
    training.settings.targetSize = 100
    let varied = try training.run().metadata
    #expect(plain.data.variations == 0)
    #expect(varied.data.trainingSamples == 100)
    #expect(varied.data.variations == 100 - plain.data.trainingSamples)
    #expect(varied.data.validationSamples == plain.data.validationSamples)
  }

  @Test("a small encoder learns from nothing, its vocabulary from the data")
  func scratch() throws {
    let world = try SmallWorld()
    var training = world.training(try world.data(), epochs: 25)
    training.encoder = nil
    training.settings.startsFromScratch = true
    training.settings.learningRate = 0.002
    let outcome = try training.run()
    #expect(outcome.metadata.encoder.origin == .scratch)
    #expect(try #require(outcome.metadata.validation).micro.f1 > 0.9)
    let tokenizer = try PretrainedEncoder(directory: outcome.directory).tokenizer()
    #expect(tokenizer.tokens(tokenizer.encode("The tide").ids) == ["[CLS]", "the", "tide", "[SEP]"])
  }

  @Test("a text of a megabyte is cut, and counted")
  func largeText() throws {
    let world = try SmallWorld()
    let long = String(repeating: "tide ", count: 1 << 18)
    let lines =
      try String(contentsOfFile: try world.data(60), encoding: .utf8)
      + "{\"text\": \"\(long)\", \"taxonomy_codes\": [\"sea\"]}\n"
    let outcome = try world.training(try world.folder.write(lines, to: "long.jsonl"), epochs: 1).run()
    #expect(outcome.metadata.data.cutTexts == 1)
  }

  @Test("what the settings ask for and the encoder does not have is told")
  func refusals() throws {
    let world = try SmallWorld()
    let data = try world.data(60)
    func complaint(_ change: (inout ClassificationTraining) -> Void) -> String {
      var training = world.training(data)
      change(&training)
      do {
        _ = try training.run()
        return ""
      } catch { return "\(error)" }
    }
    #expect(complaint { $0.settings.maximumLength = 128 }.contains("give --max-length 24 or less, not 128"))
    #expect(complaint { $0.settings.frozenLayers = 3 }.contains("has 2 layers; --freeze-layers 3 is more"))
    #expect(complaint { $0.settings.threshold = 1 }.contains("--threshold is 1.0"))
    #expect(complaint { $0.encoder = world.folder.path("nowhere") }.contains("there is no such directory"))
    #expect(complaint { $0.settings.studentLayers = 1 }.contains("--layers is 1; expected --distil-from with it"))
    #expect(complaint { $0.teacher = "other" }.contains("one of --encoder, --distil-from and --from-scratch"))
    #expect(
      complaint {
        $0.teacher = $0.encoder
        $0.encoder = nil
      }.contains("is no classifier"))
    let vocabulary = world.folder.path("encoder/vocab.txt")
    let tokens = try! String(contentsOfFile: vocabulary, encoding: .utf8)
    try Data((tokens + "extra\n").utf8).write(to: URL(fileURLWithPath: vocabulary))
    #expect(complaint { _ in }.contains("has 22 tokens, and the embedding table only 21 rows"))
  }

  @Test("without enough samples of any label there is nothing to learn")
  func tooFew() throws {
    let world = try SmallWorld()
    let data = try world.folder.write(
      "{\"text\": \"the tide\", \"taxonomy_codes\": [\"sea\"]}\n{\"text\": \"the oven\", \"taxonomy_codes\": [\"bread\"]}\n",
      to: "few.jsonl")
    #expect {
      try world.training(data).run()
    } throws: {
      "\($0)".contains("no label with enough samples")
    }
  }
}
