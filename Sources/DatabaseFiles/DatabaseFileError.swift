// What goes wrong with a database's file, told so that a person can act.

import GRDB

/// Why a database does not do what it was asked.
public enum DatabaseFileError: Error, Sendable, Hashable {
  case notADatabase(path: String)
  /// A SQLite database, but another program's.
  case foreignDatabase(path: String)
  case newerDatabase(path: String, version: Int, known: Int)
  case busy(path: String, seconds: Int)
  case diskFull(path: String)
  case failed(path: String, reason: String)

  /// SQLite's error, as what it means to a person.
  ///
  /// - Parameter patience: seconds that a call waits for another process's transaction.
  public init(_ error: DatabaseError, path: String, patience: Int) {
    switch error.resultCode {
    case .SQLITE_NOTADB: self = .notADatabase(path: path)
    case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path, seconds: patience)
    case .SQLITE_FULL: self = .diskFull(path: path)
    case .SQLITE_CANTOPEN:
      self = .failed(path: path, reason: "can't be opened; does its directory exist, and may you write there?")
    case .SQLITE_READONLY: self = .failed(path: path, reason: "you may not write to it")
    case .SQLITE_CORRUPT:
      self = .failed(path: path, reason: "the database is damaged (\(error.message ?? "no more is known"))")
    default: self = .failed(path: path, reason: error.message ?? "\(error.resultCode)")
    }
  }
}

extension DatabaseFileError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notADatabase(let path): "\(path) is not a SQLite database"
    case .foreignDatabase(let path):
      "\(path) is a SQLite database of another program; name another file with --database"
    case .newerDatabase(let path, let version, let known):
      "\(path) was written by a newer ranker (schema \(version); this one knows \(known)); update ranker"
    case .busy(let path, let seconds):
      "\(path) stayed locked by another program for \(seconds) seconds; try again when that is done"
    case .diskFull(let path): "no space left to write \(path)"
    case .failed(let path, let reason): "\(path): \(reason)"
    }
  }
}
