// Which jobs a message queue was told of: the outbox of messages, kept with the jobs themselves.

/// A job that a message queue has to be told of.
struct Announcement: Sendable {
  let id: String
  /// The attempt that was the last one when this was read.
  let attempt: Int
  /// Whether it was given up, rather than waits.
  let isDead: Bool
  let message: JSONValue
}

/// What became of a message.
enum MessageOutcome: Sendable {
  case claimed(Claim)
  /// The job is there, but does not wait, or not yet.
  case notNow
  case unknown
}

extension JobQueue {
  /// Takes the job that a message names, where it waits and its turn has come.
  func claim(_ id: String, worker: String) async throws -> MessageOutcome {
    let outcome = try await store.write(durably: true) { [now = store.now] transaction -> MessageOutcome in
      guard let claim = try take(id, worker: worker, key: nil, at: now, in: transaction) else {
        return try JobBook.job(id, in: transaction) == nil ? .unknown : .notNow
      }
      return .claimed(claim)
    }
    if case .claimed = outcome { signals.announce(id) }
    return outcome
  }

  /// Gives back the jobs of workers that were not heard of any more.
  func recoverLost() async throws {
    // Seldom anything: a look costs no wait for the disk.
    let isAny = try await store.read { [now = store.now] transaction in
      try transaction.row(
        "SELECT 1 AS lost FROM jobs WHERE status IN \(JobStatus.running) AND lease_until < $1 LIMIT 1", SQLValue(now))
        != nil
    }
    guard isAny else { return }
    let recovered = try await store.write(durably: true) { [now = store.now] transaction in
      try Self.recoverLost(at: now, in: transaction)
    }
    for id in recovered { signals.announce(id) }
  }

  /// Jobs whose message is still to be published: those whose turn has come, and those that were given up.
  func unannounced(limit: Int) async throws -> [Announcement] {
    try await store.read { [now = store.now] transaction in
      try transaction.rows(
        """
        SELECT id, attempt, status, problem FROM jobs WHERE announced_at IS NULL AND (
          (status = 'pending' AND not_before <= $1) OR (status = 'failed' AND failures >= \(Self.mostFailures))
        ) ORDER BY not_before, created_at, id LIMIT $2
        """, SQLValue(now), SQLValue(limit)
      ).map { row in
        let (id, isDead) = (row.text("id"), row.text("status") == JobStatus.failed.rawValue)
        var message: [String: JSONValue] = ["job": .string(id)]
        if isDead { message["problem"] = JSONValue(row.optionalText("problem")) }
        return Announcement(id: id, attempt: row.int("attempt"), isDead: isDead, message: .object(message))
      }
    }
  }

  /// Notes that the broker has the messages. A job that was taken meanwhile needs none; where it waits again, that is
  /// another attempt's, and needs one of its own.
  func noteAnnounced(_ jobs: [Announcement]) async throws {
    try await store.write(durably: false) { [now = store.now] transaction in
      for job in jobs {
        try transaction.execute(
          "UPDATE jobs SET announced_at = $1 WHERE id = $2 AND attempt = $3 AND status = $4", SQLValue(now),
          .text(job.id), SQLValue(job.attempt),
          .text((job.isDead ? JobStatus.failed : .pending).rawValue))
      }
    }
  }

  /// Has jobs announced again that wait although they were announced long ago.
  /// - Returns: how many.
  func forgetAnnouncements(olderThan age: Duration) async throws -> Int {
    try await store.write(durably: false) { [now = store.now] transaction in
      try transaction.execute(
        "UPDATE jobs SET announced_at = NULL WHERE status = 'pending' AND not_before <= $1 AND announced_at < $2",
        SQLValue(now), SQLValue(now - age))
    }
  }
}
