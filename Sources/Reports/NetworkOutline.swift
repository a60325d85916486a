// What a person sees of a network: its operators one below the other, or, of many, the parts that they form.

import Foundation
import ONNX
import Tensors

/// A graph as rows and what flows between them. A small one has a row for each operator. Of a large one, operators are
/// folded into the parts that their parameters are named by (`bert.encoder.layer.0`), and parts that are alike and follow
/// each other into one.
public struct NetworkOutline: Sendable, Hashable {
  /// A row.
  public struct Row: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
      case input, output
      /// An operator, or a part, with parameters.
      case weighted
      /// One without.
      case plain
    }

    public var kind: Kind
    /// An operator's type, a part's name, an input's name.
    public var title: String
    /// Parameters and their shapes, the number of operators, a type.
    public var detail: String
    /// How many like parts the row stands for.
    public var repeats = 1
  }

  public private(set) var rows: [Row] = []
  /// Which rows a row's values go to, each later than the row itself.
  public private(set) var targets: [[Int]] = []
  public let operatorCount: Int
  public let parameterCount: Int
  public let operatorSet: Int?

  /// From so many operators on they are folded.
  private static let mostRows = 28

  /// - Throws: `ONNXError`.
  public init(contentsOf path: String) throws { self.init(try Model(contentsOf: path)) }

  public init(_ model: Model) {
    let graph = model.graph
    let parameters = Dictionary(
      graph.initializers.filter(Self.isParameter).map { ($0.name, $0.tensor.shape.dimensions) }
    ) { first, _ in first }
    operatorCount = graph.nodes.count
    parameterCount = parameters.values.reduce(0) { $0 + $1.reduce(1, *) }
    operatorSet = model.operatorSetVersion()
    // Which row makes a value.
    var maker: [String: Int] = [:]
    for input in graph.inputs where parameters[input.name] == nil {
      maker[input.name] = add(Row(kind: .input, title: input.name, detail: input.type?.description ?? ""))
    }
    if graph.nodes.count > Self.mostRows {
      addParts(of: graph, parameters, &maker)
    } else {
      for node in graph.nodes {
        let own = node.inputs.filter { parameters[$0] != nil }
        let row = add(
          Row(
            kind: own.isEmpty ? .plain : .weighted, title: node.operatorType,
            detail: Self.told(own.map { ($0, parameters[$0]!) })))
        connect(node, to: row, maker)
        for name in node.outputs where !name.isEmpty { maker[name] = row }
      }
    }
    for output in graph.outputs {
      let row = add(Row(kind: .output, title: output.name, detail: output.type?.description ?? ""))
      if let source = maker[output.name] { connect(source, to: row) }
    }
  }

  // Building

  private mutating func add(_ row: Row) -> Int {
    rows.append(row)
    targets.append([])
    return rows.count - 1
  }

  private mutating func connect(_ node: Node, to row: Int, _ maker: [String: Int]) {
    for name in node.inputs { if let source = maker[name] { connect(source, to: row) } }
  }

  private mutating func connect(_ source: Int, to target: Int) {
    guard source < target, !targets[source].contains(target) else { return }
    targets[source].append(target)
  }

  /// What was learnt, not what the graph merely has to say: axes, shapes, small constants.
  private static func isParameter(_ initializer: Initializer) -> Bool {
    !initializer.name.hasPrefix("constant") && initializer.tensor.elementType.isFloatingPoint
  }

  /// `shared_layer.0 256 × 390, 256`: the common part of the names, and the shapes.
  private static func told(_ parameters: [(name: String, shape: [Int])]) -> String {
    guard let first = parameters.first else { return "" }
    let stem = parameters.count > 1 ? part(first.name) : first.name
    let isCommon = parameters.allSatisfy { part($0.name) == part(first.name) }
    let name = isCommon ? stem : parameters.map(\.name).joined(separator: ", ")
    let shapes = parameters.map { $0.shape.isEmpty ? "scalar" : $0.shape.map(String.init).joined(separator: " × ") }
    return "\(name) · \(shapes.joined(separator: ", "))"
  }

  /// A parameter's name without its last word.
  private static func part(_ name: String) -> String {
    let words = name.split(separator: ".")
    return words.count > 1 ? words.dropLast().joined(separator: ".") : name
  }

  // Parts

  private struct Part {
    var name: String
    var operators: [String: Int] = [:]
    var parameters: Set<String> = []
    var sources: Set<Int> = []
    var inputs: Set<String> = []
  }

  /// `bert.encoder.layer.0` of `bert.encoder.layer.0.attention.self.query.weight`: up to the first number, or two words.
  private static func partName(_ parameter: String) -> String {
    let words = part(parameter).split(separator: ".")
    if let number = words.firstIndex(where: { Int($0) != nil }) { return words[...number].joined(separator: ".") }
    return words.prefix(2).joined(separator: ".")
  }

  private mutating func addParts(
    of graph: Graph, _ parameters: [String: [Int]], _ maker: inout [String: Int]
  ) {
    var parts: [Part] = []
    var partOfName: [String: Int] = [:]
    var partOfValue: [String: Int] = [:]
    for node in graph.nodes {
      let before = node.inputs.compactMap { partOfValue[$0] }.max()
      let own = node.inputs.filter { parameters[$0] != nil }
      var index = before
      if let name = own.first.map(Self.partName) {
        let known = partOfName[name]
        // Shared parameters must not lead back up.
        if known == nil || known! >= before ?? 0 {
          index = known ?? parts.count
          partOfName[name] = index
          if known == nil { parts.append(Part(name: name)) }
        }
      }
      if index == nil {
        index = partOfName["preparation"] ?? parts.count
        partOfName["preparation"] = index
        if index == parts.count { parts.append(Part(name: "preparation")) }
      }
      parts[index!].operators[node.operatorType, default: 0] += 1
      parts[index!].parameters.formUnion(own)
      for name in node.inputs {
        if let source = partOfValue[name], source != index { parts[index!].sources.insert(source) }
        if maker[name] != nil { parts[index!].inputs.insert(name) }
      }
      for name in node.outputs where !name.isEmpty { partOfValue[name] = index! }
    }
    var rowOfPart: [Int: Int] = [:]
    var last: (part: Part, shapes: [[Int]])?
    for (index, part) in parts.enumerated() {
      let shapes = part.parameters.sorted().map { parameters[$0]! }
      if let previous = last, previous.part.operators == part.operators, previous.shapes == shapes,
        Self.isNext(part.name, after: previous.part.name), let row = rowOfPart[index - 1]
      {
        rows[row].repeats += 1
        rows[row].title = Self.joined(rows[row].title, part.name)
        rowOfPart[index] = row
      } else {
        let count = shapes.reduce(0) { $0 + $1.reduce(1, *) }
        let operators = part.operators.values.reduce(0, +)
        rowOfPart[index] = add(
          Row(
            kind: part.parameters.isEmpty ? .plain : .weighted, title: part.name,
            detail: "\(operators) operator\(operators == 1 ? "" : "s")"
              + (count > 0 ? " · \(Figures.count(count)) parameters" : "")))
      }
      last = (part, shapes)
      for source in part.sources.sorted() { connect(rowOfPart[source]!, to: rowOfPart[index]!) }
      for name in part.inputs.sorted() { connect(maker[name]!, to: rowOfPart[index]!) }
    }
    for (name, part) in partOfValue { maker[name] = rowOfPart[part]! }
  }

  /// Whether names are the same but for a last number that is one more.
  private static func isNext(_ name: String, after previous: String) -> Bool {
    guard let (stem, number) = numbered(name), let (other, before) = numbered(previous) else { return false }
    return stem == other && number == before + 1
  }

  private static func numbered(_ name: String) -> (stem: Substring, number: Int)? {
    guard let dot = name.lastIndex(of: "."), let number = Int(name[name.index(after: dot)...]) else { return nil }
    return (name[..<dot], number)
  }

  /// `encoder.layer.0 to 4`.
  private static func joined(_ title: String, _ name: String) -> String {
    let first = title.components(separatedBy: " to ")[0]
    return "\(first) to \(numbered(name)?.number ?? 0)"
  }
}
