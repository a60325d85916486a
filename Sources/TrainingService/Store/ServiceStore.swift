// The database of the service: accounts, jobs, what happened to them, and the models that came of them.

import DatabaseFiles
import Foundation
import GRDB

/// The service's records in one SQLite file, which several processes may use at once.
///
/// What a caller may rely on after a crash is said call by call: a job that was accepted, an attempt that was begun and
/// an end that was reported are on the disk before the call returns (`synchronous=FULL`); a heartbeat and a line of
/// progress only survive the end of the process, not that of the machine, and cost no wait for the disk.
public final class ServiceStore: Sendable {
  /// The file's path.
  public let path: String
  private let pool: DatabasePool
  private let clock: @Sendable () -> Moment

  /// Seconds that a call waits for another process's transaction.
  static let patience = 20

  /// Opens the store at `path`, made new where there is none, and brings its tables up to date.
  ///
  /// - Parameters:
  ///   - path: of the file; SQLite keeps two more beside it (`-wal`, `-shm`).
  ///   - clock: what leases, back-off and times of records go by.
  /// - Throws: `DatabaseFileError`.
  public init(path: String, clock: @escaping @Sendable () -> Moment = { .now }) throws {
    self.path = path
    self.clock = clock
    var configuration = Configuration()
    configuration.busyMode = .timeout(Double(Self.patience))
    configuration.foreignKeysEnabled = true
    // Reads of status are short: more connections than this only hold memory.
    configuration.maximumReaderCount = 8
    do {
      // Who may read this file, may read hashes of passwords and of tokens.
      let isNew = !FileManager.default.fileExists(atPath: path)
      // Before the pool is opened: its readers need the write-ahead log, and two processes may make the file at once.
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      if isNew { chmod(path, 0o600) }
      try queue.writeWithoutTransaction { try Schema.tables.migrate($0, path: path) }
      try queue.close()
      pool = try DatabasePool(path: path, configuration: configuration)
    } catch let error as DatabaseError {
      throw DatabaseFileError(error, path: path, patience: Self.patience)
    }
  }

  /// The time that records get.
  var now: Moment { clock() }

  /// Reads in one transaction: what `body` sees does not change while it looks.
  func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      pool.asyncRead { database in
        continuation.resume(with: self.explained { try body(Transaction(try database.get())) })
      }
    }
  }

  /// Writes in one transaction, taken from its beginning: all of it is stored when this returns, or nothing. A task that
  /// is cancelled meanwhile changes nothing about that: who is stopped must still be able to say so.
  ///
  /// - Parameter durably: whether the disk has it when this returns; otherwise only the system's cache, which outlives
  ///   the process but not a power cut.
  @discardableResult
  func write<Value: Sendable>(
    durably: Bool, _ body: @escaping @Sendable (Transaction) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      pool.asyncWriteWithoutTransaction { database in
        continuation.resume(
          with: self.explained {
            try database.execute(sql: "PRAGMA synchronous = \(durably ? "FULL" : "NORMAL")")
            var value: Value?
            try database.inTransaction(.immediate) {
              value = try body(Transaction(database))
              return .commit
            }
            return value!
          })
      }
    }
  }

  private func explained<Value>(_ body: () throws -> Value) -> Result<Value, any Error> {
    Result(catching: body).mapError { error in
      (error as? DatabaseError).map { DatabaseFileError($0, path: path, patience: Self.patience) } ?? error
    }
  }
}
