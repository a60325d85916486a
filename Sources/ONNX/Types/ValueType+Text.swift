// Types as people write them: `float[batch, 3]`, `seq(tensor(int64))`.

import Tensors

extension Dimension: CustomStringConvertible {
  /// `3`, `batch`, or `?` where nothing is known.
  public var description: String { extent.text }
}

extension TensorType: CustomStringConvertible {
  /// `float[batch, 3]`, `float[]` for a scalar, `float` where not even the rank is known.
  public var description: String {
    guard let shape else { return "\(elementType)" }
    return "\(elementType)[\(shape.map(\.description).joined(separator: ", "))]"
  }
}

extension ValueType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tensor(let tensor, _): tensor.description
    case .sparseTensor(let tensor, _): "sparse(\(tensor))"
    case .sequence(let element, _): "seq(\(element?.description ?? "?"))"
    case .map(let key, let value, _): "map(\(key), \(value?.description ?? "?"))"
    case .optional(let element, _): "optional(\(element?.description ?? "?"))"
    case .opaque(let domain, let name, _): "opaque(\(domain ?? "").\(name ?? ""))"
    case .undetermined: "?"
    }
  }
}

extension ValueType {
  /// The tensor type, or nil where the value is no (dense) tensor.
  public var tensorType: TensorType? { if case .tensor(let type, _) = self { type } else { nil } }

  /// The type without what it says of shapes.
  var withoutShape: ValueType {
    switch self {
    case .tensor(let type, _): .tensor(TensorType(type.elementType, nil))
    case .sparseTensor(let type, _): .sparseTensor(TensorType(type.elementType, nil))
    case .sequence(let element, _): .sequence(element?.withoutShape)
    case .optional(let element, _): .optional(element?.withoutShape)
    case .map(let key, let value, _): .map(key: key, value: value?.withoutShape)
    case .opaque, .undetermined: self
    }
  }

  /// Whether both are the same kind of value with the same elements, shapes aside; what is not said fits everything.
  func agrees(with other: ValueType) -> Bool {
    func same(_ a: ElementType, _ b: ElementType) -> Bool { a == b || a == .undefined || b == .undefined }
    func inner(_ a: ValueType?, _ b: ValueType?) -> Bool {
      guard let a, let b else { return true }
      return a.agrees(with: b)
    }
    switch (self, other) {
    case (.undetermined, _), (_, .undetermined): return true
    case (.tensor(let a, _), .tensor(let b, _)), (.sparseTensor(let a, _), .sparseTensor(let b, _)):
      return same(a.elementType, b.elementType)
    case (.sequence(let a, _), .sequence(let b, _)), (.optional(let a, _), .optional(let b, _)): return inner(a, b)
    case (.map(let keyA, let a, _), .map(let keyB, let b, _)): return same(keyA, keyB) && inner(a, b)
    case (.opaque(let domainA, let nameA, _), .opaque(let domainB, let nameB, _)):
      return domainA ?? "" == domainB ?? "" && nameA ?? "" == nameB ?? ""
    default: return false
    }
  }

  /// All that two descriptions of one value say together, or nil where they contradict each other.
  func merged(with other: ValueType) -> ValueType? {
    guard agrees(with: other) else { return nil }
    switch (self, other) {
    case (.undetermined, _): return other
    case (.tensor(let a, let denotation), .tensor(let b, _)):
      return a.merged(with: b).map { .tensor($0, denotation: denotation) }
    case (.sparseTensor(let a, let denotation), .sparseTensor(let b, _)):
      return a.merged(with: b).map { .sparseTensor($0, denotation: denotation) }
    case (.sequence(let a?, let denotation), .sequence(let b?, _)):
      return a.merged(with: b).map { .sequence($0, denotation: denotation) }
    case (.sequence(nil, _), .sequence): return other
    case (.optional(let a?, let denotation), .optional(let b?, _)):
      return a.merged(with: b).map { .optional($0, denotation: denotation) }
    case (.optional(nil, _), .optional): return other
    default: return self
    }
  }
}

extension TensorType {
  fileprivate func merged(with other: TensorType) -> TensorType? {
    let type = elementType == .undefined ? other.elementType : elementType
    guard let mine = extents else { return TensorType(type, extents: other.extents) }
    guard let theirs = other.extents else { return TensorType(type, extents: mine) }
    guard mine.count == theirs.count else { return nil }
    var merged: Extents = []
    for (a, b) in zip(mine, theirs) {
      guard let extent = a.merged(with: b) else { return nil }
      merged.append(extent)
    }
    return TensorType(type, extents: merged)
  }
}
