// What can be wrong with interaction data beyond single rows.

import Datasets

/// Why interaction data can't be used.
public enum InteractionError: Error, Sendable, Hashable {
  case noInteractions(path: String, skipped: SkippedLines)
  /// An entry of ``InteractionReadOptions/columns`` that means nothing.
  case badColumns(String)
  /// The data is not as its form wants it; `problem` goes on behind the path.
  case badForm(path: String, problem: String)
}

extension InteractionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noInteractions(let path, let skipped):
      guard skipped.count > 0 else {
        return "\(path) holds no interactions; at least one with a user_id and an item_id was expected"
      }
      let rows = skipped.count == 1 ? "its only row was left out" : "all \(skipped.count) rows were left out"
      return "\(path) holds no usable interaction: \(rows)"
        + skipped.examples.prefix(3).map { "\n  \($0)" }.joined()
    case .badColumns(let problem): return "the columns that were named can't be used: \(problem)"
    case .badForm(let path, let problem): return "\(path) \(problem)"
    }
  }
}
