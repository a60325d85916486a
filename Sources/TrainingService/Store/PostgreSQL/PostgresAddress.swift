// Which server, which database, and as whom.

import CPQ
import Foundation

/// The address of a PostgreSQL database: `postgres://user:password@host:port/database`, as libpq reads it, with libpq's
/// parameters (`?sslmode=require`) and the environment's (`PGPASSWORD`, `PGHOST`, …) for what it leaves out.
public struct PostgresAddress: Sendable {
  /// libpq's settings by their names, the password among them.
  let settings: [String: String]
  /// Server and database for people, without the password: `PostgreSQL at db.example.org:5432, database ranker`.
  public let place: String
  /// The database's name.
  public let database: String

  /// Whether a text means a server, and not a file.
  public static func isOne(_ text: String) -> Bool {
    text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
  }

  /// - Parameter environment: whose `DB_NAME` names the database where the address does not.
  /// - Throws: `DatabaseServerError.unreadableAddress`.
  public init(
    _ text: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(DatabaseServerError) {
    // libpq's own message may repeat a piece of the password.
    var message: UnsafeMutablePointer<CChar>?
    let parsed = PQconninfoParse(text, &message)
    PQfreemem(message)
    guard let parsed, Self.isOne(text), !text.utf8.contains(0) else { throw .unreadableAddress }
    var settings = Self.values(parsed)
    PQconninfoFree(parsed)
    // A sign of the password that was not written as %40 or %2F: what follows it would pass for a server, and be shown.
    let path = text.split(separator: "?").first?.split(separator: "/").dropFirst(2).joined() ?? ""
    let isPort = (settings["port"] ?? "").allSatisfy { $0.isNumber || $0 == "," }
    guard isPort, !path.contains("@"), settings["host"]?.contains("@") != true else { throw .unreadableAddress }
    if settings["dbname"] == nil, let name = environment["DB_NAME"], !name.isEmpty { settings["dbname"] = name }

    var standard: [String: String] = [:]
    if let options = PQconndefaults() {
      standard = Self.values(options)
      PQconninfoFree(options)
    }
    func effective(_ name: String) -> String? { settings[name] ?? standard[name] }
    let host = effective("host") ?? effective("hostaddr") ?? "the local socket"
    database = effective("dbname") ?? effective("user") ?? "postgres"
    place = "PostgreSQL at \(host):\(effective("port") ?? "5432"), database \(database)"

    // A server that is gone without a word is noticed within half a minute, not within hours.
    let own = [
      "connect_timeout": "10", "keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3",
      "tcp_user_timeout": "20000",
    ]
    for (name, value) in own where effective(name) == nil || effective(name) == "0" { settings[name] = value }
    if effective("application_name") == nil { settings["application_name"] = "ranker" }
    settings["client_encoding"] = "UTF8"
    self.settings = settings
  }

  private static func values(_ options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
    var values: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
      option += 1
    }
    return values
  }
}
