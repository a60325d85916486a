// What the tests of ONNX share: files, small models, chance that repeats.

import Foundation
import ONNX
import Tensors

/// The path of a file in Resources, made by Python (see its README).
func resource(_ name: String) -> String {
  Bundle.module.bundleURL.appendingPathComponent("Resources/\(name)").path
}

func bytes(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

/// Runs `body` with an empty directory that is gone afterwards.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "onnx-tests-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// Names in a directory, sorted.
func names(in directory: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
}

/// `y = Relu(x · W + b)`, valid, to be broken by tests.
func smallModel() -> Model {
  let weight = Tensor((0..<12).map { Float($0) }, shape: [3, 4])
  var graph = Graph(
    name: "small",
    nodes: [
      Node("MatMul", name: "product", inputs: ["x", "W"], outputs: ["h"]),
      Node("Add", name: "bias", inputs: ["h", "b"], outputs: ["s"]),
      Node("Relu", name: "activation", inputs: ["s"], outputs: ["y"]),
    ],
    initializers: [Initializer("W", weight), Initializer("b", Tensor([Float](repeating: 1, count: 4)))],
    inputs: [ValueInfo("x", .float, ["batch", 3])], outputs: [ValueInfo("y", .float, ["batch", 4])])
  graph.documentation = "for tests"
  return Model(irVersion: 8, operatorSets: [OperatorSet(version: 17)], graph: graph)
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Encodes Protocol Buffers by hand, so that tests can write what no writer writes.
enum Proto {
  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(content.count)) + content
  }

  static func field(_ number: UInt64, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
  static func field(_ number: UInt64, _ value: Int64) -> [UInt8] {
    varint(number << 3) + varint(UInt64(bitPattern: value))
  }

  /// A model with this graph content.
  static func model(_ graph: [UInt8]) -> [UInt8] { field(1, 8) + field(7, graph) }
  /// A model with one initializer of this content.
  static func model(initializer: [UInt8]) -> [UInt8] { model(field(5, initializer)) }
}
