// Reading OperatorExamples.txt: small inputs of operators and what onnxruntime 1.31.1 made of them.
// The file is written by tools/make-operator-examples, whose head describes a line.

import Foundation
import ONNX
import Tensors
import Testing

/// One line of the file.
struct Example: Sendable, CustomTestStringConvertible {
  var operatorType: String
  var domain: String
  var opset: Int64
  var attributes: [String: Attribute.Value]
  var inputs: [Tensor?]
  let outputs: [Tensor]
  let line: Int

  var testDescription: String { "line \(line): \(domain) \(operatorType) \(attributes.keys.sorted())" }

  static let all: [Example] = {
    guard let url = Bundle.module.url(forResource: "OperatorExamples", withExtension: "txt"),
      let text = try? String(contentsOf: url, encoding: .utf8)
    else { return [] }
    return text.split(separator: "\n").enumerated().map { Example(String($0.element), line: $0.offset + 1) }
  }()

  private init(_ text: String, line: Int) {
    let fields = text.components(separatedBy: " | ").map { $0.trimmingCharacters(in: .whitespaces) }
    let name = fields[0].components(separatedBy: ".")
    operatorType = name[name.count - 1]
    domain = name.dropLast().joined(separator: ".")
    opset = Int64(fields[1]) ?? 0
    attributes = [:]
    for word in fields[2].split(separator: " ") {
      let parts = word.split(separator: "=", maxSplits: 1)
      attributes[String(parts[0])] = Self.value(String(parts[1]))
    }
    inputs = fields[3].components(separatedBy: " ; ").map { $0 == "-" ? nil : Self.tensor($0) }
    outputs = fields[4].components(separatedBy: " ; ").map(Self.tensor)
    self.line = line
  }

  private static func value(_ text: String) -> Attribute.Value {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let list = parts[1].components(separatedBy: ",")
    switch parts[0] {
    case "i": return .int(Int64(parts[1]) ?? 0)
    case "f": return .float(Float(parts[1]) ?? 0)
    case "is": return .ints(list.compactMap { Int64($0) })
    case "fs": return .floats(list.compactMap { Float($0) })
    case "ss": return .strings(list.map { ByteString($0) })
    case "t":
      return .tensor(Initializer("", tensor("\(list[0])[\(list.count - 1)] \(list[1...].joined(separator: " "))")))
    default: return .string(ByteString(parts[1]))
    }
  }

  private static func tensor(_ text: String) -> Tensor {
    let parts = text.components(separatedBy: "] ")
    let head = parts[0].replacingOccurrences(of: "]", with: "").components(separatedBy: "[")
    let shape = Shape(head[1].split(separator: ",").compactMap { Int($0) })
    let words = parts.count > 1 ? parts[1].split(separator: " ").map(String.init) : []
    let type = ElementType.allCases.first { $0.description == head[0] } ?? .undefined
    if type == .string { return Tensor(strings: words.map { ByteString($0) }, shape: shape) }
    if type.isFloatingPoint {
      return Tensor(doubles: words.compactMap { Double($0) }, shape: shape, elementType: type)
    }
    return Tensor(int64s: words.compactMap { Int64($0) }, shape: shape, elementType: type)
  }
}
