// The parameters of a model by name: what a .pth or a .safetensors file holds.

import Tensors

/// Named tensors in the order in which the model declares them. The names are those of a PyTorch state dict.
///
/// ```swift
/// let state = try StateDictionary(contentsOf: "model.pth")
/// print(state["shared_layer.0.weight"]!.shape)
/// try state.writeSafetensors(to: "model.safetensors")
/// ```
public struct StateDictionary: Sendable, Equatable {
  private var entries: [(name: String, tensor: Tensor)] = []
  private var positions: [ExactText: Int] = [:]

  public init() {}

  /// The entries in order; of entries with one name the last tensor counts, at the place of the first.
  public init(_ entries: some Sequence<(String, Tensor)>) {
    for (name, tensor) in entries { self[name] = tensor }
  }

  /// The tensor of a name. A new name goes to the end; setting nil removes the entry.
  public subscript(name: String) -> Tensor? {
    get { positions[ExactText(name)].map { entries[$0].tensor } }
    set {
      if let newValue {
        if let position = positions[ExactText(name)] {
          entries[position].tensor = newValue
        } else {
          positions[ExactText(name)] = entries.count
          entries.append((name, newValue))
        }
      } else if let position = positions.removeValue(forKey: ExactText(name)) {
        entries.remove(at: position)
        for later in position..<entries.count { positions[ExactText(entries[later].name)] = later }
      }
    }
  }

  public var names: [String] { entries.map(\.name) }

  /// The number of parameters: the elements of all tensors.
  public var parameterCount: Int { entries.reduce(0) { $0 + $1.tensor.elementCount } }

  /// Equal in names, their order, and the tensors' types, shapes and bits.
  public static func == (a: StateDictionary, b: StateDictionary) -> Bool {
    a.entries.elementsEqual(b.entries) { ExactText($0.name) == ExactText($1.name) && $0.tensor == $1.tensor }
  }
}

extension StateDictionary: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }
  public subscript(position: Int) -> (name: String, tensor: Tensor) { entries[position] }
}

extension StateDictionary: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Tensor)...) { self.init(elements) }
}
