// The records in one SQLite file.

import DatabaseFiles
import Foundation
import GRDB

/// A SQLite file, which several processes may use at once.
final class SQLiteDatabase: ServiceDatabase {
  let place: String
  private let pool: DatabasePool

  /// Seconds that a call waits for another process's transaction.
  private static let patience = 20

  /// Opens the file at `path`, made new where there is none, and brings its tables up to date.
  /// - Throws: `DatabaseFileError`.
  init(path: String) throws {
    place = path
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

  func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      pool.asyncRead { database in
        continuation.resume(with: self.explained { try body(Transaction(SQLiteConnection(try database.get()))) })
      }
    }
  }

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
              value = try body(Transaction(SQLiteConnection(database)))
              return .commit
            }
            return value!
          })
      }
    }
  }

  private func explained<Value>(_ body: () throws -> Value) -> Result<Value, any Error> {
    Result(catching: body).mapError { error in
      (error as? DatabaseError).map { DatabaseFileError($0, path: place, patience: Self.patience) } ?? error
    }
  }
}

/// SQLite's statements, kept prepared by GRDB.
private struct SQLiteConnection: SQLConnection {
  private let database: GRDB.Database

  init(_ database: GRDB.Database) { self.database = database }

  func run(_ sql: String, _ values: [SQLValue]) throws -> SQLResult {
    let statement = try database.cachedStatement(sql: sql)
    let arguments = StatementArguments(
      values.map { value -> (any DatabaseValueConvertible)? in
        switch value {
        case .null: nil
        case .integer(let value): value
        case .text(let value): value
        }
      })
    guard statement.columnCount > 0 else {
      try statement.execute(arguments: arguments)
      return SQLResult(rows: [], changeCount: database.changesCount)
    }
    let columns = Dictionary(zip(statement.columnNames, 0...)) { first, _ in first }
    let rows = try Row.fetchAll(statement, arguments: arguments).map { row in
      SQLRow(columns: columns, values: row.databaseValues.map(SQLValue.init))
    }
    return SQLResult(rows: rows, changeCount: database.changesCount)
  }
}

extension SQLValue {
  fileprivate init(_ value: DatabaseValue) {
    switch value.storage {
    case .null: self = .null
    case .int64(let number): self = .integer(number)
    case .string(let text): self = .text(text)
    case .double, .blob: preconditionFailure("the tables hold whole numbers and texts only; found \(value)")
    }
  }
}
