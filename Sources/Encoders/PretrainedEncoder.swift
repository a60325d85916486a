// An encoder on the disk, as Hugging Face lays it out: read with every tensor accounted for.

import Checkpoints
import Foundation
import Tensors
import Tokenization

/// The configuration and the trained tensors of an encoder.
///
/// ```swift
/// let encoder = try PretrainedEncoder(directory: "all-MiniLM-L6-v2")
/// let model = encoder.configuration.embeddingModel(encoder.parameters)
/// ```
public struct PretrainedEncoder: Sendable {
  /// Where it was read from.
  public let directory: String
  /// The file that holds the tensors.
  public let weightsPath: String
  public let configuration: EncoderConfiguration
  /// The tensors under the names of ``EncoderConfiguration/allParameters(labels:)``, in single precision: the encoder's,
  /// and the head's where the file has them.
  public let parameters: [String: Tensor]
  /// Tensors of the file that belong to other tasks, such as guessing masked words, and were left out.
  public let ignored: [String]

  /// The names of the files, the first the one that is read where both are there.
  public static let weightNames = ["model.safetensors", "pytorch_model.bin"]
  public static let vocabularyName = "vocab.txt"

  /// Reads `config.json` and `model.safetensors` or `pytorch_model.bin`.
  ///
  /// Names with and without the prefix `bert.` or `distilbert.` are read, and the old names of layer normalisations
  /// (`gamma`, `beta`).
  ///
  /// - Throws: `EncoderError.notAnEncoder` where a file is missing, `.invalidConfiguration`, and `.parametersDoNotFit`
  ///   naming every tensor that is missing, too many, of another shape, or not of numbers alone; `CheckpointError` where
  ///   the tensors cannot be read.
  public init(directory: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: directory, isDirectory: &isFolder), isFolder.boolValue else {
      let isFile = FileManager.default.fileExists(atPath: directory)
      throw EncoderError.notAnEncoder(
        path: directory, problem: isFile ? "it is a file" : "there is no such directory")
    }
    func path(_ name: String) -> String { (directory as NSString).appendingPathComponent(name) }
    func isThere(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
    guard isThere(EncoderConfiguration.fileName) else {
      throw EncoderError.notAnEncoder(path: directory, problem: "it has no \(EncoderConfiguration.fileName)")
    }
    let configuration = try EncoderConfiguration(contentsOf: path(EncoderConfiguration.fileName))
    guard let name = Self.weightNames.first(where: isThere) else {
      let isSplit = Self.weightNames.contains { isThere("\($0).index.json") }
      throw EncoderError.notAnEncoder(
        path: directory,
        problem: isSplit
          ? "its weights are split over several files; save it whole (save_pretrained with max_shard_size=\"100GB\")"
          : "it has neither \(Self.weightNames.joined(separator: " nor "))")
    }
    let weights = path(name)
    let state = try StateDictionary(contentsOf: weights)
    let read = try Self.parameters(of: configuration, in: state, path: weights)
    self.directory = directory
    weightsPath = weights
    self.configuration = configuration
    (parameters, ignored) = (read.parameters, read.ignored)
  }

  public init(directory: String, configuration: EncoderConfiguration, parameters: [String: Tensor]) {
    self.directory = directory
    weightsPath = ""
    self.configuration = configuration
    self.parameters = parameters
    ignored = []
  }

  /// The tokenizer of the directory.
  /// - Throws: `TokenizationError`; `EncoderError.vocabularyDoesNotFit` where it knows tokens that the embedding table
  ///   has no row for.
  public func tokenizer() throws -> WordPieceTokenizer {
    let tokenizer = try WordPieceTokenizer(directory: directory)
    guard tokenizer.vocabulary.count <= configuration.vocabularySize else {
      throw EncoderError.vocabularyDoesNotFit(
        path: (directory as NSString).appendingPathComponent(Self.vocabularyName), tokens: tokenizer.vocabulary.count,
        rows: configuration.vocabularySize)
    }
    return tokenizer
  }

  /// Whether the file has the dense layer before the classifier.
  public var hasPooler: Bool { configuration.poolerParameters.allSatisfy { parameters[$0.name] != nil } }

  /// The tensors of a state dict under their full names.
  /// - Throws: `EncoderError.parametersDoNotFit`.
  static func parameters(
    of configuration: EncoderConfiguration, in state: StateDictionary, path: String
  ) throws(EncoderError) -> (parameters: [String: Tensor], ignored: [String]) {
    let names = configuration.names
    // transformers counts two labels where the configuration names none.
    let head =
      configuration.poolerParameters
      + configuration.classifierParameters(
        labels: configuration.labels?.count ?? 2)
    var missing = configuration.encoderParameters
    let shapes = Dictionary(uniqueKeysWithValues: (missing + head).map { ($0.name, $0.shape) })
    var parameters: [String: Tensor] = [:]
    var (problems, ignored): ([String], [String]) = ([], [])
    for (given, tensor) in state {
      guard let name = names.canonical(given) else {
        ignored.append(given)
        continue
      }
      guard let shape = shapes[name] else {
        problems.append("'\(given)' \(tensor.elementType)\(tensor.shape) has no place in the network")
        continue
      }
      guard parameters[name] == nil else {
        problems.append("'\(given)' is there twice, with and without a prefix")
        continue
      }
      guard tensor.shape == shape, tensor.elementType.isFloatingPoint else {
        problems.append("'\(given)' is \(tensor.elementType)\(tensor.shape), expected float\(shape)")
        parameters[name] = tensor
        continue
      }
      let single = tensor.elementType == .float ? tensor : try? tensor.converted(to: .float)
      if single?.isFinite != true { problems.append("'\(given)' holds NaN or infinity in single precision") }
      parameters[name] = single ?? tensor
    }
    // Half a head is damage; none is a file of the encoder alone.
    for part in [configuration.poolerParameters, Array(head.suffix(2))]
    where part.contains(where: { parameters[$0.name] != nil }) { missing += part }
    problems += missing.filter { parameters[$0.name] == nil }.map { "'\($0.name)' float\($0.shape) is missing" }
    guard problems.isEmpty else { throw .parametersDoNotFit(path: path, problems: problems) }
    return (parameters, ignored)
  }
}

extension Tensor {
  /// Whether a tensor in single precision holds numbers alone: no exponent is all ones.
  fileprivate var isFinite: Bool {
    withUnsafeElements(as: Float.self) { values in
      let exponent: UInt32 = 0x7F80_0000
      var found: UInt32 = 0
      // No early end, so that several numbers are looked at together.
      for value in values { found |= value.bitPattern & exponent == exponent ? 1 : 0 }
      return found == 0
    }
  }
}

extension ParameterNames {
  /// The full name of a tensor as files have it: with or without the prefix, of the old kind or the new. Nil for what
  /// belongs to another task and for buffers that hold no trained number.
  func canonical(_ given: String) -> String? {
    var name = given
    for (old, new) in [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")]
    where name.hasSuffix(old) { name = name.dropLast(old.count) + new }
    if name.hasSuffix("embeddings.position_ids") || name.hasSuffix("embeddings.token_type_ids") { return nil }
    // The heads for masked words, next sentences and answers.
    if ["cls.", "vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "qa_outputs."].contains(
      where: name.hasPrefix)
    {
      return nil
    }
    if name.hasPrefix(prefix) || name.hasPrefix("pre_classifier.") || name.hasPrefix("classifier.") { return name }
    return prefix + name
  }
}
