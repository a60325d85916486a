// What flows along the edges of a graph inside the runtime.

import ONNX
import Tensors

/// A value while it flows between nodes.
indirect enum Value: Sendable {
  case tensor(Operand)
  case sequence([Value])
  case optional(Value?)
  case map(keys: Operand, values: Operand)

  /// The wide form of a value, or nil where an element type is one that nothing here computes with.
  init?(_ value: RuntimeValue) {
    switch value {
    case .tensor(let tensor):
      guard let operand = Operand(tensor) else { return nil }
      self = .tensor(operand)
    case .sequence(let values):
      var wide: [Value] = []
      for value in values {
        guard let value = Value(value) else { return nil }
        wide.append(value)
      }
      self = .sequence(wide)
    case .optional(nil): self = .optional(nil)
    case .optional(let value?):
      guard let value = Value(value) else { return nil }
      self = .optional(value)
    case .map(let keys, let values):
      guard let keys = Operand(keys), let values = Operand(values) else { return nil }
      self = .map(keys: keys, values: values)
    }
  }

  /// The value as it leaves the graph, rounded to its declared types.
  var runtimeValue: RuntimeValue {
    switch self {
    case .tensor(let operand): .tensor(operand.tensor(saturate: false))
    case .sequence(let values): .sequence(values.map(\.runtimeValue))
    case .optional(let value): .optional(value?.runtimeValue)
    case .map(let keys, let values): .map(keys: keys.tensor(), values: values.tensor())
    }
  }

  /// Kind, type and shape as messages show them.
  var summary: String {
    switch self {
    case .tensor(let operand): operand.summary
    case .sequence(let values): "sequence of \(values.count)" + (values.first.map { " (\($0.summary) …)" } ?? "")
    case .optional(let value): value.map { "optional \($0.summary)" } ?? "empty optional"
    case .map(let keys, let values): "map of \(keys.summary) to \(values.summary)"
    }
  }
}
