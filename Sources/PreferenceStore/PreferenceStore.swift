// The store of items and preference pairs: one SQLite file that several processes may use at once.

import DatabaseFiles
import Datasets
import GRDB
import Glibc

/// Items and the answers that people gave about them, in a SQLite file.
///
/// A call that returns has written what it says to the disk, not only to the system's cache: the log is synchronised
/// at each commit (`synchronous=FULL`), so neither a killed process nor a power cut takes a confirmed answer. Writers in
/// several processes wait for each other, each transaction whole (write-ahead log, immediate transactions).
public final class PreferenceStore: Sendable {
  /// The file's path.
  public let path: String
  let queue: DatabaseQueue

  /// Seconds that a call waits for another process's transaction.
  static let patience = 20

  /// Opens the store at `path`, made new where there is none, and brings its tables up to date.
  ///
  /// - Parameter isCreated: whether a file that is not there is made; otherwise that is an error.
  /// - Throws: ``StoreError``.
  public init(path: String, isCreated: Bool = true) throws {
    self.path = path
    guard isCreated || Self.exists(path) else { throw StoreError.noDatabase(path: path) }
    var configuration = Configuration()
    configuration.busyMode = .timeout(Double(Self.patience))
    configuration.foreignKeysEnabled = true
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
    }
    do {
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.writeWithoutTransaction { database in
        try Schema.tables.migrate(database, path: path)
      }
    } catch let error as DatabaseFileError {
      throw StoreError.file(error)
    } catch let error as DatabaseError {
      throw StoreError(error, path: path)
    }
  }

  /// Reads in one transaction: what `body` sees does not change while it looks.
  func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    do { return try queue.read(body) } catch let error as DatabaseError { throw StoreError(error, path: path) }
  }

  /// Writes in one transaction, taken from its beginning: all of it is stored when this returns, or nothing.
  func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
    do { return try queue.write(body) } catch let error as DatabaseError { throw StoreError(error, path: path) }
  }

  private static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0
  }
}
