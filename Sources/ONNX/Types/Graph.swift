// A graph of nodes over named values: what ONNX calls a model's computation.

import Tensors

/// Nodes in topological order over named values; each name is written once.
public struct Graph: Sendable, Equatable {
  public var name: String
  public var nodes: [Node]
  public var initializers: [Initializer]
  public var sparseInitializers: [SparseTensor] = []
  public var inputs: [ValueInfo]
  public var outputs: [ValueInfo]
  /// Types of values between inputs and outputs; optional in the format.
  public var valueInfo: [ValueInfo] = []
  public var quantizationAnnotations: [QuantizationAnnotation] = []
  public var documentation: String?
  public var metadata: [MetadataEntry] = []
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(
    name: String, nodes: [Node] = [], initializers: [Initializer] = [], inputs: [ValueInfo] = [],
    outputs: [ValueInfo] = []
  ) {
    self.name = name
    self.nodes = nodes
    self.initializers = initializers
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// One application of an operator. An empty input name is an optional input left out;
/// an empty output name is an output that nobody asked for.
public struct Node: Sendable, Equatable {
  public var operatorType: String
  public var domain: String
  public var name: String
  public var inputs: [String]
  public var outputs: [String]
  public var attributes: [Attribute]
  public var overload: String?
  public var documentation: String?
  public var metadata: [MetadataEntry] = []
  /// How the node is spread over the devices of the model's configurations.
  public var deviceConfigurations: [NodeDeviceConfiguration] = []
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(
    _ operatorType: String, domain: String = "", name: String = "", inputs: [String], outputs: [String],
    attributes: [Attribute] = []
  ) {
    self.operatorType = operatorType
    self.domain = domain
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
  }

  /// The value of the attribute of that name, or nil.
  public func attribute(_ name: String) -> Attribute.Value? { attributes.first { $0.name == name }?.value }

  /// The attribute as an integer, or nil where it is absent or of another type.
  public func int(_ name: String) -> Int? {
    if case .int(let value)? = attribute(name) { Int(value) } else { nil }
  }

  /// The attribute as integers, or nil where it is absent or of another type.
  public func ints(_ name: String) -> [Int]? {
    if case .ints(let values)? = attribute(name) { values.map(Int.init) } else { nil }
  }

  /// The attribute as a number, or nil where it is absent or of another type.
  public func float(_ name: String) -> Float? {
    if case .float(let value)? = attribute(name) { value } else { nil }
  }

  /// The attribute as text, or nil where it is absent or of another type.
  public func string(_ name: String) -> String? {
    if case .string(let value)? = attribute(name) { value.description } else { nil }
  }
}

/// A named constant of a node.
public struct Attribute: Sendable, Equatable {
  public var name: String
  public var value: Value
  /// In a function body: the function's attribute that this one takes its value from (then `value` is only its type).
  public var reference: String?
  public var documentation: String?
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }

  /// The kinds of attribute that the format has.
  public indirect enum Value: Sendable, Equatable {
    case float(Float)
    case int(Int64)
    case string(ByteString)
    case tensor(Initializer)
    case graph(Graph)
    case sparseTensor(SparseTensor)
    case type(ValueType)
    case floats([Float])
    case ints([Int64])
    case strings([ByteString])
    case tensors([Initializer])
    case graphs([Graph])
    case sparseTensors([SparseTensor])
    case types([ValueType])
  }
}

/// A tensor of the file with its name: an initializer, or a tensor attribute (whose name is often empty).
public struct Initializer: Sendable, Equatable {
  public var name: String
  public var tensor: Tensor
  /// Where `tensor` is only a part of a larger one: which part. The format has it; no known tool writes it.
  public var segment: TensorSegment?
  public var documentation: String?
  public var metadata: [MetadataEntry] = []
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(_ name: String, _ tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}

/// The part of a larger tensor that was written: the elements `begin..<end` in row-major order, of `shape`.
public struct TensorSegment: Sendable, Hashable {
  public var begin: Int64
  public var end: Int64
  public var shape: [Int64]

  public init(begin: Int64, end: Int64, shape: [Int64]) {
    self.begin = begin
    self.end = end
    self.shape = shape
  }
}

/// A tensor with few values that are not zero: `values` `[count]` at `indices`,
/// `[count]` (linear) or `[count, rank]`, of a tensor of `shape`.
public struct SparseTensor: Sendable, Equatable {
  public var values: Initializer
  public var indices: Initializer
  public var shape: [Int64]
  public var unknownFields = UnknownFields()

  public init(values: Initializer, indices: Initializer, shape: [Int64]) {
    self.values = values
    self.indices = indices
    self.shape = shape
  }
}

/// Which initializers hold a quantised value's scale and zero point.
public struct QuantizationAnnotation: Sendable, Hashable {
  public var tensorName: String
  public var parameters: [MetadataEntry]
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(tensorName: String, parameters: [MetadataEntry]) {
    self.tensorName = tensorName
    self.parameters = parameters
  }
}

extension Attribute.Value {
  /// Equal in kind and content, numbers bit for bit as in tensors: NaN equals the same NaN, 0 does not equal -0.
  public static func == (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.float(let a), .float(let b)): a.bitPattern == b.bitPattern
    case (.int(let a), .int(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.tensor(let a), .tensor(let b)): a == b
    case (.graph(let a), .graph(let b)): a == b
    case (.sparseTensor(let a), .sparseTensor(let b)): a == b
    case (.type(let a), .type(let b)): a == b
    case (.floats(let a), .floats(let b)): a.elementsEqual(b) { $0.bitPattern == $1.bitPattern }
    case (.ints(let a), .ints(let b)): a == b
    case (.strings(let a), .strings(let b)): a == b
    case (.tensors(let a), .tensors(let b)): a == b
    case (.graphs(let a), .graphs(let b)): a == b
    case (.sparseTensors(let a), .sparseTensors(let b)): a == b
    case (.types(let a), .types(let b)): a == b
    default: false
    }
  }
}
