// What goes wrong between preferences and a ranking, told so that a person can mend it.

/// An error of the pairwise ranker: what was found, what was expected, what to try.
public enum RankingError: Error, Sendable, Hashable {
  /// No item of the data has an embedding or a metric.
  case noFeatures(path: String)
  /// Every pair is a tie: nothing says which of two items is better.
  case onlyTies(path: String, count: Int)
  /// An item's embedding is missing or has another width than the model's.
  case embeddingWidth(item: String, found: Int?, expected: Int)
  /// A metric is beyond single precision.
  case metricTooLarge(item: String, metric: String, value: Double)
  /// The training ran into NaN or infinity.
  case lossNotFinite(path: String, epoch: Int, batch: Int, value: Float, lines: [Int])
  /// A setting is out of its range.
  case invalidSetting(name: String, value: String, expected: String)
  /// Fewer different pairs of items than folds.
  case tooFewPairs(groups: Int, folds: Int)
  /// The parameters to start from do not fit the network.
  case parametersDoNotFit(path: String, problems: [String])
  /// No item can be scored.
  case noUsableItem(count: Int, firstProblem: String)
  /// Writing one of the training's files failed.
  case cannotWrite(path: String, reason: String)
}

extension RankingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noFeatures(let path):
      "\(path): no item has an embedding or a metric, so there is nothing to learn from; give items an 'embedding' "
        + "(a list of numbers) or 'metrics' (an object of names and numbers)"
    case .onlyTies(let path, let count):
      "\(path): all \(count) pairs are labelled 0 (equal), so nothing says which items are better; "
        + "label some pairs 1 (A preferred) or -1 (B preferred)"
    case .embeddingWidth(let item, let found?, let expected):
      "item \"\(item)\" has an embedding of \(found) numbers, and the model takes \(expected); "
        + "make it with the model that made the training's embeddings"
    case .embeddingWidth(let item, nil, let expected):
      "item \"\(item)\" has no embedding, and the model takes one of \(expected) numbers"
    case .metricTooLarge(let item, let metric, let value):
      "item \"\(item)\": the metric '\(metric)' is \(value), which single precision does not hold; scale it down"
    case .lossNotFinite(let path, let epoch, let batch, let value, let lines):
      "the loss became \(value) at epoch \(epoch), batch \(batch) (lines \(Self.shortened(lines)) of \(path)): lower "
        + "--learning-rate, or look for extreme values on those lines"
    case .invalidSetting(let name, let value, let expected): "\(name) is \(value); expected \(expected)"
    case .tooFewPairs(let groups, let folds):
      "\(folds) folds need at least \(folds) different pairs of items, and the data has \(groups)"
    case .parametersDoNotFit(let path, let problems):
      "\(path) does not fit this network:\n  " + problems.joined(separator: "\n  ")
        + "\n--hidden-dim and the data's features must be those of the training that made it"
    case .noUsableItem(let count, let firstProblem):
      "none of the \(count) items can be scored; the first: \(firstProblem)"
    case .cannotWrite(let path, let reason): "cannot write \(path): \(reason)"
    }
  }

  private static func shortened(_ lines: [Int]) -> String {
    let sorted = lines.sorted()
    return sorted.prefix(8).map(String.init).joined(separator: ", ") + (sorted.count > 8 ? ", …" : "")
  }
}
