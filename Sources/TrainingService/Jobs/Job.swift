// One training that somebody asked for: what it is, where it stands, what came of it.

/// Where a job stands.
public enum JobStatus: String, Sendable, Hashable, CaseIterable, Codable {
  /// No worker has it: it is new, waits after a failure, or was given back.
  case pending
  /// A worker has it, and its training reads the data.
  case loadingData = "loading_data"
  /// The data is read; the training prepares its first step.
  case preprocessing
  case training
  case completed
  case failed
  case cancelled

  /// Whether a worker has it.
  public var isRunning: Bool { self == .loadingData || self == .preprocessing || self == .training }
  /// Whether nothing more happens by itself.
  public var isFinal: Bool { self == .completed || self == .failed || self == .cancelled }

  /// The running ones, for SQL.
  static let running = "('loading_data', 'preprocessing', 'training')"
}

/// A job's record.
public struct Job: Sendable, Hashable {
  public let id: String
  public let ownerID: Int64
  public let owner: String
  /// The kind of training: `als`.
  public let kind: String
  /// The model whose next version this makes.
  public let modelName: String
  /// Below the data root; nil trains on the kind's own sample.
  public let dataPath: String?
  public let parameters: [String: JSONValue]
  public let status: JobStatus
  /// How often a worker took it.
  public let attempt: Int
  /// How many of these attempts broke.
  public let failures: Int
  /// Whether the present attempt got further than those before.
  let hasAdvanced: Bool
  public let notBefore: Moment
  public let worker: String?
  public let leaseUntil: Moment?
  public let isCancelRequested: Bool
  /// The last that was heard of it.
  public let progress: JSONValue?
  /// Why it failed, or why it has to be tried again.
  public let problem: String?
  /// The last line of the training: measures by their paths.
  public let metrics: JSONValue?
  /// The folder of the model that came of it.
  public let modelPath: String?
  public let createdAt: Moment
  public let updatedAt: Moment
  public let startedAt: Moment?
  public let finishedAt: Moment?

  init(_ row: SQLRow) throws {
    id = row.text("id")
    ownerID = row.integer("owner_id")
    owner = row.text("owner")
    kind = row.text("kind")
    modelName = row.text("model_name")
    dataPath = row.optionalText("data_path")
    parameters = try row.json("parameters").object ?? [:]
    status = JobStatus(rawValue: row.text("status")) ?? .failed
    attempt = row.int("attempt")
    failures = row.int("failures")
    hasAdvanced = row.bool("has_advanced")
    notBefore = row.moment("not_before")
    worker = row.optionalText("worker")
    leaseUntil = row.optionalMoment("lease_until")
    isCancelRequested = row.bool("cancel_requested")
    progress = try row.optionalJSON("progress")
    problem = row.optionalText("problem")
    metrics = try row.optionalJSON("metrics")
    modelPath = row.optionalText("model_path")
    createdAt = row.moment("created_at")
    updatedAt = row.moment("updated_at")
    startedAt = row.optionalMoment("started_at")
    finishedAt = row.optionalMoment("finished_at")
  }

  static let selection = "SELECT jobs.*, users.email AS owner FROM jobs JOIN users ON users.id = jobs.owner_id"
}

/// Something that happened to a job, numbered so that a reader can go on where it stopped.
public struct JobEvent: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, Codable {
    /// The status changed: `{"status"}`, with `problem` where there is one.
    case status
    /// An epoch or iteration ended: its number, losses and measures, as the training printed them.
    case epoch
    /// A line for people: `{"text"}`.
    case log
  }

  public let id: Int64
  public let jobID: String
  public let attempt: Int
  public let at: Moment
  public let kind: Kind
  public let body: JSONValue

  init(_ row: SQLRow) throws {
    id = row.integer("id")
    jobID = row.text("job_id")
    attempt = row.int("attempt")
    at = row.moment("at")
    kind = Kind(rawValue: row.text("kind")) ?? .log
    body = try row.json("body")
  }
}

/// What a person asks for.
public struct JobRequest: Sendable {
  public var kind: String
  public var modelName: String
  public var dataPath: String?
  public var parameters: [String: JSONValue]

  public init(kind: String, modelName: String, dataPath: String?, parameters: [String: JSONValue]) {
    self.kind = kind
    self.modelName = modelName
    self.dataPath = dataPath
    self.parameters = parameters
  }
}

/// Whose jobs and models are seen and touched: one's own, or all of them by an administrator.
public struct Viewer: Sendable {
  let userID: Int64
  let seesAll: Bool

  public init(_ user: User) {
    userID = user.id
    seesAll = user.isAdmin
  }
}

/// Why a job is not found or not changed.
public enum JobError: Error, Sendable, Hashable {
  /// No such job, or another account's: the answer does not tell which.
  case unknown(id: String)
  case cannotCancel(id: String, status: JobStatus)
  case cannotRetry(id: String, status: JobStatus)
  /// The attempt has lost its lease: another one was begun, or the job has ended. Nothing was changed.
  case staleAttempt(id: String, attempt: Int)
}

extension JobError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknown(let id): "there is no job \(id)"
    case .cannotCancel(let id, let status):
      "job \(id) is \(status.rawValue); only one that has not ended can be cancelled"
    case .cannotRetry(let id, let status):
      "job \(id) is \(status.rawValue); only a failed or cancelled one can be tried again"
    case .staleAttempt(let id, let attempt): "attempt \(attempt) of job \(id) has lost its lease"
    }
  }
}
