// What is wrong with a data file, what is odd about it, and where: for people, and for programs.

/// What a look at a whole file found.
public struct ValidationReport: Sendable, Hashable, Codable {
  /// How much a finding matters.
  public enum Severity: String, Sendable, Hashable, Codable {
    /// Something can't be used.
    case problem
    /// All can be used, but maybe not as meant.
    case warning
    /// Worth knowing.
    case note
  }

  /// One thing that was found, once or many times.
  public struct Finding: Sendable, Hashable, Codable {
    public let severity: Severity
    public let message: String
    /// How often it was found.
    public let count: Int
    /// The lines of the first ones, where it is about lines.
    public let lines: [Int]

    public init(_ severity: Severity, _ message: String, count: Int = 1, lines: [Int] = []) {
      self.severity = severity
      self.message = message
      self.count = count
      self.lines = lines
    }
  }

  public let path: String
  /// Records that can be used.
  public var usableRecords: Int
  /// Problems first, the most frequent ones before others.
  public private(set) var findings: [Finding]

  public init(path: String, usableRecords: Int, findings: [Finding]) {
    self.path = path
    self.usableRecords = usableRecords
    let order: [Severity] = [.problem, .warning, .note]
    self.findings = order.flatMap { severity in findings.filter { $0.severity == severity } }
  }

  /// Whether nothing was found that can't be used.
  public var isSound: Bool { !findings.contains { $0.severity == .problem } }

  /// Whether there is nothing to warn of either.
  public var isSpotless: Bool { findings.allSatisfy { $0.severity == .note } }

  /// The problems of lines, those with the same cause as one finding. `readOptions.keptProblems` bounds how many lines
  /// are told apart.
  public static func findings(of skipped: SkippedLines, shownLines: Int = 10) -> [Finding] {
    var order: [String] = []
    var groups: [String: (count: Int, lines: [Int], example: String)] = [:]
    for problem in skipped.examples {
      let cause = problem.message.withoutElementNumbers
      if groups[cause] == nil { order.append(cause) }
      var group = groups[cause] ?? (0, [], problem.message)
      group.count += 1
      if group.lines.count < shownLines { group.lines.append(problem.line) }
      groups[cause] = group
    }
    var findings = order.map { cause in
      let group = groups[cause]!
      return Finding(.problem, group.count == 1 ? group.example : cause, count: group.count, lines: group.lines)
    }.sorted { ($1.count, $0.lines.first ?? 0) < ($0.count, $1.lines.first ?? 0) }
    let untold = skipped.count - skipped.examples.count
    if untold > 0 { findings.append(Finding(.problem, "more lines that can't be used", count: untold)) }
    return findings
  }
}

extension String {
  /// `interactions[17]: "a"` and `interactions[18]: "a"` have the same cause: numbers in brackets become `[…]`.
  fileprivate var withoutElementNumbers: String {
    var text = ""
    var rest = self[...]
    while let open = rest.firstIndex(of: "[") {
      let behind = rest.index(after: open)
      let digits = rest[behind...].prefix { $0.isASCII && $0.isNumber }
      text += rest[..<behind]
      rest = rest[behind...]
      if !digits.isEmpty, digits.endIndex < rest.endIndex, rest[digits.endIndex] == "]" {
        text += "…"
        rest = rest[digits.endIndex...]
      }
    }
    return text + rest
  }
}
