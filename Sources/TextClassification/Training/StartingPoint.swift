// What a training starts from: a pretrained encoder, nothing, or some layers of a larger classifier.

import Checkpoints
import Datasets
import Encoders
import Foundation
import Tensors
import Tokenization
import Verification

/// The network before the first step, with its tokenizer.
struct StartingPoint: Sendable {
  let graph: ClassifierGraph
  /// All parameters, perhaps without those of the classifier's own layer.
  let parameters: [String: Tensor]
  let tokenizer: WordPieceTokenizer
  let encoder: ClassificationMetadata.Encoder
  /// A trained classifier whose probabilities are learnt from.
  let teacher: Teacher?
  let warnings: [String]

  /// Whether the classifier's own layer is among the parameters.
  var hasHead: Bool {
    graph.configuration.classifierParameters(labels: graph.labels.count).allSatisfy { parameters[$0.name] != nil }
  }

  /// Where a starting point comes from.
  enum Source {
    case pretrained(directory: String)
    case scratch
    case distilled(teacher: String)

    /// - Throws: where options exclude each other, and where no encoder was named and the default one is not there.
    init(_ training: ClassificationTraining) throws {
      let named = [("--encoder", training.encoder), ("--distil-from", training.teacher)].filter { $0.1 != nil }
      guard named.count + (training.settings.startsFromScratch ? 1 : 0) <= 1 else {
        throw ClassificationError.invalidSetting(
          name: named.last!.0, value: "\"\(named.last!.1!)\"",
          expected: "one of --encoder, --distil-from and --from-scratch: each says what the training starts from")
      }
      if training.teacher == nil, let layers = training.settings.studentLayers {
        throw ClassificationError.invalidSetting(
          name: "--layers", value: "\(layers)", expected: "--distil-from with it: layers are taken from that classifier"
        )
      }
      if let teacher = training.teacher {
        self = .distilled(teacher: teacher)
      } else if training.settings.startsFromScratch {
        self = .scratch
      } else {
        self = .pretrained(directory: try DefaultEncoder.directory(named: training.encoder))
      }
    }
  }

  /// - Parameters:
  ///   - labels: the names of the classifier's outputs.
  ///   - texts: what a vocabulary is learnt from, where there is none.
  init(_ source: Source, labels: [String], texts: [String], settings: ClassificationSettings) throws {
    switch source {
    case .pretrained(let directory): try self.init(pretrained: directory, labels: labels, settings: settings)
    case .scratch: try self.init(scratchFrom: texts, labels: labels, settings: settings)
    case .distilled(let teacher): try self.init(distilling: teacher, labels: labels, settings: settings)
    }
    try Self.check(graph.configuration, settings, path: encoder.path ?? "the small encoder")
  }

  private init(
    graph: ClassifierGraph, parameters: [String: Tensor], tokenizer: WordPieceTokenizer,
    encoder: ClassificationMetadata.Encoder, teacher: Teacher? = nil, warnings: [String] = []
  ) {
    self.graph = graph
    self.parameters = parameters
    self.tokenizer = tokenizer
    self.encoder = encoder
    self.teacher = teacher
    self.warnings = warnings
  }

  /// A pretrained encoder; its head too, where it is a classifier of the same labels.
  private init(pretrained directory: String, labels: [String], settings: ClassificationSettings) throws {
    let pretrained = try PretrainedEncoder(directory: directory)
    var configuration = pretrained.configuration
    var parameters = pretrained.parameters
    var warnings: [String] = []
    if configuration.labels != labels {
      for shape in configuration.classifierParameters(labels: labels.count) { parameters[shape.name] = nil }
    }
    configuration.labels = labels
    if !pretrained.hasPooler {
      let names = configuration.poolerParameters.map(\.name).joined(separator: ", ")
      warnings.append("\(pretrained.weightsPath) has no \(names): that layer starts from random numbers")
      var generator = SeededGenerator(seed: settings.seed)
      parameters.merge(configuration.initialParameters(configuration.poolerParameters, using: &generator)) { $1 }
    }
    self.init(
      graph: ClassifierGraph(configuration: configuration, opset: settings.opset), parameters: parameters,
      tokenizer: try pretrained.tokenizer(),
      encoder: .init(
        origin: .pretrained, path: directory, sha256: try SHA256.hexadecimal(ofFile: pretrained.weightsPath)),
      warnings: warnings)
  }

  /// A small BERT of random numbers, its vocabulary learnt from the texts.
  private init(scratchFrom texts: [String], labels: [String], settings: ClassificationSettings) throws {
    var trainer = WordPieceTrainer()
    trainer.vocabularySize = Self.smallVocabulary
    trainer.settings.modelMaxLength = settings.maximumLength
    let tokenizer = try trainer.train(texts)
    var configuration = EncoderConfiguration(
      family: .bert, vocabularySize: tokenizer.vocabulary.count, width: 128, layerCount: 2, headCount: 4,
      innerWidth: 512, maximumLength: settings.maximumLength)
    configuration.labels = labels
    configuration.paddingToken = Int(tokenizer.padID)
    // As loud as what comes in. With BERT's 0.02, meant for layers six times as wide, the pooled states of all texts are
    // nearly the same; a head fitted to so small differences is sure of everything, and wrong about new texts.
    configuration.initializerRange = 1 / Double(configuration.width).squareRoot()
    var generator = SeededGenerator(seed: settings.seed)
    let parameters = configuration.initialParameters(
      configuration.encoderParameters + configuration.poolerParameters, using: &generator)
    self.init(
      graph: ClassifierGraph(configuration: configuration, opset: settings.opset), parameters: parameters,
      tokenizer: tokenizer, encoder: .init(origin: .scratch))
  }

  /// Tokens of a small encoder: with less data than a language has words, more would each be seen too seldom.
  private static let smallVocabulary = 8000

  /// A smaller encoder made of layers of a trained classifier, evenly spaced and the last one among them (as DistilBERT
  /// was made of BERT), with its tables and its head.
  private init(distilling directory: String, labels: [String], settings: ClassificationSettings) throws {
    let large = try PretrainedEncoder(directory: directory)
    guard let known = large.configuration.labels, large.parameters["classifier.weight"] != nil else {
      throw ClassificationError.encoderDoesNotFit(
        path: directory, problem: "is no classifier; --distil-from takes a directory that a training of one wrote")
    }
    guard known == labels else {
      throw ClassificationError.encoderDoesNotFit(
        path: directory,
        problem: "has the labels \(Self.listed(known)), and the data has \(Self.listed(labels)): distil on data of the "
          + "labels that it was trained on")
    }
    var configuration = large.configuration
    let count = settings.studentLayers ?? (configuration.layerCount + 1) / 2
    guard count <= configuration.layerCount else {
      throw ClassificationError.invalidSetting(
        name: "--layers", value: "\(count)", expected: "at most \(configuration.layerCount), what \(directory) has")
    }
    configuration.layerCount = count
    let parameters = configuration.parameters(
      fromLayersOf: large.parameters, at: (1...count).map { $0 * large.configuration.layerCount / count - 1 })
    self.init(
      graph: ClassifierGraph(configuration: configuration, opset: settings.opset), parameters: parameters,
      tokenizer: try large.tokenizer(),
      encoder: .init(
        origin: .distilled, path: directory, sha256: try SHA256.hexadecimal(ofFile: large.weightsPath)),
      teacher: Teacher(
        graph: ClassifierGraph(configuration: large.configuration, opset: settings.opset),
        parameters: large.parameters))
  }

  private static func listed(_ labels: [String]) -> String {
    labels.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ") + (labels.count > 5 ? ", …" : "")
  }

  /// Requires that the settings ask for nothing that the network does not have.
  private static func check(
    _ configuration: EncoderConfiguration, _ settings: ClassificationSettings, path: String
  ) throws(ClassificationError) {
    guard settings.maximumLength <= configuration.maximumLength else {
      throw .encoderDoesNotFit(
        path: path,
        problem: "reads at most \(configuration.maximumLength) tokens of a text; give --max-length "
          + "\(configuration.maximumLength) or less, not \(settings.maximumLength)")
    }
    guard settings.frozenLayers <= configuration.layerCount else {
      throw .encoderDoesNotFit(
        path: path,
        problem: "has \(configuration.layerCount) layers; --freeze-layers \(settings.frozenLayers) is more than that")
    }
  }
}

/// A trained classifier whose outputs a smaller one learns from.
struct Teacher: Sendable {
  let graph: ClassifierGraph
  let parameters: [String: Tensor]

  /// How much its probabilities count against the labels themselves. They tell how near a text is to the labels that it
  /// does not have (Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015).
  static let share: Float = 0.7
}
