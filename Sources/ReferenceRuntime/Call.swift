// One application of an operator: what its code asks for its inputs and attributes, and how it fails.

import ONNX
import Tensors

/// An operator's evaluation: from a call to the values of its outputs.
struct Operator: Sendable {
  let evaluate: @Sendable (Call) throws -> [Value]

  /// An operator with one tensor as its output.
  static func one(_ body: @escaping @Sendable (Call) throws -> Operand) -> Operator {
    Operator { [.tensor(try body($0))] }
  }

  /// An operator with several outputs, or with outputs that are not tensors.
  static func many(_ body: @escaping @Sendable (Call) throws -> [Value]) -> Operator {
    Operator(evaluate: body)
  }
}

typealias OperatorTable = [String: Operator]

/// One application of an operator to values.
struct Call {
  let node: Node
  /// The imported version of the node's operator set.
  let version: Int
  let inputs: [Value?]
  /// The node's graph attributes, ready to run, by attribute name.
  let subgraphs: [String: Program]
  /// The values that the node's graph attributes may refer to.
  let scope: Scope

  /// The most elements that one value may have: 2 GB of doubles. What asks for more is taken as malformed.
  static let maximumElements = 1 << 28

  /// The largest magnitude of an integer attribute or a shape's extent, so that sums of products of two stay in `Int`.
  static let maximumInteger = 1 << 30

  /// An error that names the node, its inputs and what was expected of them.
  func failure(_ expected: String) -> ReferenceError {
    .invalidNode(ReferenceError.NodeReport(node, inputs: inputs), expected: expected)
  }

  /// The same call with other inputs, for operators that are defined by another one.
  func with(inputs: [Value?], node: Node? = nil) -> Call {
    Call(node: node ?? self.node, version: version, inputs: inputs, subgraphs: subgraphs, scope: scope)
  }
}

// MARK: Inputs

extension Call {
  func optionalValue(_ index: Int) -> Value? { index < inputs.count ? inputs[index] : nil }

  func value(_ index: Int) throws -> Value {
    guard let value = optionalValue(index) else { throw failure("an input at position \(index)") }
    return value
  }

  /// An optional tensor input; nil where the node leaves it out.
  func optional(_ index: Int) throws -> Operand? {
    switch optionalValue(index) {
    case nil: return nil
    case .tensor(let operand)?: return operand
    default: throw failure("a tensor as input \(index)")
    }
  }

  /// A tensor input.
  func operand(_ index: Int) throws -> Operand {
    guard let operand = try optional(index) else { throw failure("a tensor as input \(index)") }
    return operand
  }

  /// All inputs as tensors; the operator is variadic.
  func operands() throws -> [Operand] {
    guard !inputs.isEmpty else { throw failure("at least one input") }
    return try inputs.indices.map { try operand($0) }
  }

  /// The doubles of a floating-point operand.
  func floats(_ operand: Operand, _ what: String = "input") throws -> [Double] {
    guard case .floats(let values) = operand.elements else {
      throw failure("floating-point elements in \(what), not \(operand.summary)")
    }
    return values
  }

  /// The elements of an integer or boolean operand.
  func integers(_ operand: Operand, _ what: String = "input") throws -> [Int128] {
    guard case .integers(let values) = operand.elements else {
      throw failure("integer elements in \(what), not \(operand.summary)")
    }
    return values
  }

  func booleans(_ operand: Operand, _ what: String = "input") throws -> [Bool] {
    guard operand.elementType == .bool, case .integers(let values) = operand.elements else {
      throw failure("boolean elements in \(what), not \(operand.summary)")
    }
    return values.map { $0 != 0 }
  }

  func strings(_ operand: Operand, _ what: String = "input") throws -> [ByteString] {
    guard case .strings(let values) = operand.elements else {
      throw failure("strings in \(what), not \(operand.summary)")
    }
    return values
  }

  /// The elements of any numeric operand as doubles (integers past 2^53 rounded).
  func doubles(_ operand: Operand, _ what: String = "input") throws -> [Double] {
    switch operand.elements {
    case .floats(let values): return values
    case .integers(let values): return values.map { Double($0) }
    case .strings: throw failure("numbers in \(what), not \(operand.summary)")
    }
  }

  /// The integers of an operand that stand for extents, axes or positions; beyond `Int` they keep only their sign.
  func indices(_ operand: Operand, _ what: String) throws -> [Int] {
    try integers(operand, what).map { Int(clamping: $0) }
  }

  /// The only element of an integer operand.
  func scalarIndex(_ operand: Operand, _ what: String) throws -> Int {
    let values = try indices(operand, what)
    guard values.count == 1 else { throw failure("one element in \(what), not \(operand.summary)") }
    return values[0]
  }

  /// The only element of a numeric operand, as a double.
  func scalarDouble(_ operand: Operand, _ what: String) throws -> Double {
    let values = try doubles(operand, what)
    guard values.count == 1 else { throw failure("one element in \(what), not \(operand.summary)") }
    return values[0]
  }

  /// Refuses operands of different element types.
  func requireSameType(_ operands: [Operand]) throws {
    guard let first = operands.first else { return }
    guard operands.allSatisfy({ $0.elementType == first.elementType }) else {
      throw failure("inputs of one element type")
    }
  }
}

// MARK: Attributes

extension Call {
  /// An integer attribute, within ±2^30.
  func int(_ name: String) throws -> Int? {
    guard let value = node.attribute(name) else { return nil }
    guard case .int(let number) = value else { throw failure("an integer as the attribute \(name)") }
    return try bounded(number, name)
  }

  func int(_ name: String, default fallback: Int) throws -> Int { try int(name) ?? fallback }

  /// An integer attribute that is a yes or no.
  func flag(_ name: String, default fallback: Bool = false) throws -> Bool {
    try int(name).map { $0 != 0 } ?? fallback
  }

  /// An attribute of integers, each within ±2^30.
  func ints(_ name: String) throws -> [Int]? {
    guard let value = node.attribute(name) else { return nil }
    guard case .ints(let numbers) = value else { throw failure("integers as the attribute \(name)") }
    return try numbers.map { try bounded($0, name) }
  }

  private func bounded(_ number: Int64, _ name: String) throws -> Int {
    guard number.magnitude <= UInt64(Self.maximumInteger) else {
      throw failure("the attribute \(name) within ±\(Self.maximumInteger), not \(number)")
    }
    return Int(number)
  }

  func float(_ name: String) throws -> Double? {
    guard let value = node.attribute(name) else { return nil }
    guard case .float(let number) = value else { throw failure("a number as the attribute \(name)") }
    return Double(number)
  }

  func float(_ name: String, default fallback: Float) throws -> Double { try float(name) ?? Double(fallback) }

  func floats(attribute name: String) throws -> [Double]? {
    guard let value = node.attribute(name) else { return nil }
    guard case .floats(let numbers) = value else { throw failure("numbers as the attribute \(name)") }
    return numbers.map { Double($0) }
  }

  func string(_ name: String) throws -> String? {
    guard let value = node.attribute(name) else { return nil }
    guard case .string(let text) = value else { throw failure("a string as the attribute \(name)") }
    return text.description
  }

  func string(_ name: String, default fallback: String) throws -> String { try string(name) ?? fallback }

  func strings(attribute name: String) throws -> [ByteString]? {
    guard let value = node.attribute(name) else { return nil }
    guard case .strings(let texts) = value else { throw failure("strings as the attribute \(name)") }
    return texts
  }

  func tensor(attribute name: String) throws -> Operand? {
    guard let value = node.attribute(name) else { return nil }
    guard case .tensor(let initializer) = value, let operand = Operand(initializer.tensor) else {
      throw failure("a tensor of real numbers or strings as the attribute \(name)")
    }
    return operand
  }

  /// One of a few words as an attribute.
  func choice(_ name: String, default fallback: String, of words: [String]) throws -> String {
    let word = try string(name, default: fallback)
    guard words.contains(word) else {
      throw failure("\(name) to be one of \(words.joined(separator: ", ")), not \"\(word)\"")
    }
    return word
  }

  /// The element type that an attribute names by its number in the format.
  func elementType(attribute name: String) throws -> ElementType? {
    guard let number = try int(name) else { return nil }
    guard let type = ElementType(rawValue: Int32(number)), type != .undefined, type != .complex64,
      type != .complex128
    else { throw failure("\(name) to be the number of a real, boolean or string element type, not \(number)") }
    return type
  }
}

// MARK: Axes and shapes

extension Call {
  /// An axis of a value of that rank, counted from the front; a negative one counts from the back.
  func axis(_ axis: Int, rank: Int) throws -> Int {
    guard axis >= -rank, axis < rank else {
      throw failure("an axis from \(-rank) to \(rank - 1), not \(axis)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Axes counted from the front, each once.
  func axes(_ axes: [Int], rank: Int) throws -> [Int] {
    let normalized = try axes.map { try axis($0, rank: rank) }
    guard Set(normalized).count == normalized.count else { throw failure("each axis once, not \(axes)") }
    return normalized
  }

  /// Integers that are an attribute before an opset and an input since then; nil where they are left out.
  func ints(_ name: String, inputSince opset: Int, at index: Int) throws -> [Int]? {
    if version < opset {
      guard optionalValue(index) == nil else {
        throw failure("no input \(index): \(name) is an attribute before opset \(opset)")
      }
      return try ints(name)
    }
    guard node.attribute(name) == nil else {
      throw failure("\(name) as input \(index), as it is since opset \(opset), not as an attribute")
    }
    guard let operand = try optional(index) else { return nil }
    guard operand.rank <= 1 else { throw failure("\(name) (input \(index)) with one axis, not \(operand.summary)") }
    return try indices(operand, name)
  }

  /// A shape that this runtime is willing to allocate.
  @discardableResult
  func checked(_ dimensions: [Int]) throws -> Shape {
    let shape = Shape(dimensions)
    guard dimensions.allSatisfy({ $0 >= 0 }) else { throw failure("a result without negative extents, not \(shape)") }
    guard shape.isManageable else {
      throw failure("a result of at most \(Self.maximumElements) elements, not \(shape)")
    }
    return shape
  }

  /// The shape that all operands broadcast to.
  func broadcastShape(_ operands: [Operand]) throws -> Shape {
    var shape = Shape.scalar
    for operand in operands {
      guard let next = shape.broadcast(with: operand.shape) else {
        throw failure("shapes that broadcast (aligned at the last axis, equal extents or 1)")
      }
      shape = next
    }
    return try checked(shape.dimensions)
  }

  /// An operand with its elements repeated to a shape that it broadcasts to.
  func broadcast(_ operand: Operand, to shape: Shape) throws -> Operand {
    if operand.shape == shape { return operand }
    guard operand.shape.broadcast(with: shape) == shape else {
      throw failure("\(operand.summary) to broadcast to \(shape)")
    }
    return operand.picking(positions(in: shape, strides: operand.shape.broadcastStrides(to: shape)), shape)
  }
}
