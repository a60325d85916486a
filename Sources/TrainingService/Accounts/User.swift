// Who uses the service.

/// An account.
public struct User: Sendable, Hashable {
  public let id: Int64
  /// In lower case.
  public let email: String
  /// Whether the account sees all jobs and models, and manages accounts.
  public let isAdmin: Bool
  public let createdAt: Moment

  init(_ row: SQLRow) {
    id = row.integer("id")
    email = row.text("email")
    isAdmin = row.bool("is_admin")
    createdAt = row.moment("created_at")
  }

  static let columns = "users.id, users.email, users.is_admin, users.created_at"
}

/// Why an account is not made, changed or let in.
public enum AccountError: Error, Sendable, Hashable {
  case notAnAddress(String)
  case passwordTooShort(least: Int)
  case passwordTooLong(greatest: Int)
  case exists(email: String)
  case unknown(email: String)
  /// Nobody could manage accounts any more.
  case lastAdmin(email: String)
  case wrongCredentials
  /// Too many failures from this client or for this account.
  case tooManyAttempts(secondsLeft: Int)
  case linkNotValid
  /// Who works sees every job's data.
  case workersAreForAdmins(email: String)
}

extension AccountError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAnAddress(let text): "\"\(text)\" is not an e-mail address; expected something like anna@example.org"
    case .passwordTooShort(let least): "the password is too short; use at least \(least) characters"
    case .passwordTooLong(let greatest): "the password is too long; use at most \(greatest) bytes"
    case .exists(let email): "there is an account \(email) already; ranker users passwd changes its password"
    case .unknown(let email): "there is no account \(email); ranker users list shows those that there are"
    case .lastAdmin(let email): "\(email) is the last administrator; add another one first (ranker users add --admin)"
    case .wrongCredentials: "the e-mail address or the password is wrong"
    case .tooManyAttempts(let seconds):
      "too many failed attempts to sign in; try again in \(seconds < 90 ? "\(seconds) seconds" : "\(seconds / 60) minutes")"
    case .workersAreForAdmins(let email):
      "\(email) is no administrator; a worker sees every job's data, so only an administrator's token may work"
    case .linkNotValid: "this link was used before or is too old; start the server again for a new one"
    }
  }
}
