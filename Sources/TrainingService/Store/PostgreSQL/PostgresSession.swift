// A connection that comes back.

import Foundation

/// A place for a connection: it is made when it is needed, and again when it was lost. What uses it waits on a thread of
/// its own, one after the other, and never on one that Swift's tasks share.
final class PostgresSession: @unchecked Sendable {
  private let address: PostgresAddress
  private let queue = DispatchQueue(label: "PostgreSQL")
  /// Touched on the queue only.
  private var connection: PostgresConnection?
  /// Whether the last call gave up. The next ones try once: requests that wait for each other must not add up their
  /// patience.
  private var isAway = false

  /// How long a call goes on trying while the server is away, or waits for another's lock.
  static let patience = Duration.seconds(20)

  init(_ address: PostgresAddress) { self.address = address }

  /// Runs `body` on the session's thread, after what was asked for before.
  func run<Value: Sendable>(_ body: @escaping @Sendable (PostgresSession) throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: self.explained { try body(self) }) }
    }
  }

  /// Runs `body` at once, on the caller's thread.
  func runBlocking<Value>(_ body: (PostgresSession) throws -> Value) throws -> Value {
    try queue.sync { try explained { try body(self) }.get() }
  }

  private func explained<Value>(_ body: () throws -> Value) -> Result<Value, any Error> {
    Result(catching: body).mapError { error in
      guard let problem = error as? PostgresProblem else { return error }
      return problem.explained(at: address.place)
    }
  }

  /// Calls `attempt` with a connection, again and again where the server is away for a while or asks for it, with
  /// growing pauses.
  func persistently<Value>(_ attempt: (PostgresConnection) throws -> Value) throws -> Value {
    let end = ContinuousClock.now + (isAway ? .zero : Self.patience)
    // Tens of milliseconds for a conflict, up to a second for a server that starts again.
    var pause = 0.02
    while true {
      do {
        let value = try attempt(try connected())
        isAway = false
        return value
      } catch let problem as PostgresProblem {
        guard problem.isPassing, ContinuousClock.now < end else {
          isAway = problem.isPassing
          throw problem
        }
        // Not all at the same moment.
        Thread.sleep(forTimeInterval: pause * .random(in: 0.5...1))
        pause = min(pause * 2, 1)
      }
    }
  }

  /// Calls `attempt` with a connection, once.
  func once<Value>(_ attempt: (PostgresConnection) throws -> Value) throws -> Value {
    try attempt(try connected())
  }

  private func connected() throws -> PostgresConnection {
    if let connection { return connection }
    let new = try PostgresConnection(address)
    connection = new
    return new
  }

  /// Runs `body` within a transaction that ends with it.
  ///
  /// - Parameters:
  ///   - beginning: the statements that begin it.
  ///   - end: ends it, where `body` did not fail.
  func transaction<Value>(
    on connection: PostgresConnection, _ beginning: String, _ body: (Transaction) throws -> Value,
    end: (PostgresConnection) throws -> Void
  ) throws -> Value {
    do {
      try connection.script(beginning)
      let value = try body(Transaction(connection))
      try end(connection)
      return value
    } catch {
      // A connection whose state is not known is not used again.
      let isLost = (error as? PostgresProblem)?.isConnectionLost == true
      if isLost || (try? connection.script("ROLLBACK")) == nil { self.connection = nil }
      throw error
    }
  }
}

/// Sessions for those who only read, as many as are needed at a time, up to a limit.
actor PostgresReaders {
  private let address: PostgresAddress
  private var free: [PostgresSession] = []
  private var count = 0
  private var waiting: [CheckedContinuation<PostgresSession, Never>] = []

  /// Reads of status are short: more connections than this only hold the server's memory.
  private static let greatestCount = 8

  init(_ address: PostgresAddress) { self.address = address }

  /// A session for the caller alone, until it is given back.
  func take() async -> PostgresSession {
    if let session = free.popLast() { return session }
    if count < Self.greatestCount {
      count += 1
      return PostgresSession(address)
    }
    return await withCheckedContinuation { waiting.append($0) }
  }

  func giveBack(_ session: PostgresSession) {
    if waiting.isEmpty { free.append(session) } else { waiting.removeFirst().resume(returning: session) }
  }
}
