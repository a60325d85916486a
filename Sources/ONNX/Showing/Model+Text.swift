// A model as text: a few lines of summary, or every node with its types.

import Tensors

extension Model {
  /// Numbers that training moved: the elements of all floating-point initializers, of nested graphs too.
  public var parameterCount: Int { graph.parameterCount }

  /// What the model is, in a few lines: versions, producer, inputs, outputs, size, and how often each operator occurs.
  public var summary: String {
    var lines: [String] = []
    let sets = operatorSets.map { "\($0.domain.isEmpty ? "opset" : $0.domain) \($0.version)" }
    lines.append("graph       \(graph.name)")
    lines.append("format      IR \(irVersion), \(sets.joined(separator: ", "))")
    if let producerName, !producerName.isEmpty {
      lines.append("producer    \(producerName)\(producerVersion.map { " \($0)" } ?? "")")
    }
    for input in graph.inputs where !graph.initializers.contains(where: { $0.name == input.name }) {
      lines.append("input       \(input)")
    }
    for output in graph.outputs { lines.append("output      \(output)") }
    let bytes = graph.initializers.reduce(0) { $0 + $1.tensor.byteCount }
    lines.append(
      "parameters  \(parameterCount) in \(graph.initializers.count) initializers, \(Self.size(bytes))")
    lines.append("nodes       \(graph.nodes.count)")
    var counts: [String: Int] = [:]
    for node in graph.nodes { counts[node.operatorType, default: 0] += 1 }
    let most = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    lines.append(
      "operators   " + most.map { $0.value > 1 ? "\($0.key) × \($0.value)" : $0.key }.joined(separator: ", "))
    if !functions.isEmpty {
      lines.append("functions   " + functions.map { $0.identifier.description }.joined(separator: ", "))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The whole model as text: parameters, then each node as `outputs = Operator(inputs) {attributes}` with the types of
  /// its outputs. Types that contradict each other leave the listing with those that the model declares.
  public var listing: String {
    var listing = Listing(types: (try? inferredTypes()) ?? [:])
    listing.graph(graph, "graph", indent: "")
    for function in functions { listing.function(function) }
    return listing.text
  }

  /// A number of bytes as people read it.
  static func size(_ bytes: Int) -> String {
    let units = ["bytes", "KB", "MB", "GB", "TB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 1000, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    guard unit > 0 else { return "\(bytes) bytes" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}

extension Graph {
  fileprivate var parameterCount: Int {
    let own = initializers.reduce(0) { $0 + ($1.tensor.elementType.isFloatingPoint ? $1.tensor.elementCount : 0) }
    let nested = nodes.lazy.flatMap(\.attributes).flatMap(\.value.graphs).reduce(0) { $0 + $1.parameterCount }
    return own + nested
  }
}

extension ValueInfo: CustomStringConvertible {
  /// `name: float[batch, 3]`
  public var description: String { type.map { "\(name): \($0)" } ?? name }
}

/// Text that grows graph by graph.
private struct Listing {
  let types: [String: ValueType]
  var text = ""

  mutating func graph(_ graph: Graph, _ title: String, indent: String) {
    let inputs = graph.inputs.map(\.description).joined(separator: ", ")
    let outputs = graph.outputs.map(\.description).joined(separator: ", ")
    text += "\(indent)\(title) \(graph.name)(\(inputs)) -> (\(outputs)) {\n"
    for initializer in graph.initializers {
      text += "\(indent)  \(initializer.name): \(initializer.tensor.elementType)\(initializer.tensor.shape)"
      text += "\(Self.value(of: initializer.tensor))\n"
    }
    for sparse in graph.sparseInitializers {
      text += "\(indent)  \(sparse.values.name): sparse(\(sparse.values.tensor.elementType)\(sparse.shape))\n"
    }
    let declared = Dictionary((graph.valueInfo + graph.outputs).map { ($0.name, $0.type) }) { first, _ in first }
    let inferred = indent.isEmpty ? types : [:]
    for node in graph.nodes {
      self.node(node, indent: indent + "  ") { name in inferred[name] ?? declared[name] ?? nil }
    }
    text += "\(indent)}\n"
  }

  mutating func function(_ function: Function) {
    let attributes = function.attributeNames + function.attributeDefaults.map { "\($0.name) = \(Self.value(of: $0))" }
    text += "\nfunction \(function.identifier)(\(function.inputs.joined(separator: ", ")))"
    if !attributes.isEmpty { text += " {\(attributes.joined(separator: ", "))}" }
    text += " -> (\(function.outputs.joined(separator: ", "))) {\n"
    for node in function.nodes { self.node(node, indent: "  ") { _ in nil } }
    text += "}\n"
  }

  private mutating func node(_ node: Node, indent: String, type: (String) -> ValueType?) {
    let outputs = node.outputs.map { name in type(name).map { "\(name): \($0)" } ?? (name.isEmpty ? "_" : name) }
    let inputs = node.inputs.map { $0.isEmpty ? "_" : $0 }
    let call = node.domain.isEmpty ? node.operatorType : "\(node.domain).\(node.operatorType)"
    text += "\(indent)\(outputs.joined(separator: ", ")) = \(call)(\(inputs.joined(separator: ", ")))"
    let plain = node.attributes.filter { $0.value.graphs.isEmpty }
    if !plain.isEmpty {
      text += " {" + plain.map { "\($0.name) = \(Self.value(of: $0))" }.joined(separator: ", ") + "}"
    }
    text += "\n"
    for attribute in node.attributes {
      for graph in attribute.value.graphs { self.graph(graph, "\(attribute.name):", indent: indent + "  ") }
    }
  }

  static func value(of attribute: Attribute) -> String { attribute.reference.map { "@\($0)" } ?? attribute.value.text }

  /// ` = 3` for one element or few integers, nothing for more.
  static func value(of tensor: Tensor) -> String { tensor.shortText.map { " = \($0)" } ?? "" }
}

extension Attribute.Value {
  /// The value as it is written in a listing; long lists are cut.
  var text: String {
    func list(_ items: some Collection<String>) -> String {
      let shown = items.prefix(8).joined(separator: ", ")
      return items.count > 8 ? "[\(shown), … \(items.count) in all]" : "[\(shown)]"
    }
    switch self {
    case .float(let value): return "\(value)"
    case .int(let value): return "\(value)"
    case .string(let value): return "\"\(value)\""
    case .tensor(let value):
      return value.tensor.shortText ?? "\(value.tensor.elementType)\(value.tensor.shape)"
    case .graph(let graph): return "graph \(graph.name)"
    case .sparseTensor(let value): return "sparse(\(value.values.tensor.elementType)\(value.shape))"
    case .type(let value): return "\(value)"
    case .floats(let values): return list(values.map { "\($0)" })
    case .ints(let values): return list(values.map { "\($0)" })
    case .strings(let values): return list(values.map { "\"\($0)\"" })
    case .tensors(let values): return list(values.map { "\($0.tensor.elementType)\($0.tensor.shape)" })
    case .graphs(let values): return list(values.map(\.name))
    case .sparseTensors(let values): return list(values.map { "sparse(\($0.values.tensor.elementType)\($0.shape))" })
    case .types(let values): return list(values.map(\.description))
    }
  }
}

extension Tensor {
  /// The elements of a scalar, of one float or of at most eight integers; nil for larger tensors and rarer types.
  var shortText: String? {
    guard elementCount <= (elementType.isFloatingPoint ? 1 : 8), shape.rank <= 1 else { return nil }
    func text<Element: TensorElement>(_ type: Element.Type) -> String {
      let items = elements(as: type).map { "\($0)" }
      return shape.rank == 0 ? items[0] : "[\(items.joined(separator: ", "))]"
    }
    switch elementType {
    case .float: return text(Float.self)
    case .double: return text(Double.self)
    case .int32: return text(Int32.self)
    case .int64: return text(Int64.self)
    case .bool: return text(Bool.self)
    default: return nil
    }
  }
}
