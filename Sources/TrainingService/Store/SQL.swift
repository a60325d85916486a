// What goes into a statement and what comes out of it, whatever the database.

import GRDB

/// A value of a statement's parameter.
enum SQLValue: Sendable {
  case null
  case integer(Int64)
  case text(String)

  init(_ value: Int64?) { self = value.map(SQLValue.integer) ?? .null }
  init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
  init(_ value: Bool) { self = .integer(value ? 1 : 0) }
  init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
  init(_ value: Moment?) { self = value.map { .integer($0.milliseconds) } ?? .null }
  init(_ value: JSONValue?) { self = value.map { .text($0.text) } ?? .null }
}

/// A row of a result. A column is asked for by its name; a missing one is an error of the code, not of the data.
struct SQLRow {
  private let row: Row

  fileprivate init(_ row: Row) { self.row = row }

  func text(_ column: String) -> String { row[column] }
  func optionalText(_ column: String) -> String? { row[column] }
  func integer(_ column: String) -> Int64 { row[column] }
  func optionalInteger(_ column: String) -> Int64? { row[column] }
  func int(_ column: String) -> Int { row[column] }
  func bool(_ column: String) -> Bool { row[column] as Int64 != 0 }
  func moment(_ column: String) -> Moment { Moment(milliseconds: row[column]) }
  func optionalMoment(_ column: String) -> Moment? { (row[column] as Int64?).map(Moment.init(milliseconds:)) }

  func json(_ column: String) throws -> JSONValue { try JSONValue(parsing: row[column] as String) }
  func optionalJSON(_ column: String) throws -> JSONValue? { try optionalText(column).map(JSONValue.init(parsing:)) }
}

/// A transaction that is under way. Statements are in the SQL that SQLite and PostgreSQL share; parameters are `$1`,
/// `$2`, …, first used in that order.
struct Transaction {
  private let database: GRDB.Database

  init(_ database: GRDB.Database) { self.database = database }

  /// Runs a statement and says how many rows it changed.
  @discardableResult
  func execute(_ sql: String, _ values: SQLValue...) throws -> Int {
    let statement = try database.cachedStatement(sql: sql)
    try statement.execute(arguments: Self.arguments(values))
    return database.changesCount
  }

  /// The rows that a statement gives.
  func rows(_ sql: String, _ values: SQLValue...) throws -> [SQLRow] {
    let statement = try database.cachedStatement(sql: sql)
    return try Row.fetchAll(statement, arguments: Self.arguments(values)).map(SQLRow.init)
  }

  /// The first row that a statement gives.
  func row(_ sql: String, _ values: SQLValue...) throws -> SQLRow? {
    let statement = try database.cachedStatement(sql: sql)
    return try Row.fetchOne(statement, arguments: Self.arguments(values)).map(SQLRow.init)
  }

  private static func arguments(_ values: [SQLValue]) -> StatementArguments {
    StatementArguments(
      values.map { value -> (any DatabaseValueConvertible)? in
        switch value {
        case .null: nil
        case .integer(let value): value
        case .text(let value): value
        }
      })
  }
}
