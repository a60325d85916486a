// What goes wrong with NCF, told so that a person can mend it.

/// An error of the NCF recommender: what was found, what was expected, what to try.
public enum NCFError: Error, Sendable, Hashable {
  /// A setting is out of its range.
  case invalidSetting(name: String, value: String, expected: String)
  /// There is nothing to train on.
  case nothingToTrainOn(path: String, problem: String)
  /// A checkpoint is no NCF model, or a damaged one.
  case notACheckpoint(path: String, problem: String)
  /// The parameters of `--init-from` are of another network.
  case initialModelDoesNotFit(path: String, problems: [String])
  /// A user or an item that the model does not have.
  case outOfRange(what: String, place: Int, count: Int)
}

extension NCFError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidSetting(let name, let value, let expected): "\(name) is \(value); expected \(expected)"
    case .nothingToTrainOn(let path, let problem): "\(path): \(problem)"
    case .notACheckpoint(let path, let problem):
      "\(path) is no checkpoint of an NCF model: \(problem); `ranker train ncf` writes such files"
    case .initialModelDoesNotFit(let path, let problems):
      "--init-from \(path) does not fit this training:\n  " + problems.joined(separator: "\n  ")
    case .outOfRange(let what, let place, let count):
      "there is no \(what) \(place): the model has \(count), counted from 0"
    }
  }
}
