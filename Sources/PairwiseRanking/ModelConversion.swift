// A model in another format or precision.

import Checkpoints
import Foundation
import ONNX
import Tensors
import Verification

/// Writes the parameters or the graph of a model in another format.
///
/// ```swift
/// let conversion = ModelConversion(source: "models/pairwise_ranker", format: .safetensors, precision: .float16)
/// let written = try conversion.write(to: "ranker.safetensors")
/// ```
public struct ModelConversion: Sendable {
  public enum Format: String, Sendable, CaseIterable {
    case onnx, pth, safetensors
  }

  /// How numbers are stored.
  public enum Precision: String, Sendable, CaseIterable {
    case float32, float16, bfloat16

    var elementType: ElementType {
      switch self {
      case .float32: .float
      case .float16: .float16
      case .bfloat16: .bfloat16
      }
    }
  }

  /// A model's directory, or an `.onnx`, `.pth` or `.safetensors` file.
  public var source: String
  public var format: Format
  /// Nil keeps what the source has.
  public var precision: Precision?

  public init(source: String, format: Format, precision: Precision? = nil) {
    self.source = source
    self.format = format
    self.precision = precision
  }

  /// What was written.
  public struct Written: Sendable {
    public let path: String
    public let tensors: Int
    public let parameters: Int
    public let bytes: Int
  }

  /// Where the result goes when no other place is given: beside the source.
  public var defaultOutput: String {
    let stem: String
    if MetadataFiles.namesModel(source), let model = try? ModelDirectory<RankerMetadata>(path: source) {
      stem = model.path(of: model.metadata.settings.name)
    } else {
      stem = (source as NSString).deletingPathExtension
    }
    let path = "\(stem)\(precision.map { "_\($0.rawValue)" } ?? "").\(format.rawValue)"
    return path == source ? "\(stem)_converted.\(format.rawValue)" : path
  }

  /// Writes the result, whole or not at all.
  /// - Throws: `RankingError`, `CheckpointError` and `ONNXError`, where the source cannot be read or holds a number that
  ///   the precision cannot.
  public func write(to path: String) throws -> Written {
    switch format {
    case .onnx:
      let model = try graph()
      try model.write(to: path)
      let initializers = model.graph.initializers
      return Written(
        path: path, tensors: initializers.count, parameters: initializers.reduce(0) { $0 + $1.tensor.elementCount },
        bytes: Self.size(of: path))
    case .pth, .safetensors:
      let state = try parameters()
      if format == .pth { try state.writePyTorch(to: path) } else { try state.writeSafetensors(to: path) }
      return Written(
        path: path, tensors: state.count, parameters: state.parameterCount, bytes: Self.size(of: path))
    }
  }

  private static func size(of path: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? Int) ?? 0
  }

  private func parameters() throws -> StateDictionary {
    var state: StateDictionary
    if let model = try directory() {
      try model.verifyChecksum(of: model.metadata.files.checkpoint)
      state = try StateDictionary(contentsOf: model.path(of: model.metadata.files.checkpoint))
    } else if source.hasSuffix(".onnx") {
      let initializers = try Model(contentsOf: source).graph.initializers
      // Shapes and axes are initializers too, but no parameters.
      state = StateDictionary(
        initializers.filter { $0.tensor.elementType.isFloatingPoint }.map { ($0.name, $0.tensor) })
    } else {
      state = try StateDictionary(contentsOf: source)
    }
    guard let precision else { return state }
    for (name, tensor) in state where tensor.elementType.isFloatingPoint {
      state[name] = try converted(tensor, to: precision, name: name)
    }
    return state
  }

  private func directory() throws -> ModelDirectory<RankerMetadata>? {
    MetadataFiles.namesModel(source) ? try ModelDirectory(path: source) : nil
  }

  private func graph() throws -> Model {
    let model: Model
    if let directory = try directory() {
      try directory.verifyChecksum(of: directory.metadata.files.comparer)
      model = try Model(contentsOf: directory.path(of: directory.metadata.files.comparer))
    } else if source.hasSuffix(".onnx") {
      model = try Model(contentsOf: source)
    } else {
      // Parameters alone are no network; the metadata beside them say which one.
      guard let owner = try? ModelDirectory<RankerMetadata>(path: source) else {
        throw ModelError.notAModel(
          path: source,
          problem: "holds parameters without the network; give the directory of the model, with its metadata")
      }
      let state = try StateDictionary(contentsOf: source)
      model = try owner.metadata.rebuilt(from: state)[0].model
    }
    return try precision.map { try stored(model, as: $0) } ?? model
  }

  /// The graph with its weights stored in another precision and cast back where they are used: half the bytes, while
  /// every runtime computes as before, with inputs, outputs and sums in single precision.
  private func stored(_ model: Model, as precision: Precision) throws -> Model {
    var result = model
    var casts: [Node] = []
    for index in result.graph.initializers.indices {
      let initializer = result.graph.initializers[index]
      guard initializer.tensor.elementType == .float, precision != .float32,
        initializer.tensor.elementCount >= Self.leastCount
      else { continue }
      let name = "\(initializer.name).\(precision.rawValue)"
      result.graph.initializers[index].tensor = try converted(
        initializer.tensor, to: precision, name: initializer.name)
      result.graph.initializers[index].name = name
      casts.append(
        Node(
          "Cast", name: "\(initializer.name)/cast", inputs: [name], outputs: [initializer.name],
          attributes: [Attribute("to", .int(Int64(ElementType.float.rawValue)))]))
      // In older files an initializer may be listed among the inputs too; that listing named the value stored before.
      result.graph.inputs.removeAll { $0.name == initializer.name }
    }
    result.graph.nodes = casts + result.graph.nodes
    return result
  }

  /// Biases and scalings stay as they are: they are few, and every digit of them reaches every row.
  private static let leastCount = 4096

  private func converted(_ tensor: Tensor, to precision: Precision, name: String) throws -> Tensor {
    guard tensor.elementType != precision.elementType else { return tensor }
    let result = try tensor.converted(to: precision.elementType)
    let back = try result.converted(to: .float)
    let original = try tensor.converted(to: .float)
    let lost = back.withUnsafeElements(as: Float.self) { values in
      original.withUnsafeElements(as: Float.self) { before in
        values.indices.first { before[$0].isFinite && !values[$0].isFinite }.map { before[$0] }
      }
    }
    if let lost {
      throw RankingError.invalidSetting(
        name: "--precision", value: precision.rawValue, expected: "one that holds \(lost), which '\(name)' contains")
    }
    return result
  }
}
