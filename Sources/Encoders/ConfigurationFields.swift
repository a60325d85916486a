// The fields of a config.json, each asked for by name and type.

import Foundation

/// A value of a JSON file.
enum JSONValue: Codable, Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? value.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([JSONValue].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: JSONValue].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .null: try value.encodeNil()
    case .bool(let bool): try value.encode(bool)
    case .integer(let integer): try value.encode(integer)
    case .number(let number): try value.encode(number)
    case .text(let text): try value.encode(text)
    case .list(let list): try value.encode(list)
    case .object(let object): try value.encode(object)
    }
  }

  /// As messages show it.
  var told: String {
    switch self {
    case .null: "null"
    case .bool(let bool): "\(bool)"
    case .integer(let integer): "\(integer)"
    case .number(let number): "\(number)"
    case .text(let text): "\"\(text)\""
    case .list(let list): "a list of \(list.count)"
    case .object(let object): "an object of \(object.count) fields"
    }
  }
}

/// The top-level fields of a configuration file.
struct ConfigurationFields {
  let path: String
  let values: [String: JSONValue]

  init(values: [String: JSONValue], path: String) {
    self.path = path
    self.values = values
  }

  /// - Throws: `EncoderError.invalidConfiguration` where the text is no JSON object.
  init(json: Data, path: String) throws(EncoderError) {
    self.path = path
    do { values = try JSONDecoder().decode([String: JSONValue].self, from: json) } catch {
      throw .invalidConfiguration(path: path, problem: "is no JSON object")
    }
  }

  /// The field, unless it is absent or null.
  subscript(name: String) -> JSONValue? { values[name].flatMap { $0 == .null ? nil : $0 } }

  func failure(_ name: String, expected: String) -> EncoderError {
    let found = values[name].map { "is \($0.told)" } ?? "is missing"
    return .invalidConfiguration(path: path, problem: "'\(name)' \(found); expected \(expected)")
  }

  func text(_ name: String, default value: String? = nil) throws(EncoderError) -> String {
    if self[name] == nil, let value { return value }
    guard case .text(let text)? = self[name] else { throw failure(name, expected: "a text") }
    return text
  }

  func flag(_ name: String) throws(EncoderError) -> Bool {
    switch self[name] {
    case nil: return false
    case .bool(let flag)?: return flag
    default: throw failure(name, expected: "true or false")
    }
  }

  func integer(_ name: String, default value: Int? = nil, in range: ClosedRange<Int>) throws(EncoderError) -> Int {
    if self[name] == nil, let value { return value }
    guard case .integer(let integer)? = self[name], range.contains(integer) else {
      throw failure(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  func number(_ name: String) throws(EncoderError) -> Double? {
    switch self[name] {
    case nil: return nil
    case .number(let number)?: return number
    case .integer(let integer)?: return Double(integer)
    default: throw failure(name, expected: "a number")
    }
  }

  /// A probability of dropout.
  func probability(_ name: String, default value: Double) throws(EncoderError) -> Double {
    guard let number = try number(name) else { return value }
    guard number >= 0, number < 1 else { throw failure(name, expected: "a probability from 0 to below 1") }
    return number
  }
}
