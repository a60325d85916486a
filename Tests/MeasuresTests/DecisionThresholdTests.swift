// Thresholds of decisions, worked by hand.

import Measures
import Testing

@Suite("Thresholds")
struct DecisionThresholdTests {
  @Test("the tuned threshold is the one of the highest F1, half-way to the next probability")
  func tuned() {
    // Twelve samples of one label; the first eleven are positive. Taking 0.9 … 0.4 finds 10 of 11 with no mistake
    // (F1 20/21); going down to 0.1 finds the last with one mistake (F1 22/23), which is more.
    let probabilities: [Float] = [0.9, 0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5, 0.4, 0.1, 0.2, 0.05]
    let actual: [Set<Int>] = Array(repeating: [0], count: 11) + [[], []]
    let thresholds = DecisionThresholds(tunedOn: probabilities, actual: actual, labelCount: 1)
    #expect(abs(thresholds.values[0] - 0.075) < 1e-6)
    #expect(thresholds.decisions(probabilities) == Array(repeating: [0], count: 12) + [[]])
  }

  @Test("a label with few positives takes the common threshold")
  func common() {
    // Label 0: ten positives above 0.6, ten negatives below 0.2. Label 1: one positive at 0.9, the rest at 0.7.
    var probabilities: [Float] = []
    var actual: [Set<Int>] = []
    for index in 0..<20 {
      let isFirst = index < 10
      probabilities += [isFirst ? 0.6 : 0.2, index == 0 ? 0.9 : 0.15]
      actual.append(isFirst ? (index == 0 ? [0, 1] : [0]) : [])
    }
    let thresholds = DecisionThresholds(tunedOn: probabilities, actual: actual, labelCount: 2)
    #expect(abs(thresholds.values[0] - 0.4) < 1e-6)
    #expect(thresholds.values[1] == thresholds.values[0])
    #expect(thresholds.decisions(probabilities) == actual)
  }

  @Test("a sample is decided by thresholds that it had no part in")
  func crossFitted() {
    // One positive alone: whichever fold it is in, the others have none to tune by, and 0.5 decides it.
    let probabilities: [Float] = [0.4, 0.1, 0.1, 0.1, 0.1]
    let actual: [Set<Int>] = [[0], [], [], [], []]
    #expect(DecisionThresholds.crossFitted(probabilities, actual: actual, labelCount: 1)[0] == [])
    #expect(
      DecisionThresholds(tunedOn: probabilities, actual: actual, labelCount: 1).decisions(probabilities)[0] == [0])
  }

  @Test("equal probabilities are decided alike")
  func ties() {
    let probabilities = [Float](repeating: 0.3, count: 20)
    let actual: [Set<Int>] = (0..<20).map { $0 % 2 == 0 ? [0] : [] }
    let thresholds = DecisionThresholds(tunedOn: probabilities, actual: actual, labelCount: 1)
    #expect(Set(thresholds.decisions(probabilities)) == [[0]])
  }
}
