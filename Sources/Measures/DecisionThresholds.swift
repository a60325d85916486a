// From which probability on a label is taken as given: one threshold for all labels, or one for each, tuned.

/// A threshold for each label. A sample has a label where the label's probability is at least its threshold.
///
/// ```swift
/// let thresholds = DecisionThresholds(tunedOn: probabilities, actual: labelSets, labelCount: 28)
/// let decided = thresholds.decisions(probabilities)
/// ```
public struct DecisionThresholds: Sendable, Hashable {
  public var values: [Double]

  public init(_ values: [Double]) { self.values = values }

  /// One threshold for all labels.
  public init(_ value: Double, labelCount: Int) { values = Array(repeating: value, count: labelCount) }

  /// A label with fewer positives takes the common threshold: its own would be the chance of a few samples.
  public static let fewestPositives = 10

  /// For each label the threshold of the highest F1 on some samples, half-way to the next lower probability there; labels
  /// with fewer than `fewestPositives` take the threshold of the highest micro F1 over all labels.
  ///
  /// Measured on the same samples these thresholds look better than they are; see `crossFitted`.
  ///
  /// - Parameters:
  ///   - probabilities: `[samples, labels]`, row by row.
  ///   - actual: for each sample its labels.
  public init(tunedOn probabilities: [Float], actual: [Set<Int>], labelCount: Int) {
    precondition(probabilities.count == actual.count * labelCount, "a probability for each sample and label")
    var decisions: [[(probability: Float, isActual: Bool)]] = (0..<labelCount).map { label in
      actual.indices.map { (probabilities[$0 * labelCount + label], actual[$0].contains(label)) }
    }
    let common = Self.best(decisions.flatMap(\.self)) ?? 0.5
    values = decisions.indices.map { label in
      let own = decisions[label]
      decisions[label] = []
      guard own.count(where: \.isActual) >= Self.fewestPositives else { return common }
      return Self.best(own) ?? common
    }
  }

  /// The threshold of the highest F1; nil where nothing is positive.
  private static func best(_ decisions: [(probability: Float, isActual: Bool)]) -> Double? {
    let positives = decisions.count(where: \.isActual)
    guard positives > 0 else { return nil }
    let sorted = decisions.sorted { $0.probability > $1.probability }
    var (found, best, threshold) = (0, 0.0, 0.5)
    for (place, decision) in sorted.enumerated() {
      if decision.isActual { found += 1 }
      let next = place + 1 < sorted.count ? sorted[place + 1].probability : 0
      // Equal probabilities are decided alike.
      guard next < decision.probability else { continue }
      let f1 = 2 * Double(found) / Double(place + 1 + positives)
      if f1 > best { (best, threshold) = (f1, (Double(decision.probability) + Double(next)) / 2) }
    }
    return threshold
  }

  /// For each sample the labels that it is taken to have.
  /// - Parameter probabilities: `[samples, labels]`, row by row.
  public func decisions(_ probabilities: [Float]) -> [Set<Int>] {
    let count = values.count
    return stride(from: 0, to: probabilities.count, by: max(count, 1)).map { start in
      Set((0..<count).filter { Double(probabilities[start + $0]) >= values[$0] })
    }
  }

  /// What tuned thresholds decide of samples that they were not tuned on: each fifth of the samples is decided by
  /// thresholds tuned on the other four (samples 0, 5, 10, … are the first fifth).
  public static func crossFitted(_ probabilities: [Float], actual: [Set<Int>], labelCount: Int) -> [Set<Int>] {
    let folds = min(5, actual.count)
    guard folds > 1 else {
      return DecisionThresholds(0.5, labelCount: labelCount).decisions(probabilities)
    }
    var decided = [Set<Int>](repeating: [], count: actual.count)
    for fold in 0..<folds {
      let others = actual.indices.filter { $0 % folds != fold }
      let thresholds = DecisionThresholds(
        tunedOn: others.flatMap { probabilities[$0 * labelCount..<($0 + 1) * labelCount] },
        actual: others.map { actual[$0] }, labelCount: labelCount)
      for sample in stride(from: fold, to: actual.count, by: folds) {
        decided[sample] =
          thresholds.decisions(
            Array(probabilities[sample * labelCount..<(sample + 1) * labelCount]))[0]
      }
    }
    return decided
  }
}
