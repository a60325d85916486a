// Recorded inputs and outputs in ONNX's own test-data layout: input_0.pb …, output_0.pb ….

import Checkpoints
import Foundation
import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors

/// One `test_data_set_*`: a value for each input of a graph, in its order, and the outputs that were recorded.
struct TestData {
  let inputs: [String: RuntimeValue]
  let outputs: [String: RuntimeValue]

  /// Reads a folder. A file fewer than the graph has inputs means that an optional one was left out.
  init(directory: String, of model: Model) throws {
    let initialized = Set(model.graph.initializers.map(\.name))
    func values(_ stem: String, _ infos: [ValueInfo]) throws -> [String: RuntimeValue] {
      var values: [String: RuntimeValue] = [:]
      for (index, info) in infos.enumerated() {
        let path = "\(directory)/\(stem)_\(index).pb"
        guard FileManager.default.fileExists(atPath: path) else {
          if stem == "input", initialized.contains(info.name) || index > 0 { continue }
          throw VerificationError.unreadable(path: path, reason: "the recorded value of '\(info.name)' is missing")
        }
        values[info.name] = try RuntimeValue(contentsOf: path, as: info.type)
      }
      return values
    }
    inputs = try values("input", model.graph.inputs)
    outputs = try values("output", model.graph.outputs)
  }

  /// The recorded samples of one of our graphs, all of them tensors.
  static func samples(_ directory: String, of model: Model) throws -> [VerificationSample] {
    let data = try TestData(directory: directory, of: model)
    return [
      VerificationSample(
        name: (directory as NSString).lastPathComponent, inputs: data.inputs.compactMapValues(\.tensor),
        expected: data.outputs.compactMapValues(\.tensor))
    ]
  }

  /// Runs a model on the recorded inputs.
  func run(_ model: Model, in runtime: VerifyingRuntime) throws -> [String: RuntimeValue] {
    switch runtime {
    case .reference: return try ReferenceSession(model).runValues(inputs)
    case .engine:
      let tensors = inputs.compactMapValues(\.tensor)
      guard tensors.count == inputs.count else {
        throw VerificationError.notForEngine("an input is no tensor")
      }
      return try Session(model).run(tensors).mapValues(RuntimeValue.tensor)
    }
  }
}

extension VerificationReport {
  /// Compares values of any kind: the tensors in them, by their place.
  mutating func compare(
    _ found: [String: RuntimeValue], with expected: [String: RuntimeValue], tolerance: Tolerance, what: String
  ) {
    compare(Self.tensors(found), with: Self.tensors(expected), tolerance: tolerance, what: what)
  }

  private static func tensors(_ values: [String: RuntimeValue]) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    func add(_ name: String, _ value: RuntimeValue) {
      switch value {
      case .tensor(let tensor): tensors[name] = tensor
      case .sequence(let values):
        tensors["\(name).count"] = Tensor(scalar: Int64(values.count))
        for (index, value) in values.enumerated() { add("\(name)[\(index)]", value) }
      case .optional(let value):
        tensors["\(name).exists"] = Tensor(scalar: value != nil)
        if let value { add(name, value) }
      case .map(let keys, let values):
        tensors["\(name).keys"] = keys
        tensors["\(name).values"] = values
      }
    }
    for (name, value) in values { add(name, value) }
    return tensors
  }
}
