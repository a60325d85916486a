// Verification results as text, JSON and a file.

import Files
import Foundation

extension [PathResult] {
  /// The worst of the verdicts.
  public var verdict: PathResult.Verdict { map(\.verdict).max() ?? .matched }

  /// A report of every path for people.
  public func text() -> String {
    var lines: [String] = []
    for result in self {
      if let failure = result.failure { lines.append("✗ \(result.path): not verified\n    \(failure)") }
      for report in result.reports { lines += report.lines }
    }
    if count > 1 {
      let matched = filter { $0.verdict == .matched }.count
      let failed = filter { $0.verdict == .failed }.count
      lines.append(
        "\(matched) of \(count) paths match; \(count - matched - failed) do not, \(failed) could not be verified")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The results as JSON; numbers that JSON does not have are the strings `inf`, `-inf` and `nan`.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(map(Record.init)), as: UTF8.self)
  }

  /// Writes the results to a file as JSON, all or nothing.
  /// - Throws: `FileError` where the file can't be written.
  public func write(to path: String) throws {
    let text = try json()
    try AtomicFile.write(to: path) { try $0.write(text) }
  }

  private struct Record: Encodable {
    let path: String
    let verdict: String
    let failure: String?
    let unsupported: Bool
    let reports: [VerificationReport]

    init(_ result: PathResult) {
      path = result.path
      verdict = "\(result.verdict)"
      failure = result.failure
      unsupported = result.isUnsupported
      reports = result.reports
    }
  }
}

extension VerificationReport {
  /// The report for a terminal: a verdict, what is wrong, and the largest differences of each output.
  fileprivate var lines: [String] {
    var lines = ["\(passed ? "✓" : "✗") \(subject): \(passed ? "matches" : "does not match") (\(sampleCount) samples)"]
    for check in checks where !check.passed { lines.append("    ✗ \(check.name): \(check.detail)") }
    // The outputs below tell of samples that match.
    func isOfSample(_ check: Check) -> Bool {
      check.name.hasPrefix("sample '") || check.name.hasPrefix("recorded outputs")
    }
    for check in checks where check.passed && !isOfSample(check) {
      lines.append("    ✓ \(check.name): \(check.detail)")
    }
    for output in outputs {
      func extreme(_ name: String, _ value: OutputDifference.Extreme?, digits: Int = 3) -> String {
        guard let value else { return "" }
        let place = value.index.map(String.init).joined(separator: ", ")
        return "  \(name) \(String(format: "%.\(digits)g", value.value)) at [\(place)]"
      }
      lines.append(
        "    \(output.matches ? "✓" : "✗") \(output.name): largest difference"
          + extreme("absolute", output.largestAbsolute) + extreme("relative", output.largestRelative)
          + extreme("ULP", output.largestULP))
    }
    return lines
  }
}
