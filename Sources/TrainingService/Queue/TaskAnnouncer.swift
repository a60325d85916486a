// Tells RabbitMQ of every job that waits: from the database, which remembers what was told.

import Foundation
import Logging
import ServiceLifecycle

/// Publishes a message for each job whose turn has come, and one to the dead letters for each that was given up.
///
/// A job that waits has no announcement until the broker has confirmed its message; so a crash between the two costs a
/// second message, which claims nothing, never a job without one. Where jobs wait whose messages were confirmed a while
/// ago, but the queue is empty, the broker has lost them: they are published again.
struct TaskAnnouncer: Service {
  private let queue: JobQueue
  private let thread: BrokerThread
  private let logger: Logger

  /// Messages that are published before they are confirmed together.
  private static let batch = 200
  /// How often the queue is looked at, and how old an announcement is that must have led to something if the queue is
  /// empty: the way from a message to its claim takes milliseconds.
  private static let checkInterval = Duration.seconds(5)

  init(_ queue: JobQueue, address: BrokerAddress, logger: Logger) {
    self.queue = queue
    self.logger = logger
    thread = BrokerThread(address, role: .init(begin: { try $0.confirm() }), logger: logger)
  }

  /// Works until the process is told to stop.
  func run() async throws { await cancelWhenGracefulShutdown { await announceUntilCancelled() } }

  private func announceUntilCancelled() async {
    var delays = BackOff()
    var nextCheck = ContinuousClock.now + Self.checkInterval
    while !Task.isCancelled {
      let news = queue.signals.newsOfWork()
      do {
        try await queue.recoverLost()
        while try await announce() > 0 {}
        if ContinuousClock.now > nextCheck {
          nextCheck = .now + Self.checkInterval
          if try await thread.perform({ try $0.waitingCount() }) == 0 {
            let forgotten = try await queue.forgetAnnouncements(olderThan: Self.checkInterval)
            if forgotten > 0 {
              logger.warning("RabbitMQ lost messages", metadata: ["jobs": "\(forgotten)"])
              continue
            }
          }
        }
        delays = BackOff()
      } catch {
        logger.error("jobs can't be announced", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: delays.next())
      }
      await news.wait(atMost: .seconds(1))
    }
  }

  private func announce() async throws -> Int {
    let jobs = try await queue.unannounced(limit: Self.batch)
    guard !jobs.isEmpty else { return 0 }
    let messages = jobs.map { job in
      BrokerConnection.Message(id: job.id, body: Array(job.message.data), isDead: job.isDead)
    }
    try await thread.perform { try $0.publish(messages) }
    try await queue.noteAnnounced(jobs)
    return jobs.count
  }
}
