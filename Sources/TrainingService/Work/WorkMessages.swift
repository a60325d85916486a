// What a worker far away and its server say to each other: the JSON of `/api/v1/work`.

/// A worker asks for work.
struct WorkRequest: Codable, Sendable {
  /// For people: `host:process/number`.
  var worker: String
  /// The same for every try of one question, so that an answer that got lost is given again.
  var key: String
  /// How long the answer may wait for work to come.
  var milliseconds: Int
}

/// The work that it gets.
struct WorkGrant: Codable, Sendable {
  var job: ClaimedJob
  var attempt: Int
  var leaseMilliseconds: Int64

  private enum CodingKeys: String, CodingKey {
    case job, attempt
    case leaseMilliseconds = "lease_milliseconds"
  }

  init(_ claim: Claim) {
    job = claim.job
    attempt = claim.attempt
    leaseMilliseconds = claim.lease.milliseconds
  }

  var claim: Claim { Claim(job: job, attempt: attempt, lease: .milliseconds(leaseMilliseconds)) }
}

/// How far an attempt is.
struct WorkReport: Codable, Sendable {
  struct Event: Codable, Sendable {
    var kind: JobEvent.Kind
    var body: JSONValue
  }

  var status: JobStatus?
  var progress: JSONValue?
  var events: [Event]
  /// See `JobQueue.Report`.
  var heard: Int?

  init(_ report: JobQueue.Report) {
    status = report.status
    progress = report.progress
    events = report.events.map { Event(kind: $0.kind, body: $0.body) }
    heard = report.heard
  }

  var report: JobQueue.Report {
    var report = JobQueue.Report()
    report.status = status
    report.progress = progress
    report.events = events.map { ($0.kind, $0.body) }
    report.heard = heard
    return report
  }
}

/// Whether somebody wants the job cancelled.
struct WorkWishes: Codable, Sendable {
  var cancelRequested: Bool

  private enum CodingKeys: String, CodingKey { case cancelRequested = "cancel_requested" }
}

/// A file that one of both has.
struct WorkFile: Codable, Sendable, Hashable {
  /// Below the folder that it is about; see ``PlainPath``.
  var path: String
  var size: Int64
  /// 64 lower-case hexadecimal digits. Files are asked for and sent by it: no path of the network's reaches a disk.
  var sha256: String
}

/// Files: a job's data, its saved state.
struct WorkFiles: Codable, Sendable {
  var files: [WorkFile]
}

/// How an attempt ended.
struct WorkEnd: Codable, Sendable {
  enum Kind: String, Codable, Sendable { case completed, refused, broke, released, cancelled }

  var end: Kind
  /// Of `refused` and `broke`.
  var problem: String?
  /// Of `completed`: the model.
  var files: [WorkFile]?
  /// Of `completed`: the training's last line.
  var metrics: JSONValue?
}

/// What has to be sent before the rest can be done; nothing where it is done.
struct WorkMissing: Codable, Sendable {
  /// SHA-256 of files.
  var missing: [String]
}
