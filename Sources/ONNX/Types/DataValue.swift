// The values of a test data set: `input_0.pb` and its siblings, of any type that a graph's input can have.

import Tensors

/// A value with its name, as ONNX's test data sets store inputs and outputs. Unlike a `ValueInfo`, it has content.
public struct DataValue: Sendable, Equatable {
  public var name: String
  public var content: Content

  public init(_ name: String, _ content: Content) {
    self.name = name
    self.content = content
  }

  public indirect enum Content: Sendable, Equatable {
    case tensor(Tensor)
    case sparseTensor(SparseTensor)
    case sequence([DataValue], of: Kind)
    /// As many values as keys; `keys` is a one-dimensional tensor of int64 (which the
    /// format stores for every integer type) or strings.
    case map(keys: Tensor, values: [DataValue], of: Kind)
    /// Nil is the optional that holds nothing.
    case optional(DataValue?, of: Kind)
  }

  /// What a sequence, map or optional holds; the numbers are the format's.
  public enum Kind: Int32, Sendable, Hashable {
    case undefined = 0
    case tensor = 1
    case sparseTensor = 2
    case sequence = 3
    case map = 4
    case optional = 5
  }

  /// The tensor, or nil for every other kind of value.
  public var tensor: Tensor? { if case .tensor(let tensor) = content { tensor } else { nil } }
}
