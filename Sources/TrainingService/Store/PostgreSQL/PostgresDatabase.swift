// The records in a PostgreSQL database, for servers and workers on several machines.

import Foundation
import Synchronization

/// A database of a PostgreSQL server.
///
/// One connection writes, up to eight read, one hears what others change. Writing transactions, of all processes, come
/// one after the other, by an advisory lock that is taken at their beginning and ends with them: what is read in one is
/// still so when it writes, and numbers of events become visible in their order. It is SQLite's way, so what holds there
/// holds here. A claim takes about a millisecond, so the lock serves hundreds of workers.
final class PostgresDatabase: ServiceDatabase {
  let place: String
  private let address: PostgresAddress
  private let writer: PostgresSession
  private let readers: PostgresReaders
  private let clock = Mutex(Clock())
  private let listener = Mutex<PostgresListener?>(nil)

  private struct Clock {
    var difference = Duration.zero
    var measuredAt: ContinuousClock.Instant?
    /// Which of the server's processes serves the writer.
    var serverProcess: Int32 = 0
  }

  /// Connects, and brings the tables up to date.
  /// - Throws: ``DatabaseServerError``.
  init(_ address: PostgresAddress) throws {
    self.address = address
    place = address.place
    writer = PostgresSession(address)
    readers = PostgresReaders(address)
    try writer.runBlocking { [place] session in
      // At the start, a wrong address should be said at once; a server that only just starts is waited for by whoever
      // starts both.
      try session.once { connection in
        try session.transaction(on: connection, Self.beginning(durably: true)) { transaction in
          try PostgresSchema.migrate(transaction, on: connection, place: place)
        } end: {
          try $0.commit()
        }
        try self.measureClock(on: connection)
      }
    }
  }

  /// "RnkS" and "PgSQ".
  private static let lock = 0x526E_6B53_5067_5351

  private static func beginning(durably: Bool) -> String {
    """
    BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; \
    SET LOCAL synchronous_commit = \(durably ? "on" : "off"); SELECT pg_advisory_xact_lock(\(lock))
    """
  }

  func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
    let session = await readers.take()
    let outcome: Result<Value, any Error>
    do {
      outcome = .success(
        try await session.run { session in
          try session.persistently { connection in
            try session.transaction(
              on: connection, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", body,
              end: { try $0.commit() })
          }
        })
    } catch { outcome = .failure(error) }
    await readers.giveBack(session)
    return try outcome.get()
  }

  func write<Value: Sendable>(
    durably: Bool, _ body: @escaping @Sendable (Transaction) throws -> Value
  ) async throws -> Value {
    try await writer.run { session in
      try session.persistently { connection in
        try self.keepClock(on: connection)
        var ending = Ending<Value>()
        do {
          return try session.transaction(on: connection, Self.beginning(durably: durably)) { transaction in
            let value = try body(transaction)
            // Nil where nothing was written.
            ending.number = try transaction.row("SELECT pg_current_xact_id_if_assigned()::text AS id")?
              .optionalText("id")
            ending.value = value
            return value
          } end: { connection in
            ending.hasBegun = true
            try connection.commit()
          }
        } catch let problem as PostgresProblem where problem.isConnectionLost && ending.hasBegun {
          // Whether it was stored has to be asked for: doing it again could do it twice.
          guard let number = ending.number, try self.isStored(number, session) else { throw problem }
          return ending.value!
        }
      }
    }
  }

  /// How far a transaction came.
  private struct Ending<Value> {
    var number: String?
    var value: Value?
    var hasBegun = false
  }

  /// Whether a transaction was stored whose end was not heard of.
  /// - Throws: `DatabaseServerError.fateUnknown`.
  private func isStored(_ number: String, _ session: PostgresSession) throws -> Bool {
    let end = ContinuousClock.now + PostgresSession.patience
    while ContinuousClock.now < end {
      let status: String?
      do {
        status = try session.persistently {
          try $0.run("SELECT pg_xact_status($1::xid8) AS status", [.text(number)]).rows.first?.optionalText("status")
        }
      } catch { throw DatabaseServerError.fateUnknown(place: place) }
      switch status {
      case "committed": return true
      case "aborted": return false
      // The server's process may not have noticed yet that nobody listens.
      case "in progress": Thread.sleep(forTimeInterval: 0.05)
      default: throw DatabaseServerError.fateUnknown(place: place)
      }
    }
    throw DatabaseServerError.fateUnknown(place: place)
  }

  // The server's clock

  /// How far the server's clock is before this machine's.
  var clockDifference: Duration { clock.withLock(\.difference) }

  private func keepClock(on connection: PostgresConnection) throws {
    let isKnown = clock.withLock { clock in
      clock.serverProcess == connection.serverProcess
        && clock.measuredAt.map { ContinuousClock.now - $0 < .seconds(60) } == true
    }
    if !isKnown { try measureClock(on: connection) }
  }

  private func measureClock(on connection: PostgresConnection) throws {
    let before = Moment.now
    let row = try connection.run(
      "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now", []
    ).rows[0]
    let after = Moment.now
    clock.withLock {
      $0 = Clock(
        difference: row.moment("now") - before - (after - before) / 2, measuredAt: .now,
        serverProcess: connection.serverProcess)
    }
  }

  // News

  /// Passes on what other processes change; what this one does is told by itself.
  func relayNews(to signals: JobSignals) {
    let relay = PostgresListener(address, channel: PostgresSchema.channel) { [weak self] news in
      guard let self else { return }
      switch news {
      case .missed: signals.announceEverything()
      case .told(let notification):
        if notification.serverProcess == clock.withLock(\.serverProcess) { return }
        let words = notification.text.split(separator: " ")
        guard words.count == 2 else { return }
        signals.announce(String(words[0]))
        if words[1] == JobStatus.pending.rawValue { signals.announceWork() }
      }
    }
    listener.withLock { $0 = relay }
  }
}
