// What the tests of the service share: a store in a folder of its own, a clock that is set, people and their jobs.

import CommandSupport
import Foundation
import Logging
import Synchronization
import TrainingService

/// A clock that stands still until it is set.
final class TestClock: Sendable {
  private let moment = Mutex(Moment(milliseconds: 1_790_000_000_000))

  var now: Moment { moment.withLock { $0 } }
  func advance(by duration: Duration) { moment.withLock { $0 = $0 + duration } }
}

/// A service's records in a folder, or a database, that goes away with them.
final class TestService: Sendable {
  /// Costs little, for tests; the cost is not what they test.
  static let cheap = Password.Cost(logarithm: 4, blockSize: 8, parallelism: 1)

  let folder: TemporaryDirectory
  let clock = TestClock()
  let store: ServiceStore
  private let server: PostgresDatabaseForTests?
  private let usesRealTime: Bool
  let signals = JobSignals()
  let accounts: Accounts
  let book: JobBook
  let queue: JobQueue
  let models: ModelRegistry

  /// - Parameters:
  ///   - usesRealTime: for what waits by itself.
  ///   - server: the address of a PostgreSQL server; that of `tools/services` by default.
  init(
    _ kind: TestDatabase = .sqlite, usesRealTime: Bool = false, lease: Duration = .seconds(15), server: String? = nil
  ) throws {
    folder = try TemporaryDirectory()
    self.server = kind == .postgres ? try PostgresDatabaseForTests(on: server) : nil
    self.usesRealTime = usesRealTime
    store = try Self.open(self.server, folder, clock: usesRealTime ? nil : clock)
    accounts = Accounts(store, cost: Self.cheap)
    book = JobBook(store, signals: signals)
    queue = JobQueue(store, signals: signals, lease: lease)
    models = ModelRegistry(store)
  }

  private static func open(
    _ server: PostgresDatabaseForTests?, _ folder: TemporaryDirectory, clock: TestClock?
  ) throws -> ServiceStore {
    let now: @Sendable () -> Moment = { clock?.now ?? .now }
    guard let server else { return try ServiceStore(path: folder.path("service.db"), clock: now) }
    return try ServiceStore(PostgresAddress(server.address, environment: ["DB_NAME": server.name]), clock: now)
  }

  /// The store as another process opens it.
  func openAgain() throws -> ServiceStore {
    try Self.open(server, folder, clock: usesRealTime ? nil : clock)
  }

  func user(_ email: String = "anna@example.org", isAdmin: Bool = false) async throws -> User {
    try await accounts.add(email: email, password: "correct horse", isAdmin: isAdmin)
  }

  @discardableResult
  func add(_ kind: String = "als", model: String = "als", owner: User) async throws -> Job {
    try await book.add(JobRequest(kind: kind, modelName: model, dataPath: nil, parameters: [:]), owner: owner)
  }

  func claim() async throws -> Claim? { try await queue.claim(worker: "test") }
}

extension AttemptResult {
  static let example = AttemptResult(
    directory: "/models/1", files: ["als.onnx"], metrics: ["event": "done", "measures": ["recall": 0.5]])
}

/// A logger that says nothing.
let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
