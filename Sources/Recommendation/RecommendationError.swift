// What goes wrong between interactions and recommendations, told so that a person can mend it.

/// An error of the recommenders: what was found, what was expected, what to try.
public enum RecommendationError: Error, Sendable, Hashable {
  /// A setting is out of its range.
  case invalidSetting(name: String, value: String, expected: String)
  /// Weights by age need times, and the data has none.
  case noTimes(path: String)
  /// There is nothing to train on.
  case nothingToTrainOn(path: String, problem: String)
  /// Everything is needed to train, so nothing can be held out.
  case nothingToHoldOut(path: String, isLatest: Bool)
  /// The loss left the numbers.
  case lossNotFinite(iteration: Int, value: Double)
  /// The parameters of `--init-from` are of another network.
  case initialModelDoesNotFit(path: String, problems: [String])
  /// Places of users or items (`what`) that a model does not have.
  case unknownPlaces([Int], of: String, count: Int)
  /// Ids that are no item of a model.
  case unknownItems([String], path: String, count: Int)
  /// A model that has no table of items was asked for similar ones.
  case noSimilarity(path: String)
  /// A name's suffix does not say in which form to write.
  case unknownForm(path: String)
  /// A file is no recommender's checkpoint, or a damaged one.
  case notACheckpoint(path: String, problem: String)
}

extension RecommendationError {
  static func allHeldOut(_ path: String) -> Self {
    .nothingToTrainOn(
      path: path, problem: "every interaction is held out, so there is nothing to train on; hold out less")
  }
}

extension RecommendationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidSetting(let name, let value, let expected): "\(name) is \(value); expected \(expected)"
    case .noTimes(let path):
      "\(path) has no timestamps, and --half-life weighs interactions by their age; leave --half-life away"
    case .nothingToTrainOn(let path, let problem): "\(path): \(problem)"
    case .nothingToHoldOut(let path, let isLatest):
      "\(path): " + (isLatest ? "no user has two items" : "each pair is the last one of a user or an item")
        + ", so nothing can be held out; more interactions are needed"
    case .lossNotFinite(let iteration, let value):
      "the loss became \(value) at iteration \(iteration): raise --regularization, or look for extreme strengths"
    case .initialModelDoesNotFit(let path, let problems):
      "--init-from \(path) does not fit this training:\n  " + problems.joined(separator: "\n  ")
    case .unknownPlaces(let places, let what, let count):
      "the model has \(count) \(what), counted from 0, and \(places.prefix(5).map(String.init).joined(separator: ", ")) "
        + "\(places.count == 1 ? "is none of their places" : "are none of their places")"
    case .unknownItems(let items, let path, let count):
      "\(path) knows \(count) items, and not \(items.prefix(5).map { "'\($0)'" }.joined(separator: ", "))"
        + (items.count > 5 ? " and \(items.count - 5) more" : "")
        + "; --skip-unknown leaves them out, training on data with them makes them known"
    case .noSimilarity(let path):
      "\(path) is a popularity model, which knows no item's likeness to another; ask an ALS or NCF model"
    case .unknownForm(let path):
      "\(path) does not say by its name in which form to write; expected .csv, .tsv, .jsonl or .parquet"
    case .notACheckpoint(let path, let problem):
      "\(path) is no checkpoint of a recommender: \(problem); `ranker train als`, `popular` and `ncf` write such files"
    }
  }
}
