// What a .pth holds: Python's plain values and tensors.

import Tensors

/// A value of a PyTorch checkpoint: the plain values of Python, and tensors.
///
/// ```swift
/// let checkpoint: CheckpointValue = [
///   "model_state_dict": .stateDictionary(state), "hidden_layers": [128, 64], "user_id_map": ["anna": 0],
/// ]
/// try checkpoint.writePyTorch(to: "model.pth")
/// ```
public enum CheckpointValue: Sendable, Equatable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case list([CheckpointValue])
  case tuple([CheckpointValue])
  case dictionary(CheckpointDictionary)
  case tensor(Tensor)

  /// A state dict: an `OrderedDict` of names to tensors.
  public static func stateDictionary(_ state: StateDictionary) -> CheckpointValue {
    var dictionary = CheckpointDictionary()
    dictionary.isOrderedDict = true
    for (name, tensor) in state { dictionary[name] = .tensor(tensor) }
    return .dictionary(dictionary)
  }

  /// The value under a name, where this is a dictionary that has it.
  public subscript(name: String) -> CheckpointValue? { dictionary?[name] }

  /// The value at a position, where this is a list or tuple that long.
  public subscript(position: Int) -> CheckpointValue? {
    guard let elements, elements.indices.contains(position) else { return nil }
    return elements[position]
  }

  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var int: Int? { if case .int(let value) = self { value } else { nil } }
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var tensor: Tensor? { if case .tensor(let value) = self { value } else { nil } }
  public var dictionary: CheckpointDictionary? { if case .dictionary(let value) = self { value } else { nil } }

  /// The number, whether the checkpoint wrote it as a float or as an int.
  public var float: Double? {
    switch self {
    case .float(let value): value
    case .int(let value): Double(value)
    default: nil
    }
  }

  /// The elements of a list or a tuple.
  public var elements: [CheckpointValue]? {
    switch self {
    case .list(let values), .tuple(let values): values
    default: nil
    }
  }

  /// A word for what this is, for messages: "a dict of 3 entries".
  var summary: String {
    switch self {
    case .none: "None"
    case .bool: "a bool"
    case .int: "an int"
    case .float: "a float"
    case .string: "a string"
    case .list(let values): "a list of \(values.count) values"
    case .tuple(let values): "a tuple of \(values.count) values"
    case .dictionary(let values): "a dict of \(values.count) entries"
    case .tensor(let tensor): "a tensor \(tensor.elementType)\(tensor.shape)"
    }
  }
}

extension CheckpointValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(nilLiteral: ()) { self = .none }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .float(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: CheckpointValue...) { self = .list(elements) }
  public init(dictionaryLiteral elements: (CheckpointDictionary.Key, CheckpointValue)...) {
    self = .dictionary(CheckpointDictionary(elements))
  }
}
