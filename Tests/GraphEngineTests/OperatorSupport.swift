// What the tests of operators share: models of one node, and numbers that are random but always the same.

import GraphEngine
import ONNX
import Tensors

/// One input of a tested node.
enum TestInput: Sendable {
  /// Random floats between two bounds; the gradients of these are tested.
  case random(Shape, ClosedRange<Double>)
  /// Given floats, whose gradients are tested as well.
  case floats([Double], Shape)
  /// A value that is not differentiated.
  case fixed(Tensor)
  /// An optional input left out.
  case absent

  static func random(_ shape: Shape) -> TestInput { .random(shape, -2...2) }
  static func ints(_ values: [Int64], _ shape: Shape? = nil) -> TestInput {
    .fixed(Tensor(values, shape: shape ?? [values.count]))
  }
  static func bools(_ values: [Bool], _ shape: Shape? = nil) -> TestInput {
    .fixed(Tensor(values, shape: shape ?? [values.count]))
  }
}

/// A node to test, with its inputs.
struct TestNode: Sendable, CustomStringConvertible {
  let operatorType: String
  let inputs: [TestInput]
  var attributes: [Attribute] = []
  var outputs = 1
  var opset: Int64 = 21

  init(
    _ operatorType: String, _ inputs: [TestInput], _ attributes: [String: Attribute.Value] = [:], outputs: Int = 1,
    opset: Int64 = 21
  ) {
    self.operatorType = operatorType
    self.inputs = inputs
    self.attributes = attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
    self.outputs = outputs
    self.opset = opset
  }

  var description: String {
    let shapes = inputs.map { input in
      switch input {
      case .random(let shape, _), .floats(_, let shape): "\(shape)"
      case .fixed(let tensor): "\(tensor.elementType)\(tensor.shape)"
      case .absent: "-"
      }
    }
    let attributes = attributes.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    return "\(operatorType)-\(opset) \(shapes.joined(separator: ", ")) \(attributes)"
  }

  var node: Node {
    Node(
      operatorType, name: "tested", inputs: inputs.indices.map(inputName), outputs: (0..<outputs).map { "y\($0)" },
      attributes: attributes)
  }

  func inputName(_ index: Int) -> String {
    if case .absent = inputs[index] { "" } else { "x\(index)" }
  }

  /// Positions of the inputs that are differentiated.
  var differentiated: [Int] {
    inputs.indices.filter {
      switch inputs[$0] {
      case .random, .floats: true
      case .fixed, .absent: false
      }
    }
  }

  /// The differentiable inputs' numbers.
  func numbers() -> [Int: (values: [Double], shape: Shape)] {
    var generator = TestNumbers(seed: UInt64(operatorType.utf8.reduce(7) { $0 &* 31 &+ Int($1) } & 0xFFFF))
    var result: [Int: (values: [Double], shape: Shape)] = [:]
    for index in differentiated {
      switch inputs[index] {
      case .random(let shape, let range):
        // As the engine will see them: single precision.
        result[index] = ((0..<shape.elementCount).map { _ in Double(Float(generator.next(in: range))) }, shape)
      case .floats(let values, let shape): result[index] = (values, shape)
      case .fixed, .absent: break
      }
    }
    return result
  }

  /// The model of the node, with every input an input of the graph.
  func model(nodes: [Node]? = nil, initializers: [Initializer] = [], floatType: ElementType = .float) -> Model {
    var declared: [ValueInfo] = []
    for index in inputs.indices {
      switch inputs[index] {
      case .random(let shape, _), .floats(_, let shape):
        declared.append(ValueInfo("x\(index)", floatType, shape.map { Dimension($0) }))
      case .fixed, .absent: break
      }
    }
    let graph = Graph(
      name: "test", nodes: nodes ?? [node], initializers: initializers + fixedInputs(floatType), inputs: declared,
      outputs: (0..<outputs).map { ValueInfo("y\($0)", nil) })
    return Model(operatorSets: [OperatorSet(version: opset)], graph: graph)
  }

  /// The inputs that are not fed; floats among them in the type that the fed ones have.
  private func fixedInputs(_ floatType: ElementType) -> [Initializer] {
    inputs.enumerated().compactMap { index, input in
      guard case .fixed(let tensor) = input else { return nil }
      guard tensor.elementType == .float, floatType != .float else { return Initializer("x\(index)", tensor) }
      return Initializer(
        "x\(index)", Tensor(doubles: tensor.doubles(), shape: tensor.shape, elementType: floatType))
    }
  }
}

/// Numbers that are spread evenly and always the same (SplitMix64).
struct TestNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func next(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * Double(next() >> 11) * 0x1p-53
  }

  mutating func floats(_ count: Int, in range: ClosedRange<Double> = -2...2) -> [Float] {
    (0..<count).map { _ in Float(next(in: range)) }
  }
}

/// The largest difference of two tensors' numbers, relative where they are large; infinite where one alone is NaN.
func difference(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).map { x, y in
    x == y || x.isNaN && y.isNaN ? 0 : (abs(x - y) / max(1, abs(y))).isNaN ? .infinity : abs(x - y) / max(1, abs(y))
  }.max() ?? 0
}
