import DatabaseFiles
import Foundation
import GRDB
import Testing
import TrainingService

@Suite("Accounts")
struct AccountTests {
  @Test("a password is hashed by scrypt as others compute it")
  func scrypt() async {
    // hashlib.scrypt(b"pleaseletmein", salt=b"SodiumChloride", n=2**14, r=8, p=1, dklen=64): the third vector of RFC
    // 7914, section 12, of which a hash has the first 32 bytes (PBKDF2's first block).
    let salt = Data("SodiumChloride".utf8).base64EncodedString().replacingOccurrences(of: "=", with: "")
    let key = Data([
      0x70, 0x23, 0xBD, 0xCB, 0x3A, 0xFD, 0x73, 0x48, 0x46, 0x1C, 0x06, 0xCD, 0x81, 0xFD, 0x38, 0xEB, 0xFD, 0xA8, 0xFB,
      0xBA, 0x90, 0x4F, 0x8E, 0x3E, 0xA9, 0xB5, 0x43, 0xF6, 0x54, 0x5D, 0xA1, 0xF2,
    ]).base64EncodedString().replacingOccurrences(of: "=", with: "")
    let stored = Password(stored: "$scrypt$ln=14,r=8,p=1$\(salt)$\(key)")
    #expect(await stored.isMatched(by: "pleaseletmein"))
    #expect(await !stored.isMatched(by: "pleaseletmeout"))
  }

  @Test("the same password has another hash each time, at the recommended cost, and its accents may be typed both ways")
  func hashes() async {
    let first = await Password.hash("Käsekuchen mit Rosinen", cost: .recommended)
    #expect(first.text.hasPrefix("$scrypt$ln=15,r=8,p=3$"))
    #expect(await Password.hash("Käsekuchen mit Rosinen", cost: TestService.cheap) != first)
    #expect(await first.isMatched(by: "Ka\u{308}sekuchen mit Rosinen"))
    #expect(await !Password(stored: "").isMatched(by: ""))
    #expect(await !Password(stored: "$scrypt$ln=63,r=8,p=1$AAAA$AAAA").isMatched(by: "x"))
  }

  @Test(
    "an account signs in with its password, in whatever case its address is typed",
    arguments: TestDatabase.available)
  func signsIn(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user("Anna@Example.org")
    #expect(anna.email == "anna@example.org")
    let found = try await service.accounts.authenticate(
      email: " ANNA@example.org", password: "correct horse", client: "::1")
    #expect(found == anna)
    await #expect(throws: AccountError.wrongCredentials) {
      try await service.accounts.authenticate(email: "anna@example.org", password: "wrong horse", client: "::1")
    }
    await #expect(throws: AccountError.wrongCredentials) {
      try await service.accounts.authenticate(email: "nobody@example.org", password: "correct horse", client: "::1")
    }
  }

  @Test("ten failures shut an account, and a client, out for a quarter of an hour", arguments: TestDatabase.available)
  func limitsAttempts(on database: TestDatabase) async throws {
    let service = try TestService(database)
    _ = try await service.user()
    func attempt(_ email: String, _ password: String, _ client: String) async throws {
      _ = try await service.accounts.authenticate(email: email, password: password, client: client)
    }
    for number in 0..<10 {
      await #expect(throws: AccountError.wrongCredentials) {
        try await attempt("anna@example.org", "guess \(number)", "10.0.0.\(number)")
      }
      service.clock.advance(by: .seconds(1))
    }
    let shut = AccountError.tooManyAttempts(secondsLeft: 15 * 60 - 10)
    await #expect(throws: shut) { try await attempt("anna@example.org", "correct horse", "10.0.1.1") }
    service.clock.advance(by: .seconds(15 * 60 - 10))
    try await attempt("anna@example.org", "correct horse", "10.0.1.1")

    for number in 0..<10 {
      await #expect(throws: AccountError.wrongCredentials) {
        try await attempt("\(number)@example.org", "x", "10.0.2.2")
      }
    }
    await #expect(throws: AccountError.tooManyAttempts(secondsLeft: 15 * 60)) {
      try await attempt("anna@example.org", "correct horse", "10.0.2.2")
    }
    try await attempt("anna@example.org", "correct horse", "10.0.3.3")
  }

  @Test(
    "what is no address and what is too short is refused; an address has one account",
    arguments: TestDatabase.available)
  func refuses(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let accounts = service.accounts
    for text in ["", "anna", "anna@", "@example.org", "a b@example.org", "a@b@c", "<a>@example.org", "a\n@example.org"]
    {
      await #expect(throws: AccountError.notAnAddress(text)) {
        try await accounts.add(email: text, password: "correct horse")
      }
    }
    await #expect(throws: AccountError.passwordTooShort(least: 10)) {
      try await accounts.add(email: "a@b.org", password: "123456789")
    }
    await #expect(throws: AccountError.passwordTooLong(greatest: 1024)) {
      try await accounts.add(email: "a@b.org", password: String(repeating: "x", count: 1025))
    }
    try await accounts.add(email: "a@b.org", password: "correct horse")
    await #expect(throws: AccountError.exists(email: "a@b.org")) {
      try await accounts.add(email: "A@b.org", password: "correct horse")
    }
  }

  @Test(
    "the last administrator stays; a changed password ends what was signed in by the old one",
    arguments: TestDatabase.available)
  func manages(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let admin = try await service.user(isAdmin: true)
    let (_, secret) = try await service.accounts.makeToken(of: admin, name: "script", lifetime: nil)
    await #expect(throws: AccountError.lastAdmin(email: admin.email)) {
      try await service.accounts.remove(email: admin.email)
    }
    await #expect(throws: AccountError.unknown(email: "b@example.org")) {
      try await service.accounts.setPassword("another horse", of: "b@example.org")
    }
    try await service.accounts.setPassword("another horse", of: admin.email)
    #expect(try await service.accounts.tokens(of: admin).isEmpty)
    #expect(secret.count == 46)
    _ = try await service.accounts.authenticate(email: admin.email, password: "another horse", client: "::1")
    _ = try await service.user("b@example.org", isAdmin: true)
    try await service.accounts.remove(email: admin.email)
    #expect(try await service.accounts.all().map(\.email) == ["b@example.org"])
  }

  @Test("the database holds neither passwords nor tokens, and only its owner may read it")
  func keepsSecrets() async throws {
    let service = try TestService()
    let anna = try await service.user()
    let (_, secret) = try await service.accounts.makeToken(of: anna, name: "script", lifetime: .seconds(60))
    for name in ["service.db", "service.db-wal"] {
      let bytes = Data(try service.folder.bytes(of: name))
      #expect(bytes.range(of: Data("correct horse".utf8)) == nil)
      #expect(bytes.range(of: Data(secret.utf8)) == nil)
    }
    let mode = try FileManager.default.attributesOfItem(atPath: service.store.place)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test("another program's database is refused, and a newer one")
  func refusesForeignFiles() async throws {
    let service = try TestService()
    let other = service.folder.path("other.db")
    try await DatabaseQueue(path: other).write { try $0.execute(sql: "CREATE TABLE t (x)") }
    #expect(throws: DatabaseFileError.foreignDatabase(path: other)) { try ServiceStore(path: other) }
    let text = try service.folder.write("no database", to: "text.db")
    #expect(throws: DatabaseFileError.notADatabase(path: text)) { try ServiceStore(path: text) }
    let newer = service.folder.path("newer.db")
    do { _ = try ServiceStore(path: newer) }
    try await DatabaseQueue(path: newer).write { try $0.execute(sql: "PRAGMA user_version = 99") }
    #expect(throws: DatabaseFileError.newerDatabase(path: newer, version: 99, known: 2)) {
      try ServiceStore(path: newer)
    }
  }
}
