// The database of the service: accounts, jobs, what happened to them, and the models that came of them.

/// A database that holds the service's records.
protocol ServiceDatabase: Sendable {
  /// Where it is, for people: a path, or a server and a name; never a password.
  var place: String { get }

  /// Reads in one transaction: what `body` sees does not change while it looks.
  func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value

  /// Writes in one transaction: all of it is stored when this returns, or nothing. Writing transactions, of all
  /// processes, come one after the other.
  func write<Value: Sendable>(
    durably: Bool, _ body: @escaping @Sendable (Transaction) throws -> Value
  ) async throws -> Value
}

/// The service's records: in one SQLite file, which several processes of a machine may use at once, or in a database of
/// a PostgreSQL server, for processes of several machines.
///
/// What a caller may rely on after a crash is said call by call: a job that was accepted, an attempt that was begun and
/// an end that was reported are on the disk before the call returns; a heartbeat and a line of progress only survive the
/// end of the process, not that of the machine, and cost no wait for the disk.
public final class ServiceStore: Sendable {
  private let database: any ServiceDatabase
  private let clock: @Sendable () -> Moment

  /// Where the records are, for people: the file's path, or the server and the database; never a password.
  public var place: String { database.place }

  /// Opens the store in a file, made new where there is none, and brings its tables up to date.
  ///
  /// - Parameters:
  ///   - path: of the file; SQLite keeps two more beside it (`-wal`, `-shm`).
  ///   - clock: what leases, back-off and times of records go by.
  /// - Throws: `DatabaseFileError`.
  public init(path: String, clock: @escaping @Sendable () -> Moment = { .now }) throws {
    database = try SQLiteDatabase(path: path)
    self.clock = clock
  }

  /// Opens the store in a PostgreSQL database, and brings its tables up to date.
  ///
  /// - Parameters:
  ///   - address: which server and database.
  ///   - clock: what leases, back-off and times of records go by: nil for the clock of this machine, set by the
  ///     server's, so that machines whose clocks differ agree.
  /// - Throws: ``DatabaseServerError``.
  public init(_ address: PostgresAddress, clock: (@Sendable () -> Moment)? = nil) throws {
    let database = try PostgresDatabase(address)
    self.database = database
    self.clock = clock ?? { .now + database.clockDifference }
  }

  /// Opens the store where a command line says: in the database of a `postgres://` address, else in a file.
  /// - Throws: ``DatabaseServerError``, `DatabaseFileError`.
  public convenience init(database: String) throws {
    if PostgresAddress.isOne(database) {
      try self.init(try PostgresAddress(database))
    } else {
      try self.init(path: database)
    }
  }

  /// The time that records get.
  var now: Moment { clock() }

  /// Tells what other processes change, where the database can say so at once.
  package func relayNews(to signals: JobSignals) {
    (database as? PostgresDatabase)?.relayNews(to: signals)
  }

  /// Reads in one transaction: what `body` sees does not change while it looks.
  func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
    try await database.read(body)
  }

  /// Writes in one transaction: all of it is stored when this returns, or nothing. Writing transactions come one after
  /// the other, whoever they are of. A task that is cancelled meanwhile changes nothing about that: who is stopped must
  /// still be able to say so.
  ///
  /// - Parameters:
  ///   - durably: whether the disk has it when this returns; otherwise only the system's cache, which outlives the
  ///     process but not a power cut.
  ///   - body: what is done; it may be run more than once, and only the last run counts.
  @discardableResult
  func write<Value: Sendable>(
    durably: Bool, _ body: @escaping @Sendable (Transaction) throws -> Value
  ) async throws -> Value {
    try await database.write(durably: durably, body)
  }
}
