// From probabilities of labels to decisions: where each label's threshold lies.

/// The probability from which on a label is said to hold, for each label.
///
/// A model that has learnt from few samples of a label gives it low probabilities and still orders the samples well; a
/// threshold of its own, chosen where the F1 on held-out samples is highest, makes up for that.
public enum LabelThresholds {
  /// For each label the threshold with the highest F1 on these samples.
  ///
  /// Of equally good ones it is the one nearest to `usual`. Between the lowest probability that is to be accepted and the
  /// next lower one it lies in the middle.
  ///
  /// - Parameters:
  ///   - actual: for each sample the places of its labels.
  ///   - probabilities: `[samples, labels]`, row by row.
  ///   - labelCount: how many labels there are.
  ///   - usual: the threshold of a label that no sample or every sample has, as there is nothing to choose by.
  /// - Precondition: `actual.count * labelCount` finite probabilities.
  public static func tuned(
    actual: [[Int]], probabilities: [Float], labelCount: Int, usual: Float = 0.5
  ) -> [Float] {
    precondition(
      probabilities.count == actual.count * labelCount,
      "\(probabilities.count) probabilities for \(actual.count) samples of \(labelCount) labels")
    var samplesOfLabel = [[Int]](repeating: [], count: labelCount)
    for (sample, labels) in actual.enumerated() { for label in labels { samplesOfLabel[label].append(sample) } }
    return (0..<labelCount).map { label in
      var has = [Bool](repeating: false, count: actual.count)
      for sample in samplesOfLabel[label] { has[sample] = true }
      return best(
        has.indices.map { (probabilities[$0 * labelCount + label], has[$0]) },
        positives: samplesOfLabel[label].count, usual: usual)
    }
  }

  private static func best(_ decisions: [(probability: Float, holds: Bool)], positives: Int, usual: Float) -> Float {
    guard positives > 0, positives < decisions.count else { return usual }
    let descending = decisions.sorted { $0.probability > $1.probability }
    var best = (f1: -1.0, threshold: usual)
    var found = 0
    for (index, decision) in descending.enumerated() {
      if decision.holds { found += 1 }
      let lowest = decision.probability
      let next = index + 1 < descending.count ? descending[index + 1].probability : 0
      // Equal probabilities stand or fall together.
      guard next < lowest || index + 1 == descending.count else { continue }
      let f1 = 2 * Double(found) / Double(index + 1 + positives)
      let threshold = threshold(accepting: lowest, above: next, usual: usual)
      if f1 > best.f1 || f1 == best.f1 && abs(threshold - usual) < abs(best.threshold - usual) {
        best = (f1, threshold)
      }
    }
    return best.threshold
  }

  private static func threshold(accepting lowest: Float, above next: Float, usual: Float) -> Float {
    if usual > next, usual <= lowest { return usual }
    let middle = next + (lowest - next) / 2
    return middle > next ? middle : lowest
  }
}

extension LabelReport {
  /// Counts decisions by probabilities: a label is predicted where its probability is at least its threshold.
  ///
  /// - Parameters:
  ///   - actual: for each sample the places of its labels.
  ///   - probabilities: `[samples, labels]`, row by row.
  ///   - thresholds: one a label.
  /// - Precondition: the sizes fit.
  public init(labels: [String], actual: [[Int]], probabilities: [Float], thresholds: [Float]) {
    precondition(
      probabilities.count == actual.count * labels.count && thresholds.count == labels.count,
      "\(probabilities.count) probabilities and \(thresholds.count) thresholds for \(actual.count) samples of "
        + "\(labels.count) labels")
    var counts = [BinaryCounts](repeating: BinaryCounts(), count: labels.count)
    for (sample, truth) in actual.enumerated() {
      var holds = [Bool](repeating: false, count: labels.count)
      for label in truth { holds[label] = true }
      for label in labels.indices {
        counts[label].add(
          actual: holds[label], predicted: probabilities[sample * labels.count + label] >= thresholds[label])
      }
    }
    self.init(labels: labels, counts: counts)
  }
}
