// What goes wrong with a PostgreSQL server, told so that a person can act.

/// Why a database server does not do what it was asked. No case holds a password.
public enum DatabaseServerError: Error, Sendable, Hashable {
  case unreadableAddress
  /// Nobody answers, or the connection broke and could not be had again for a while.
  case unreachable(place: String, reason: String)
  case refusedSignIn(place: String, reason: String)
  case unknownDatabase(place: String, name: String)
  case serverTooOld(place: String, version: Int, least: Int)
  /// The schema holds tables, but none of ours.
  case foreignDatabase(place: String, schema: String)
  case newerDatabase(place: String, version: Int, known: Int)
  case notAllowed(place: String, reason: String)
  case busy(place: String, seconds: Int)
  /// The connection broke while a transaction was being stored, and the server can't be asked whether it was.
  case fateUnknown(place: String)
  case failed(place: String, reason: String)

  /// Whether it is likely to pass by itself.
  var isPassing: Bool {
    switch self {
    case .unreachable, .busy, .fateUnknown: true
    default: false
    }
  }
}

extension DatabaseServerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadableAddress:
      """
      the database's address can't be read; expected postgres://user:password@host:port/database, with other signs than \
      letters and digits as in %40 for @ and %2F for /
      """
    case .unreachable(let place, let reason):
      "\(place): no connection (\(reason)); does the server run there, and does a firewall let you through?"
    case .refusedSignIn(let place, let reason):
      """
      \(place): the server does not let you in (\(reason)); check the user and the password in the address, PGPASSWORD, \
      and the server's pg_hba.conf
      """
    case .unknownDatabase(let place, let name):
      "\(place): there is no database \"\(name)\"; make it with createdb, or name another in the address or in DB_NAME"
    case .serverTooOld(let place, let version, let least):
      "\(place): the server is PostgreSQL \(version); \(least) or newer is needed"
    case .foreignDatabase(let place, let schema):
      "\(place): the schema \"\(schema)\" holds another program's tables; make a database for ranker alone (createdb)"
    case .newerDatabase(let place, let version, let known):
      "\(place): the tables are of a newer ranker (schema \(version); this one knows \(known)); update ranker"
    case .notAllowed(let place, let reason):
      "\(place): the user may not do that (\(reason)); it has to own the database, or be granted CREATE on its schema"
    case .busy(let place, let seconds):
      "\(place): another program held what is needed for \(seconds) seconds; try again when that is done"
    case .fateUnknown(let place):
      "\(place): the server went away while it stored a change, and whether it did is not known; look, then try again"
    case .failed(let place, let reason): "\(place): \(reason)"
    }
  }
}
