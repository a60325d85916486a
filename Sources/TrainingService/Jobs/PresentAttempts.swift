// The attempts that run: which they are, what may be done as one of them, and whose leases are over or begin anew.

extension JobQueue {
  /// The attempt of a number, where it is the present one.
  /// - Throws: `JobError.unknown`, `JobError.staleAttempt`.
  func present(_ id: String, attempt: Int) async throws -> Claim {
    try await store.read { transaction in
      guard let job = try JobBook.job(id, in: transaction) else { throw JobError.unknown(id: id) }
      guard job.attempt == attempt, job.status.isRunning else { throw JobError.staleAttempt(id: id, attempt: attempt) }
      return Claim(job: ClaimedJob(job), attempt: attempt, lease: lease)
    }
  }

  /// Does something while no other attempt can begin.
  /// - Throws: `JobError.staleAttempt` where one has begun; what `body` throws.
  func whilePresent(_ claim: Claim, _ body: @escaping @Sendable () throws -> Void) async throws {
    try await store.write(durably: false) { [now = store.now] transaction in
      // A change, so that the row is this transaction's own until its end.
      let changed = try transaction.execute(
        "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND attempt = $3 AND status IN \(JobStatus.running)",
        SQLValue(now + lease), .text(claim.job.id), SQLValue(claim.attempt))
      guard changed == 1 else { throw claim.isStale }
      try body()
    }
  }

  /// The numbers of the attempts that run, by their jobs.
  func presentAttempts() async throws -> [String: Int] {
    try await store.read { transaction in
      let rows = try transaction.rows("SELECT id, attempt FROM jobs WHERE status IN \(JobStatus.running)")
      return Dictionary(rows.map { ($0.text("id"), $0.int("attempt")) }) { first, _ in first }
    }
  }

  /// Ends the leases of workers that are known to be gone, so that their jobs need not wait for it.
  ///
  /// - Parameter isGone: told a worker's name. A mistake costs the work of an attempt, never a second end: the attempt
  ///   that runs still would be refused.
  public func endLeases(whereWorker isGone: @escaping @Sendable (String) -> Bool) async throws {
    try await setLeases(.milliseconds(-1), whereWorker: isGone)
    signals.announceWork()
  }

  /// Lets leases begin anew of workers that could not be heard, because nobody listened: after the server was away.
  public func renewLeases(whereWorker isMeant: @escaping @Sendable (String) -> Bool) async throws {
    try await setLeases(lease, whereWorker: isMeant)
  }

  private func setLeases(_ time: Duration, whereWorker isMeant: @escaping @Sendable (String) -> Bool) async throws {
    try await store.write(durably: false) { [now = store.now] transaction in
      let rows = try transaction.rows("SELECT id, attempt, worker FROM jobs WHERE status IN \(JobStatus.running)")
      for row in rows where row.optionalText("worker").map(isMeant) == true {
        try transaction.execute(
          "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND attempt = $3", SQLValue(now + time),
          .text(row.text("id")), SQLValue(row.int("attempt")))
      }
    }
  }
}
