// How often each true class was taken for which: the table behind most measures of a classifier.

/// Counts of (true class, predicted class).
public struct ConfusionMatrix: Sendable, Hashable, Codable {
  /// The classes' names, in the order of rows and columns.
  public let labels: [String]
  /// `counts[i][j]`: samples of true class `i` that were predicted as `j`.
  public private(set) var counts: [[Int]]

  /// A table of zeros.
  public init(labels: [String]) {
    self.labels = labels
    counts = Array(repeating: Array(repeating: 0, count: labels.count), count: labels.count)
  }

  /// Counts one sample.
  public mutating func add(actual: Int, predicted: Int) { counts[actual][predicted] += 1 }

  /// The number of samples.
  public var total: Int { counts.reduce(0) { $0 + $1.reduce(0, +) } }

  /// The share of samples whose class was predicted: `Σ counts[i][i] / total`; nil without samples.
  public var accuracy: Double? {
    total > 0 ? Double(labels.indices.reduce(0) { $0 + counts[$1][$1] }) / Double(total) : nil
  }

  /// The counts of a class against all others.
  public func counts(of label: Int) -> BinaryCounts {
    let hits = counts[label][label]
    return BinaryCounts(
      truePositives: hits, falsePositives: counts.reduce(0) { $0 + $1[label] } - hits,
      falseNegatives: counts[label].reduce(0, +) - hits)
  }

  /// Precision, recall and F1 of each class, and their averages.
  public var report: LabelReport { LabelReport(labels: labels, counts: labels.indices.map { counts(of: $0) }) }
}
