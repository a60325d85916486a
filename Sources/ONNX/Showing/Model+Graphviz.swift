// The main graph as a drawing, in Graphviz's DOT language.

import Tensors

extension Model {
  /// Which way a drawn graph flows.
  public enum DrawingDirection: String, Sendable {
    case topDown = "TB"
    case leftToRight = "LR"
  }

  /// The main graph in DOT: a box an operator, coloured by its family and naming its parameters and attributes; an arrow
  /// a value, with its type. Lay it out with Graphviz's `dot`.
  public func graphvizDot(direction: DrawingDirection = .topDown) -> String {
    Drawing(self).dot(direction)
  }
}

/// Operators that a reader wants to tell apart at a glance, with fill and border colours that keep black text readable.
private enum OperatorFamily {
  case product, activation, normalization, reduction, choice, layout, control, function, elementwise

  init(_ node: Node, isFunction: Bool) {
    let name = node.operatorType
    if isFunction {
      self = .function
    } else {
      self = Self.families[name] ?? (name.hasPrefix("Reduce") ? .reduction : .elementwise)
    }
  }

  private static let families: [String: OperatorFamily] = {
    let names: [(OperatorFamily, String)] = [
      (.product, "MatMul Gemm Conv ConvTranspose Einsum MatMulInteger QLinearMatMul LSTM GRU RNN Attention"),
      (
        .activation,
        "Relu LeakyRelu PRelu Elu Selu Celu Gelu Sigmoid HardSigmoid HardSwish Mish Tanh Softplus Softsign Softmax "
          + "LogSoftmax Hardmax Dropout ThresholdedRelu"
      ),
      (
        .normalization,
        "BatchNormalization LayerNormalization InstanceNormalization GroupNormalization LpNormalization LRN "
          + "MeanVarianceNormalization"
      ),
      (.reduction, "ArgMax ArgMin MaxPool AveragePool GlobalAveragePool GlobalMaxPool CumSum TopK"),
      (.choice, "Gather GatherElements GatherND ScatterElements ScatterND OneHot NonZero Compress Where"),
      (
        .layout,
        "Reshape Flatten Transpose Squeeze Unsqueeze Expand Concat Split Slice Tile Pad Shape Size Constant "
          + "ConstantOfShape Range Cast CastLike Identity DepthToSpace SpaceToDepth"
      ),
      (.control, "If Loop Scan SequenceMap"),
    ]
    var families: [String: OperatorFamily] = [:]
    for (family, names) in names { for name in names.split(separator: " ") { families[String(name)] = family } }
    return families
  }()

  var colours: (fill: String, border: String) {
    switch self {
    case .product: ("#dbe9fb", "#3b74c4")
    case .activation: ("#fde6d3", "#cf7a2c")
    case .normalization: ("#dff2df", "#4a9a4f")
    case .reduction: ("#d8f1f1", "#2f8f94")
    case .choice: ("#fbe0ea", "#c2487c")
    case .layout: ("#eeeaf8", "#7a66b8")
    case .control: ("#fbf3c8", "#b3962a")
    case .function: ("#e9e3d7", "#8a7650")
    case .elementwise: ("#f0f1f3", "#7b828c")
    }
  }
}

private struct Drawing {
  private static let longestName = 44
  private let model: Model
  private let types: [String: ValueType]
  private var constants: [String: String] = [:]

  init(_ model: Model) {
    self.model = model
    let graph = model.graph
    let declared = (graph.inputs + graph.outputs + graph.valueInfo).compactMap { info in
      info.type.map { (info.name, $0) }
    }
    types = (try? model.inferredTypes()) ?? Dictionary(declared) { first, _ in first }
    for initializer in graph.initializers {
      let tensor = initializer.tensor
      constants[initializer.name] = Self.described(initializer.name, tensor)
    }
    for sparse in graph.sparseInitializers {
      constants[sparse.values.name] =
        "\(Self.cut(sparse.values.name)) sparse(\(sparse.values.tensor.elementType)\(sparse.shape))"
    }
    for node in graph.nodes where node.operatorType == "Constant" && node.domain.isEmpty {
      guard let output = node.outputs.first, let value = node.attributes.first?.value else { continue }
      constants[output] = Self.cut(value.text)
    }
    // One that the graph gives back is a value of its own, not a note in a box.
    for output in graph.outputs { constants[output.name] = nil }
  }

  private static func described(_ name: String, _ tensor: Tensor) -> String {
    tensor.shortText.map { "\(cut(name)) = \($0)" } ?? "\(cut(name)) \(tensor.elementType)\(tensor.shape)"
  }

  func dot(_ direction: Model.DrawingDirection) -> String {
    let graph = model.graph
    var text = """
      digraph model {
        graph [rankdir=\(direction.rawValue), nodesep=0.35, ranksep=0.45, bgcolor="transparent"]
        node [shape=plain, fontname="Helvetica", fontsize=11]
        edge [color="#8a919c", arrowsize=0.7, fontname="Helvetica", fontsize=9, fontcolor="#5b626c"]

      """
    var sources: [String: String] = [:]
    for (index, input) in graph.inputs.enumerated() where constants[input.name] == nil {
      sources[input.name] = "input\(index)"
      text += "  input\(index) [\(pill(input.name, fill: "#333b47", text: "white"))]\n"
    }
    for initializer in graph.initializers where constants[initializer.name] == nil {
      let id = "parameter\(sources.count)"
      sources[initializer.name] = id
      text += "  \(id) [\(pill(initializer.name, fill: "#ffffff", text: "#333b47"))]\n"
    }
    var drawn: Set<Int> = []
    for (index, node) in graph.nodes.enumerated() {
      if node.outputs.contains(where: { !$0.isEmpty && constants[$0] == nil }) || node.outputs.isEmpty {
        drawn.insert(index)
        text += "  node\(index) [label=<\(box(node))>\(tooltip(node))]\n"
      }
      for output in node.outputs where constants[output] == nil { sources[output] = "node\(index)" }
    }
    for (index, output) in graph.outputs.enumerated() {
      text += "  output\(index) [\(pill(output.name, fill: "#333b47", text: "white"))]\n"
    }
    for (index, node) in graph.nodes.enumerated() where drawn.contains(index) {
      for value in node.inputs + captured(by: node) { text += arrow(value, from: sources[value], to: "node\(index)") }
    }
    for (index, output) in graph.outputs.enumerated() {
      text += arrow(output.name, from: sources[output.name], to: "output\(index)")
    }
    return text + "}\n"
  }

  private func arrow(_ value: String, from source: String?, to target: String) -> String {
    guard !value.isEmpty, let source else { return "" }
    let type = types[value].map { " [label=\"\(Self.quoted(" \($0) "))\"]" } ?? ""
    return "  \(source) -> \(target)\(type)\n"
  }

  /// The values of the main graph that a node's own graphs use.
  private func captured(by node: Node) -> [String] {
    func uses(_ graph: Graph) -> [String] {
      graph.nodes.flatMap { node in node.inputs + node.attributes.flatMap { $0.value.graphs.flatMap(uses) } }
        + graph.outputs.map(\.name)
    }
    func names(_ graph: Graph) -> [String] {
      graph.inputs.map(\.name) + graph.initializers.map(\.name)
        + graph.nodes.flatMap { node in node.outputs + node.attributes.flatMap { $0.value.graphs.flatMap(names) } }
    }
    var result: [String] = []
    for graph in node.attributes.flatMap(\.value.graphs) {
      let own = Set(names(graph))
      for name in uses(graph) where !own.contains(name) && !result.contains(name) { result.append(name) }
    }
    return result
  }

  private func box(_ node: Node) -> String {
    let colours = OperatorFamily(node, isFunction: model.function(for: node) != nil).colours
    var rows = ["<tr><td><b>\(Self.escaped(node.operatorType))</b></td></tr>"]
    func row(_ text: String, colour: String) {
      rows.append(
        "<tr><td align=\"left\"><font point-size=\"9\" color=\"\(colour)\">\(Self.escaped(text))</font></td></tr>")
    }
    for input in node.inputs { if let constant = constants[input] { row(constant, colour: "#333b47") } }
    for attribute in node.attributes {
      let value = attribute.value.graphs.isEmpty ? attribute.value.text : Self.count(attribute.value.graphs)
      row("\(attribute.name): \(Self.cut(value))", colour: "#5b626c")
    }
    return "<table border=\"1\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"3\" style=\"rounded\" "
      + "color=\"\(colours.border)\" bgcolor=\"\(colours.fill)\">\(rows.joined())</table>"
  }

  private static func count(_ graphs: [Graph]) -> String {
    let nodes = graphs.reduce(0) { $0 + $1.nodes.count }
    return "graph of \(nodes) node\(nodes == 1 ? "" : "s")"
  }

  private func pill(_ name: String, fill: String, text: String) -> String {
    "shape=box, style=\"rounded,filled\", color=\"#333b47\", fillcolor=\"\(fill)\", fontcolor=\"\(text)\", "
      + "label=\"\(Self.quoted(Self.cut(name)))\""
  }

  private func tooltip(_ node: Node) -> String {
    node.name.isEmpty ? "" : ", tooltip=\"\(Self.quoted(node.name))\""
  }

  /// A name with its middle left out where it is too long to draw.
  private static func cut(_ name: String) -> String {
    name.count <= longestName ? name : "\(name.prefix(longestName / 2))…\(name.suffix(longestName / 2 - 1))"
  }

  /// Text in an HTML-like label.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case _ where scalar.value < 0x20: result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Text between quotation marks.
  private static func quoted(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20: result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
