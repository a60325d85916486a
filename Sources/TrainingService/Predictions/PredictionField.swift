// A member of a question's body: what it is, what it may be, and what is wrong with a value.

import Foundation

/// A member of the body with which a model is asked something.
public struct PredictionField: Sendable, Hashable {
  /// What values it takes. Upper bounds keep an answer within what a person waits for.
  public enum Domain: Sendable, Hashable {
    case text(longest: Int)
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case flag
    /// Texts; in a form one on a line, or all that was typed as one.
    case texts(ClosedRange<Int>, longest: Int, isLined: Bool)
    case numbers(atMost: Int)
    /// Numbers by name.
    case measures(atMost: Int)
    /// Objects with members; in a form an object a line.
    indirect case records(ClosedRange<Int>, [PredictionField])
  }

  /// `top_k`.
  public let name: String
  /// `Items for each user`.
  public let title: String
  public let help: String
  public let domain: Domain
  /// The value where none is given; nil where there is none.
  public let standard: JSONValue?
  /// Of a member of a record: whether each record must have it.
  public let isRequired: Bool

  public init(
    _ name: String, _ title: String, _ domain: Domain, standard: JSONValue? = nil, isRequired: Bool = false,
    help: String
  ) {
    self.name = name
    self.title = title
    self.help = help
    self.domain = domain
    self.standard = standard
    self.isRequired = isRequired
  }

  /// The numbers that a single-precision float holds.
  private static let floats = -3.4e38...3.4e38
  private static let longestName = 200

  /// A value, checked.
  ///
  /// - Parameter path: what the value is called in the request: `items[3].embedding`.
  func check(_ value: JSONValue, at path: String, _ problems: inout [ParameterProblem]) {
    func refuse(_ value: JSONValue, _ expected: String, at path: String) {
      problems.append(
        ParameterProblem(field: path, message: "\(path) is \(value.text.prefix(40)); expected \(expected)"))
    }
    /// Whether a list has as many members as it may have.
    func members(_ range: ClosedRange<Int>, of what: String) -> [JSONValue]? {
      guard let members = value.array else {
        refuse(value, "an array of \(what)", at: path)
        return nil
      }
      guard range.contains(members.count) else {
        problems.append(
          ParameterProblem(
            field: path,
            message: "\(path) has \(members.count) \(what); expected \(range.lowerBound) to \(range.upperBound)"))
        return nil
      }
      return members
    }
    switch domain {
    case .text(let longest):
      if !Self.isText(value, longest: longest) { refuse(value, "a text of 1 to \(longest) characters", at: path) }
    case .integer(let range):
      if value.integer.map(range.contains) != true {
        refuse(value, "a whole number from \(range.lowerBound) to \(range.upperBound)", at: path)
      }
    case .number(let range):
      if value.number.map(range.contains) != true {
        refuse(value, "a number from \(range.lowerBound.plainText) to \(range.upperBound.plainText)", at: path)
      }
    case .flag:
      if value.bool == nil { refuse(value, "true or false", at: path) }
    case .texts(let range, let longest, _):
      for (index, member) in (members(range, of: "texts") ?? []).enumerated()
      where !Self.isText(member, longest: longest) {
        return refuse(member, "a text of 1 to \(longest) characters", at: "\(path)[\(index)]")
      }
    case .numbers(let count):
      for (index, member) in (members(1...count, of: "numbers") ?? []).enumerated()
      where member.number.map(Self.floats.contains) != true {
        return refuse(member, "a number that a float holds", at: "\(path)[\(index)]")
      }
    case .measures(let count):
      guard let measures = value.object, measures.count <= count else {
        return refuse(value, "an object of at most \(count) numbers", at: path)
      }
      for (name, measure) in measures.sorted(by: { $0.key < $1.key })
      where measure.number.map(Self.floats.contains) != true || name.count > Self.longestName {
        return refuse(measure, "a number that a float holds", at: "\(path).\(name.prefix(40))")
      }
    case .records(let range, let fields):
      for (index, member) in (members(range, of: "objects") ?? []).enumerated() {
        let before = problems.count
        Self.check(member, fields, at: "\(path)[\(index)]", &problems)
        // What is wrong with the first of ten thousand is likely wrong with all.
        if problems.count > before { return }
      }
    }
  }

  /// Checks the members of an object.
  private static func check(
    _ record: JSONValue, _ fields: [PredictionField], at path: String, _ problems: inout [ParameterProblem]
  ) {
    guard let members = record.object else {
      problems.append(
        ParameterProblem(field: path, message: "\(path) is \(record.text.prefix(40)); expected an object"))
      return
    }
    for field in fields {
      let place = "\(path).\(field.name)"
      guard let value = members[field.name], !value.isNull else {
        if field.isRequired {
          problems.append(ParameterProblem(field: place, message: "\(place) is missing"))
        }
        continue
      }
      field.check(value, at: place, &problems)
    }
    let known = Set(fields.map(\.name))
    if let unknown = members.keys.filter({ !known.contains($0) }).min() {
      problems.append(
        ParameterProblem(
          field: "\(path).\(unknown.prefix(40))",
          message: "\(path) has a member \"\(unknown.prefix(40))\"; known are "
            + fields.map(\.name).joined(separator: ", ")))
    }
  }

  private static func isText(_ value: JSONValue, longest: Int) -> Bool {
    // Characters as JSON Schema counts them.
    value.string.map { !$0.isEmpty && $0.unicodeScalars.count <= longest } ?? false
  }

  /// Text of a form as the value that it stands for; nil where nothing was typed.
  func value(typed text: String) -> JSONValue? {
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !trimmed.isEmpty else { return nil }
    func lines() -> [String] {
      trimmed.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
    switch domain {
    case .text: return .string(trimmed)
    case .integer: return Int64(trimmed).map(JSONValue.integer) ?? .string(trimmed)
    case .number: return Double(trimmed).map(JSONValue.number) ?? .string(trimmed)
    case .flag: return .bool(["true", "on"].contains(trimmed))
    case .texts(_, _, let isLined): return .array((isLined ? lines() : [trimmed]).map(JSONValue.string))
    case .numbers, .measures: return (try? JSONValue(parsing: trimmed)) ?? .string(trimmed)
    case .records: return .array(lines().map { (try? JSONValue(parsing: $0)) ?? .string($0) })
    }
  }

  /// What values it takes, as JSON Schema.
  var schema: JSONValue {
    var schema = plainSchema.object ?? [:]
    schema["description"] = .string(help)
    if let standard { schema["default"] = standard }
    return .object(schema)
  }

  private var plainSchema: JSONValue {
    switch domain {
    case .text(let longest): ["type": "string", "minLength": 1, "maxLength": .integer(Int64(longest))]
    case .integer(let range):
      ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    case .number(let range):
      ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    case .flag: ["type": "boolean"]
    case .texts(let range, let longest, _):
      Self.list(range, of: ["type": "string", "minLength": 1, "maxLength": .integer(Int64(longest))])
    case .numbers(let count): Self.list(1...count, of: Self.float)
    case .measures(let count):
      [
        "type": "object", "maxProperties": .integer(Int64(count)), "additionalProperties": Self.float,
        "propertyNames": ["maxLength": .integer(Int64(Self.longestName))],
      ]
    case .records(let range, let fields):
      Self.list(
        range,
        of: [
          "type": "object", "additionalProperties": false,
          "required": .array(fields.filter(\.isRequired).map { .string($0.name) }),
          "properties": .object(Dictionary(fields.map { ($0.name, $0.schema) }) { first, _ in first }),
        ])
    }
  }

  private static let float: JSONValue = [
    "type": "number", "minimum": .number(floats.lowerBound), "maximum": .number(floats.upperBound),
  ]

  private static func list(_ range: ClosedRange<Int>, of items: JSONValue) -> JSONValue {
    [
      "type": "array", "minItems": .integer(Int64(range.lowerBound)), "maxItems": .integer(Int64(range.upperBound)),
      "items": items,
    ]
  }
}
