// The files that PyTorch and safetensors wrote (Resources/make.py), and a place for files that tests write.

import Checkpoints
import Foundation
import Tensors

enum Resources {
  static func path(_ name: String) -> String {
    Bundle.module.bundlePath + "/Resources/" + name
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }
}

/// A folder that is removed with all that is in it when `body` returns.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.path + "/checkpoints-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// All names in a folder, hidden ones too.
func names(in folder: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

extension CheckpointValue {
  init(bytes: [UInt8]) throws {
    self = try bytes.withUnsafeBytes { try CheckpointValue(pytorchBytes: $0, source: "test") }
  }
}

extension StateDictionary {
  init(bytes: [UInt8]) throws {
    self = try bytes.withUnsafeBytes { try StateDictionary(bytes: $0, source: "test") }
  }
}

extension SafetensorsFile {
  init(bytes: [UInt8]) throws {
    self = try bytes.withUnsafeBytes { try SafetensorsFile(bytes: $0, source: "test") }
  }
}

extension Tensor {
  /// The bytes of the elements.
  var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
