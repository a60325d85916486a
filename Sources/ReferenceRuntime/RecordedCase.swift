// Replaying what another runtime recorded: ONNX's layout of a model with its test data.

import Glibc
import ONNX
import Tensors

/// A directory in ONNX's test-data layout: `model.onnx` beside `test_data_set_0`, `test_data_set_1`, …, each with
/// `input_0.pb`, … for the graph's inputs in order and `output_0.pb`, … for its outputs.
public struct RecordedCase: Sendable {
  /// One recorded run.
  public struct DataSet: Sendable {
    /// The directory's name, `test_data_set_0`.
    public let name: String
    public let inputs: [String: RuntimeValue]
    public let outputs: [String: RuntimeValue]
  }

  public let model: Model
  /// In the order of their numbers.
  public let dataSets: [DataSet]

  /// Reads the model and its data sets.
  ///
  /// - Parameters:
  ///   - directory: the directory that holds the data sets.
  ///   - modelName: the model's file name; nil takes `model.onnx`, or the only `.onnx` file that is there.
  /// - Throws: `RecordedCaseError` where the layout is not as it should be; `ONNXError` for a file that can't be read.
  public init(directory: String, modelName: String? = nil) throws {
    let entries = try Self.entries(of: directory)
    let models = entries.filter { $0.hasSuffix(".onnx") }
    guard let name = modelName ?? (models.contains("model.onnx") ? "model.onnx" : models.first),
      modelName != nil || models.count == 1 || models.contains("model.onnx")
    else {
      throw RecordedCaseError.layout(
        directory, models.isEmpty ? "there is no .onnx file in it" : "which of \(models.joined(separator: ", ")) is it?"
      )
    }
    let model = try Model(contentsOf: "\(directory)/\(name)")
    let numbers = entries.compactMap { $0.hasPrefix("test_data_set_") ? Int($0.dropFirst(14)) : nil }.sorted()
    guard !numbers.isEmpty else { throw RecordedCaseError.layout(directory, "there is no test_data_set_0 in it") }
    dataSets = try numbers.map { number in
      try Self.dataSet("\(directory)/test_data_set_\(number)", "test_data_set_\(number)", model.graph)
    }
    self.model = model
  }

  /// Runs the model on a data set's inputs and returns the outputs that the data set has recorded too.
  public func replay(_ dataSet: DataSet) throws -> [String: RuntimeValue] {
    try ReferenceSession(model).runValues(dataSet.inputs, outputs: dataSet.outputs.keys.sorted())
  }

  private static func dataSet(_ path: String, _ name: String, _ graph: Graph) throws -> DataSet {
    let entries = try entries(of: path)
    let constants = Set(graph.initializers.map(\.name))
    return DataSet(
      name: name,
      inputs: try values(path, "input", entries, graph.inputs.filter { !constants.contains($0.name) }),
      outputs: try values(path, "output", entries, graph.outputs))
  }

  private static func values(
    _ path: String, _ kind: String, _ entries: [String], _ declared: [ValueInfo]
  ) throws -> [String: RuntimeValue] {
    let count = entries.filter { $0.hasPrefix("\(kind)_") && $0.hasSuffix(".pb") }.count
    guard count <= declared.count else {
      throw RecordedCaseError.layout(path, "it has \(count) \(kind)s, and the graph \(declared.count)")
    }
    var result: [String: RuntimeValue] = [:]
    for index in 0..<count {
      let file = "\(path)/\(kind)_\(index).pb"
      let value = try RuntimeValue(contentsOf: file, as: declared[index].type)
      result[declared[index].name] = retyped(value, declared[index].type)
    }
    return result
  }

  /// ONNX's own test data holds bfloat16 values as the uint16 of their bits; the graph says what they are.
  private static func retyped(_ value: RuntimeValue, _ declared: ValueType?) -> RuntimeValue {
    guard case .tensor(let tensor) = value, case .tensor(let type, _)? = declared, tensor.elementType == .uint16,
      type.elementType == .bfloat16
    else { return value }
    return .tensor(tensor.withUnsafeBytes { Tensor(bytes: $0, shape: tensor.shape, elementType: .bfloat16) })
  }

  private static func entries(of path: String) throws -> [String] {
    guard let directory = opendir(path) else {
      throw RecordedCaseError.layout(path, "can't be opened: \(String(cString: strerror(errno)))")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names.sorted()
  }
}

/// Why a directory is no recorded case.
public enum RecordedCaseError: Error, Equatable, CustomStringConvertible {
  case layout(_ path: String, _ problem: String)

  public var description: String {
    switch self {
    case .layout(let path, let problem):
      "\(path): \(problem); expected ONNX's test-data layout, model.onnx beside test_data_set_0/input_0.pb, output_0.pb"
    }
  }
}
