// The tables of a database's file, and how an older file becomes a newer one.

import GRDB
import Glibc

/// The steps from an empty file to the present tables. A step, once released, is never changed: a new one follows it.
public struct DatabaseSchema: Sendable {
  /// SQLite's mark for whose database it is, in the header of the file.
  private let applicationID: Int
  /// SQL statements, one text for each step.
  private let steps: [String]

  public init(applicationID: Int, steps: [String]) {
    self.applicationID = applicationID
    self.steps = steps
  }

  /// Brings the tables up to date. Two processes may do so at once: the version is read within the transaction that
  /// changes it, so the second one finds the work done.
  ///
  /// - Parameter path: of the file, for messages.
  /// - Throws: `DatabaseFileError` for another program's file and for a newer one; GRDB's `DatabaseError`.
  public func migrate(_ database: Database, path: String) throws {
    if try Int.fetchOne(database, sql: "PRAGMA user_version") != steps.count
      || Int.fetchOne(database, sql: "PRAGMA application_id") != applicationID
    {
      try database.inTransaction(.immediate) {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let owner = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let tableCount = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
        guard owner == applicationID || (owner == 0 && tableCount == 0 && version == 0) else {
          throw DatabaseFileError.foreignDatabase(path: path)
        }
        guard version <= steps.count else {
          throw DatabaseFileError.newerDatabase(path: path, version: version, known: steps.count)
        }
        for step in steps[max(0, version)...] { try database.execute(sql: step) }
        try database.execute(sql: "PRAGMA application_id = \(applicationID)")
        try database.execute(sql: "PRAGMA user_version = \(steps.count)")
        return .commit
      }
    }
    try Self.setWriteAheadLog(database)
  }

  /// The write-ahead log lets readers and a writer go on side by side. Switching to it needs the file alone for a
  /// moment, and SQLite does not always wait for that by itself.
  private static func setWriteAheadLog(_ database: Database) throws {
    for attempt in 1... {
      do {
        _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        return
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && attempt < 200 {
        usleep(20_000)
      }
    }
  }
}
