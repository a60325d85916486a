// Which samples train and which validate, and what that means for each label.

import Datasets

/// Samples to train on and samples to validate on.
public struct ClassificationSplit: Sendable, Hashable {
  /// Places of samples, ascending.
  public let training: [Int]
  public let validation: [Int]
  /// Samples that are on neither side: variants of those that validate.
  public let leftOutCount: Int
  public let coverage: LabelCoverage
}

extension ClassificationDataset {
  /// With fewer samples a label can't be both learnt and measured.
  public static let fewSamples = 2

  /// Sets about `fraction` of the samples aside for validation, and about that share of each label's: `Split.stratified`.
  ///
  /// Samples of one text stay on one side. A sample that varies another (``ClassificationSample/variantOf``) can only
  /// train: where the other one validates, it is left out, so that validation sees nothing that was trained on.
  ///
  /// - Parameter fraction: from 0 (none) to below 1.
  /// - Throws: where no label has two samples to train on.
  public func split(validation fraction: Double, seed: UInt64) throws(ClassificationDataError) -> ClassificationSplit {
    let own = samples.indices.filter { samples[$0].variantOf == nil }
    let split = Split.stratified(
      labels: own.map { samples[$0].labels }, groups: own.map { groups[$0] }, labelCount: labels.count,
      fraction: fraction, seed: seed)
    let validation = split.validation.map { own[$0] }
    let validating = Set(validation.map { groups[$0] })
    let training = samples.indices.filter { !validating.contains(groups[$0]) }
    let coverage = LabelCoverage(
      labels: labels, training: Self.labelCounts(of: training.lazy.map { samples[$0] }, labelCount: labels.count),
      validation: Self.labelCounts(of: validation.lazy.map { samples[$0] }, labelCount: labels.count))
    try coverage.check(path: path)
    return ClassificationSplit(
      training: training, validation: validation,
      leftOutCount: samples.count - training.count - validation.count, coverage: coverage)
  }
}

/// How many samples each label has to be learnt from and to be measured by.
public struct LabelCoverage: Sendable, Hashable {
  public let labels: [String]
  public let training: [Int]
  public let validation: [Int]

  /// - Precondition: a count for each label on either side.
  public init(labels: [String], training: [Int], validation: [Int]) {
    precondition(training.count == labels.count && validation.count == labels.count)
    self.labels = labels
    self.training = training
    self.validation = validation
  }

  /// - Throws: where no label has enough samples to train on; `path` is named as where they were looked for.
  public func check(path: String) throws(ClassificationDataError) {
    let most = training.max() ?? 0
    guard most >= ClassificationDataset.fewSamples else {
      throw .noLearnableLabel(path: path, minimum: ClassificationDataset.fewSamples, most: most)
    }
  }

  /// Places of labels that samples validate and none trains.
  public var onlyInValidation: [Int] { labels.indices.filter { training[$0] == 0 && validation[$0] > 0 } }

  /// What a person should know before trusting measures of single labels.
  public var warnings: [String] {
    var warnings: [String] = []
    func list(_ places: [Int], _ text: (_ names: String, _ isOne: Bool) -> String) {
      guard !places.isEmpty else { return }
      let names = places.prefix(5).map { "\"\(labels[$0].shortened)\"" }.joined(separator: ", ")
      warnings.append(text(places.count > 5 ? "\(names) and \(places.count - 5) more" : names, places.count == 1))
    }
    list(onlyInValidation) { names, isOne in
      "only validation has \(names): the model can't learn \(isOne ? "it" : "them"), and its measures count "
        + "\(isOne ? "it" : "them") as missed"
    }
    list(labels.indices.filter { training[$0] == 0 && validation[$0] == 0 }) { names, isOne in
      "no sample has \(names): nothing can be learnt of \(isOne ? "it" : "them")"
    }
    list(labels.indices.filter { (1..<ClassificationDataset.fewSamples).contains(training[$0]) }) { names, isOne in
      "\(names) \(isOne ? "has" : "have") one sample to train on, too few to learn more than that text"
    }
    if validation.contains(where: { $0 > 0 }) {
      list(labels.indices.filter { training[$0] > 0 && validation[$0] == 0 }) { names, isOne in
        "no sample of \(names) validates: nothing tells how well \(isOne ? "it is" : "they are") found"
      }
    }
    return warnings
  }
}
