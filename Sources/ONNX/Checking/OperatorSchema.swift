// What the format says of one operator at one version, read from its line of the operator table.

import Tensors

/// An operator's signature: its parameters, its attributes and the types that it takes.
public struct OperatorSchema: Sendable, Equatable {
  /// An input or an output.
  public struct Parameter: Sendable, Equatable {
    public enum Arity: Sendable, Equatable {
      case single
      case optional
      /// Any number from `minimum` on; `isHomogeneous` when all have one type.
      case variadic(minimum: Int, isHomogeneous: Bool)
    }

    public var name: String
    public var arity: Arity
    /// An element type's name, or a key of `typeSets`.
    public var type: String
  }

  /// An attribute that a node may have.
  public struct AttributeRule: Sendable, Equatable {
    public var name: String
    /// The case of `Attribute.Value`: `int`, `floats`, `graph`, …
    public var kind: String
    public var isRequired: Bool
  }

  public var name: String
  public var domain: String
  /// The operator set version that this definition came with.
  public var sinceVersion: Int
  public var isDeprecated = false
  public var inputs: [Parameter] = []
  public var outputs: [Parameter] = []
  public var attributes: [AttributeRule] = []
  /// The types that each type variable stands for.
  public var typeSets: [String: TypeSet] = [:]

  /// How many inputs a node may list.
  public var inputCount: ClosedRange<Int> { Self.count(inputs) }
  /// How many outputs a node may list.
  public var outputCount: ClosedRange<Int> { Self.count(outputs) }

  private static func count(_ parameters: [Parameter]) -> ClosedRange<Int> {
    var least = 0
    for (index, parameter) in parameters.enumerated() {
      switch parameter.arity {
      case .single: least = index + 1
      case .optional: break
      case .variadic(let minimum, _): if minimum > 0 { least = index + minimum }
      }
    }
    if case .variadic? = parameters.last?.arity { return least...Int.max }
    return least...parameters.count
  }

  /// The parameter that the value at `index` of a node belongs to; the last one takes all further values if variadic.
  static func parameter(_ index: Int, of parameters: [Parameter]) -> Parameter? {
    if index < parameters.count { return parameters[index] }
    guard let last = parameters.last, case .variadic = last.arity else { return nil }
    return last
  }
}

/// A set of value types, as operators allow them.
public struct TypeSet: Sendable, Equatable {
  /// The words of the operator table: `floats bfloat16 seq(all)`.
  public let description: String
  /// For each wrapping (`""` for tensors, `seq`, `optional`, `optional(seq`), a bit for each element type.
  private var elements: [String: UInt32] = [:]
  private var others: Set<String> = []

  init(_ description: String) {
    self.description = description
    for word in description.split(separator: " ") {
      let parts = word.split(separator: "(")
      guard !word.hasPrefix("seq(map("), !word.hasPrefix("map("), let innermost = parts.last else {
        others.insert(String(word))
        continue
      }
      let wrapping = parts.dropLast().joined(separator: "(")
      let name = innermost.prefix { $0 != ")" }
      let names = OperatorTable.groups[String(name)].map { $0.split(separator: " ") } ?? [name]
      for name in names {
        guard let type = ElementType(name: String(name)) else { preconditionFailure("no element type '\(name)'") }
        elements[wrapping, default: 0] |= 1 << UInt32(type.rawValue)
      }
    }
  }

  /// Whether the set has this type. A type that does not say its elements is given the benefit of the doubt.
  public func contains(_ type: ValueType) -> Bool {
    func has(_ wrapping: String, _ element: ElementType) -> Bool {
      element == .undefined || (elements[wrapping, default: 0] >> UInt32(element.rawValue)) & 1 == 1
    }
    switch type {
    case .tensor(let tensor, _), .sparseTensor(let tensor, _): return has("", tensor.elementType)
    case .sequence(.tensor(let tensor, _)?, _): return has("seq", tensor.elementType)
    case .optional(.tensor(let tensor, _)?, _): return has("optional", tensor.elementType)
    case .optional(.sequence(.tensor(let tensor, _)?, _)?, _): return has("optional(seq", tensor.elementType)
    case .map(let key, .tensor(let value, _)?, _): return others.contains("map(\(key),\(value.elementType))")
    case .sequence(.map(let key, .tensor(let value, _)?, _)?, _):
      return others.contains("seq(map(\(key),\(value.elementType)))")
    case .sequence, .optional, .map, .opaque, .undetermined: return true
    }
  }

  /// The only element type of tensors in the set, where there is just one.
  var onlyTensor: ElementType? {
    guard others.isEmpty, elements.count == 1, let bits = elements[""], bits.nonzeroBitCount == 1 else { return nil }
    return ElementType(rawValue: Int32(bits.trailingZeroBitCount))
  }
}

extension ElementType {
  /// The type of that name in the format's text form, or nil.
  public init?(name: String) {
    guard let type = ElementType.allCases.first(where: { $0.description == name }) else { return nil }
    self = type
  }
}

extension OperatorSchema {
  /// The newest versions of each domain of standard operators that this library knows.
  public static var newestVersions: [String: Int] { OperatorTable.newestVersions }

  /// The domain with the default domain's long name shortened to the empty one.
  static func normalized(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }

  /// What `version` of a domain's operators says of an operator, or nil where it has none of that name.
  /// - Note: of the default domain, versions before 13 are not known.
  public static func find(_ name: String, domain: String = "", version: Int) -> OperatorSchema? {
    history(of: name, domain: domain).last { $0.since <= version }.map { OperatorSchema(line: $0.line) }
  }

  /// The versions at which an operator's definition changed, oldest first; empty for an operator that there is not.
  public static func versions(of name: String, domain: String = "") -> [Int] {
    history(of: name, domain: domain).map(\.since)
  }

  private static func history(of name: String, domain: String) -> [(since: Int, line: Substring)] {
    let domain = normalized(domain)
    return index[domain.isEmpty ? name : "\(domain).\(name)"] ?? []
  }

  private static let index: [String: [(since: Int, line: Substring)]] = {
    var index: [String: [(since: Int, line: Substring)]] = [:]
    for line in OperatorTable.text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      index[String(words[0]), default: []].append((Int(words[1])!, line))
    }
    return index.mapValues { $0.sorted { $0.since < $1.since } }
  }()

  /// Reads a line of the table, which is this module's own and well formed.
  private init(line: Substring) {
    let fields = line.split(separator: "|", omittingEmptySubsequences: false)
    let head = fields[0].split(separator: " ")
    let path = head[0].split(separator: ".")
    name = String(path.last!)
    domain = path.dropLast().joined(separator: ".")
    sinceVersion = Int(head[1])!
    isDeprecated = head.count > 2
    guard fields.count == 5 else { return }
    inputs = Self.items(fields[1], by: ",").map(Self.parameter)
    outputs = Self.items(fields[2], by: ",").map(Self.parameter)
    attributes = Self.items(fields[3], by: ",").map { item in
      let words = item.split(separator: " ")
      let isRequired = words[0].hasSuffix("!")
      return AttributeRule(
        name: String(isRequired ? words[0].dropLast() : words[0]), kind: String(words[1]), isRequired: isRequired)
    }
    for item in Self.items(fields[4], by: ";") {
      let parts = item.split(separator: ":")
      typeSets[String(parts[0])] = TypeSet(String(parts[1].drop { $0 == " " }))
    }
  }

  private static func items(_ field: Substring, by separator: Character) -> [Substring] {
    field.split(separator: separator).map { item in
      let start = item.drop { $0 == " " }
      return start.last == " " ? start.dropLast() : start
    }.filter { !$0.isEmpty }
  }

  private static func parameter(_ item: Substring) -> Parameter {
    let words = item.split(separator: " ")
    let marks = words[0].drop { $0 != "?" && $0 != "*" }
    let arity: Parameter.Arity =
      switch marks.first {
      case "?": .optional
      case "*":
        .variadic(
          minimum: Int(marks.dropFirst().prefix { $0.isNumber })!, isHomogeneous: !marks.hasSuffix("~"))
      default: .single
      }
    return Parameter(name: String(words[0].prefix { $0 != "?" && $0 != "*" }), arity: arity, type: String(words[1]))
  }
}
