// A job as the server tells it.

/// A training on a server.
public struct TrainingJob: Sendable, Hashable, Codable {
  public let id: String
  public let kind: String
  public let modelName: String
  public let dataPath: String?
  /// `pending`, `loading_data`, `preprocessing`, `training`, `completed`, `failed` or `cancelled`.
  public let status: String
  /// How often a worker took it.
  public let attempt: Int
  public let progress: Progress?
  /// Why it failed, or why it has to be tried again.
  public let problem: String?
  public let metrics: Metrics
  /// The model's folder on the server.
  public let modelPath: String?
  public let createdAt: String
  public let updatedAt: String

  /// How far a running one is.
  public struct Progress: Sendable, Hashable, Codable {
    public let epoch: Int?
    public let epochs: Int?
    public let loss: Double?
    public let secondsLeft: Double?
    /// What is done after the last epoch.
    public let step: String?
  }

  /// What a recommender was measured by; nil of other kinds, and before the end.
  public struct Metrics: Sendable, Hashable, Codable {
    public let recallAtK: Double?
    public let precisionAtK: Double?
    public let f1AtK: Double?
  }

  /// Whether nothing more happens by itself.
  public var hasEnded: Bool { ["completed", "failed", "cancelled"].contains(status) }
}

/// Why a server does not do what it was asked.
public enum TrainingClientError: Error, Sendable, Hashable {
  case notAnAddress(String)
  case noAnswer(server: String, reason: String)
  /// The server's own words; `fields` by the names of parameters.
  case refused(status: Int, message: String, fields: [String: String])
  case notUnderstood(server: String)
}

extension TrainingClientError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAnAddress(let text): "\"\(text)\" is not a server's address; expected one such as http://127.0.0.1:8080"
    case .noAnswer(let server, let reason): "\(server) does not answer: \(reason); is ranker serve running there?"
    case .refused(_, let message, _): message
    case .notUnderstood(let server): "\(server) answered as no training server of this version does"
    }
  }
}
