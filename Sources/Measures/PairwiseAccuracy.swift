// How well differences of scores agree with people's preferences.

/// The agreement of score differences with preferences, over pairs seen one by one.
///
/// A preference `y` is 1 (A is better), -1 (B is better) or 0 (a tie); `d` is `score_a - score_b`.
public struct PairwiseAgreement: Sendable, Hashable, Codable {
  /// A pair counts as predicted equal where `|d|` is at most this.
  public let tieBand: Double
  /// True labels against predicted ones, in the order B preferred, equal, A preferred.
  public private(set) var confusion = ConfusionMatrix(labels: ["B preferred", "equal", "A preferred"])
  private var halvesRight = 0
  private var decided = 0

  /// - Parameter tieBand: half of the margin is the natural choice for a ranker trained with a margin `m`: the loss
  ///   pulls ties to 0 and pushes the others to `±m`, and `m/2` lies between.
  public init(tieBand: Double = 0) { self.tieBand = tieBand }

  /// Counts one pair.
  /// - Precondition: `label` is -1, 0 or 1.
  public mutating func add(difference: Double, label: Int) {
    let predicted = difference.magnitude <= tieBand ? 0 : difference > 0 ? 1 : -1
    confusion.add(actual: label + 1, predicted: predicted + 1)
    guard label != 0 else { return }
    decided += 1
    if difference == 0 { halvesRight += 1 } else if (difference > 0) == (label > 0) { halvesRight += 2 }
  }

  /// Counts pairs.
  /// - Precondition: as many labels as differences.
  public mutating func add(differences: [Float], labels: [Int]) {
    precondition(differences.count == labels.count, "\(differences.count) differences for \(labels.count) labels")
    for (difference, label) in zip(differences, labels) { add(difference: Double(difference), label: label) }
  }

  /// Pairs with a winner.
  public var decidedCount: Int { decided }

  /// The share of the pairs with a winner that are ordered rightly, `y · d > 0`. Equal scores (`d = 0`) count half,
  /// as in the area under the ROC curve, so that a ranker that knows nothing has 0.5. Ties among the labels have no
  /// right order and do not count; the tie band plays no part. Nil where no pair has a winner.
  public var accuracy: Double? { decided > 0 ? Double(halvesRight) / Double(2 * decided) : nil }

  /// The share of all pairs whose label, ties among them, is the predicted one under the tie band.
  public var labelAccuracy: Double? { confusion.accuracy }
}
