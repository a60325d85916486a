// How well a classifier does on some samples.

import Measures

/// Precision, recall and F1 of a classifier's decisions: over all decisions, over labels, and of each label.
public struct ClassificationMeasures: Sendable, Hashable, Codable {
  public var samples: Int
  /// The mean binary cross-entropy over samples and labels, unweighted.
  public var loss: Double
  /// Of the decisions about all labels together: every decision weighs the same.
  public var micro: PrecisionRecall
  /// The mean over the labels: every label weighs the same.
  public var macro: PrecisionRecall
  public var labels: [Label]

  /// What is measured of one label.
  public struct Label: Sendable, Hashable, Codable {
    public var label: String
    /// Samples that have it.
    public var support: Int
    public var precision: Double
    public var recall: Double
    public var f1: Double
    /// From which probability on the label was taken as given; nil where each fifth of the samples had another.
    public var threshold: Double?
  }

  init(report: LabelReport, samples: Int, loss: Double, thresholds: DecisionThresholds?) {
    self.samples = samples
    self.loss = loss
    micro = report.micro
    macro = report.macro
    labels = report.labels.indices.map { index in
      let counts = report.counts[index]
      return Label(
        label: report.labels[index], support: counts.support, precision: counts.precision, recall: counts.recall,
        f1: counts.f1, threshold: thresholds?.values[index])
    }
  }
}
