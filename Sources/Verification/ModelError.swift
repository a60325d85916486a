// What is wrong with a model on the disk, told so that a person can mend it.

/// An error about a model's files, of whatever kind the model is.
public enum ModelError: Error, Sendable, Hashable {
  /// A path holds no model of the wanted kind, or a damaged one.
  case notAModel(path: String, problem: String)
  /// A checkpoint is not of the network that the metadata describe.
  case parametersDoNotFit(path: String, problems: [String])
  /// An exported graph does not give what the trained network gives.
  case notVerified(directory: String, problems: [String])
}

extension ModelError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAModel(let path, let problem): "\(path): \(problem)"
    case .parametersDoNotFit(let path, let problems):
      "\(path) does not fit the network that its metadata describe:\n  " + problems.joined(separator: "\n  ")
    case .notVerified(let directory, let problems):
      "the model in \(directory) failed its verification and must not be used:\n  "
        + problems.joined(separator: "\n  ")
    }
  }
}
