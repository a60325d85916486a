// Measures of labels, against scikit-learn 1.9.1.

import Measures
import Testing

@Suite("Labels")
struct LabelReportTests {
  // precision_recall_fscore_support of these five samples of four labels, zero_division=0.
  private let report = LabelReport(
    labels: ["a", "b", "c", "d"], actual: [[0, 2], [1], [0, 1], [2], [0]], predicted: [[0], [1, 2], [0], [2], [1]])

  private func expect(_ value: PrecisionRecall, _ precision: Double, _ recall: Double, _ f1: Double) {
    #expect(abs(value.precision - precision) < 1e-15)
    #expect(abs(value.recall - recall) < 1e-15)
    #expect(abs(value.f1 - f1) < 1e-15)
  }

  @Test("per label agree with scikit-learn, a label that never occurs included")
  func perLabel() {
    expect(report.perLabel[0], 1, 2.0 / 3, 0.8)
    expect(report.perLabel[1], 0.5, 0.5, 0.5)
    expect(report.perLabel[2], 0.5, 0.5, 0.5)
    expect(report.perLabel[3], 0, 0, 0)
    #expect(report.counts.map(\.support) == [3, 2, 2, 0])
  }

  @Test("micro, macro and weighted averages agree with scikit-learn")
  func averages() {
    expect(report.micro, 2.0 / 3, 0.5714285714285714, 0.6153846153846154)
    expect(report.macro, 0.5, 0.41666666666666663, 0.45)
    expect(report.weighted, 0.7142857142857143, 0.5714285714285714, 0.6285714285714287)
  }

  @Test("a confusion matrix gives each class's counts against the others")
  func confusion() {
    var matrix = ConfusionMatrix(labels: ["cat", "dog", "fox"])
    for (actual, predicted) in [(0, 0), (0, 1), (1, 1), (1, 1), (2, 0), (2, 1)] {
      matrix.add(actual: actual, predicted: predicted)
    }
    #expect(matrix.counts == [[1, 1, 0], [0, 2, 0], [1, 1, 0]])
    #expect(matrix.accuracy == 0.5)
    #expect(matrix.counts(of: 1) == BinaryCounts(truePositives: 2, falsePositives: 2, falseNegatives: 0))
    #expect(matrix.report.micro.f1 == 0.5)
    #expect(ConfusionMatrix(labels: ["a"]).accuracy == nil)
  }
}
