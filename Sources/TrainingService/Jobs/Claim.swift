// A worker's right to a job: what it is told, and what it says at the end.

/// What a worker is told of the job that it has.
public struct ClaimedJob: Sendable, Hashable, Codable {
  public let id: String
  public let kind: String
  /// Below the data root; nil trains on the kind's own sample.
  public let dataPath: String?
  public let parameters: [String: JSONValue]
  /// How many attempts broke before.
  public let failures: Int

  private enum CodingKeys: String, CodingKey {
    case id, kind, parameters, failures
    case dataPath = "data_path"
  }

  init(_ job: Job) {
    id = job.id
    kind = job.kind
    dataPath = job.dataPath
    parameters = job.parameters
    failures = job.failures
  }
}

/// A worker's right to run a job, as long as its lease holds. The attempt's number is a fencing token: it grows with
/// each claim of the job, and whatever an earlier attempt still says is refused.
public struct Claim: Sendable, Hashable {
  public let job: ClaimedJob
  public let attempt: Int
  /// A worker that is not heard of for so long loses its job.
  public let lease: Duration
}

/// Why an attempt did not end with a model.
public enum AttemptFailure: Sendable, Hashable {
  /// The training itself said why it can't be: the same settings and data would end the same way. The job fails.
  case refused(String)
  /// Something broke: the process was killed, the disk was full. The job is tried again, up to three times.
  case broke(String)

  var message: String {
    switch self {
    case .refused(let message), .broke(let message): message
    }
  }
}

/// What a training that ended well reports.
public struct AttemptResult: Sendable {
  /// The folder of the model.
  public var directory: String
  /// Names of its files, below the folder.
  public var files: [String]
  /// The training's last line.
  public var metrics: JSONValue

  public init(directory: String, files: [String], metrics: JSONValue) {
    self.directory = directory
    self.files = files
    self.metrics = metrics
  }
}

extension Claim {
  /// What every word of an attempt gets that is not the present one.
  var isStale: JobError { .staleAttempt(id: job.id, attempt: attempt) }
}
