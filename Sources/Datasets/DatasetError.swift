// What can be wrong with a data file, told so that a person can mend it.

/// A line (or, in a JSON array, an element) that can't be used.
public struct LineProblem: Error, Sendable, Hashable, CustomStringConvertible {
  /// Counted from 1: the line on which the record begins.
  public let line: Int
  public let message: String

  public init(line: Int, message: String) {
    self.line = line
    self.message = message
  }

  public var description: String { "line \(line): \(message)" }
}

/// The lines that a reader left out: how many, and the first of them.
public struct SkippedLines: Sendable, Hashable {
  public internal(set) var count = 0
  public internal(set) var examples: [LineProblem] = []

  public init() {}

  /// Counts a line that is left out; of the examples, which stay in the order of their lines, the first `limit` are kept.
  public mutating func add(_ problem: LineProblem, keeping limit: Int) {
    count += 1
    var place = examples.count
    while place > 0, examples[place - 1].line > problem.line { place -= 1 }
    guard place < limit else { return }
    examples.insert(problem, at: place)
    if examples.count > limit { examples.removeLast() }
  }
}

/// Why a data file can't be read.
public enum DatasetError: Error, Sendable, Hashable {
  /// The file can't be opened or read; `reason` is the system's.
  case unreadable(path: String, reason: String)
  case isDirectory(path: String)
  case empty(path: String)
  /// The file is something else than JSON text: compressed, UTF-16, Parquet.
  case notJSON(path: String, found: String, advice: String)
  /// The file is not in a form that can be read as asked for; `problem` goes on behind the path.
  case badForm(path: String, problem: String)
  /// A line that can't be used, where that is fatal: with `strict`, and always for numbers that are not finite.
  case badLine(path: String, problem: LineProblem)
  /// Every record was left out.
  case nothingUsable(path: String, expected: String, skipped: SkippedLines)
}

extension DatasetError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): return "can't read \(path): \(reason); check the path"
    case .isDirectory(let path): return "\(path) is a directory; a file of JSON lines was expected"
    case .empty(let path): return "\(path) is empty; one JSON object a line was expected"
    case .notJSON(let path, let found, let advice): return "\(path) is \(found), not JSON text; \(advice)"
    case .badForm(let path, let problem): return "\(path) \(problem)"
    case .badLine(let path, let problem): return "\(path), \(problem)"
    case .nothingUsable(let path, let expected, let skipped):
      var text = "\(path) holds no usable \(expected): "
      text += skipped.count == 1 ? "its only line was left out" : "all \(skipped.count) lines were left out"
      for problem in skipped.examples.prefix(3) { text += "\n  \(problem)" }
      return text
    }
  }
}
