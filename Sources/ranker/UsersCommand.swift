// `ranker users`: the accounts of the training service.

import ArgumentParser
import Foundation
import Glibc
import TrainingService

struct Users: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The accounts of the training service.",
    subcommands: [UsersList.self, UsersAdd.self, UsersSetPassword.self, UsersRemove.self, UsersToken.self])
}

struct UsersList: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the accounts.")

  @OptionGroup var place: ServiceDatabaseOptions

  @Flag(help: "Print the list as JSON.")
  var json = false

  func run() throws {
    let accounts = try place.openAccounts()
    let users = try waiting { try await accounts.all() }
    if json { return try printJSON(users.map(Entry.init)) }
    guard !users.isEmpty else {
      print("no accounts; ranker users add makes one")
      return
    }
    var table = TextTable([
      TextTable.Column(title: "e-mail", isFlexible: true), TextTable.Column(title: "role"),
      TextTable.Column(title: "since"),
    ])
    for user in users {
      table.add([user.email.printable, user.isAdmin ? "admin" : "user", String(user.createdAt.text.prefix(10))])
    }
    table.printOut()
  }

  private struct Entry: Encodable {
    let email: String
    let admin: Bool
    let createdAt: Moment

    init(_ user: User) {
      email = user.email
      admin = user.isAdmin
      createdAt = user.createdAt
    }
  }
}

struct UsersAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Make an account. The password is asked for, or read from the standard input.")

  @OptionGroup var place: ServiceDatabaseOptions

  @Argument(help: "The e-mail address to sign in with.")
  var email: String

  @Flag(help: "An administrator: sees all jobs and models.")
  var admin = false

  func run() throws {
    let accounts = try place.openAccounts(isCreated: true)
    let password = try readPassword(of: email)
    let (email, isAdmin) = (email, admin)
    let user = try waiting { try await accounts.add(email: email, password: password, isAdmin: isAdmin) }
    print("added \(user.email)\(user.isAdmin ? ", an administrator" : "")")
  }
}

struct UsersSetPassword: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "passwd",
    abstract: "Change an account's password. Sessions and tokens that were made with the old one end.")

  @OptionGroup var place: ServiceDatabaseOptions

  @Argument(help: "The account's e-mail address.")
  var email: String

  func run() throws {
    let accounts = try place.openAccounts()
    let password = try readPassword(of: email)
    let email = email
    try waiting { try await accounts.setPassword(password, of: email) }
    print("changed the password of \(email)")
  }
}

struct UsersRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove an account, with the records of its jobs and models. Files of models stay where they are.")

  @OptionGroup var place: ServiceDatabaseOptions

  @Argument(help: "The account's e-mail address.")
  var email: String

  func run() throws {
    let accounts = try place.openAccounts()
    let email = email
    try waiting { try await accounts.remove(email: email) }
    print("removed \(email)")
  }
}

struct UsersToken: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Make an API token for an account. It is shown once.",
    discussion: """
      With --worker it is for ranker worker, and opens nothing else. A worker sees the data of every job, so the \
      account has to be an administrator's. The account's page lists and revokes tokens.
      """)

  @OptionGroup var place: ServiceDatabaseOptions

  @Argument(help: "The account's e-mail address.")
  var email: String

  @Flag(help: "For a worker.")
  var worker = false

  @Option(help: ArgumentHelp("What to know it by (default: worker, or command line).", valueName: "name"))
  var name: String?

  func validate() throws {
    if let name, !(1...80).contains(name.count) {
      throw ValidationError("--name has \(name.count) characters; expected 1 to 80.")
    }
  }

  func run() throws {
    let accounts = try place.openAccounts()
    let (email, isWorker, name) = (email, worker, name ?? (worker ? "worker" : "command line"))
    let secret = try waiting {
      guard let user = try await accounts.user(email: email) else { throw AccountError.unknown(email: email) }
      return try await accounts.makeToken(of: user, name: name, lifetime: nil, isWorker: isWorker).secret
    }
    print(secret)
  }
}

extension ServiceDatabaseOptions {
  func openAccounts(isCreated: Bool = false) throws -> Accounts {
    // An address is looked up by the server; there, tables are made where they are missing.
    guard isCreated || PostgresAddress.isOne(database) || FileManager.default.fileExists(atPath: database) else {
      throw ValidationError(
        "There is no database at \(database); ranker serve makes one, or name another with --database.")
    }
    return Accounts(try ServiceStore(database: database))
  }
}

/// A password, typed unseen and twice in a terminal; elsewhere the first line of the standard input.
private func readPassword(of email: String) throws -> String {
  let password = try askPassword("Password for \(email): ")
  guard try !Terminal.isInput || askPassword("Again: ") == password else {
    throw ValidationError("The two passwords differ.")
  }
  return password
}

/// A password, typed unseen in a terminal; elsewhere the first line of the standard input.
func askPassword(_ prompt: String) throws -> String {
  guard Terminal.isInput else {
    guard let line = readLine(), !line.isEmpty else {
      throw ValidationError("The password is expected on the first line of the standard input.")
    }
    return line
  }
  var before = termios()
  tcgetattr(STDIN_FILENO, &before)
  var hidden = before
  hidden.c_lflag &= ~tcflag_t(ECHO)
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
  defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
  FileHandle.standardError.write(Data(prompt.utf8))
  defer { remark("") }
  return readLine() ?? ""
}
