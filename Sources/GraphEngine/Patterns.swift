// Well-known functions that standard operators spell out, each joined to one node: before a graph is differentiated,
// so that the gradient is one node as well, and before it runs. Exported files keep the standard nodes.

import ONNX
import Tensors

/// A list of nodes in which patterns are looked for.
struct Patterns {
  private(set) var nodes: [Node]
  private let constants: [String: Tensor]
  /// Values that something outside the nodes reads.
  private let kept: Set<String>
  private let writers: [String: Int]
  private let readers: [String: [Int]]

  /// Joins what it finds among `nodes`.
  /// - Parameters:
  ///   - inputs: what the graph takes in.
  ///   - constants: the values that no run changes.
  ///   - initializer: the type of an initializer, whether a run changes it or not.
  ///   - kept: values that must still be written.
  ///   - trained: values that parameters reach: what has no gradient in the joined form is left alone there.
  static func joined(
    _ nodes: [Node], inputs: [ValueInfo], constants: [String: Tensor], initializer: (String) -> TensorSpec?,
    kept: Set<String>, trained: Set<String> = []
  ) -> [Node] {
    // The joined forms compute in single precision.
    let takesDoubles = inputs.contains { input in
      if case .tensor(let type, _)? = input.type { type.elementType == .double } else { false }
    }
    guard !takesDoubles, !constants.values.contains(where: { $0.elementType == .double }),
      !nodes.contains(where: { $0.operatorType == "Cast" && $0.int("to") == Int(ElementType.double.rawValue) })
    else { return nodes }
    var patterns = Patterns(nodes, constants: constants, kept: kept)
    patterns.join { $0.gelu($1) }
    patterns = Patterns(patterns.nodes, constants: constants, kept: kept)
    patterns.join { $0.attention($1, trained: trained) }
    patterns = Patterns(patterns.nodes, constants: constants, kept: kept)
    patterns.join { $0.embeddingSum($1, initializer: initializer) }
    return patterns.nodes
  }

  private init(_ nodes: [Node], constants: [String: Tensor], kept: Set<String>) {
    self.nodes = nodes
    self.kept = kept
    var all = constants
    var (writers, readers) = ([String: Int](), [String: [Int]]())
    for (index, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { writers[output] = index }
      for input in Set(node.inputs).union(node.namesOfSubgraphs) where !input.isEmpty {
        readers[input, default: []].append(index)
      }
      if node.operatorType == "Constant", node.domain.isEmpty, case .tensor(let value)? = node.attribute("value") {
        all[node.outputs[0]] = value.tensor
      }
    }
    (self.writers, self.readers, self.constants) = (writers, readers, all)
  }

  /// A function that was found: the node that stands for it, and the nodes that it replaces.
  private struct Match {
    let node: Node
    /// In order; the last writes the result.
    let replaced: [Int]
  }

  private mutating func join(_ find: (Patterns, Int) -> Match?) {
    var dropped: Set<Int> = []
    for index in nodes.indices {
      guard let match = find(self, index), dropped.isDisjoint(with: match.replaced) else { continue }
      // A part whose value something else reads as well stays.
      var own = Set(match.replaced)
      let last = match.replaced.max()!
      for part in own.sorted(by: >) where part != last {
        let isShared = nodes[part].outputs.contains { output in
          kept.contains(output) || (readers[output] ?? []).contains { !own.contains($0) }
        }
        if isShared { own.remove(part) }
      }
      dropped.formUnion(own.subtracting([last]))
      nodes[last] = match.node
    }
    nodes = nodes.indices.filter { !dropped.contains($0) }.map { nodes[$0] }
  }

  // MARK: Looking around

  private func writer(_ value: String, _ operatorTypes: String...) -> Int? {
    guard let index = writers[value], nodes[index].domain.isEmpty, operatorTypes.contains(nodes[index].operatorType)
    else { return nil }
    return index
  }

  /// The node that alone reads a value, where it is of that type and nothing outside reads the value.
  private func reader(_ value: String, _ operatorType: String) -> Int? {
    guard let found = readers[value], found.count == 1, !kept.contains(value), nodes[found[0]].domain.isEmpty,
      nodes[found[0]].operatorType == operatorType
    else { return nil }
    return found[0]
  }

  /// The number that a value is, where it is a single known one.
  private func number(_ value: String) -> Double? {
    guard let tensor = constants[value], tensor.elementCount == 1, tensor.elementType.isFloatingPoint else {
      return nil
    }
    return tensor.doubles()[0]
  }

  private func isNumber(_ value: String, _ wanted: Double) -> Bool {
    number(value).map { abs($0 - wanted) <= 1e-5 * abs(wanted) } ?? false
  }

  /// The other input of a node with two.
  private func other(_ node: Int, than value: String) -> String {
    nodes[node].inputs[0] == value ? nodes[node].inputs[1] : nodes[node].inputs[0]
  }

  /// A value times or divided by a number: the value, and the factor.
  private func scaled(_ index: Int) -> (value: String, factor: Double)? {
    let node = nodes[index]
    guard node.domain.isEmpty, node.inputs.count == 2 else { return nil }
    switch node.operatorType {
    case "Mul":
      if let factor = number(node.inputs[1]) { return (node.inputs[0], factor) }
      if let factor = number(node.inputs[0]) { return (node.inputs[1], factor) }
    case "Div":
      if let divisor = number(node.inputs[1]), divisor != 0 { return (node.inputs[0], 1 / divisor) }
    default: break
    }
    return nil
  }

  // MARK: Sums of embeddings

  /// `ReduceSum(Gather(table, indices), axes: -2)` of a table with two axes: PyTorch's `EmbeddingBag` with mode `sum`.
  private func embeddingSum(_ index: Int, initializer: (String) -> TensorSpec?) -> Match? {
    let gather = nodes[index]
    guard gather.operatorType == "Gather", gather.domain.isEmpty, gather.int("axis") ?? 0 == 0,
      let table = initializer(gather.inputs[0]), table.elementType == .float, table.shape.rank == 2,
      let sum = reader(gather.outputs[0], "ReduceSum"), nodes[sum].int("keepdims") == 0,
      nodes[sum].inputs.count == 2, let axes = constants[nodes[sum].inputs[1]], axes.elementType == .int64,
      axes.elements(as: Int64.self) == [-2]
    else { return nil }
    return Match(
      node: Node(
        "EmbeddingSum", domain: kernelDomain, name: gather.name, inputs: gather.inputs, outputs: nodes[sum].outputs),
      replaced: [index, sum])
  }

  // MARK: Gelu

  /// `x · ½ · (1 + erf(x / √2))`, the factors in any order.
  private func gelu(_ index: Int) -> Match? {
    guard nodes[index].operatorType == "Erf", nodes[index].domain.isEmpty,
      let inner = writer(nodes[index].inputs[0], "Mul", "Div"), let (x, factor) = scaled(inner),
      abs(factor - 0.5.squareRoot()) <= 1e-5,
      let sum = reader(nodes[index].outputs[0], "Add"),
      isNumber(other(sum, than: nodes[index].outputs[0]), 1),
      let product = reader(nodes[sum].outputs[0], "Mul")
    else { return nil }
    let partner = other(product, than: nodes[sum].outputs[0])
    var replaced = [inner, index, sum, product]
    if partner == x || isNumber(partner, 0.5) {
      guard let last = reader(nodes[product].outputs[0], "Mul") else { return nil }
      let rest = other(last, than: nodes[product].outputs[0])
      guard partner == x ? isNumber(rest, 0.5) : rest == x else { return nil }
      replaced.append(last)
    } else {
      guard let half = writer(partner, "Mul", "Div"), let (value, factor) = scaled(half), value == x, factor == 0.5
      else { return nil }
      replaced.append(half)
    }
    let last = replaced.max()!
    return Match(
      node: Node("Gelu", name: nodes[index].name, inputs: [x], outputs: nodes[last].outputs), replaced: replaced)
  }

  // MARK: Attention

  /// A side of the product of queries and keys, or of weights and values, as it was before its heads were put first.
  private struct Side {
    var value: String
    var factor = 1.0
    var headsFirst = true
    var replaced: [Int] = []
  }

  /// Follows a side back through scalings and the transposition that makes its axes `order` out of
  /// `[batch, tokens, heads, width]`.
  private func side(_ value: String, transposed: Bool = false) -> Side? {
    var side = Side(value: value)
    var isTurned = !transposed
    while let index = writers[side.value] {
      if let (inner, factor) = scaled(index) {
        side.value = inner
        side.factor *= factor
      } else if nodes[index].operatorType == "Transpose", nodes[index].domain.isEmpty,
        let axes = nodes[index].ints("perm")
      {
        switch axes {
        case [0, 2, 1, 3] where isTurned && side.headsFirst: side.headsFirst = false
        case [0, 2, 3, 1] where !isTurned: (isTurned, side.headsFirst) = (true, false)
        case [0, 1, 3, 2] where !isTurned: isTurned = true
        default: return isTurned ? side : nil
        }
        side.value = nodes[index].inputs[0]
      } else {
        break
      }
      side.replaced.append(index)
      if !side.headsFirst { break }
    }
    return isTurned ? side : nil
  }

  /// `softmax(scale · q·kᵀ + bias)·v`, with a dropout of the weights.
  private func attention(_ index: Int, trained: Set<String>) -> Match? {
    let softmax = nodes[index]
    guard softmax.operatorType == "Softmax", softmax.domain.isEmpty, [-1, 3].contains(softmax.int("axis") ?? -1),
      let scores = scores(softmax.inputs[0]), reader(softmax.inputs[0], "Softmax") != nil,
      !trained.contains(scores.bias)
    else { return nil }
    var replaced = [index] + scores.replaced
    var weights = softmax.outputs[0]
    var dropout: Node?
    if let next = reader(weights, "Dropout") {
      // A mask that something reads is that of a graph whose gradients exist already.
      guard nodes[next].outputs.count == 1 || nodes[next].outputs[1].isEmpty else { return nil }
      dropout = nodes[next]
      weights = nodes[next].outputs[0]
      replaced.append(next)
    }
    guard let product = reader(weights, "MatMul"), nodes[product].inputs[0] == weights,
      let values = side(nodes[product].inputs[1]), values.factor == 1
    else { return nil }
    replaced += [product] + values.replaced
    var result = nodes[product].outputs[0]
    var resultHeadsFirst = true
    if let turn = reader(result, "Transpose"), nodes[turn].ints("perm") == [0, 2, 1, 3] {
      result = nodes[turn].outputs[0]
      replaced.append(turn)
      resultHeadsFirst = false
    }
    let headsFirst = [scores.q.headsFirst, scores.k.headsFirst, values.headsFirst, resultHeadsFirst]
    let layouts = headsFirst.enumerated().reduce(Int64(0)) { $0 | ($1.element ? 1 << Int64($1.offset) : 0) }
    var inputs = [scores.q.value, scores.k.value, values.value, scores.bias]
    var attributes = [
      Attribute("scale", .float(Float(scores.q.factor * scores.k.factor * scores.factor))),
      Attribute("heads_first", .int(layouts)),
    ]
    if let dropout {
      inputs += [1, 2].map { $0 < dropout.inputs.count ? dropout.inputs[$0] : "" }
      attributes.append(Attribute("dropout", .string(ByteString(dropout.outputs[0]))))
    }
    return Match(
      node: Node(
        "Attention", domain: kernelDomain, name: softmax.name, inputs: inputs, outputs: [result],
        attributes: attributes), replaced: replaced)
  }

  private struct Scores {
    let q, k: Side
    let factor: Double
    let bias: String
    let replaced: [Int]
  }

  /// `factor · q·kᵀ + bias` back from its value; the bias may come first.
  private func scores(_ value: String) -> Scores? {
    func products(_ value: String, bias: String, _ outer: [Int]) -> Scores? {
      var (value, factor, replaced) = (value, 1.0, outer)
      while let index = writers[value], let (inner, step) = scaled(index) {
        guard readers[value]?.count == 1, !kept.contains(value) else { return nil }
        (value, factor) = (inner, factor * step)
        replaced.append(index)
      }
      guard let product = writer(value, "MatMul"), readers[value]?.count == 1, !kept.contains(value),
        let q = side(nodes[product].inputs[0]), let k = side(nodes[product].inputs[1], transposed: true)
      else { return nil }
      return Scores(
        q: q, k: k, factor: factor, bias: bias, replaced: replaced + [product] + q.replaced + k.replaced)
    }
    if let sum = writer(value, "Add") {
      let inputs = nodes[sum].inputs
      return products(inputs[0], bias: inputs[1], [sum]) ?? products(inputs[1], bias: inputs[0], [sum])
    }
    return products(value, bias: "", [])
  }
}
