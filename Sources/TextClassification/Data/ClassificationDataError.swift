// What can be wrong with classification data beyond single rows.

import Datasets

/// Why data for text classification can't be used.
public enum ClassificationDataError: Error, Sendable, Hashable {
  case noSamples(path: String, skipped: SkippedLines)
  /// An entry of ``ClassificationReadOptions/columns`` that means nothing.
  case badColumns(String)
  /// The data is not as its form wants it; `problem` goes on behind the path.
  case badForm(path: String, problem: String)
  /// No label has the samples that learning it takes.
  case noLearnableLabel(path: String, minimum: Int, most: Int)
}

extension ClassificationDataError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noSamples(let path, let skipped):
      guard skipped.count > 0 else {
        return "\(path) holds no samples; at least one with a text and taxonomy_codes (or labels) was expected"
      }
      let rows = skipped.count == 1 ? "its only row was left out" : "all \(skipped.count) rows were left out"
      return "\(path) holds no usable sample: \(rows)" + skipped.examples.prefix(3).map { "\n  \($0)" }.joined()
    case .badColumns(let problem): return "the columns that were named can't be used: \(problem)"
    case .badForm(let path, let problem): return "\(path) \(problem)"
    case .noLearnableLabel(let path, let minimum, let most):
      return "\(path) has no label with enough samples: the most frequent one has \(most) to train on, at least "
        + "\(minimum) were expected; add samples of each label, or merge labels"
    }
  }
}
