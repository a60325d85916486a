// What a training of a recommender holds out, and how well a model finds it.

/// The part of the data that trains, the cases that test, and how many places count.
public struct HeldOutEvaluation: Sendable {
  /// Where the cases come from.
  public enum Source: String, Sendable, Hashable, Codable {
    /// Nothing is held out.
    case none
    /// The latest item of each user, among 99 that the user has nothing to do with (He et al. 2017).
    case leaveOneOut = "leave_one_out"
    /// The cases that came with the data.
    case heldOutTest = "held_out_test"
    /// What users newly turned to in a clickstream's last days, among all items that they had not seen.
    case lastDays = "last_days"
  }

  public let source: Source
  /// What is trained on.
  public let training: Interactions
  public let cases: [HeldOutCase]
  /// Places that count: 10; 40 for a clickstream.
  public let k: Int

  /// Items that a left-out one is ranked against.
  public static let negatives = 99

  /// - Parameters:
  ///   - leavesOneOut: sets the latest item of each user aside, whatever else the data holds out.
  ///   - seed: draws the 99 items; the same for all models that are to be compared.
  public init(_ data: InteractionDataset, leavesOneOut: Bool, seed: UInt64) {
    if leavesOneOut {
      // What the data holds out is as unknown to the training as what is left out here.
      let (training, heldOut) = data.interactions.leavingOneOut()
      source = .leaveOneOut
      self.training = training
      cases = NegativeSampler(data.interactions.adding(data.heldOut))
        .candidates(for: heldOut, negatives: Self.negatives, seed: seed)
      k = 10
    } else {
      training = data.interactions
      cases = data.heldOut
      source = data.heldOut.isEmpty ? .none : data.format == .clickstream ? .lastDays : .heldOutTest
      k = data.format == .clickstream ? 40 : 10
    }
  }

  /// The measure that one would tell first.
  public var headlineName: String { source == .lastDays ? "recall@\(k)" : "ndcg@\(k)" }

  /// The measures by the names that metadata and history give them.
  public static func named(_ measures: RecommendationMeasures) -> [String: Double] {
    let k = measures.k
    return [
      "ndcg@\(k)": measures.ndcg, "hit_rate@\(k)": measures.hitRate, "recall@\(k)": measures.recall,
      "precision@\(k)": measures.precision, "f1@\(k)": measures.f1,
    ]
  }
}
