// Signing in: passwords, sessions of browsers, tokens of programs, and the limit on attempts.

import Foundation

/// Who asks, and how that is known.
public struct Identity: Sendable {
  public let user: User
  /// What forms of this session must carry; nil where a token of a program was shown, which no browser sends by itself.
  let formToken: String?
  /// The session, for signing out.
  let sessionHash: String?
  /// The API token that was shown.
  var tokenID: Int64?
  /// Whether it is a worker's token, which works and does nothing else.
  var isWorker = false
}

/// A browser that has signed in.
struct BrowserSession: Sendable {
  let user: User
  /// What the cookie carries, signed.
  let token: String
  let formToken: String
}

extension Accounts {
  /// How long a browser stays signed in.
  static let sessionLifetime = Duration.seconds(14 * 24 * 60 * 60)
  /// How long a token from e-mail and password holds; named tokens hold until they are revoked.
  static let loginTokenLifetime = Duration.seconds(12 * 60 * 60)

  /// Failures within `failureWindow` after which an account or a client's address has to wait. Ten guesses a quarter of
  /// an hour are no attack on a password of ten characters, and enough for a person who tries to remember.
  static let mostFailures = 10
  static let failureWindow = Duration.seconds(15 * 60)

  /// Checks e-mail and password, within the limit on attempts. An unknown address takes as long as a wrong password.
  ///
  /// - Parameter client: the address that the request came from.
  /// - Throws: `AccountError.wrongCredentials`, `AccountError.tooManyAttempts`, `DatabaseFileError`.
  public func authenticate(email: String, password: String, client: String) async throws -> User {
    let email = Self.normalized(email)
    let subjects = ["account:\(email.prefix(254))", "client:\(client)"]
    for subject in subjects {
      if let wait = try await secondsToWait(subject) { throw AccountError.tooManyAttempts(secondsLeft: wait) }
    }
    let found = try await store.read { transaction in
      try transaction.row("SELECT \(User.columns), users.password FROM users WHERE email = $1", .text(email))
        .map { (user: User($0), password: Password(stored: $0.text("password"))) }
    }
    guard let found else {
      await Password.spendTime(on: password, cost: cost)
      try await noteFailure(subjects)
      throw AccountError.wrongCredentials
    }
    guard await found.password.isMatched(by: password) else {
      try await noteFailure(subjects)
      throw AccountError.wrongCredentials
    }
    try await store.write(durably: false) {
      try $0.execute("DELETE FROM sign_in_failures WHERE subject = $1", .text(subjects[0]))
    }
    return found.user
  }

  private func secondsToWait(_ subject: String) async throws -> Int? {
    try await store.read { [now = store.now] transaction in
      // The failure that has to grow old before there are fewer than the limit.
      let row = try transaction.row(
        """
        SELECT failed_at FROM sign_in_failures WHERE subject = $1 AND failed_at > $2
        ORDER BY failed_at DESC LIMIT 1 OFFSET \(Self.mostFailures - 1)
        """, .text(subject), SQLValue(now - Self.failureWindow))
      return row.map { max(1, Int(($0.moment("failed_at") + Self.failureWindow - now).milliseconds / 1000)) }
    }
  }

  private func noteFailure(_ subjects: [String]) async throws {
    try await store.write(durably: false) { [now = store.now] transaction in
      try transaction.execute("DELETE FROM sign_in_failures WHERE failed_at <= $1", SQLValue(now - Self.failureWindow))
      for subject in subjects {
        try transaction.execute(
          "INSERT INTO sign_in_failures (subject, failed_at) VALUES ($1, $2)", .text(subject), SQLValue(now))
      }
    }
  }

  // Sessions

  /// Begins a browser's session.
  func beginSession(of user: User) async throws -> BrowserSession {
    let session = BrowserSession(user: user, token: Secrets.token(), formToken: Secrets.token())
    try await store.write(durably: true) { [now = store.now] transaction in
      try transaction.execute("DELETE FROM sessions WHERE expires_at <= $1", SQLValue(now))
      try transaction.execute(
        """
        INSERT INTO sessions (token_hash, user_id, form_token, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
        """, .text(Secrets.hash(session.token)), SQLValue(user.id), .text(session.formToken), SQLValue(now),
        SQLValue(now + Self.sessionLifetime))
    }
    return session
  }

  /// Who the session is of; nil where it has ended.
  func identity(sessionToken: String) async throws -> Identity? {
    let hash = Secrets.hash(sessionToken)
    return try await store.read { [now = store.now] transaction in
      let row = try transaction.row(
        """
        SELECT \(User.columns), sessions.form_token FROM sessions JOIN users ON users.id = sessions.user_id
        WHERE sessions.token_hash = $1 AND sessions.expires_at > $2
        """, .text(hash), SQLValue(now))
      return row.map { Identity(user: User($0), formToken: $0.text("form_token"), sessionHash: hash) }
    }
  }

  /// Ends a browser's session.
  func endSession(hash: String) async throws {
    try await store.write(durably: true) {
      try $0.execute("DELETE FROM sessions WHERE token_hash = $1", .text(hash))
    }
  }

  // Tokens of programs

  /// Makes a token for a program.
  /// - Parameters:
  ///   - lifetime: nil holds until it is revoked.
  ///   - isWorker: for a worker far away, which sees every job's data: an administrator's to make. It opens nothing else.
  /// - Throws: `AccountError.workersAreForAdmins`.
  public func makeToken(
    of user: User, name: String, lifetime: Duration?, isWorker: Bool = false
  ) async throws -> (APIToken, secret: String) {
    guard !isWorker || user.isAdmin else { throw AccountError.workersAreForAdmins(email: user.email) }
    let secret = "rk_" + Secrets.token()
    let token = try await store.write(durably: true) { [now = store.now] transaction in
      try transaction.execute("DELETE FROM api_tokens WHERE expires_at <= $1", SQLValue(now))
      let row = try transaction.row(
        """
        INSERT INTO api_tokens (user_id, name, token_hash, created_at, expires_at, is_worker)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, name, created_at, expires_at, is_worker
        """, SQLValue(user.id), .text(name), .text(Secrets.hash(secret)), SQLValue(now),
        SQLValue(lifetime.map { now + $0 }), SQLValue(isWorker))
      return APIToken(row!)
    }
    return (token, secret)
  }

  /// The tokens of an account, newest first.
  public func tokens(of user: User) async throws -> [APIToken] {
    try await store.read { [now = store.now] transaction in
      try transaction.rows(
        """
        SELECT id, name, created_at, expires_at, is_worker FROM api_tokens
        WHERE user_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY id DESC
        """, SQLValue(user.id), SQLValue(now)
      ).map(APIToken.init)
    }
  }

  /// Revokes a token; false where the account has no such token.
  public func revokeToken(_ id: Int64, of user: User) async throws -> Bool {
    try await store.write(durably: true) {
      try $0.execute("DELETE FROM api_tokens WHERE id = $1 AND user_id = $2", SQLValue(id), SQLValue(user.id)) == 1
    }
  }

  /// Who the token is of; nil where it is none or has ended.
  func identity(apiToken: String) async throws -> Identity? {
    try await store.read { [now = store.now] transaction in
      let row = try transaction.row(
        """
        SELECT \(User.columns), api_tokens.id AS token_id, api_tokens.is_worker
        FROM api_tokens JOIN users ON users.id = api_tokens.user_id
        WHERE api_tokens.token_hash = $1 AND (api_tokens.expires_at IS NULL OR api_tokens.expires_at > $2)
        """, .text(Secrets.hash(apiToken)), SQLValue(now))
      return row.map { row in
        Identity(
          user: User(row), formToken: nil, sessionHash: nil, tokenID: row.integer("token_id"),
          isWorker: row.bool("is_worker"))
      }
    }
  }

  // The key of signatures

  /// The key that cookies are signed with, made at the first time.
  func signingKey() async throws -> [UInt8] {
    let text = try await store.write(durably: true) { transaction in
      try transaction.execute(
        "INSERT INTO secrets (name, value) VALUES ('cookies', $1) ON CONFLICT (name) DO NOTHING",
        .text(Secrets.token()))
      return try transaction.row("SELECT value FROM secrets WHERE name = 'cookies'")!.text("value")
    }
    return Array(text.utf8)
  }
}

/// A token of a program, without its secret.
public struct APIToken: Sendable, Hashable {
  public let id: Int64
  public let name: String
  public let createdAt: Moment
  public let expiresAt: Moment?
  /// Whether it is a worker's.
  public let isWorker: Bool

  init(_ row: SQLRow) {
    id = row.integer("id")
    name = row.text("name")
    createdAt = row.moment("created_at")
    expiresAt = row.optionalMoment("expires_at")
    isWorker = row.bool("is_worker")
  }
}
