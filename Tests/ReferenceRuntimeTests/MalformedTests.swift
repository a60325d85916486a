// Whatever a node asks for, the answer is a value or an error that names the node: never a trap, never endless memory.

import ONNX
import ReferenceRuntime
import Tensors
import Testing

/// A small generator, seeded, so that a failure repeats (SplitMix64, Steele et al. 2014).
private struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension SeededGenerator {
  fileprivate mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: 0..<choices.count, using: &self)]
  }

  /// Integers around every bound that code trips over.
  fileprivate mutating func integer() -> Int64 {
    pick([0, 0, 1, 1, 2, 2, 3, 4, 5, 7, -1, -1, -2, -3, 300, 1 << 20, -1 << 20, 1 << 31, 1 << 40, -1 << 40, .max, .min])
  }

  fileprivate mutating func double() -> Double {
    pick([0, 0.5, 1, 1, 2, 3, -1, -2.5, 1e-3, 1e10, -1e10, 1e38, -1e300, .nan, .infinity, -.infinity])
  }

  fileprivate mutating func shape() -> Shape {
    Shape((0..<pick([0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5])).map { _ in pick([0, 1, 1, 2, 2, 3, 3, 4, 5]) })
  }

  fileprivate mutating func tensor() -> Tensor {
    let shape = shape()
    let type = pick([
      .float, .float, .float, .double, .float16, .bfloat16, .int64, .int64, .int32, .int8, .uint8, .uint64, .bool,
      .string, .int4, .float8e4m3fn, ElementType.complex64,
    ])
    return filled(shape, type)
  }

  fileprivate mutating func filled(_ shape: Shape, _ type: ElementType) -> Tensor {
    let count = shape.elementCount
    if type == .string {
      return Tensor(strings: (0..<count).map { _ in pick(["", "a", "a b", "1.5", "\u{E9}"]) }, shape: shape)
    }
    if type.isInteger || type == .bool {
      return Tensor(int64s: (0..<count).map { _ in integer() }, shape: shape, elementType: type)
    }
    let values = (0..<count * (type == .complex64 ? 2 : 1)).map { _ in double() }
    return Tensor(doubles: values, shape: shape, elementType: type)
  }

  fileprivate mutating func attribute() -> Attribute.Value {
    switch Int.random(in: 0..<12, using: &self) {
    case 0...3: .int(integer())
    case 4...6: .ints((0..<Int.random(in: 0..<6, using: &self)).map { _ in integer() })
    case 7: .float(Float(double()))
    case 8: .floats((0..<Int.random(in: 0..<4, using: &self)).map { _ in Float(double()) })
    case 9: .string(pick(["", "nearest", "SAME_UPPER", "reverse", "sum", "ij,jk->ik", "i...->...", "a,b,c", "é"]))
    case 10: .strings([pick(["", "Tanh", "LEAF", "BRANCH_LEQ"])])
    default: .tensor(Initializer("", tensor()))
    }
  }
}

/// Attribute names that the operators read.
private let attributeNames = [
  "axis", "axes", "keepdims", "to", "perm", "kernel_shape", "strides", "pads", "dilations", "group", "auto_pad",
  "ceil_mode", "output_shape", "output_padding", "split", "num_outputs", "blocksize", "mode", "k", "largest", "depth",
  "num_groups", "batch_dims", "equation", "hidden_size", "direction", "layout", "size", "p", "epsilon", "block_size",
  "transA", "batch_axis", "time_axis", "upper", "start", "end", "value", "value_ints", "dtype", "reduction", "scales",
  "coordinate_transformation_mode", "keep_aspect_ratio_policy", "antialias", "num_scan_inputs", "dft_length",
  "output_height", "output_width", "sampling_ratio", "offset_group", "ngram_counts", "ngram_indexes", "pool_int64s",
  "min_gram_length", "max_gram_length", "max_skip_count", "coefficients", "n_targets", "targets", "n_supports",
  "classlabels_ints", "classlabels_int64s", "nodes_nodeids", "target_ids", "cats_int64s", "inputdimensions", "norm",
  "maxsplit", "delimiter", "storage_order", "noop_with_empty_axes", "fmod", "select_last_index", "periodic",
]

/// Runs one node; an error must name it, whatever else happens is fine but a trap.
private func survives(
  _ operatorType: String, _ domain: String, _ inputs: [Tensor?], _ attributes: [String: Attribute.Value],
  _ outputs: Int,
  _ opset: Int64, _ context: @autoclosure () -> String
) {
  do {
    _ = try evaluate(operatorType, domain: domain, inputs, attributes, outputs: outputs, opset: opset)
  } catch let error as ReferenceError {
    switch error {
    case .invalidNode(let node, _):
      #expect(node.operatorType == operatorType && node.name == "tested", "\(context()): \(error)")
    case .wrongInput, .unsupportedOperator, .invalidGraph: break
    default: Issue.record("\(context()): \(error)")
    }
  } catch {
    Issue.record("\(context()): \(type(of: error)) \(error)")
  }
}

@Suite("Malformed nodes")
struct MalformedTests {
  @Test("mutated examples give a value or an error that names the node", arguments: Example.all)
  func mutations(_ example: Example) {
    var random = SeededGenerator(state: UInt64(example.line))
    for round in 0..<40 {
      var (inputs, attributes, opset) = (example.inputs, example.attributes, example.opset)
      for _ in 0..<random.pick([1, 1, 1, 2, 3]) {
        let place = Int.random(in: 0..<max(inputs.count, 1), using: &random)
        switch Int.random(in: 0..<9, using: &random) {
        case 0: inputs[place] = nil
        case 1: inputs[place] = random.tensor()
        case 2:
          inputs[place] = inputs[place].map { random.filled($0.shape, random.pick([.int64, .float, .bool, .string])) }
        case 3: inputs[place] = inputs[place].map { random.filled($0.shape, $0.elementType) }
        case 4: inputs[place] = inputs[place].map { random.filled(random.shape(), $0.elementType) }
        case 5: inputs.swapAt(place, 0)
        case 6:
          if let name = attributes.keys.sorted().randomElement(using: &random) { attributes[name] = random.attribute() }
        case 7:
          if let name = attributes.keys.sorted().randomElement(using: &random) {
            switch attributes[name] {
            case .ints(let values)?: attributes[name] = .ints(values.map { _ in random.integer() })
            case .int?: attributes[name] = .int(random.integer())
            default: attributes[name] = nil
            }
          }
        default: opset = random.pick([1, 6, 8, 9, 10, 11, 13, 17, 18, 19, 20, 21])
        }
      }
      survives(
        example.operatorType, example.domain, inputs, attributes, example.outputs.count, opset,
        "\(example.testDescription), round \(round)")
    }
  }

  @Test("every operator survives random inputs and attributes", arguments: ReferenceSession.supportedOperators)
  func wild(_ name: OperatorName) {
    var random = SeededGenerator(state: name.description.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    for round in 0..<120 {
      let inputs = (0..<random.pick([0, 1, 1, 2, 2, 3, 4, 5, 8])).map { _ in
        random.pick([0, 1, 2, 3, 4]) == 0 ? nil : random.tensor()
      }
      var attributes: [String: Attribute.Value] = [:]
      for _ in 0..<random.pick([0, 1, 2, 4]) { attributes[random.pick(attributeNames)] = random.attribute() }
      survives(
        name.operatorType, name.domain, inputs, attributes, random.pick([1, 1, 2, 3]),
        random.pick([1, 8, 9, 10, 11, 13, 17, 18, 21]), "\(name), round \(round)")
    }
  }

  @Test("an index outside its axis is named with the bounds")
  func indexOutOfRange() {
    let error = #expect(throws: ReferenceError.self) {
      try evaluate("Gather", [floats([1, 2, 3, 4, 5, 6], [3, 2]), ints([0, 3])])
    }
    let text = error?.description ?? ""
    for part in ["Gather node \"tested\"", "x0: float[3, 2]", "x1: int64[2]", "from -3 to 2, not 3"] {
      #expect(text.contains(part), "\(part) in: \(text)")
    }
  }

  @Test("a result of absurd size is refused before it is allocated")
  func absurdSize() {
    #expect(throws: ReferenceError.self) { try evaluate("ConstantOfShape", [ints([1 << 20, 1 << 20])]) }
    #expect(throws: ReferenceError.self) { try evaluate("Expand", [floats([1]), ints([1 << 40])]) }
    #expect(throws: ReferenceError.self) { try evaluate("Tile", [floats([1, 2]), ints([.max])]) }
    #expect(throws: ReferenceError.self) {
      try evaluate("Range", [Tensor(scalar: Int64(0)), Tensor(scalar: Int64.max), Tensor(scalar: Int64(1))])
    }
    // Nothing to hold, yet an axis that a reduction of the other would make real.
    #expect(throws: ReferenceError.self) { try evaluate("ConstantOfShape", [ints([0, 1 << 40])]) }
  }

  @Test("an attribute that its opset takes as an input is refused, and the other way round")
  func wrongOpset() {
    let x = floats([1, 2, 3, 4], [2, 2])
    #expect(throws: ReferenceError.self) { try evaluate("ReduceMean", [x], ["axes": .ints([1])], opset: 18) }
    #expect(throws: ReferenceError.self) { try evaluate("ReduceMean", [x, ints([1])], opset: 17) }
    #expect(throws: ReferenceError.self) {
      try evaluate("Squeeze", [floats([1], [1, 1])], ["axes": .ints([0])], opset: 13)
    }
    #expect(throws: ReferenceError.self) { try evaluate("Clip", [x], ["min": .float(0)], opset: 11) }
  }

  @Test("dropout that is left on is refused: its output is random")
  func dropoutLeftOn() throws {
    let x = floats([1, 2, 3, 4])
    let ratio = Tensor(scalar: 0.5 as Float)
    let error = #expect(throws: ReferenceError.self) { try evaluate("Dropout", [x, ratio, Tensor(scalar: true)]) }
    #expect(error?.description.contains("random") == true)
    #expect(try evaluate("Dropout", [x, ratio, Tensor(scalar: false)])[0] == x)
    #expect(try evaluate("Dropout", [x, Tensor(scalar: 0 as Float), Tensor(scalar: true)])[0] == x)
  }
}
