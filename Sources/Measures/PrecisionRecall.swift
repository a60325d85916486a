// Precision, recall and F1: of one label, averaged over labels, and over the first k of a list.

/// Decisions about one label: found rightly, found wrongly, missed.
public struct BinaryCounts: Sendable, Hashable, Codable {
  public var truePositives: Int
  public var falsePositives: Int
  public var falseNegatives: Int

  public init(truePositives: Int = 0, falsePositives: Int = 0, falseNegatives: Int = 0) {
    self.truePositives = truePositives
    self.falsePositives = falsePositives
    self.falseNegatives = falseNegatives
  }

  /// Samples that have the label.
  public var support: Int { truePositives + falseNegatives }

  /// `tp / (tp + fp)`; 0 where nothing was predicted (as scikit-learn's `zero_division=0`).
  public var precision: Double { ratio(truePositives, truePositives + falsePositives) }

  /// `tp / (tp + fn)`; 0 where no sample has the label.
  public var recall: Double { ratio(truePositives, support) }

  /// The harmonic mean of precision and recall: `2tp / (2tp + fp + fn)`; 0 where the denominator is.
  public var f1: Double { ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives) }

  /// Counts one decision.
  public mutating func add(actual: Bool, predicted: Bool) {
    switch (actual, predicted) {
    case (true, true): truePositives += 1
    case (false, true): falsePositives += 1
    case (true, false): falseNegatives += 1
    case (false, false): break
    }
  }

  public static func + (a: BinaryCounts, b: BinaryCounts) -> BinaryCounts {
    BinaryCounts(
      truePositives: a.truePositives + b.truePositives, falsePositives: a.falsePositives + b.falsePositives,
      falseNegatives: a.falseNegatives + b.falseNegatives)
  }
}

private func ratio(_ part: Int, _ whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }

/// Precision, recall and F1 as one triple.
public struct PrecisionRecall: Sendable, Hashable, Codable {
  public var precision: Double
  public var recall: Double
  public var f1: Double

  public init(precision: Double, recall: Double, f1: Double) {
    self.precision = precision
    self.recall = recall
    self.f1 = f1
  }

  public init(_ counts: BinaryCounts) {
    self.init(precision: counts.precision, recall: counts.recall, f1: counts.f1)
  }
}

/// Precision, recall and F1 per label and averaged in the three usual ways (scikit-learn's `classification_report`).
public struct LabelReport: Sendable, Hashable, Codable {
  public let labels: [String]
  public let counts: [BinaryCounts]

  /// - Precondition: as many counts as labels.
  public init(labels: [String], counts: [BinaryCounts]) {
    precondition(labels.count == counts.count, "\(counts.count) counts for \(labels.count) labels")
    self.labels = labels
    self.counts = counts
  }

  /// Counts the labels of samples that may have several each.
  /// - Precondition: the two have as many samples; every label is an index into `labels`.
  public init(labels: [String], actual: [Set<Int>], predicted: [Set<Int>]) {
    precondition(actual.count == predicted.count, "\(actual.count) samples and \(predicted.count) predictions")
    var counts = [BinaryCounts](repeating: BinaryCounts(), count: labels.count)
    for (truth, guess) in zip(actual, predicted) {
      for label in truth.union(guess) {
        counts[label].add(actual: truth.contains(label), predicted: guess.contains(label))
      }
    }
    self.init(labels: labels, counts: counts)
  }

  /// Each label's own.
  public var perLabel: [PrecisionRecall] { counts.map(PrecisionRecall.init) }

  /// Of the counts summed over the labels: every decision weighs the same.
  public var micro: PrecisionRecall { PrecisionRecall(counts.reduce(BinaryCounts(), +)) }

  /// The mean over the labels: every label weighs the same.
  public var macro: PrecisionRecall { mean { _ in 1 } }

  /// The mean over the labels weighted by how many samples have each.
  public var weighted: PrecisionRecall { mean { Double($0.support) } }

  private func mean(weight: (BinaryCounts) -> Double) -> PrecisionRecall {
    let total = counts.reduce(0) { $0 + weight($1) }
    func mean(_ value: (BinaryCounts) -> Double) -> Double {
      total > 0 ? counts.reduce(0) { $0 + weight($1) * value($1) } / total : 0
    }
    return PrecisionRecall(
      precision: mean { $0.precision }, recall: mean { $0.recall }, f1: mean { $0.f1 })
  }
}
