// Jobs as people see them: asking for one, looking, cancelling, trying again.

import Foundation

/// The record of all jobs.
public struct JobBook: Sendable {
  let store: ServiceStore
  let signals: JobSignals

  public init(_ store: ServiceStore, signals: JobSignals) {
    self.store = store
    self.signals = signals
  }

  /// Accepts a job. When this returns, no crash loses it.
  public func add(_ request: JobRequest, owner: User) async throws -> Job {
    let id = UUID().uuidString.lowercased()
    let job = try await store.write(durably: true) { [now = store.now] transaction in
      try transaction.execute(
        """
        INSERT INTO jobs (id, owner_id, kind, model_name, data_path, parameters, status, attempt, failures, not_before,
          furthest, has_advanced, cancel_requested, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, 0, $7, 0, 0, 0, $8, $9)
        """, .text(id), SQLValue(owner.id), .text(request.kind), .text(request.modelName), SQLValue(request.dataPath),
        SQLValue(.object(request.parameters)), SQLValue(now), SQLValue(now), SQLValue(now))
      try Self.note(.status, ["status": "pending"], job: id, attempt: 0, at: now, in: transaction)
      return try Self.job(id, in: transaction)!
    }
    signals.announceWork()
    return job
  }

  /// One job.
  /// - Throws: `JobError.unknown` also where it is another account's.
  public func job(_ id: String, for viewer: Viewer) async throws -> Job {
    try await store.read { try Self.job(id, for: viewer, in: $0) }
  }

  /// Which jobs to list.
  public struct Filter: Sendable {
    public var statuses: [JobStatus] = []
    public var kind: String?
    public var modelName: String?
    public var limit = 50
    public var offset = 0

    public init() {}
  }

  /// Jobs, newest first, and how many there are in all.
  public func jobs(_ filter: Filter, for viewer: Viewer) async throws -> (jobs: [Job], total: Int) {
    try await store.read { transaction in
      // Statuses are of an enumeration, so they can stand in the statement.
      let statuses = filter.statuses.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      let condition = """
        WHERE ($1 = 1 OR jobs.owner_id = $2) AND ($3 = '' OR jobs.kind = $3) AND ($4 = '' OR jobs.model_name = $4)
        \(statuses.isEmpty ? "" : "AND jobs.status IN (\(statuses))")
        """
      let values: [SQLValue] = [
        SQLValue(viewer.seesAll), SQLValue(viewer.userID), .text(filter.kind ?? ""), .text(filter.modelName ?? ""),
      ]
      let total = try transaction.row(
        "SELECT COUNT(*) AS count FROM jobs \(condition)", values[0], values[1], values[2], values[3])!.int("count")
      let rows = try transaction.rows(
        "\(Job.selection) \(condition) ORDER BY jobs.created_at DESC, jobs.id LIMIT $5 OFFSET $6",
        values[0], values[1], values[2], values[3], SQLValue(filter.limit), SQLValue(filter.offset))
      return (try rows.map(Job.init), total)
    }
  }

  /// Numbers of jobs by status, of all accounts.
  public func counts() async throws -> [JobStatus: Int] {
    try await store.read { transaction in
      var counts: [JobStatus: Int] = [:]
      for row in try transaction.rows("SELECT status, COUNT(*) AS count FROM jobs GROUP BY status") {
        if let status = JobStatus(rawValue: row.text("status")) { counts[status] = row.int("count") }
      }
      return counts
    }
  }

  /// Cancels a job: at once where no worker has it; otherwise its worker is told, and ends it in order.
  public func cancel(_ id: String, for viewer: Viewer) async throws -> Job {
    let job = try await store.write(durably: true) { [now = store.now] transaction in
      let job = try Self.job(id, for: viewer, in: transaction)
      guard !job.status.isFinal else { throw JobError.cannotCancel(id: id, status: job.status) }
      if job.status == .pending {
        try transaction.execute(
          "UPDATE jobs SET status = 'cancelled', updated_at = $1, finished_at = $2 WHERE id = $3", SQLValue(now),
          SQLValue(now), .text(id))
        try Self.note(.status, ["status": "cancelled"], job: id, attempt: job.attempt, at: now, in: transaction)
      } else {
        try transaction.execute(
          "UPDATE jobs SET cancel_requested = 1, updated_at = $1 WHERE id = $2", SQLValue(now), .text(id))
      }
      return try Self.job(id, in: transaction)!
    }
    signals.announce(id)
    return job
  }

  /// Gives a failed or cancelled job another chance; a training that left its state goes on from it.
  public func retry(_ id: String, for viewer: Viewer) async throws -> Job {
    let job = try await store.write(durably: true) { [now = store.now] transaction in
      let job = try Self.job(id, for: viewer, in: transaction)
      guard job.status == .failed || job.status == .cancelled else {
        throw JobError.cannotRetry(id: id, status: job.status)
      }
      try transaction.execute(
        """
        UPDATE jobs SET status = 'pending', failures = 0, not_before = $1, cancel_requested = 0, problem = NULL,
          announced_at = NULL, updated_at = $2, finished_at = NULL WHERE id = $3
        """, SQLValue(now), SQLValue(now), .text(id))
      try Self.note(.status, ["status": "pending"], job: id, attempt: job.attempt, at: now, in: transaction)
      return try Self.job(id, in: transaction)!
    }
    signals.announce(id)
    signals.announceWork()
    return job
  }

  /// What happened to a job after the event of a number, oldest first.
  /// - Parameter kinds: all, where empty.
  public func events(
    of id: String, after last: Int64 = 0, kinds: [JobEvent.Kind] = [], limit: Int = 1000, for viewer: Viewer
  ) async throws -> (job: Job, events: [JobEvent]) {
    try await store.read { transaction in
      let job = try Self.job(id, for: viewer, in: transaction)
      let names = kinds.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      let rows = try transaction.rows(
        """
        SELECT * FROM job_events WHERE job_id = $1 AND id > $2 \(names.isEmpty ? "" : "AND kind IN (\(names))")
        ORDER BY id LIMIT $3
        """, .text(id), SQLValue(last), SQLValue(limit))
      return (job, try rows.map(JobEvent.init))
    }
  }

  /// All epochs of a job and the end of its log, in order: what its page shows.
  func history(of id: String, for viewer: Viewer) async throws -> (job: Job, events: [JobEvent]) {
    try await store.read { transaction in
      let job = try Self.job(id, for: viewer, in: transaction)
      let rows = try transaction.rows(
        """
        SELECT * FROM job_events WHERE job_id = $1 AND (kind <> 'log' OR id IN (
          SELECT id FROM job_events WHERE job_id = $1 AND kind = 'log' ORDER BY id DESC LIMIT 500)) ORDER BY id
        """, .text(id))
      return (job, try rows.map(JobEvent.init))
    }
  }

  // Parts that the queue shares

  static func job(_ id: String, in transaction: Transaction) throws -> Job? {
    try transaction.row("\(Job.selection) WHERE jobs.id = $1", .text(id)).map(Job.init)
  }

  static func job(_ id: String, for viewer: Viewer, in transaction: Transaction) throws -> Job {
    guard let job = try job(id, in: transaction), viewer.seesAll || job.ownerID == viewer.userID else {
      throw JobError.unknown(id: id)
    }
    return job
  }

  static func note(
    _ kind: JobEvent.Kind, _ body: JSONValue, job: String, attempt: Int, at now: Moment, in transaction: Transaction
  ) throws {
    try transaction.execute(
      "INSERT INTO job_events (job_id, attempt, at, kind, body) VALUES ($1, $2, $3, $4, $5)", .text(job),
      SQLValue(attempt), SQLValue(now), .text(kind.rawValue), SQLValue(body))
  }
}
