// Where a training starts when it does not start from random numbers: the parameters of an earlier model.

import Checkpoints
import ONNX
import Tensors
import Verification

/// Parameters read from a `.pth`, `.safetensors` or `.onnx` file, or from a model's directory.
enum InitialParameters {
  /// Reads the parameters of `graph` by name.
  ///
  /// - Returns: the parameters in single precision, and the file that they came from.
  /// - Throws: `RankingError.parametersDoNotFit` naming every tensor that is missing or of another shape.
  static func read(_ path: String, for graph: RankerGraph) throws -> (parameters: [String: Tensor], file: String) {
    var file = path
    if MetadataFiles.namesModel(path) {
      let model = try ModelDirectory<RankerMetadata>(path: path)
      file = model.path(of: model.metadata.files.checkpoint)
    }
    let found = try tensors(of: file)
    var parameters: [String: Tensor] = [:]
    var problems: [String] = []
    let shapes = graph.parameterShapes
    for name in RankerGraph.parameterNames {
      let wanted = shapes[name]!
      guard let tensor = found[name] else {
        problems.append("'\(name)' is missing; expected float\(wanted)")
        continue
      }
      guard tensor.shape == wanted, tensor.elementType.isFloatingPoint else {
        problems.append("'\(name)' is \(tensor.elementType)\(tensor.shape), expected float\(wanted)")
        continue
      }
      let converted = tensor.elementType == .float ? tensor : try tensor.converted(to: .float)
      let isFinite = converted.withUnsafeElements(as: Float.self) { $0.allSatisfy(\.isFinite) }
      if !isFinite { problems.append("'\(name)' holds NaN or infinity") }
      parameters[name] = converted
    }
    guard problems.isEmpty else { throw RankingError.parametersDoNotFit(path: file, problems: problems) }
    return (parameters, file)
  }

  private static func tensors(of file: String) throws -> [String: Tensor] {
    if file.hasSuffix(".onnx") {
      let graph = try Model(contentsOf: file).graph
      return Dictionary(graph.initializers.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    }
    let state = try StateDictionary(contentsOf: file)
    return Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
  }
}
