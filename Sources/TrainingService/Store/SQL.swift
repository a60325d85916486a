// What goes into a statement and what comes out of it, whatever the database.

/// A value of a statement's parameter, or of a result.
enum SQLValue: Sendable, Hashable {
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

/// A row of a result. A column is asked for by its name; a missing one, or one of another type, is an error of the code,
/// not of the data.
struct SQLRow: Sendable {
  /// The place of each column, shared by all rows of a result.
  private let columns: [String: Int]
  private let values: [SQLValue]

  init(columns: [String: Int], values: [SQLValue]) {
    self.columns = columns
    self.values = values
  }

  private subscript(column: String) -> SQLValue {
    guard let place = columns[column] else { preconditionFailure("the result has no column \(column)") }
    return values[place]
  }

  func text(_ column: String) -> String { present(optionalText(column), column) }
  func integer(_ column: String) -> Int64 { present(optionalInteger(column), column) }
  func int(_ column: String) -> Int { Int(integer(column)) }
  func bool(_ column: String) -> Bool { integer(column) != 0 }
  func moment(_ column: String) -> Moment { Moment(milliseconds: integer(column)) }
  func json(_ column: String) throws -> JSONValue { try JSONValue(parsing: text(column)) }

  func optionalText(_ column: String) -> String? {
    switch self[column] {
    case .text(let text): text
    case .integer(let number): preconditionFailure("the column \(column) has a number, \(number), and no text")
    case .null: nil
    }
  }

  func optionalInteger(_ column: String) -> Int64? {
    switch self[column] {
    case .integer(let number): number
    case .text: preconditionFailure("the column \(column) has a text and no number")
    case .null: nil
    }
  }

  func optionalMoment(_ column: String) -> Moment? { optionalInteger(column).map(Moment.init(milliseconds:)) }
  func optionalJSON(_ column: String) throws -> JSONValue? { try optionalText(column).map(JSONValue.init(parsing:)) }

  private func present<Value>(_ value: Value?, _ column: String) -> Value {
    guard let value else { preconditionFailure("the column \(column) has no value") }
    return value
  }
}

/// What a statement did.
struct SQLResult: Sendable {
  var rows: [SQLRow]
  /// How many rows it changed.
  var changeCount: Int
}

/// Where statements of a transaction go.
protocol SQLConnection {
  func run(_ sql: String, _ values: [SQLValue]) throws -> SQLResult
}

/// A transaction that is under way. Statements are in the SQL that SQLite and PostgreSQL share; parameters are `$1`,
/// `$2`, …, first used in that order. A body that PostgreSQL runs may be run again from its beginning, where the server
/// went away: it only reads and writes through this, or does what may be done again.
struct Transaction {
  private let connection: any SQLConnection

  init(_ connection: any SQLConnection) { self.connection = connection }

  /// Runs a statement and says how many rows it changed.
  @discardableResult
  func execute(_ sql: String, _ values: SQLValue...) throws -> Int { try connection.run(sql, values).changeCount }

  /// The rows that a statement gives.
  func rows(_ sql: String, _ values: SQLValue...) throws -> [SQLRow] { try connection.run(sql, values).rows }

  /// The first row that a statement gives.
  func row(_ sql: String, _ values: SQLValue...) throws -> SQLRow? { try connection.run(sql, values).rows.first }
}
