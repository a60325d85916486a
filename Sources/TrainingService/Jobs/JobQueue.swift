// The durable queue: each job to one worker at a time, until one of them has ended it.

import Foundation

/// The jobs that wait, and those that workers have. The queue is the table of jobs itself, so that a job and its place
/// in the queue can't disagree.
public struct JobQueue: Sendable {
  let store: ServiceStore
  let signals: JobSignals

  /// Attempts that may break before the job is given up.
  static let mostFailures = 3
  /// A worker that was not heard of for so long has lost its job.
  let lease: Duration

  public init(_ store: ServiceStore, signals: JobSignals, lease: Duration = .seconds(15)) {
    self.store = store
    self.signals = signals
    self.lease = lease
  }

  /// How long a job waits after its `n`th failure: 2 s, 8 s, …
  static func backOff(afterFailures count: Int) -> Duration { .seconds(2 << (2 * (max(count, 1) - 1))) }

  /// Takes the job that has waited longest; nil where there is none. Jobs of lost workers are given back first.
  ///
  /// - Parameters:
  ///   - worker: a name for people; leases go by attempts.
  ///   - key: of the question. Who asks again with the same key, its answer lost on the way, gets the same attempt again.
  public func claim(worker: String, key: String? = nil) async throws -> Claim? {
    let (claim, recovered) = try await store.write(durably: true) {
      [now = store.now] transaction -> (Claim?, [String]) in
      if let key, let claim = try granted(key, at: now, in: transaction) { return (claim, []) }
      let recovered = try Self.recoverLost(at: now, in: transaction)
      return (try take(nil, worker: worker, key: key, at: now, in: transaction), recovered)
    }
    for id in recovered { signals.announce(id) }
    if let claim { signals.announce(claim.job.id) }
    return claim
  }

  /// Takes a job whose turn has come: the one of an id, or the one that has waited longest.
  func take(
    _ id: String?, worker: String, key: String?, at now: Moment, in transaction: Transaction
  ) throws -> Claim? {
    let row = try transaction.row(
      """
      UPDATE jobs SET status = 'loading_data', attempt = attempt + 1, worker = $1, lease_until = $2, has_advanced = 0,
        claim_key = $3, progress = NULL, updated_at = $4, started_at = COALESCE(started_at, $5)
      WHERE id = (
        SELECT id FROM jobs WHERE status = 'pending' AND not_before <= $6 AND ($7 = '' OR id = $7)
        ORDER BY not_before, created_at, id LIMIT 1)
      RETURNING id
      """, .text(worker), SQLValue(now + lease), SQLValue(key), SQLValue(now), SQLValue(now), SQLValue(now),
      .text(id ?? ""))
    guard let row, let job = try JobBook.job(row.text("id"), in: transaction) else { return nil }
    try JobBook.note(
      .status, ["status": .string(job.status.rawValue), "worker": .string(worker)], job: job.id, attempt: job.attempt,
      at: now, in: transaction)
    return Claim(job: ClaimedJob(job), attempt: job.attempt, lease: lease)
  }

  /// What was granted to a question before, its lease renewed.
  private func granted(_ key: String, at now: Moment, in transaction: Transaction) throws -> Claim? {
    let row = try transaction.row(
      "UPDATE jobs SET lease_until = $1 WHERE claim_key = $2 AND status IN \(JobStatus.running) RETURNING id",
      SQLValue(now + lease), .text(key))
    guard let row, let job = try JobBook.job(row.text("id"), in: transaction) else { return nil }
    return Claim(job: ClaimedJob(job), attempt: job.attempt, lease: lease)
  }

  /// Jobs whose lease ran out go back, as after a failure.
  static func recoverLost(at now: Moment, in transaction: Transaction) throws -> [String] {
    let lost = try transaction.rows(
      "\(Job.selection) WHERE jobs.status IN \(JobStatus.running) AND jobs.lease_until < $1", SQLValue(now))
    return try lost.map { row in
      let job = try Job(row)
      let message = "worker \(job.worker ?? "?") was not heard of any more"
      if job.isCancelRequested {
        try end(job, .cancelled, problem: nil, at: now, in: transaction)
      } else {
        try retryOrGiveUp(job, problem: message, at: now, in: transaction)
      }
      return job.id
    }
  }

  /// Keeps the lease.
  /// - Returns: whether somebody wants the job cancelled.
  /// - Throws: `JobError.staleAttempt` where it was lost: the worker has to stop.
  public func renew(_ claim: Claim) async throws -> Bool {
    try await store.write(durably: false) { [now = store.now] transaction in
      let row = try transaction.row(
        """
        UPDATE jobs SET lease_until = $1 WHERE id = $2 AND attempt = $3 AND status IN \(JobStatus.running)
        RETURNING cancel_requested
        """, SQLValue(now + lease), .text(claim.job.id), SQLValue(claim.attempt))
      guard let row else { throw claim.isStale }
      return row.bool("cancel_requested")
    }
  }

  /// Whether somebody wants the job cancelled.
  func isCancelRequested(_ claim: Claim) async throws -> Bool {
    try await store.read {
      try $0.row("SELECT cancel_requested FROM jobs WHERE id = $1", .text(claim.job.id))?.bool("cancel_requested")
        ?? false
    }
  }

  /// What an attempt has to tell.
  public struct Report: Sendable {
    public var status: JobStatus?
    public var progress: JSONValue?
    public var events: [(kind: JobEvent.Kind, body: JSONValue)] = []
    /// Where a try of telling had no answer: how many events of the attempt were told before these. Some of these may be
    /// known then, and are not noted twice.
    public var heard: Int?

    public init() {}

    var isEmpty: Bool { status == nil && progress == nil && events.isEmpty }
  }

  /// Notes how far an attempt is, and renews its lease.
  /// - Returns: whether somebody wants the job cancelled.
  /// - Throws: `JobError.staleAttempt`.
  @discardableResult
  public func report(_ report: Report, of claim: Claim) async throws -> Bool {
    let isCancelRequested = try await store.write(durably: false) { [now = store.now] transaction in
      let furthest = report.events.compactMap { $0.kind == .epoch ? Self.place($0.body) : nil }.max() ?? 0
      let row = try transaction.row(
        """
        UPDATE jobs SET status = COALESCE($1, status), progress = COALESCE($2, progress),
          has_advanced = CASE WHEN $3 > furthest THEN 1 ELSE has_advanced END,
          furthest = CASE WHEN $3 > furthest THEN $3 ELSE furthest END, lease_until = $4, updated_at = $5
        WHERE id = $6 AND attempt = $7 AND status IN \(JobStatus.running) RETURNING cancel_requested
        """, SQLValue(report.status?.rawValue), SQLValue(report.progress), SQLValue(furthest),
        SQLValue(now + lease), SQLValue(now), .text(claim.job.id), SQLValue(claim.attempt))
      guard let row else { throw claim.isStale }
      for event in report.events.dropFirst(try Self.known(report, of: claim, in: transaction)) {
        try JobBook.note(
          event.kind, event.body, job: claim.job.id, attempt: claim.attempt, at: now, in: transaction)
      }
      return row.bool("cancel_requested")
    }
    signals.announce(claim.job.id)
    return isCancelRequested
  }

  /// How many of a report's first events were noted before.
  private static func known(_ report: Report, of claim: Claim, in transaction: Transaction) throws -> Int {
    guard let heard = report.heard else { return 0 }
    let row = try transaction.row(
      "SELECT COUNT(*) AS count FROM job_events WHERE job_id = $1 AND attempt = $2", .text(claim.job.id),
      SQLValue(claim.attempt))
    // The attempt's first event is its claim.
    return max(0, row!.int("count") - 1 - heard)
  }

  /// Ends the job with a model, which becomes the next version of its name: both or neither.
  /// - Parameter place: puts the model's files where they belong, before anybody is told of them.
  /// - Throws: `JobError.staleAttempt` where the attempt is not the present one: a job ends once.
  public func complete(
    _ claim: Claim, _ result: AttemptResult, place: @escaping @Sendable () throws -> Void = {}
  ) async throws {
    try await ending(claim) { job, now, transaction in
      try place()
      try transaction.execute(
        "UPDATE jobs SET metrics = $1, model_path = $2 WHERE id = $3", SQLValue(result.metrics),
        .text(result.directory), .text(job.id))
      try ModelRegistry.register(result, of: job, at: now, in: transaction)
      try Self.end(job, .completed, problem: nil, at: now, in: transaction)
    }
  }

  /// Ends the attempt without a model.
  /// - Throws: `JobError.staleAttempt`.
  public func fail(_ claim: Claim, _ failure: AttemptFailure) async throws {
    try await ending(claim) { job, now, transaction in
      switch failure {
      case .refused(let problem): try Self.end(job, .failed, problem: problem, at: now, in: transaction)
      case .broke(let problem): try Self.retryOrGiveUp(job, problem: problem, at: now, in: transaction)
      }
    }
  }

  /// Gives the job back, to go on where it stands: the worker is being stopped.
  /// - Throws: `JobError.staleAttempt`.
  public func release(_ claim: Claim) async throws {
    try await ending(claim) { job, now, transaction in
      try Self.giveBack(job, failures: job.failures, problem: nil, at: now, in: transaction)
    }
  }

  /// Ends the job as somebody wished.
  /// - Throws: `JobError.staleAttempt`.
  public func cancelled(_ claim: Claim) async throws {
    try await ending(claim) { job, now, transaction in
      try Self.end(job, .cancelled, problem: nil, at: now, in: transaction)
    }
  }

  private func ending(
    _ claim: Claim, _ body: @escaping @Sendable (Job, Moment, Transaction) throws -> Void
  ) async throws {
    try await store.write(durably: true) { [now = store.now] transaction in
      guard let job = try JobBook.job(claim.job.id, in: transaction), job.attempt == claim.attempt,
        job.status.isRunning
      else { throw claim.isStale }
      try body(job, now, transaction)
    }
    signals.announce(claim.job.id)
    signals.announceWork()
  }

  /// How far an epoch is, with the folds before it.
  private static func place(_ epoch: JSONValue) -> Int64 {
    (epoch["fold"]?.integer ?? 0) * 1_000_000 + (epoch["epoch"]?.integer ?? 0)
  }

  // Steps of a transaction

  /// An attempt that got further than those before is no failure: a long training may be killed any number of times, one
  /// that dies at the same place each time is given up.
  private static func retryOrGiveUp(
    _ job: Job, problem: String, at now: Moment, in transaction: Transaction
  ) throws {
    let failures = job.failures + (job.hasAdvanced ? 0 : 1)
    guard failures < mostFailures else {
      try transaction.execute("UPDATE jobs SET failures = $1 WHERE id = $2", SQLValue(failures), .text(job.id))
      return try end(
        job, .failed, problem: "given up after \(failures) attempts; the last one: \(problem)", at: now,
        in: transaction)
    }
    try giveBack(job, failures: failures, problem: problem, at: now, in: transaction)
  }

  private static func giveBack(
    _ job: Job, failures: Int, problem: String?, at now: Moment, in transaction: Transaction
  ) throws {
    let turn = failures > job.failures ? now + backOff(afterFailures: failures) : now
    try transaction.execute(
      """
      UPDATE jobs SET status = 'pending', failures = $1, not_before = $2, problem = $3, worker = NULL,
        lease_until = NULL, announced_at = NULL, updated_at = $4 WHERE id = $5
      """, SQLValue(failures), SQLValue(turn), SQLValue(problem), SQLValue(now), .text(job.id))
    try note(.pending, problem: problem, of: job, at: now, in: transaction)
  }

  private static func end(
    _ job: Job, _ status: JobStatus, problem: String?, at now: Moment, in transaction: Transaction
  ) throws {
    try transaction.execute(
      """
      UPDATE jobs SET status = $1, problem = $2, worker = NULL, lease_until = NULL, announced_at = NULL,
        updated_at = $3, finished_at = $4 WHERE id = $5
      """, .text(status.rawValue), SQLValue(problem), SQLValue(now), SQLValue(now), .text(job.id))
    try note(status, problem: problem, of: job, at: now, in: transaction)
  }

  private static func note(
    _ status: JobStatus, problem: String?, of job: Job, at now: Moment, in transaction: Transaction
  ) throws {
    var body: [String: JSONValue] = ["status": .string(status.rawValue)]
    if let problem { body["problem"] = .string(problem) }
    try JobBook.note(.status, .object(body), job: job.id, attempt: job.attempt, at: now, in: transaction)
  }
}
