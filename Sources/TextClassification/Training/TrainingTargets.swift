// What each text should come out as: its labels, or with a teacher also what the teacher makes of it.

/// The targets of the texts of a training.
struct TrainingTargets: Sendable {
  let labelCount: Int
  /// For each text its labels.
  let labels: [[Int]]
  /// For each text the weight of its loss; nil where all weigh 1.
  let weights: [Float]?
  /// A teacher's probabilities, `[texts, labels]`, and how much they count against the labels.
  private var teacher: (probabilities: [Float], share: Float)?

  init(_ samples: [ClassificationSample], labelCount: Int) {
    self.labelCount = labelCount
    labels = samples.map(\.labels)
    weights = samples.contains { $0.confidence != 1 } ? samples.map(\.confidence) : nil
  }

  /// The same targets drawn towards a teacher's probabilities `p`: `share · p + (1 - share) · y`. Binary cross-entropy is
  /// linear in its target, so this is the weighted sum of the losses against both.
  func taught(by probabilities: [Float], share: Float) -> TrainingTargets {
    precondition(probabilities.count == labels.count * labelCount)
    var targets = self
    targets.teacher = (probabilities, share)
    return targets
  }

  /// Writes the targets of texts, `[texts, labels]`.
  func write(_ texts: some Sequence<Int>, to values: UnsafeMutableBufferPointer<Float>) {
    for (row, text) in texts.enumerated() {
      let start = row * labelCount
      var share: Float = 0
      if let teacher {
        share = teacher.share
        for label in 0..<labelCount {
          values[start + label] = share * teacher.probabilities[text * labelCount + label]
        }
      } else {
        for label in 0..<labelCount { values[start + label] = 0 }
      }
      for label in labels[text] { values[start + label] += 1 - share }
    }
  }
}
