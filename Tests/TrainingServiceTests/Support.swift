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

/// A service's records in a folder that goes away with them.
final class TestService: Sendable {
  /// Costs little, for tests; the cost is not what they test.
  static let cheap = Password.Cost(logarithm: 4, blockSize: 8, parallelism: 1)

  let folder: TemporaryDirectory
  let clock = TestClock()
  let store: ServiceStore
  let signals = JobSignals()
  let accounts: Accounts
  let book: JobBook
  let queue: JobQueue
  let models: ModelRegistry

  /// - Parameter usesRealTime: for what waits by itself.
  init(usesRealTime: Bool = false, lease: Duration = .seconds(15)) throws {
    folder = try TemporaryDirectory()
    let clock = clock
    store = try ServiceStore(path: folder.path("service.db"), clock: { usesRealTime ? .now : clock.now })
    accounts = Accounts(store, cost: Self.cheap)
    book = JobBook(store, signals: signals)
    queue = JobQueue(store, signals: signals, lease: lease)
    models = ModelRegistry(store)
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
