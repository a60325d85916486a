// What goes wrong between texts and a model that reads them, told so that a person can mend it.

import Datasets

/// Why texts can't be classified or embedded.
public enum TextUseError: Error, Sendable, Hashable {
  /// A text, counted from 0, has nothing to read.
  case blankText(index: Int)
  /// A length of texts in tokens that the model does not have.
  case invalidLength(found: Int, maximum: Int)
  /// A threshold that no probability is.
  case invalidThreshold(Double)
  /// The name of an output does not say in which form to write.
  case unknownForm(path: String)
  /// The files of a model are not of one model.
  case modelDoesNotFit(path: String, problem: String)
  /// A model has no graph in 8 bits.
  case noQuantizedGraph(directory: String)
  /// A file holds no text to read.
  case noTexts(path: String, skipped: SkippedLines)
  /// An item has nothing to embed.
  case itemWithoutText(path: String, line: Int, id: String)
}

extension TextUseError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .blankText(let index):
      return "text \(index + 1) is blank: it is empty, or white space and control characters alone; leave it out"
    case .invalidLength(let found, let maximum):
      return "texts of \(found) tokens are asked for; the model reads from 3 to \(maximum)"
    case .invalidThreshold(let threshold): return "the threshold is \(threshold); expected 0 to 1"
    case .unknownForm(let path):
      return
        "\(path) does not say in which form to write; a name that ends in .jsonl, .csv, .tsv or .parquet was expected"
    case .modelDoesNotFit(let path, let problem): return "\(path): \(problem)"
    case .noQuantizedGraph(let directory):
      return "\(directory) has no graph in 8 bits; train it with --precision int8, or leave --precision out here"
    case .noTexts(let path, let skipped):
      guard skipped.count > 0 else { return "\(path) holds no texts; at least one row with a text was expected" }
      let rows = skipped.count == 1 ? "its only row was left out" : "all \(skipped.count) rows were left out"
      return "\(path) holds no text that can be read: \(rows)" + skipped.examples.prefix(3).map { "\n  \($0)" }.joined()
    case .itemWithoutText(let path, let line, let id):
      return
        "\(path), line \(line): the item \"\(id.shortened)\" has no text to embed; give it one, or leave such items "
        + "as they are with --skip-without-text"
    }
  }
}
