// What is known of a value before anything runs: its type and, of its shape, what is known.

import Tensors

/// A value's name and type.
public struct ValueInfo: Sendable, Equatable {
  public var name: String
  public var type: ValueType?
  public var documentation: String?
  public var metadata: [MetadataEntry] = []
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(_ name: String, _ type: ValueType?) {
    self.name = name
    self.type = type
  }

  /// A tensor value. A nil `shape` says nothing about the shape, not even the rank.
  public init(_ name: String, _ elementType: ElementType, _ shape: [Dimension]?) {
    self.init(name, .tensor(TensorType(elementType, shape)))
  }
}

/// The kinds of value that flow in a graph. `denotation` is the format's optional remark on a type's meaning.
public indirect enum ValueType: Sendable, Equatable {
  case tensor(TensorType, denotation: String? = nil)
  case sparseTensor(TensorType, denotation: String? = nil)
  case sequence(ValueType?, denotation: String? = nil)
  case map(key: ElementType, value: ValueType?, denotation: String? = nil)
  case optional(ValueType?, denotation: String? = nil)
  case opaque(domain: String?, name: String?, denotation: String? = nil)
  /// A type that says nothing, or a kind that a newer format has (then in `unknownFields`).
  case undetermined(denotation: String? = nil, unknownFields: UnknownFields = UnknownFields())
}

/// An element type and, where known, a shape.
public struct TensorType: Sendable, Equatable {
  public var elementType: ElementType
  public var shape: [Dimension]?
  public var unknownFields = UnknownFields()

  public init(_ elementType: ElementType, _ shape: [Dimension]?) {
    self.elementType = elementType
    self.shape = shape
  }
}

/// One axis of a shape: an extent, a name that stands for one (`batch`), or nothing known.
public struct Dimension: Sendable, Hashable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  public enum Extent: Sendable, Hashable {
    case fixed(Int64)
    case named(String)
    case unknown
  }

  public var extent: Extent
  public var denotation: String?
  public var unknownFields = UnknownFields()

  public init(_ extent: Extent, denotation: String? = nil) {
    self.extent = extent
    self.denotation = denotation
  }

  public init(_ extent: Int) { self.init(.fixed(Int64(extent))) }
  public init(integerLiteral value: Int) { self.init(value) }
  public init(stringLiteral value: String) { self.init(.named(value)) }
}
