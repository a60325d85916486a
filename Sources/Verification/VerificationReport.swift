// What a verification found.

import Tensors

/// What a verification of one exported graph found: every check by name, and the differences of every output.
public struct VerificationReport: Sendable, Codable {
  /// One thing that was looked at.
  public struct Check: Sendable, Codable, Equatable {
    public var name: String
    public var passed: Bool
    /// What was compared, or what is wrong.
    public var detail: String

    public init(name: String, passed: Bool, detail: String) {
      self.name = name
      self.passed = passed
      self.detail = detail
    }
  }

  /// What was verified: a file or a directory.
  public var subject: String
  public var checks: [Check]
  /// For each output the largest differences over all samples.
  public var outputs: [OutputDifference]
  /// Samples that were run.
  public var sampleCount: Int
  public var tolerance: Tolerance

  public init(
    subject: String, checks: [Check] = [], outputs: [OutputDifference] = [], sampleCount: Int = 0,
    tolerance: Tolerance = Tolerance()
  ) {
    self.subject = subject
    self.checks = checks
    self.outputs = outputs
    self.sampleCount = sampleCount
    self.tolerance = tolerance
  }

  /// Whether everything that was looked at is as it should be.
  public var passed: Bool { checks.allSatisfy(\.passed) }

  /// The details of what is wrong, in the order in which it was looked at.
  public var failures: [String] { checks.filter { !$0.passed }.map { "\($0.name): \($0.detail)" } }

  /// Keeps, of each output, the largest differences seen so far.
  mutating func merge(_ found: [OutputDifference]) {
    for difference in found {
      guard let index = outputs.firstIndex(where: { $0.name == difference.name }) else {
        outputs.append(difference)
        continue
      }
      outputs[index].merge(difference)
    }
  }

  enum CodingKeys: String, CodingKey {
    case subject, passed, checks, outputs, tolerance
    case sampleCount = "samples"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    subject = try values.decode(String.self, forKey: .subject)
    checks = try values.decode([Check].self, forKey: .checks)
    outputs = try values.decode([OutputDifference].self, forKey: .outputs)
    tolerance = try values.decode(Tolerance.self, forKey: .tolerance)
    sampleCount = try values.decode(Int.self, forKey: .sampleCount)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(subject, forKey: .subject)
    try values.encode(passed, forKey: .passed)
    try values.encode(checks, forKey: .checks)
    try values.encode(outputs, forKey: .outputs)
    try values.encode(tolerance, forKey: .tolerance)
    try values.encode(sampleCount, forKey: .sampleCount)
  }
}

extension OutputDifference {
  fileprivate mutating func merge(_ other: OutputDifference) {
    func larger(_ a: Extreme?, _ b: Extreme?) -> Extreme? {
      guard let a, let b else { return a ?? b }
      return b.value > a.value ? b : a
    }
    count += other.count
    mismatches += other.mismatches
    problem = problem ?? other.problem
    largestAbsolute = larger(largestAbsolute, other.largestAbsolute)
    largestRelative = larger(largestRelative, other.largestRelative)
    largestULP = larger(largestULP, other.largestULP)
    worstMismatch = larger(worstMismatch, other.worstMismatch)
  }
}
