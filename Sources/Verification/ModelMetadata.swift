// What a model's metadata file says: the part that every kind of model has, and how a kind adds its own.

import Checkpoints
import Foundation
import Tensors

/// The part of `{name}_metadata.json` that every kind of model has. It is written flat, beside the keys of the kind.
public struct CommonMetadata: Codable, Sendable {
  /// The kind of model: `pairwise_ranker`, `ncf`, ….
  public var modelType: String
  /// The version of the kind's layout.
  public var formatVersion: Int
  /// The stem of the files' names.
  public var modelName: String
  /// The checkpoint's file name in the directory.
  public var checkpoint: String
  /// Where in the checkpoint the state dict is, such as `model_state_dict`; nil where the checkpoint is one.
  public var checkpointKey: String?
  /// The names of the model's files by what they are: `onnx` (the graph that one would open first), `report`, ….
  public var files: [String: String]
  /// SHA-256 of the directory's other files, by name.
  public var checksums: Checksums
  /// What the verification of each exported graph found.
  public var verification: [VerificationReport]
  /// Numbers that were trained.
  public var parameterCount: Int
  /// The data in a few words: `400 pairs`.
  public var trainedOn: String
  /// The measure of quality that one would tell first.
  public var headline: Headline?
  /// When the training ended, in UTC.
  public var createdAt: String
  /// Seconds from reading the data to the last file.
  public var trainingTime: Double
  public var versions: Versions

  /// A measure of quality, and what it was measured on.
  public struct Headline: Codable, Sendable, Hashable {
    /// `accuracy`, `ndcg@10`, ….
    public var measure: String
    /// Nil where the data did not allow to measure it.
    public var value: Double?
    /// Whether the value is a share of one, which people read as a percentage.
    public var isShare: Bool
    /// What it was measured on: `validation`, `5 folds`, ….
    public var of: String

    public init(measure: String, value: Double?, isShare: Bool, of: String) {
      self.measure = measure
      self.value = value
      self.isShare = isShare
      self.of = of
    }

    enum CodingKeys: String, CodingKey {
      case measure, value
      case isShare = "is_share"
      case of
    }
  }

  /// What made the model.
  public struct Versions: Codable, Sendable, Hashable {
    public var rankerkit: String
    public var opset: Int
    public var irVersion: Int

    public init(rankerkit: String = Toolkit.version, opset: Int, irVersion: Int) {
      self.rankerkit = rankerkit
      self.opset = opset
      self.irVersion = irVersion
    }

    enum CodingKeys: String, CodingKey {
      case rankerkit, opset
      case irVersion = "ir_version"
    }
  }

  /// - Parameter createdAt: in UTC, as ISO 8601 has it.
  public init(
    modelType: String, formatVersion: Int = 1, modelName: String, checkpoint: String, checkpointKey: String? = nil,
    files: [String: String], parameterCount: Int, trainedOn: String, headline: Headline?, createdAt: String,
    versions: Versions
  ) {
    self.modelType = modelType
    self.formatVersion = formatVersion
    self.modelName = modelName
    self.checkpoint = checkpoint
    self.checkpointKey = checkpointKey
    self.files = files
    checksums = Checksums()
    verification = []
    self.parameterCount = parameterCount
    self.trainedOn = trainedOn
    self.headline = headline
    self.createdAt = createdAt
    trainingTime = 0
    self.versions = versions
  }

  enum CodingKeys: String, CodingKey {
    case modelType = "model_type"
    case formatVersion = "format_version"
    case modelName = "model_name"
    case checkpoint
    case checkpointKey = "checkpoint_key"
    case files, checksums, verification
    case parameterCount = "parameter_count"
    case trainedOn = "trained_on"
    case headline
    case createdAt = "created_at"
    case trainingTime = "training_time"
    case versions
  }
}

/// A file that a model was made from, and its SHA-256 (nil for standard input, which is read once).
public struct SourceFile: Codable, Sendable, Hashable {
  public var path: String
  public var sha256: String?

  public init(path: String, sha256: String?) {
    self.path = path
    self.sha256 = sha256
  }
}

/// The metadata of one kind of model: the common part and what only this kind has. A conforming type encodes
/// `common` and its own keys into one flat object.
public protocol ModelMetadata: Codable, Sendable {
  /// The `model_type` of this kind's files.
  static var modelType: String { get }
  /// The kind as messages speak of it, without an article: `pairwise ranker`.
  static var kind: String { get }
  /// The command that trains such a model, for messages about a missing one: `ranker train pairwise --output DIRECTORY`.
  static var trainingCommand: String { get }

  var common: CommonMetadata { get set }
  /// The name of the metadata file: `NAME_metadata.json` where a kind does not say another.
  var fileName: String { get }

  /// The graphs that should have been exported, built from the metadata and the checkpoint without looking at the files.
  func rebuilt(from checkpoint: StateDictionary) throws -> [RebuiltGraph]
}

extension ModelMetadata {
  /// The stem of the files' names.
  public var name: String { common.modelName }
  public var fileName: String { MetadataFiles.name(of: name) }
  public var checksums: Checksums { common.checksums }
  public var verification: [VerificationReport] { common.verification }
  public var parameterCount: Int { common.parameterCount }
  public var createdAt: String { common.createdAt }
  public var trainingTime: Double { common.trainingTime }
  public var versions: CommonMetadata.Versions { common.versions }

  /// Reads a metadata file.
  /// - Throws: `ModelError.notAModel` where it is missing, damaged, or of another kind of model.
  public init(contentsOf path: String) throws(ModelError) {
    let data = try MetadataFiles.data(of: path)
    if let found = MetadataFiles.modelType(in: data), found != Self.modelType {
      throw .notAModel(path: path, problem: "is a model of type '\(found)', not a \(Self.kind)")
    }
    do { self = try JSONDecoder().decode(Self.self, from: data) } catch {
      throw .notAModel(path: path, problem: "is no metadata of a \(Self.kind): \(MetadataFiles.told(error))")
    }
  }

  /// The JSON text; the same values give the same bytes.
  public func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}
