// What goes wrong between interactions and recommendations, told so that a person can mend it.

/// An error of the recommenders: what was found, what was expected, what to try.
public enum RecommendationError: Error, Sendable, Hashable {
  /// A setting is out of its range.
  case invalidSetting(name: String, value: String, expected: String)
  /// Weights by age need times, and the data has none.
  case noTimes(path: String)
  /// There is nothing to train on once the held-out part is set aside.
  case nothingToTrainOn(path: String)
  /// The loss left the numbers.
  case lossNotFinite(iteration: Int, value: Double)
  /// Places of users or items that a model does not have.
  case unknownPlaces([Int], count: Int)
}

extension RecommendationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidSetting(let name, let value, let expected): "\(name) is \(value); expected \(expected)"
    case .noTimes(let path):
      "\(path) has no timestamps, and --half-life weighs interactions by their age; leave --half-life away"
    case .nothingToTrainOn(let path):
      "\(path): every interaction is held out, so there is nothing to train on; hold out less"
    case .lossNotFinite(let iteration, let value):
      "the loss became \(value) at iteration \(iteration): raise --regularization, or look for extreme strengths"
    case .unknownPlaces(let places, let count):
      "the model has \(count) items, and \(places.prefix(5).map(String.init).joined(separator: ", ")) "
        + "\(places.count == 1 ? "is none of their places" : "are none of their places")"
    }
  }
}
