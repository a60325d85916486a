// What a domain tells of its models so that they can be verified without the file that is verified.

import Checkpoints
import Foundation
import ONNX

/// One kind of model (`pairwise`, …): how its graphs are built anew from metadata and checkpoint alone.
public struct ModelFamily: Sendable {
  /// The metadata's `model_type`.
  public var modelType: String
  /// The graphs that a model directory should hold, built from its metadata (JSON) and the checkpoint's parameters.
  public var rebuild: @Sendable (_ metadata: Data, _ checkpoint: StateDictionary) throws -> [RebuiltGraph]

  public init(
    modelType: String,
    rebuild: @escaping @Sendable (_ metadata: Data, _ checkpoint: StateDictionary) throws -> [RebuiltGraph]
  ) {
    self.modelType = modelType
    self.rebuild = rebuild
  }
}

/// A graph as it should have been exported.
public struct RebuiltGraph: Sendable {
  /// The exported file's name in the model's directory.
  public var fileName: String
  public var model: Model
  /// What the graph's inputs take.
  public var domains: [String: InputDomain]
  /// The folder of recorded samples in ONNX's test-data layout, where this graph has them: `test_data_set_0`.
  public var testData: String?

  public init(fileName: String, model: Model, domains: [String: InputDomain] = [:], testData: String? = nil) {
    self.fileName = fileName
    self.model = model
    self.domains = domains
    self.testData = testData
  }
}

/// The keys of `*_metadata.json` that every kind of model has and the verification reads.
public struct CommonMetadata: Codable, Sendable {
  public var modelType: String
  public var modelName: String
  /// The checkpoint's file name in the directory.
  public var checkpoint: String
  /// SHA-256 of the directory's other files, by name.
  public var checksums: [String: String]

  enum CodingKeys: String, CodingKey {
    case modelType = "model_type"
    case modelName = "model_name"
    case checkpoint
    case checksums
  }

  public init(modelType: String, modelName: String, checkpoint: String, checksums: [String: String]) {
    self.modelType = modelType
    self.modelName = modelName
    self.checkpoint = checkpoint
    self.checksums = checksums
  }
}
