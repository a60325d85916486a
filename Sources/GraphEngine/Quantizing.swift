// The same model with its dense layers in 8 bits: smaller, and faster where processors multiply bytes.

import ONNX
import Tensors

extension Model {
  /// The model with its dense layers and tables in 8-bit integers: weights as signed bytes with a scale for each output,
  /// what they multiply as unsigned bytes with a scale and a zero point that each run chooses from the range of the
  /// numbers; tables as signed bytes with a scale for each row.
  ///
  /// A layer `x·W + b` of a `Gemm` or `MatMul` whose `W` `[depth, columns]` is an initializer becomes
  ///
  ///     q, s, z = DynamicQuantizeLinear(x)
  ///     y = Cast(MatMulInteger(q, Ŵ, z)) · (s · t) + b    with Ŵ = round(W / t), tⱼ = max |W[:, j]| / 127
  ///
  /// and a `Gather` of rows of an initializer `T` `[rows, width]` becomes
  ///
  ///     y = Cast(Gather(T̂, indices)) · Gather(r, indices)    with T̂ = round(T / r), rᵢ = max |T[i, :]| / 127
  ///
  /// in standard operators of opset 11 and later. Everything else stays as it is, weights that are not finite and tables
  /// of a few numbers among it; a result differs by what 8 bits lose. Layers that read the same value share its
  /// quantisation.
  /// - Parameter kept: names of weights and tables that stay in single precision.
  public func dynamicallyQuantized(keeping kept: Set<String> = []) -> Model {
    var quantizer = Quantizer(graph)
    var model = self
    model.graph.nodes = graph.nodes.flatMap { quantizer.nodes(for: $0, keeping: kept) }
    let read = Set(model.graph.nodes.flatMap { $0.inputs + $0.namesOfSubgraphs }).union(graph.outputs.map(\.name))
    model.graph.initializers =
      (graph.initializers + quantizer.initializers).filter { read.contains($0.name) }
    return model
  }
}

/// Writes the nodes of 8-bit layers and what they need.
private struct Quantizer {
  private let tensors: [String: Tensor]
  private(set) var initializers: [Initializer] = []
  private var taken: Set<String>
  /// The quantised form of a value, made at its first layer: bytes, scale, zero point.
  private var quantized: [String: [String]] = [:]
  /// The bytes and the scales of a weight.
  private var weights: [String: [String]] = [:]

  init(_ graph: Graph) {
    tensors = Dictionary(
      graph.initializers.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    taken = Set(graph.nodes.flatMap(\.outputs) + graph.initializers.map(\.name) + graph.inputs.map(\.name))
  }

  /// A table with fewer numbers than this is no larger than the nodes that would replace it.
  private static let leastTable = 4096

  mutating func nodes(for node: Node, keeping kept: Set<String>) -> [Node] {
    guard node.domain.isEmpty, node.inputs.count >= 2 else { return [node] }
    return node.operatorType == "Gather" ? rows(for: node, keeping: kept) : layer(for: node, keeping: kept)
  }

  /// The nodes instead of one that takes rows out of a table.
  private mutating func rows(for node: Node, keeping kept: Set<String>) -> [Node] {
    guard let table = matrix(node.inputs[0], keeping: kept), table.elementCount >= Self.leastTable,
      node.int("axis") ?? 0 == 0
    else { return [node] }
    let parameters = rows(of: node.inputs[0], table)
    let stem = node.name.isEmpty ? node.outputs[0] : node.name
    let (bytes, floats, scales) = (fresh("\(stem)/bytes"), fresh("\(stem)/float"), fresh("\(stem)/scales"))
    let indices = node.inputs[1]
    func step(_ operatorType: String, _ inputs: [String], _ output: String, _ attributes: [Attribute] = []) -> Node {
      Node(operatorType, name: output, inputs: inputs, outputs: [output], attributes: attributes)
    }
    return [
      step("Gather", [parameters[0], indices], bytes),
      step("Cast", [bytes], floats, [Attribute("to", .int(Int64(ElementType.float.rawValue)))]),
      step("Gather", [parameters[1], indices], scales),
      step("Mul", [floats, scales], node.outputs[0]),
    ]
  }

  /// A matrix of single precision that is the same in every run, with nothing in it that bytes could not hold.
  private func matrix(_ name: String, keeping kept: Set<String>) -> Tensor? {
    guard let tensor = tensors[name], tensor.elementType == .float, tensor.shape.rank == 2, tensor.elementCount > 0,
      !kept.contains(name), tensor.elements(as: Float.self).allSatisfy(\.isFinite)
    else { return nil }
    return tensor
  }

  /// The nodes instead of a dense layer.
  private mutating func layer(for node: Node, keeping kept: Set<String>) -> [Node] {
    guard tensors[node.inputs[0]] == nil, let weight = matrix(node.inputs[1], keeping: kept) else { return [node] }
    var isTransposed = false
    var bias = ""
    switch node.operatorType {
    case "MatMul": break
    case "Gemm":
      let form = GemmForm(node)
      guard form.alpha == 1, form.beta == 1, !form.transA else { return [node] }
      isTransposed = form.transB
      if node.inputs.count > 2 { bias = node.inputs[2] }
    default: return [node]
    }
    var nodes: [Node] = []
    let stem = node.name.isEmpty ? node.outputs[0] : node.name
    func add(_ operatorType: String, _ inputs: [String], _ outputs: [String], _ attributes: [Attribute] = []) {
      nodes.append(
        Node(operatorType, name: outputs[0], inputs: inputs, outputs: outputs, attributes: attributes))
    }
    let x = node.inputs[0]
    if quantized[x] == nil {
      let names = ["quantized", "scale", "zero_point"].map { fresh("\(x)/\($0)") }
      add("DynamicQuantizeLinear", [x], names)
      quantized[x] = names
    }
    let (source, parameters) = (quantized[x]!, self.weights(of: node.inputs[1], weight, isTransposed: isTransposed))
    let (sum, floats, scale) = (fresh("\(stem)/sum"), fresh("\(stem)/float"), fresh("\(stem)/scale"))
    add("MatMulInteger", [source[0], parameters[0], source[2]], [sum])
    add("Cast", [sum], [floats], [Attribute("to", .int(Int64(ElementType.float.rawValue)))])
    add("Mul", [source[1], parameters[1]], [scale])
    if bias.isEmpty {
      add("Mul", [floats, scale], node.outputs)
    } else {
      let product = fresh("\(stem)/product")
      add("Mul", [floats, scale], [product])
      add("Add", [product, bias], node.outputs)
    }
    return nodes
  }

  /// The bytes of a weight, `[depth, columns]`, and the scale of each column.
  private mutating func weights(of name: String, _ tensor: Tensor, isTransposed: Bool) -> [String] {
    let key = isTransposed ? "\(name)/transposed" : name
    if let known = weights[key] { return known }
    let (depth, columns) =
      isTransposed ? (tensor.shape[1], tensor.shape[0]) : (tensor.shape[0], tensor.shape[1])
    let (step, stride) = isTransposed ? (1, depth) : (columns, 1)
    let values = tensor.elements(as: Float.self)
    var bytes = [Int8](repeating: 0, count: depth * columns)
    var scales = [Float](repeating: 0, count: columns)
    for column in 0..<columns {
      let (line, scale) = Self.bytes((0..<depth).map { values[column * stride + $0 * step] })
      scales[column] = scale
      for row in 0..<depth { bytes[row * columns + column] = line[row] }
    }
    return keep(key, of: name, Tensor(bytes, shape: [depth, columns]), Tensor(scales))
  }

  /// The bytes of a table, `[rows, width]`, and the scale of each row, `[rows, 1]`.
  private mutating func rows(of name: String, _ tensor: Tensor) -> [String] {
    let key = "\(name)/rows"
    if let known = weights[key] { return known }
    let (count, width) = (tensor.shape[0], tensor.shape[1])
    let values = tensor.elements(as: Float.self)
    let rows = (0..<count).map { Self.bytes(values[$0 * width..<($0 + 1) * width]) }
    return keep(
      key, of: name, Tensor(rows.flatMap(\.bytes), shape: [count, width]), Tensor(rows.map(\.scale), shape: [count, 1]))
  }

  private mutating func keep(_ key: String, of name: String, _ bytes: Tensor, _ scales: Tensor) -> [String] {
    let names = [fresh("\(name)/quantized"), fresh("\(name)/scale")]
    initializers.append(Initializer(names[0], bytes))
    initializers.append(Initializer(names[1], scales))
    weights[key] = names
    return names
  }

  /// Numbers as bytes of one scale, the largest as 127; zeros have any scale.
  private static func bytes(_ values: some Collection<Float>) -> (bytes: [Int8], scale: Float) {
    var largest: Float = 0
    for value in values { largest = max(largest, abs(value)) }
    let scale = largest > 0 ? largest / 127 : 1
    return (values.map { Int8(max(-127, min(127, ($0 / scale).rounded(.toNearestOrEven)))) }, scale)
  }

  private mutating func fresh(_ stem: String) -> String {
    var name = stem
    var counter = 1
    while !taken.insert(name).inserted {
      counter += 1
      name = "\(stem)_\(counter)"
    }
    return name
  }
}
