// Thresholds of labels: counted by hand, and against scikit-learn 1.9.1.

import Metrics
import Testing

@Suite("Thresholds")
struct LabelThresholdTests {
  @Test("decisions by probabilities are those of scikit-learn, with a threshold for each label")
  func decisions() {
    // f1_score(Y, P >= [0.5, 0.3, 0.6], zero_division=0): 0.8, 0.5 and 0 of the labels, 0.5454… micro, 0.4333… macro.
    let report = LabelReport(
      labels: ["a", "b", "c"], actual: [[0], [0, 1], [1], [2], []],
      probabilities: [
        0.9, 0.3, 0.1,
        0.5, 0.2, 0.7,
        0.6, 0.4, 0.2,
        0.1, 0.1, 0.59,
        0.4, 0.1, 0.0,
      ], thresholds: [0.5, 0.3, 0.6])
    #expect(report.counts[0] == BinaryCounts(truePositives: 2, falsePositives: 1, falseNegatives: 0))
    #expect(report.counts[1] == BinaryCounts(truePositives: 1, falsePositives: 1, falseNegatives: 1))
    #expect(report.counts[2] == BinaryCounts(truePositives: 0, falsePositives: 1, falseNegatives: 1))
    #expect(abs(report.micro.f1 - 6.0 / 11) < 1e-15)
    #expect(abs(report.macro.f1 - (0.8 + 0.5) / 3) < 1e-15)
  }

  @Test("the best threshold lies between the last probability worth accepting and the next")
  func best() {
    // Accepting 0.4 and above finds both of the label's samples and one other: F1 = 4/5. Above 0.6: 2/3. All: 4/7.
    let thresholds = LabelThresholds.tuned(
      actual: [[0], [], [0], [], []], probabilities: [0.6, 0.5, 0.4, 0.2, 0.1], labelCount: 1)
    #expect(abs(thresholds[0] - 0.3) < 1e-6)
  }

  @Test("a usual threshold that is as good as any stays, and so does that of a label without samples")
  func usual() {
    let probabilities: [Float] = [0.9, 0.8, 0.8, 0.1, 0.1, 0.9]
    // The second label is best found by accepting all: F1 = 4/5 from 0.1 on, 2/3 from 0.9 on.
    #expect(
      LabelThresholds.tuned(actual: [[0], [0, 1], [1]], probabilities: probabilities, labelCount: 2) == [0.5, 0.05])
    #expect(
      LabelThresholds.tuned(actual: [[], [], []], probabilities: probabilities, labelCount: 2, usual: 0.3) == [
        0.3, 0.3,
      ])
  }

  @Test("equal probabilities stand or fall together")
  func ties() {
    // Taking one of the 0.7 alone is impossible: both or none. Both: F1 = 2/3.
    let thresholds = LabelThresholds.tuned(actual: [[0], [], []], probabilities: [0.7, 0.7, 0.2], labelCount: 1)
    #expect(thresholds == [0.5])
    #expect(
      LabelReport(
        labels: ["a"], actual: [[0], [], []], probabilities: [0.7, 0.7, 0.2], thresholds: thresholds
      ).micro.f1 == 2.0 / 3)
  }
}
