// The outermost value of the format: a graph with what it needs to be understood.

import Tensors

/// An ONNX model: a graph, the operator sets that give its nodes meaning, and where it came from.
public struct Model: Sendable, Equatable {
  public var irVersion: Int64
  public var operatorSets: [OperatorSet]
  public var producerName: String?
  public var producerVersion: String?
  public var domain: String?
  public var modelVersion: Int64?
  public var documentation: String?
  public var graph: Graph
  public var metadata: [MetadataEntry] = []
  public var functions: [Function] = []
  public var trainingInfo: [TrainingInfo] = []
  public var deviceConfigurations: [DeviceConfiguration] = []
  public var unknownFields = UnknownFields()

  public init(irVersion: Int64 = 8, operatorSets: [OperatorSet], graph: Graph) {
    self.irVersion = irVersion
    self.operatorSets = operatorSets
    self.graph = graph
  }

  /// The version of an operator set that the model imports, or nil. The default domain is `""` (also `ai.onnx`).
  public func operatorSetVersion(of domain: String = "") -> Int? {
    let wanted = domain == "ai.onnx" ? "" : domain
    return operatorSets.first { ($0.domain == "ai.onnx" ? "" : $0.domain) == wanted }.map { Int($0.version) }
  }
}

/// A domain of operators at one version.
public struct OperatorSet: Sendable, Hashable {
  public var domain: String
  public var version: Int64
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(domain: String = "", version: Int64) {
    self.domain = domain
    self.version = version
  }
}

/// A key and its value, kept in the file's order.
public struct MetadataEntry: Sendable, Hashable {
  public var key: String
  public var value: String
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// A function of the model: a node of its domain and name stands for its body.
public struct Function: Sendable, Equatable {
  public var name: String
  public var domain: String
  public var overload: String?
  public var inputs: [String] = []
  public var outputs: [String] = []
  public var attributeNames: [String] = []
  public var attributeDefaults: [Attribute] = []
  public var nodes: [Node] = []
  public var operatorSets: [OperatorSet] = []
  public var valueInfo: [ValueInfo] = []
  public var documentation: String?
  public var metadata: [MetadataEntry] = []
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(name: String, domain: String) {
    self.name = name
    self.domain = domain
  }
}

/// The format's training information: how to initialise and how one step updates which initializer.
public struct TrainingInfo: Sendable, Equatable {
  public var initialization: Graph?
  public var algorithm: Graph?
  /// Initializer name (key) and the output of `initialization` that it takes (value).
  public var initializationBindings: [MetadataEntry] = []
  /// Initializer name (key) and the output of `algorithm` that it takes after a step (value).
  public var updateBindings: [MetadataEntry] = []
  public var unknownFields = UnknownFields()

  public init() {}
}
