// Work that RabbitMQ hands out: its messages say which job is next, the database says whose it is.

import Foundation
import Logging
import Synchronization

/// The work of one worker whose jobs come by messages. The message is acknowledged when the attempt has ended in the
/// database, however it ended: what has to be tried again gets a message of its own when its time has come.
public struct BrokeredWork: WorkSource {
  private let local: LocalWork
  private let inbox: Inbox
  private let thread: BrokerThread

  /// - Parameter address: of the broker; it is connected to, and again where the connection was lost.
  public init(_ queue: JobQueue, root: DataRoot, address: BrokerAddress, logger: Logger) {
    local = LocalWork(queue, root: root)
    let inbox = Inbox()
    self.inbox = inbox
    thread = BrokerThread(
      address,
      role: .init(
        // A message that comes while a training runs would wait for its end: another worker shall have it.
        begin: { if !inbox.isBusy { try $0.consume() } }, received: { inbox.put($0) }, lost: { inbox.clear() }),
      logger: logger)
  }

  /// The message that is here, if any: the broker sends one at a time.
  private final class Inbox: Sendable {
    struct Letter: Sendable {
      let job: String?
      let tag: UInt64
      /// Of the connection: a letter of an earlier one is settled by nobody.
      let connection: Int
    }

    private struct State {
      var connection = 0
      var waiting: Letter?
      var opened: Letter?
    }

    private let state = Mutex(State())
    let signals = JobSignals()

    func put(_ delivery: BrokerConnection.Delivery) {
      let message = try? JSONValue(parsing: Data(delivery.body))
      state.withLock { state in
        state.waiting = Letter(job: message?["job"]?.string, tag: delivery.tag, connection: state.connection)
      }
      signals.announceWork()
    }

    func clear() {
      state.withLock { state in
        state.connection += 1
        state.waiting = nil
      }
    }

    /// Whether a letter is opened: its job runs.
    var isBusy: Bool { state.withLock { $0.opened != nil } }

    /// Opens the letter that waits.
    func open() -> Letter? {
      state.withLock { state in
        guard state.opened == nil, let letter = state.waiting else { return nil }
        state.waiting = nil
        state.opened = letter
        return letter
      }
    }

    /// Puts the opened letter back, where its connection is there still.
    func close() {
      state.withLock { state in
        if let letter = state.opened, letter.connection == state.connection { state.waiting = letter }
        state.opened = nil
      }
    }

    /// Takes the opened letter out; nil where it is of a connection that is gone.
    func finish() -> Letter? {
      state.withLock { state in
        defer { state.opened = nil }
        return state.opened.flatMap { $0.connection == state.connection ? $0 : nil }
      }
    }
  }

  public func claim(worker: String) async throws -> Claim? {
    // Of an attempt whose lease was lost, nobody said the end.
    await settle()
    while let letter = inbox.open() {
      guard let job = letter.job else {
        await settle(isRejected: true)
        continue
      }
      do {
        switch try await local.queue.claim(job, worker: worker) {
        case .claimed(let claim): return claim
        // Another worker has it or had it, or it waits for its time: then a new message says when that has come.
        case .notNow: await settle()
        case .unknown: await settle(isRejected: true)
        }
      } catch {
        inbox.close()
        try? await thread.perform { try $0.consume() }
        throw error
      }
    }
    return nil
  }

  /// Acknowledges the message whose job was taken, or sends it to the dead letters. Where the connection is gone, the
  /// broker gives the message out again, and it claims nothing.
  private func settle(isRejected: Bool = false) async {
    guard inbox.isBusy else { return }
    let letter = inbox.finish()
    try? await thread.perform { connection in
      if let letter {
        if isRejected { try connection.reject(letter.tag) } else { try connection.acknowledge(letter.tag) }
      }
      // A connection that was made meanwhile waits for that.
      try connection.consume()
    }
  }

  public func newsOfWork() -> AsyncStream<Void> { inbox.signals.newsOfWork() }

  public func end(_ claim: Claim, _ end: AttemptEnd, folder: JobFolder) async throws {
    try await local.end(claim, end, folder: folder)
    await settle()
  }

  public func renew(_ claim: Claim) async throws -> Bool { try await local.renew(claim) }
  public func report(_ report: JobQueue.Report, of claim: Claim) async throws {
    try await local.report(report, of: claim)
  }
  public func cancelRequests(of claim: Claim) -> AsyncStream<Void> { local.cancelRequests(of: claim) }
  public func data(of claim: Claim, beside paths: [String]) async throws -> JobData {
    try await local.data(of: claim, beside: paths)
  }
  public func prepare(_ folder: JobFolder, for claim: Claim) {}
  public var stateInterval: Duration? { nil }
  public func saveState(in folder: JobFolder, of claim: Claim) {}
}
