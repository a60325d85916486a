// One connection to a PostgreSQL server, through libpq.

import CPQ
import Foundation

/// What the server, or the way to it, has against a statement.
struct PostgresProblem: Error {
  /// The five signs of the standard (and PostgreSQL's own), where the server said them.
  var code: String?
  var message: String
  /// Whether the connection is of no more use.
  var isConnectionLost: Bool
  /// Whether the same is worth another try.
  var isPassing: Bool

  /// serialization_failure, deadlock_detected, admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections;
  /// and, where tables were changed under a prepared statement, feature_not_supported and invalid_sql_statement_name.
  private static let passing: Set<String> = [
    "40001", "40P01", "57P01", "57P02", "57P03", "53300", "0A000", "26000",
  ]

  init(code: String?, message: String, isConnectionLost: Bool) {
    self.code = code
    // libpq's messages end in line ends, and have hints on further lines.
    self.message = message.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    // A statement prepared before is gone with its connection.
    self.isConnectionLost = isConnectionLost || code == "0A000" || code == "26000"
    isPassing = isConnectionLost || code.map(Self.passing.contains) == true
  }

  /// What it means to a person.
  func explained(at place: String) -> DatabaseServerError {
    switch code {
    case "55P03": .busy(place: place, seconds: Int(PostgresSession.patience.milliseconds / 1000))
    case "42501": .notAllowed(place: place, reason: message)
    default:
      isPassing ? .unreachable(place: place, reason: message) : .failed(place: place, reason: message)
    }
  }
}

/// A connection, used by one thread at a time.
final class PostgresConnection: SQLConnection {
  private let handle: OpaquePointer
  /// Names of prepared statements, by their text and the types of their parameters.
  private var prepared: [Prepared: String] = [:]

  private struct Prepared: Hashable {
    let sql: String
    let types: [Oid]
  }

  /// More than the service's statements are; each costs the server some memory.
  private static let mostPrepared = 250

  /// Versions count as in 150018 for 15.18. `pg_xact_status` came with 13.
  private static let leastVersion = 130_000

  /// Connects and signs in.
  /// - Throws: ``DatabaseServerError`` for what does not pass by itself; ``PostgresProblem``.
  init(_ address: PostgresAddress) throws {
    let settings = Array(address.settings)
    let handle = Self.withTexts(settings.map(\.key) + [nil]) { names in
      Self.withTexts(settings.map(\.value) + [nil]) { values in PQconnectdbParams(names, values, 0) }
    }
    guard let handle else { throw PostgresProblem(code: nil, message: "out of memory", isConnectionLost: true) }
    self.handle = handle
    guard PQstatus(handle) == CONNECTION_OK else {
      throw Self.refusal(String(cString: PQerrorMessage(handle)), address)
    }
    let version = Int(PQserverVersion(handle))
    guard version >= Self.leastVersion else {
      throw DatabaseServerError.serverTooOld(
        place: address.place, version: version / 10_000, least: Self.leastVersion / 10_000)
    }
    // Notices would go to the standard error.
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    // A server that lost sight of this client in a transaction lets the others go on after ten seconds.
    try script(
      """
      SET client_min_messages = warning; SET idle_in_transaction_session_timeout = 10000;
      SET lock_timeout = \(PostgresSession.patience.milliseconds)
      """)
  }

  deinit { PQfinish(handle) }

  /// Which of the server's processes serves this connection.
  var serverProcess: Int32 { PQbackendPID(handle) }

  /// Why no connection came about. libpq gives no code here, so the words have to do; where they are not English, they
  /// are shown as they are.
  private static func refusal(_ message: String, _ address: PostgresAddress) -> any Error {
    let problem = PostgresProblem(code: nil, message: message, isConnectionLost: true)
    let words = problem.message
    guard let answer = words.firstRange(of: "FATAL: ").map({ words[$0.upperBound...] }) else {
      return words.contains("no password supplied")
        ? DatabaseServerError.refusedSignIn(place: address.place, reason: words) : problem
    }
    let isAboutDatabase = answer.contains("database \"\(address.database)\"")
    if isAboutDatabase, answer.contains("does not exist") {
      return DatabaseServerError.unknownDatabase(place: address.place, name: address.database)
    }
    // What passes: the server starts, stops or recovers, or has no connection left.
    let passing = ["starting up", "shutting down", "recovery", "too many", "slots are reserved", "not yet accepting"]
    if passing.contains(where: answer.contains) { return problem }
    return DatabaseServerError.refusedSignIn(place: address.place, reason: String(answer))
  }

  // Statements

  /// Runs statements without parameters, one after the other.
  func script(_ sql: String) throws {
    _ = try result(of: PQexec(handle, sql))
  }

  /// Ends the transaction.
  func commit() throws {
    let raw = PQexec(handle, "COMMIT")
    // Where a statement failed and its error was passed over, the server answers so.
    let isRolledBack = raw.map { String(cString: PQcmdStatus($0)) } == "ROLLBACK"
    _ = try result(of: raw)
    if isRolledBack {
      throw PostgresProblem(code: nil, message: "the transaction had failed before its end", isConnectionLost: false)
    }
  }

  func run(_ sql: String, _ values: [SQLValue]) throws -> SQLResult {
    let name = try prepare(sql, values)
    return try Self.withTexts(values.map(\.parameter)) { parameters in
      try result(of: PQexecPrepared(handle, name, Int32(values.count), parameters, nil, nil, 0))
    }
  }

  private func prepare(_ sql: String, _ values: [SQLValue]) throws -> String {
    let key = Prepared(sql: sql, types: values.map(\.type))
    if let name = prepared[key] { return name }
    if prepared.count >= Self.mostPrepared {
      try script("DEALLOCATE ALL")
      prepared = [:]
    }
    let name = "s\(prepared.count)"
    _ = try result(of: PQprepare(handle, name, sql, Int32(key.types.count), key.types))
    prepared[key] = name
    return name
  }

  /// Takes what libpq gives, which it frees.
  private func result(of raw: OpaquePointer?) throws -> SQLResult {
    guard let raw else { throw lastProblem(code: nil, message: nil) }
    defer { PQclear(raw) }
    let status = PQresultStatus(raw)
    guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else {
      let code = PQresultErrorField(raw, Self.codeField).map { String(cString: $0) }
      let message = PQresultErrorField(raw, Self.messageField).map { String(cString: $0) }
      throw lastProblem(code: code, message: message)
    }
    return SQLResult(raw)
  }

  /// libpq's names of fields are signs: `PG_DIAG_SQLSTATE`, `PG_DIAG_MESSAGE_PRIMARY`.
  private static let codeField = Int32(UInt8(ascii: "C"))
  private static let messageField = Int32(UInt8(ascii: "M"))

  private func lastProblem(code: String?, message: String?) -> PostgresProblem {
    PostgresProblem(
      code: code, message: message ?? String(cString: PQerrorMessage(handle)),
      isConnectionLost: PQstatus(handle) != CONNECTION_OK)
  }

  private static func withTexts<Value>(
    _ texts: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) throws -> Value
  ) rethrows -> Value {
    let copies = texts.map { $0.flatMap { strdup($0) } }
    defer { for copy in copies { free(copy) } }
    return try body(copies.map { UnsafePointer($0) })
  }

  // Notifications

  /// A notification of another connection.
  struct Notification {
    let serverProcess: Int32
    let text: String
  }

  /// Waits for notifications, or until the other end of a pipe is closed.
  ///
  /// - Returns: nil where the pipe was closed.
  /// - Throws: ``PostgresProblem`` where the connection is lost.
  func notifications(orEndOf pipe: Int32) throws -> [Notification]? {
    // Some may have come with the answer to a statement.
    let early = takeNotifications()
    if !early.isEmpty { return early }
    var waits = [
      pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0), pollfd(fd: pipe, events: 0, revents: 0),
    ]
    while poll(&waits, 2, -1) < 0, errno == EINTR {}
    if waits[1].revents != 0 { return nil }
    guard PQconsumeInput(handle) == 1 else { throw lastProblem(code: nil, message: nil) }
    return takeNotifications()
  }

  private func takeNotifications() -> [Notification] {
    var found: [Notification] = []
    while let notification = PQnotifies(handle) {
      found.append(
        Notification(serverProcess: notification.pointee.be_pid, text: String(cString: notification.pointee.extra)))
      PQfreemem(notification)
    }
    return found
  }
}

extension SQLValue {
  /// PostgreSQL's `int8`, `text`, or what the statement makes of it.
  fileprivate var type: Oid {
    switch self {
    case .integer: 20
    case .text: 25
    case .null: 0
    }
  }

  /// PostgreSQL's texts can't hold the sign 0, which nobody types; it becomes the sign for an unreadable one.
  fileprivate var parameter: String? {
    switch self {
    case .integer(let number): String(number)
    case .text(let text): text.utf8.contains(0) ? text.replacing("\0", with: "\u{FFFD}") : text
    case .null: nil
    }
  }
}

extension SQLResult {
  /// Reads libpq's result: `int8`, `int4` and `int2` as numbers, all else as texts.
  fileprivate init(_ raw: OpaquePointer) {
    let width = PQnfields(raw)
    var columns: [String: Int] = [:]
    for place in (0..<width).reversed() { columns[String(cString: PQfname(raw, place))] = Int(place) }
    let areNumbers = (0..<width).map { [20, 21, 23].contains(PQftype(raw, $0)) }
    rows = (0..<PQntuples(raw)).map { row in
      SQLRow(
        columns: columns,
        values: (0..<width).map { place in
          if PQgetisnull(raw, row, place) == 1 { return .null }
          let text = String(cString: PQgetvalue(raw, row, place))
          guard areNumbers[Int(place)], let number = Int64(text) else { return .text(text) }
          return .integer(number)
        })
    }
    changeCount = Int(String(cString: PQcmdTuples(raw))) ?? 0
  }
}
