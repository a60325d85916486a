// What a domain tells of its models so that they can be verified without the file that is verified.

import Checkpoints
import Foundation
import ONNX
import Tensors

/// One kind of model: how its graphs are built anew from metadata and checkpoint alone.
///
/// ```swift
/// let verifier = PathVerifier(families: [ModelFamily(RankerMetadata.self)])
/// ```
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

  /// The kind of model whose metadata have the given type.
  public init<Metadata: ModelMetadata>(_ type: Metadata.Type) {
    self.init(modelType: Metadata.modelType) { metadata, checkpoint in
      try JSONDecoder().decode(Metadata.self, from: metadata).rebuilt(from: checkpoint)
    }
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
  /// Outputs that hold places in the order of another output's scores; see `VerificationOptions.rankings`.
  public var rankings: [String: String]
  /// The least absolute tolerance that this graph is compared with: what single precision rounds away adds up over many
  /// layers. 0 leaves the given one.
  public var leastTolerance: Double

  public init(
    fileName: String, model: Model, domains: [String: InputDomain] = [:], testData: String? = nil,
    rankings: [String: String] = [:], leastTolerance: Double = 0
  ) {
    self.fileName = fileName
    self.model = model
    self.domains = domains
    self.testData = testData
    self.rankings = rankings
    self.leastTolerance = leastTolerance
  }
}

extension StateDictionary {
  /// The tensors that a network needs, by name, each of single precision and in its shape; others are ignored.
  ///
  /// - Parameter source: the checkpoint's name, for messages.
  /// - Throws: `ModelError.parametersDoNotFit` naming every tensor that is missing, or of another type or shape.
  public func parameters(
    _ shapes: [(name: String, shape: Shape)], source: String
  ) throws(ModelError) -> [String: Tensor] {
    var parameters: [String: Tensor] = [:]
    var problems: [String] = []
    for (name, shape) in shapes {
      if let tensor = self[name], tensor.elementType == .float, tensor.shape == shape {
        parameters[name] = tensor
      } else {
        problems.append(
          "'\(name)' is \(self[name].map { "\($0.elementType)\($0.shape)" } ?? "missing"), expected float\(shape)")
      }
    }
    guard problems.isEmpty else { throw .parametersDoNotFit(path: source, problems: problems) }
    return parameters
  }
}

/// Compares the exported files of a model with its rebuilt graphs, on recorded samples and fresh ones.
/// - Parameter subject: what a graph's report calls it.
func verifyFiles(
  of rebuilt: [RebuiltGraph], in directory: String, options: VerificationOptions,
  subject: (RebuiltGraph) -> String
) throws -> [VerificationReport] {
  try rebuilt.map { graph in
    var options = options
    options.domains = graph.domains
    options.rankings = graph.rankings
    options.tolerance.absolute = max(options.tolerance.absolute, graph.leastTolerance)
    let exported = try Model(contentsOf: "\(directory)/\(graph.fileName)")
    let recorded = try graph.testData.map { try TestData.samples("\(directory)/\($0)", of: exported) } ?? []
    return try verify(
      exportedGraph: exported, against: graph.model, recorded: recorded, subject: subject(graph), options: options)
  }
}
