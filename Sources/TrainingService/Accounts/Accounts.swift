// Accounts: making, changing, removing, and the link by which the first one is made.

import Foundation

/// The accounts of the service.
public struct Accounts: Sendable {
  let store: ServiceStore
  let cost: Password.Cost

  /// - Parameter cost: of the hashes of new passwords.
  public init(_ store: ServiceStore, cost: Password.Cost = .recommended) {
    self.store = store
    self.cost = cost
  }

  /// Makes an account.
  /// - Throws: ``AccountError``, `DatabaseFileError`.
  @discardableResult
  public func add(email: String, password: String, isAdmin: Bool = false) async throws -> User {
    let email = try Self.checked(email: email)
    let hash = try await hash(password)
    return try await store.write(durably: true) { [now = store.now] in
      try Self.insert(email: email, hash: hash, isAdmin: isAdmin, at: now, in: $0)
    }
  }

  /// Changes a password; whoever was signed in with the old one is signed out, and tokens of programs go.
  /// - Throws: ``AccountError``, `DatabaseFileError`.
  public func setPassword(_ password: String, of email: String) async throws {
    let email = Self.normalized(email)
    let hash = try await hash(password)
    try await store.write(durably: true) { transaction in
      guard
        try transaction.execute(
          "UPDATE users SET password = $1 WHERE email = $2", .text(hash.text), .text(email)) == 1
      else { throw AccountError.unknown(email: email) }
      for table in ["sessions", "api_tokens"] {
        try transaction.execute(
          "DELETE FROM \(table) WHERE user_id = (SELECT id FROM users WHERE email = $1)", .text(email))
      }
    }
  }

  /// Removes an account with its records of jobs and models. Files of models stay where they are.
  /// - Throws: ``AccountError``, `DatabaseFileError`.
  public func remove(email: String) async throws {
    let email = Self.normalized(email)
    try await store.write(durably: true) { transaction in
      guard
        let row = try transaction.row("SELECT \(User.columns) FROM users WHERE email = $1", .text(email))
      else { throw AccountError.unknown(email: email) }
      let user = User(row)
      if user.isAdmin {
        let admins = try transaction.row("SELECT COUNT(*) AS count FROM users WHERE is_admin = 1")!.int("count")
        guard admins > 1 else { throw AccountError.lastAdmin(email: email) }
      }
      try transaction.execute("DELETE FROM users WHERE id = $1", SQLValue(user.id))
    }
  }

  /// All accounts, in the order of their addresses.
  public func all() async throws -> [User] {
    try await store.read { try $0.rows("SELECT \(User.columns) FROM users ORDER BY email").map(User.init) }
  }

  public func user(email: String) async throws -> User? {
    try await store.read {
      try $0.row("SELECT \(User.columns) FROM users WHERE email = $1", .text(Self.normalized(email))).map(User.init)
    }
  }

  // The first account

  /// How long the link for the first account holds.
  static let linkLifetime = Duration.seconds(24 * 60 * 60)

  /// A token for the link by which the first account is made; nil where there are accounts. An earlier link ends.
  public func firstAccountToken() async throws -> String? {
    let token = Secrets.token()
    return try await store.write(durably: true) { [now = store.now] transaction in
      guard try transaction.row("SELECT id FROM users LIMIT 1") == nil else { return nil }
      try transaction.execute("DELETE FROM first_account_links")
      try transaction.execute(
        "INSERT INTO first_account_links (token_hash, expires_at) VALUES ($1, $2)", .text(Secrets.hash(token)),
        SQLValue(now + Self.linkLifetime))
      return token
    }
  }

  /// Whether the link can be used.
  func isFirstAccountTokenValid(_ token: String) async throws -> Bool {
    try await store.read { [now = store.now] in try Self.isValid(token, at: now, in: $0) }
  }

  /// Makes the first account, an administrator's; the link is used up.
  func addFirst(token: String, email: String, password: String) async throws -> User {
    let email = try Self.checked(email: email)
    guard try await isFirstAccountTokenValid(token) else { throw AccountError.linkNotValid }
    let hash = try await hash(password)
    return try await store.write(durably: true) { [now = store.now] transaction in
      guard try Self.isValid(token, at: now, in: transaction) else { throw AccountError.linkNotValid }
      try transaction.execute("DELETE FROM first_account_links")
      return try Self.insert(email: email, hash: hash, isAdmin: true, at: now, in: transaction)
    }
  }

  private static func isValid(_ token: String, at now: Moment, in transaction: Transaction) throws -> Bool {
    try transaction.row(
      """
      SELECT 1 FROM first_account_links WHERE token_hash = $1 AND expires_at > $2
      AND NOT EXISTS (SELECT 1 FROM users)
      """, .text(Secrets.hash(token)), SQLValue(now)) != nil
  }

  // Parts

  private func hash(_ password: String) async throws -> Password {
    guard password.count >= Password.leastLength else {
      throw AccountError.passwordTooShort(least: Password.leastLength)
    }
    guard password.utf8.count <= Password.greatestLength else {
      throw AccountError.passwordTooLong(greatest: Password.greatestLength)
    }
    return await Password.hash(password, cost: cost)
  }

  private static func insert(
    email: String, hash: Password, isAdmin: Bool, at now: Moment, in transaction: Transaction
  ) throws -> User {
    let row = try transaction.row(
      """
      INSERT INTO users (email, password, is_admin, created_at) VALUES ($1, $2, $3, $4)
      ON CONFLICT (email) DO NOTHING RETURNING \(User.columns)
      """, .text(email), .text(hash.text), SQLValue(isAdmin), SQLValue(now))
    guard let row else { throw AccountError.exists(email: email) }
    return User(row)
  }

  static func normalized(_ email: String) -> String {
    email.trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
  }

  /// An address has one `@` with something before it and a name after it, and no blanks; whether it exists, only mail
  /// would tell.
  private static func checked(email: String) throws -> String {
    let text = normalized(email)
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    let isPlain = text.unicodeScalars.allSatisfy { scalar in
      !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
        && !"<>\"(),;:\\".unicodeScalars.contains(scalar)
    }
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), isPlain, text.utf8.count <= 254 else {
      throw AccountError.notAnAddress(email)
    }
    return text
  }
}
