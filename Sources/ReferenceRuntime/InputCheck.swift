// Whether the values given to a graph are those that it declares.

import ONNX
import Tensors

/// Compares given inputs with a graph's declarations.
struct InputCheck {
  private let graph: Graph
  private let constants: [String: Value]

  init(_ graph: Graph, constants: [String: Value]) {
    self.graph = graph
    self.constants = constants
  }

  /// The inputs in wide form.
  /// - Throws: `ReferenceError` for a missing or unknown name, a wrong element type, or a shape that contradicts the
  ///   declared one; a dimension that is named twice must have one extent.
  func check(_ inputs: [String: RuntimeValue]) throws -> [String: Value] {
    for name in inputs.keys where !graph.inputs.contains(where: { $0.name == name }) {
      throw ReferenceError.unknownName(name: name, kind: "input", known: graph.inputs.map(\.name))
    }
    var extents: [String: Int] = [:]
    var result: [String: Value] = [:]
    for info in graph.inputs {
      guard let given = inputs[info.name] else {
        guard constants[info.name] != nil else {
          throw ReferenceError.missingInput(name: info.name, expected: Self.describe(info.type))
        }
        continue
      }
      guard let value = Value(given) else {
        throw ReferenceError.wrongInput(
          name: info.name, found: "of a type or size that this runtime has no use for (complex, undefined, huge)",
          expected: Self.describe(info.type))
      }
      guard Self.fits(value, info.type, &extents) else {
        throw ReferenceError.wrongInput(
          name: info.name, found: value.summary, expected: Self.describe(info.type) + Self.known(extents))
      }
      result[info.name] = value
    }
    return result
  }

  private static func fits(_ value: Value, _ type: ValueType?, _ extents: inout [String: Int]) -> Bool {
    switch (value, type) {
    case (_, nil), (_, .undetermined?): return true
    case (.tensor(let operand), .tensor(let declared, _)?):
      guard operand.elementType == declared.elementType || declared.elementType == .undefined else { return false }
      guard let shape = declared.shape else { return true }
      guard shape.count == operand.rank else { return false }
      for (dimension, extent) in zip(shape, operand.shape) {
        switch dimension.extent {
        case .fixed(let wanted) where Int(clamping: wanted) != extent: return false
        case .named(let name) where !name.isEmpty:
          if let earlier = extents[name], earlier != extent { return false }
          extents[name] = extent
        default: break
        }
      }
      return true
    case (.sequence(let values), .sequence(let element, _)?):
      // Elements of a sequence may differ in shape, so that names bind no extents here.
      return values.allSatisfy { value in
        var ignored: [String: Int] = [:]
        return fits(value, element, &ignored)
      }
    case (.optional(nil), .optional?): return true
    case (.optional(let value?), .optional(let element, _)?): return fits(value, element, &extents)
    case (.map, .map?): return true
    default: return false
    }
  }

  private static func known(_ extents: [String: Int]) -> String {
    let list = extents.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
    return list.isEmpty ? "" : " (with \(list.joined(separator: ", ")))"
  }

  private static func describe(_ type: ValueType?) -> String {
    switch type {
    case nil, .undetermined?: return "of any type"
    case .tensor(let tensor, _)?, .sparseTensor(let tensor, _)?:
      guard let shape = tensor.shape else { return "\(tensor.elementType) of any shape" }
      let extents = shape.map { dimension in
        switch dimension.extent {
        case .fixed(let extent): "\(extent)"
        case .named(let name): name
        case .unknown: "?"
        }
      }
      return "\(tensor.elementType)[\(extents.joined(separator: ", "))]"
    case .sequence(let element, _)?: return "a sequence of \(describe(element))"
    case .optional(let element, _)?: return "an optional \(describe(element))"
    case .map(let key, let value, _)?: return "a map of \(key) to \(describe(value))"
    case .opaque?: return "opaque"
    }
  }
}
