// Rewrites of a program that let one kernel do what several nodes ask for.

import ONNX
import Tensors

/// Joins nodes that one pass over memory can serve. The rewrites use only what is known without shapes of inputs:
/// who reads a value, and the shapes of initializers.
enum Fusion {
  static func apply(to program: inout Program) {
    let (constants, variables) = (program.constants, program.variables)
    program.nodes = Patterns.joined(
      program.nodes, inputs: program.inputs, constants: constants,
      initializer: { (constants[$0] ?? variables[$0])?.spec }, kept: Set(program.outputs))
    fuseLinearLayers(&program)
    fuseActivationGradients(&program)
    fuseQuantizedLayers(&program)
    fuseStandardizations(&program)
    fuseUpdates(&program)
    fuseRowUpdates(&program)
  }

  /// Who reads each value, by position in the program; outputs of the program count as a reader of their own.
  private static func readers(_ program: Program) -> [String: [Int]] {
    var readers: [String: [Int]] = [:]
    for (index, node) in program.nodes.enumerated() {
      for input in Set(node.inputs).union(node.namesOfSubgraphs) where !input.isEmpty {
        readers[input, default: []].append(index)
      }
    }
    for output in program.outputs { readers[output, default: []].append(program.nodes.count) }
    return readers
  }

  // MARK: Products with bias and activation

  /// `Gemm` or `MatMul` by a matrix of the model, the `Add` of a vector of the model, and the activation after it.
  private static func fuseLinearLayers(_ program: inout Program) {
    let readers = readers(program)
    func shape(_ name: String) -> Shape? { (program.constants[name] ?? program.variables[name])?.shape }
    func isFloat(_ name: String) -> Bool { (program.constants[name] ?? program.variables[name])?.elementType == .float }
    var dropped: Set<Int> = []
    for (index, node) in program.nodes.enumerated() {
      guard var layer = linearLayer(node, shape: shape), isFloat(layer.inputs[1]) else { continue }
      var last = index
      func onlyReader() -> Int? {
        let found = readers[layer.outputs[0]] ?? []
        return found.count == 1 && found[0] < program.nodes.count ? found[0] : nil
      }
      if layer.inputs.count == 2, let next = onlyReader(), let bias = bias(program.nodes[next], of: layer, shape: shape)
      {
        layer.inputs.append(bias)
        layer.outputs[0] = program.nodes[next].outputs[0]
        dropped.insert(last)
        last = next
      }
      if let next = activationReader(of: layer.outputs[0], readers: readers, program: program),
        let attributes = Activation.attributes(for: program.nodes[next])
      {
        // The value before the activation is written only where something else reads it.
        let others = (readers[layer.outputs[0]] ?? []).filter { $0 != next }
        layer.outputs = [program.nodes[next].outputs[0]] + (others.isEmpty ? [] : [layer.outputs[0]])
        layer.attributes += attributes
        dropped.insert(last)
        last = next
      }
      program.nodes[last] = layer
    }
    program.nodes = program.nodes.indices.filter { !dropped.contains($0) }.map { program.nodes[$0] }
  }

  /// The first reader of a value, where it is an activation and every other reader comes after it.
  private static func activationReader(of value: String, readers: [String: [Int]], program: Program) -> Int? {
    guard let found = readers[value], let first = found.min(), first < program.nodes.count,
      Activation.attributes(for: program.nodes[first]) != nil
    else { return nil }
    return first
  }

  /// The node as a `Linear`, where it multiplies by a matrix of the model and does nothing that `Linear` does not.
  private static func linearLayer(_ node: Node, shape: (String) -> Shape?) -> Node? {
    guard node.domain.isEmpty, node.inputs.count >= 2, shape(node.inputs[1])?.rank == 2 else { return nil }
    var layer = Node(
      "Linear", domain: kernelDomain, name: node.name, inputs: Array(node.inputs.prefix(2)), outputs: node.outputs)
    switch node.operatorType {
    case "MatMul": return layer
    case "Gemm":
      let form = GemmForm(node)
      guard form.alpha == 1, form.beta == 1, !form.transA, let weight = shape(node.inputs[1]) else { return nil }
      if node.inputs.count > 2, !node.inputs[2].isEmpty {
        guard shape(node.inputs[2]) == [form.transB ? weight[0] : weight[1]] else { return nil }
        layer.inputs.append(node.inputs[2])
      }
      layer.attributes = [Attribute("transB", .int(form.transB ? 1 : 0))]
      return layer
    default: return nil
    }
  }

  /// The vector that an `Add` puts on a layer's columns, or nil where the node does something else.
  private static func bias(_ node: Node, of layer: Node, shape: (String) -> Shape?) -> String? {
    guard node.operatorType == "Add", node.domain.isEmpty, node.inputs.count == 2,
      let weight = shape(layer.inputs[1])
    else { return nil }
    let other = node.inputs[0] == layer.outputs[0] ? node.inputs[1] : node.inputs[0]
    let columns = layer.int("transB") == 1 ? weight[0] : weight[1]
    return other != layer.outputs[0] && shape(other) == [columns] ? other : nil
  }

  // MARK: Products that pass an activation on the way back

  /// The gradient of an activation's input, where a product made the gradient of its output.
  private static func fuseActivationGradients(_ program: inout Program) {
    let readers = readers(program)
    var writers: [String: Int] = [:]
    for (index, node) in program.nodes.enumerated() { for output in node.outputs { writers[output] = index } }
    var dropped: Set<Int> = []
    for (index, node) in program.nodes.enumerated() {
      guard let attributes = Activation.gradientAttributes(for: node), let writer = writers[node.inputs[0]],
        readers[node.inputs[0]] == [index]
      else { continue }
      var product = program.nodes[writer]
      guard product.operatorType == "Linear", product.domain == kernelDomain, product.outputs.count == 1,
        product.inputs.count < 4, product.string("activation") == nil
      else { continue }
      product.inputs += [String](repeating: "", count: 3 - product.inputs.count) + [node.inputs[1]]
      product.outputs = node.outputs
      product.attributes += attributes
      dropped.insert(writer)
      program.nodes[index] = product
    }
    program.nodes = program.nodes.indices.filter { !dropped.contains($0) }.map { program.nodes[$0] }
  }

  // MARK: Products of 8-bit matrices

  /// `Cast(MatMulInteger(a, b, zero)) · (scale · scales) + bias` with a signed matrix `b` of the model, and the activation
  /// after it: what `Model.dynamicallyQuantized` and onnxruntime's quantiser write.
  private static func fuseQuantizedLayers(_ program: inout Program) {
    let readers = readers(program)
    var writers: [String: Int] = [:]
    for (index, node) in program.nodes.enumerated() { for output in node.outputs { writers[output] = index } }
    func onlyReader(_ value: String, _ operatorType: String) -> Int? {
      guard let found = readers[value], found.count == 1, found[0] < program.nodes.count,
        program.nodes[found[0]].operatorType == operatorType, program.nodes[found[0]].domain.isEmpty
      else { return nil }
      return found[0]
    }
    func other(_ index: Int, than value: String) -> String {
      program.nodes[index].inputs[0] == value ? program.nodes[index].inputs[1] : program.nodes[index].inputs[0]
    }
    func isVector(_ name: String, of count: Int) -> Bool {
      guard let tensor = program.constants[name] else { return false }
      return tensor.elementType == .float && tensor.shape == [count]
    }
    var dropped: Set<Int> = []
    for (index, node) in program.nodes.enumerated() where node.operatorType == "MatMulInteger" && node.domain.isEmpty {
      guard node.inputs.count >= 3, let weight = program.constants[node.inputs[1]], weight.elementType == .int8,
        weight.shape.rank == 2, let quantizer = writers[node.inputs[0]],
        program.nodes[quantizer].operatorType == "DynamicQuantizeLinear", program.nodes[quantizer].outputs.count == 3,
        program.nodes[quantizer].outputs[0] == node.inputs[0], program.nodes[quantizer].outputs[2] == node.inputs[2]
      else { continue }
      if node.inputs.count > 3, !node.inputs[3].isEmpty {
        guard let zero = program.constants[node.inputs[3]], zero.elements(as: Int8.self).allSatisfy({ $0 == 0 }) else {
          continue
        }
      }
      let columns = weight.shape[1]
      guard let cast = onlyReader(node.outputs[0], "Cast"),
        program.nodes[cast].int("to") == Int(ElementType.float.rawValue),
        let product = onlyReader(program.nodes[cast].outputs[0], "Mul"),
        case let scale = other(product, than: program.nodes[cast].outputs[0]), let scaling = writers[scale],
        program.nodes[scaling].operatorType == "Mul", program.nodes[scaling].domain.isEmpty,
        case let factor = program.nodes[quantizer].outputs[1], program.nodes[scaling].inputs.contains(factor),
        case let scales = other(scaling, than: factor), isVector(scales, of: columns)
      else { continue }
      var layer = Node(
        "QuantizedLinear", domain: kernelDomain, name: node.name,
        inputs: [node.inputs[0], node.inputs[1], node.inputs[2], factor, scales],
        outputs: program.nodes[product].outputs)
      var last = product
      dropped.formUnion([index, cast])
      if readers[scale] == [product] { dropped.insert(scaling) }
      if let sum = onlyReader(layer.outputs[0], "Add"),
        case let bias = other(sum, than: layer.outputs[0]), isVector(bias, of: columns)
      {
        dropped.insert(last)
        (last, layer.outputs) = (sum, program.nodes[sum].outputs)
        layer.inputs.append(bias)
      }
      if let found = readers[layer.outputs[0]], found.count == 1, found[0] < program.nodes.count,
        let attributes = Activation.attributes(for: program.nodes[found[0]])
      {
        dropped.insert(last)
        (last, layer.outputs) = (found[0], program.nodes[found[0]].outputs)
        layer.attributes = attributes
      }
      program.nodes[last] = layer
    }
    program.nodes = program.nodes.indices.filter { !dropped.contains($0) }.map { program.nodes[$0] }
  }

  // MARK: Standardised columns

  /// `(Where(IsNaN(x), mean, x) - mean) / deviation` with vectors of the model: four passes over x become one.
  private static func fuseStandardizations(_ program: inout Program) {
    let readers = readers(program)
    func isVector(_ name: String) -> Bool {
      guard let tensor = program.constants[name] else { return false }
      return tensor.shape.rank == 1 && tensor.elementType == .float
    }
    /// The node that alone reads a value, where it is of that type.
    func reader(of value: String, _ operatorType: String) -> Int? {
      guard let found = readers[value], found.count == 1, found[0] < program.nodes.count else { return nil }
      let node = program.nodes[found[0]]
      return node.operatorType == operatorType && node.domain.isEmpty ? found[0] : nil
    }
    var dropped: Set<Int> = []
    for (index, node) in program.nodes.enumerated() where node.operatorType == "IsNaN" && node.domain.isEmpty {
      let x = node.inputs[0]
      guard let filling = reader(of: node.outputs[0], "Where"),
        program.nodes[filling].inputs[0] == node.outputs[0], program.nodes[filling].inputs[2] == x,
        let centering = reader(of: program.nodes[filling].outputs[0], "Sub"),
        let scaling = reader(of: program.nodes[centering].outputs[0], "Div")
      else { continue }
      let mean = program.nodes[filling].inputs[1]
      let deviation = program.nodes[scaling].inputs[1]
      guard isVector(mean), isVector(deviation),
        program.nodes[centering].inputs == [program.nodes[filling].outputs[0], mean],
        program.nodes[scaling].inputs[0] == program.nodes[centering].outputs[0],
        program.constants[mean]!.shape == program.constants[deviation]!.shape
      else { continue }
      dropped.formUnion([index, filling, centering])
      program.nodes[scaling] = Node(
        "Standardize", domain: kernelDomain, name: node.name, inputs: [x, mean, deviation],
        outputs: program.nodes[scaling].outputs)
    }
    program.nodes = program.nodes.indices.filter { !dropped.contains($0) }.map { program.nodes[$0] }
  }

  // MARK: Updates in the product's own pass

  /// The product that only Adam reads, as a gradient, becomes one with the update: the gradient stays in the cache.
  private static func fuseUpdates(_ program: inout Program) {
    let readers = readers(program)
    var writers: [String: Int] = [:]
    for (index, node) in program.nodes.enumerated() { for output in node.outputs { writers[output] = index } }
    var dropped: Set<Int> = []
    var placed: [Int: [Node]] = [:]
    for (index, node) in program.nodes.enumerated() where node.operatorType == "Adam" && node.domain == trainingDomain {
      let gradient = node.inputs[1]
      guard let writer = writers[gradient], readers[gradient] == [index], node.inputs[4].isEmpty else { continue }
      let product = program.nodes[writer]
      guard product.operatorType == "Gemm", product.domain.isEmpty, product.inputs.count == 2 else { continue }
      // The parameter changes here: not before the last node that reads it.
      let last = (readers[node.inputs[0]] ?? []).filter { $0 != index }.max() ?? writer
      guard last < program.nodes.count else { continue }
      var fused = node
      fused.operatorType = "GemmAdam"
      fused.inputs = [node.inputs[0]] + product.inputs + [node.inputs[2], node.inputs[3]] + node.inputs.suffix(2)
      fused.attributes += product.attributes
      dropped.formUnion([index, writer])
      placed[max(writer, last), default: []].append(fused)
    }
    program.nodes = program.nodes.indices.flatMap { index in
      (dropped.contains(index) ? [] : [program.nodes[index]]) + (placed[index] ?? [])
    }
  }

  /// The rows that only Adam reads are summed and used at once, where nothing else wants their sums.
  private static func fuseRowUpdates(_ program: inout Program) {
    let readers = readers(program)
    var writers: [String: Int] = [:]
    for (index, node) in program.nodes.enumerated() { for output in node.outputs { writers[output] = index } }
    var dropped: Set<Int> = []
    for (index, node) in program.nodes.enumerated() where node.operatorType == "AdamRows" {
      guard node.domain == trainingDomain, let writer = writers[node.inputs[1]], writers[node.inputs[2]] == writer,
        readers[node.inputs[1]] == [index], readers[node.inputs[2]] == [index],
        program.nodes[writer].operatorType == "CoalesceRows"
      else { continue }
      var fused = node
      fused.operatorType = "AdamScatteredRows"
      fused.inputs.replaceSubrange(1...2, with: program.nodes[writer].inputs[1...2])
      dropped.insert(writer)
      program.nodes[index] = fused
    }
    program.nodes = program.nodes.indices.filter { !dropped.contains($0) }.map { program.nodes[$0] }
  }
}
