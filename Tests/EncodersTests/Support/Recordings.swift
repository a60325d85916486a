// What transformers and PyTorch made of the small encoders (Resources/make_encoders.py).

import Checkpoints
import Encoders
import Foundation
import Tensors

enum Resources {
  static func path(_ name: String) -> String { Bundle.module.bundlePath + "/Resources/" + name }
}

/// A small encoder and its recorded batches.
struct Recording {
  let encoder: PretrainedEncoder
  private let recorded: StateDictionary

  static let batches = ["one", "longest", "padded"]

  init(_ family: EncoderConfiguration.Family) throws {
    encoder = try PretrainedEncoder(directory: Resources.path(family.rawValue))
    recorded = try StateDictionary(contentsOf: Resources.path("\(family.rawValue)/recorded.safetensors"))
  }

  func value(_ batch: String, _ name: String) throws -> Tensor {
    guard let tensor = recorded["\(batch).\(name)"] else { throw MissingRecord(name: "\(batch).\(name)") }
    return tensor
  }

  func inputs(_ batch: String) throws -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for name in ["input_ids", "attention_mask", "token_type_ids"] { inputs[name] = recorded["\(batch).\(name)"] }
    return inputs
  }

  struct MissingRecord: Error {
    let name: String
  }
}

extension Tensor {
  /// The largest absolute difference between the elements of two tensors of one shape; infinite for other shapes.
  func distance(to other: Tensor) -> Double {
    guard shape == other.shape else { return .infinity }
    return zip(doubles(), other.doubles()).map { abs($0 - $1) }.max() ?? 0
  }
}
