// What a pickle describes once its opcodes have run: values in flat tables that refer to each other by index.
//
// Flat, because a pickle may nest without bound and may contain itself: tables of indices can't overflow the stack when
// they are released, and can't leak in a cycle.

import Tensors

/// The outcome of running a pickle. Nothing of it is a Swift value yet, and no tensor has been read.
struct Pickle {
  /// A value, or where it is in one of the tables.
  enum Item {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    /// Text in place in the pickle: UTF-8 that has not been checked yet.
    case text(offset: UInt32, count: UInt32)
    case tuple(Int32)
    case list(Int32)
    case dictionary(Int32)
    case storage(Int32)
    case tensor(Int32)
    case global(Global)
  }

  /// What a pickle may name. Nothing else is accepted, and of these nothing is run: each stands for a case here.
  enum Global: Equatable {
    case orderedDict
    case size
    case rebuildTensor
    case rebuildTensorV2
    case rebuildTensorV3
    case rebuildParameter
    case storageType(ElementType)
    case untypedStorage
    case elementType(ElementType)
  }

  struct Dictionary {
    var entries: [(key: Item, value: Item)] = []
    var isOrderedDict: Bool
  }

  /// A run of elements that tensors look at.
  struct Storage {
    let key: String
    /// Nil for an untyped storage, which counts bytes.
    let elementType: ElementType?
    /// Elements, or bytes where there is no type.
    let count: Int
  }

  /// A view of a storage: element `(i, j, …)` is at `offset + i·strides[0] + j·strides[1] + …`.
  struct TensorView: Hashable {
    let storage: Int
    let elementType: ElementType
    let offset: Int
    let shape: [Int]
    let strides: [Int]
  }

  var tuples: [[Item]] = [[]]
  var lists: [[Item]] = []
  var dictionaries: [Dictionary] = []
  var storages: [Storage] = []
  var tensors: [TensorView] = []
  /// What the pickle stands for.
  var root = Item.none
}

extension Pickle.Global {
  /// What `name` of a Python module stands for; nil for everything that a state dict does not need.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDict
    case ("torch", "Size"): self = .size
    case ("torch._utils", "_rebuild_tensor"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensorV2
    case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTensorV3
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch.storage", "UntypedStorage"): self = .untypedStorage
    case ("torch", _):
      if let type = TorchTypes.storage(name: name) {
        self = .storageType(type)
      } else if let type = TorchTypes.dtype(name: name) {
        self = .elementType(type)
      } else {
        return nil
      }
    default: return nil
    }
  }
}
