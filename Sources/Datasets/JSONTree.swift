// A JSON file small enough to be held whole, as a tree of values: configurations, lexicons.

import Glibc

/// A JSON value, as its text has it.
public indirect enum JSONTree: Sendable, Hashable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONTree])
  /// In the order of the text, repeated keys included: whoever reads them can say so.
  case object([JSONField])

  /// Reads a file as one JSON value.
  ///
  /// - Parameter maximumLength: of the text in bytes; a parser takes about fourteen times as much.
  /// - Throws: where the file can't be read, is longer, or is not JSON.
  public init(path: String, maximumLength: Int = 64 << 20) throws(DatasetError) {
    let bytes = try Self.bytes(path: path, maximumLength: maximumLength)
    let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    guard content.contains(where: { !$0.isJSONWhitespace }) else {
      throw .badForm(path: path, problem: "is empty; a JSON object was expected")
    }
    let parser = JSONParser(maximumLength: maximumLength)
    let result: Result<JSONTree, RecordProblem> = content.withUnsafeBytes { text in
      do throws(JSONFailure) {
        return .success(JSONTree(try parser.parse(text)))
      } catch {
        return .failure(error.problem(in: text, maximumLength: maximumLength))
      }
    }
    switch result {
    case .success(let tree): self = tree
    case .failure(let problem): throw .badForm(path: path, problem: "can't be read as JSON: \(problem.message)")
    }
  }

  /// What the value is, in a message: `a string`, `null`.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "true or false"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  private init(_ value: JSONValue) {
    switch value.kind {
    case .null: self = .null
    case .bool: self = .bool(value.bool ?? false)
    case .number: self = .number(value.double ?? .nan)
    case .string: self = .string(value.string ?? "")
    case .array: self = .array(value.elements.map(JSONTree.init))
    case .object: self = .object(value.fields.map { JSONField(key: $0.key.description, value: JSONTree($0.value)) })
    }
  }

  private static func bytes(path: String, maximumLength: Int) throws(DatasetError) -> [UInt8] {
    func unreadable() -> DatasetError { .unreadable(path: path, reason: SystemError(code: errno).description) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable() }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable() }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw .badForm(path: path, problem: "is a directory; a JSON file was expected")
    }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &block, block.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable() }
      if count == 0 { return bytes }
      bytes += block[..<count]
      guard bytes.count <= maximumLength else {
        throw .badForm(path: path, problem: "is longer than \(maximumLength) bytes, too long to be read as a whole")
      }
    }
  }
}

/// A field of a JSON object.
public struct JSONField: Sendable, Hashable {
  public var key: String
  public var value: JSONTree

  public init(key: String, value: JSONTree) {
    self.key = key
    self.value = value
  }
}
