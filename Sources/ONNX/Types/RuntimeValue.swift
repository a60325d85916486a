// What goes into a graph and comes out of it when it runs, and what the files of a test data set hold.

import Tensors

/// A value that goes into or comes out of a graph.
public indirect enum RuntimeValue: Sendable, Equatable {
  case tensor(Tensor)
  /// Values of one type in order.
  case sequence([RuntimeValue])
  /// A value, or that there is none.
  case optional(RuntimeValue?)
  /// Keys `[count]` of an integer type or strings, and the value of each `[count]`.
  case map(keys: Tensor, values: Tensor)

  /// The tensor, or nil where this is another kind of value.
  public var tensor: Tensor? {
    if case .tensor(let tensor) = self { tensor } else { nil }
  }
}
