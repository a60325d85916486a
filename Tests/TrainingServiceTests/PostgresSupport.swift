// PostgreSQL for tests: a database for each, on the server that tools/services has started, or a server of one's own.

import CPQ
import CommandSupport
import Foundation
import Glibc
import Testing

/// The databases that the tests of the store run on.
enum TestDatabase: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case sqlite = "SQLite"
  case postgres = "PostgreSQL"

  var testDescription: String { rawValue }

  /// The address of the server, as `tools/services start` prints it.
  static var serverAddress: String? { ProcessInfo.processInfo.environment["RANKERKIT_POSTGRES"] }

  static var available: [TestDatabase] { serverAddress == nil ? [.sqlite] : [.sqlite, .postgres] }
}

extension Trait where Self == ConditionTrait {
  /// The test is left out, and said to be, where there is no PostgreSQL.
  static var needsPostgres: Self {
    .enabled(
      if: TestDatabase.serverAddress != nil,
      "left out: no PostgreSQL; export $(tools/services start postgres) before swift test")
  }
}

/// What libpq says to a statement, without any code of the service.
struct PostgresClientForTests {
  struct Failure: Error {
    let message: String
  }

  let address: String

  /// Runs statements; the first column of the last one's rows.
  @discardableResult
  func run(_ sql: String) throws -> [String] {
    let connection = PQconnectdb(address)
    defer { PQfinish(connection) }
    PQsetNoticeProcessor(connection, { _, _ in }, nil)
    let result = PQexec(connection, sql)
    defer { PQclear(result) }
    let status = PQresultStatus(result)
    guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else {
      throw Failure(message: String(cString: PQerrorMessage(connection)))
    }
    return (0..<PQntuples(result)).map { String(cString: PQgetvalue(result, $0, 0)) }
  }
}

/// An empty database that goes away with the value.
final class PostgresDatabaseForTests: Sendable {
  /// The server's address, without a database.
  let address: String
  let name = "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
  private let server: String

  var client: PostgresClientForTests { PostgresClientForTests(address: "\(address)/\(name)") }

  /// - Parameter server: the address of a server; that of `tools/services` by default.
  init(on server: String? = nil) throws {
    let server = try server ?? #require(TestDatabase.serverAddress)
    self.server = server
    address = String(server[..<server.lastIndex(of: "/")!])
    try PostgresClientForTests(address: server).run("CREATE DATABASE \(name)")
  }

  deinit { _ = try? PostgresClientForTests(address: server).run("DROP DATABASE \(name) WITH (FORCE)") }
}

/// A server that a test may kill.
final class PostgresServerForTests: Sendable {
  let address: String
  private let folder: String

  private static let tool = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("tools/services").path

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("rankerkit-\(UUID().uuidString)").path
    address = try Self.start(folder)
  }

  deinit { _ = try? Self.call(["stop", "--remove", "--directory", folder]) }

  /// Starts the server where it stands still.
  func start() throws { #expect(try Self.start(folder) == address) }

  private static func start(_ folder: String) throws -> String {
    let line = try call(["start", "--directory", folder, "postgres"])
    return String(try #require(line.firstMatch(of: /RANKERKIT_POSTGRES=(\S+)/)?.1, "\(line)"))
  }

  private static func call(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "tools/services \(arguments.joined(separator: " ")) failed")
    return text
  }

  /// Kills the server and all that it has started.
  func killAll() {
    guard let main = process else { return }
    let others = children(of: main)
    kill(main, SIGKILL)
    for other in others { kill(other, SIGKILL) }
  }

  /// Kills one of the processes that serve connections; the server then ends all others and recovers by itself.
  func killOneConnection() {
    guard let main = process else { return }
    let serving = children(of: main).filter { other in
      let command = try? String(contentsOfFile: "/proc/\(other)/cmdline", encoding: .utf8)
      return command?.contains("127.0.0.1(") == true
    }
    if let other = serving.randomElement() { kill(other, SIGKILL) }
  }

  private var process: pid_t? {
    let file = try? String(contentsOfFile: "\(folder)/postgres/data/postmaster.pid", encoding: .utf8)
    return file?.split(separator: "\n").first.flatMap { pid_t($0) }
  }

  private func children(of parent: pid_t) -> [pid_t] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { pid_t($0) } ?? []
    return all.filter { process in
      let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
      // After the command's name in brackets: the state, and the parent.
      return status?.split(separator: ")").last?.split(separator: " ").dropFirst().first == "\(parent)"
    }
  }
}
