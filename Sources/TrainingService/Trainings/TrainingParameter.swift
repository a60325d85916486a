// A parameter of a training: what it is, what it may be, and what is wrong with a value.

import Foundation

/// A parameter that a person may set.
public struct TrainingParameter: Sendable, Hashable {
  /// What values it takes. Upper bounds keep a training within the machine's memory and time.
  public enum Domain: Sendable, Hashable {
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case choice([String])
    /// An option without a value, given or not.
    case flag
    /// Whole numbers with commas, so many at most: `128,64,32`.
    case integers(ClosedRange<Int64>, atMost: Int)
    /// A file or folder in the data folder, beside the data itself.
    case path(isNeededWithData: Bool)
  }

  /// As the command has it, with underscores: `learning_rate` for `--learning-rate`.
  public let name: String
  /// `Learning rate`.
  public let title: String
  public let help: String
  public let domain: Domain
  /// The value where none is given; nil leaves it to the training.
  public let standard: JSONValue?

  public init(_ name: String, _ title: String, _ domain: Domain, standard: JSONValue?, help: String) {
    self.name = name
    self.title = title
    self.help = help
    self.domain = domain
    self.standard = standard
  }

  var isPath: Bool { if case .path = domain { true } else { false } }

  private var option: String { "--" + name.replacingOccurrences(of: "_", with: "-") }

  func arguments(_ value: JSONValue) -> [String] {
    if domain == .flag { return value.bool == true ? [option] : [] }
    return ["\(option)=\(value.plainText)"]
  }

  /// Text of a form as the value that it stands for; as it is where it stands for none.
  func value(typed text: String) -> JSONValue {
    let text = text.trimmingCharacters(in: .whitespaces)
    let value: JSONValue? =
      switch domain {
      case .integer: Int64(text).map(JSONValue.integer)
      case .number: Double(text).map(JSONValue.number)
      case .choice, .path: nil
      case .flag: ["true": true, "on": true, "false": false, "off": false][text].map(JSONValue.bool)
      case .integers:
        .array(
          text.components(separatedBy: ",").map { part in
            Int64(part.trimmingCharacters(in: .whitespaces)).map(JSONValue.integer) ?? .string(part)
          })
      }
    return value ?? .string(text)
  }

  /// A value, checked; lists as they are typed.
  /// - Throws: ``ParameterProblem``.
  func checked(_ given: JSONValue) throws(ParameterProblem) -> JSONValue {
    switch domain {
    case .integer(let range):
      guard let number = given.integer else { throw problem(given, "a whole number") }
      guard range.contains(number) else {
        throw problem(given, "a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return .integer(number)
    case .number(let range):
      guard let number = given.number, number.isFinite else { throw problem(given, "a number") }
      guard range.contains(number) else {
        throw problem(given, "a number from \(range.lowerBound.plainText) to \(range.upperBound.plainText)")
      }
      return .number(number)
    case .choice(let choices):
      guard let text = given.string, choices.contains(text) else {
        throw problem(given, "one of \(choices.joined(separator: ", "))")
      }
      return given
    case .flag:
      guard given.bool != nil else { throw problem(given, "true or false") }
      return given
    case .integers(let range, let count):
      let numbers = given.array?.map(\.integer) ?? []
      guard !numbers.isEmpty, numbers.count <= count, numbers.allSatisfy({ $0.map(range.contains) ?? false }) else {
        throw problem(given, "up to \(count) whole numbers from \(range.lowerBound) to \(range.upperBound)")
      }
      return .string(given.plainText)
    case .path:
      guard given.string != nil else { throw problem(given, "a path in the data folder") }
      return given
    }
  }

  private func problem(_ given: JSONValue, _ expected: String) -> ParameterProblem {
    ParameterProblem(field: name, message: "\(title) is \"\(given.plainText.prefix(40))\"; expected \(expected)")
  }
}

/// What is wrong with one field of a request.
public struct ParameterProblem: Error, Sendable, Hashable, CustomStringConvertible {
  public let field: String
  public let message: String

  public init(field: String, message: String) {
    self.field = field
    self.message = message
  }

  public var description: String { message }
}

/// Everything that is wrong with a request, so that a person mends it in one go.
public struct RequestProblems: Error, Sendable, Hashable, CustomStringConvertible {
  public let problems: [ParameterProblem]
  /// Whether all else is right, but there is no data where it was said to be.
  public let isMissingData: Bool

  public init(_ problems: [ParameterProblem], isMissingData: Bool = false) {
    self.problems = problems
    self.isMissingData = isMissingData
  }

  public var description: String { problems.map(\.message).joined(separator: "; ") }
}

extension JSONValue {
  /// The value as one would type it.
  var plainText: String {
    switch self {
    case .string(let value): value
    case .number(let value): value.plainText
    case .array(let values): values.map(\.plainText).joined(separator: ",")
    default: text
    }
  }
}

extension Double {
  /// Without a fraction where there is none, and without an exponent: `1`, `0.0000001`.
  var plainText: String {
    Int64(exactly: self).map(String.init) ?? Decimal(string: "\(self)")?.description ?? "\(self)"
  }
}
