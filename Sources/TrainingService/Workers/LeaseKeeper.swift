// Keeps an attempt's lease, and tells the store what the training says: often enough to be live, seldom enough to be cheap.

import Foundation
import Logging

/// The attempt's voice towards the queue.
actor LeaseKeeper {
  /// What the queue answers.
  enum News: Sendable {
    case cancelRequested, leaseLost
  }

  private let claim: Claim
  private let queue: JobQueue
  private let logger: Logger
  private var pending = JobQueue.Report()
  private var isLost = false
  private let clock = ContinuousClock()
  private var lastReport: ContinuousClock.Instant?

  /// An eye sees no more than this; a training may end thousands of epochs in a second.
  private static let interval = Duration.milliseconds(200)

  init(claim: Claim, queue: JobQueue, logger: Logger) {
    self.claim = claim
    self.queue = queue
    self.logger = logger
  }

  /// Takes what the training said; it goes to the store soon.
  func add(_ report: JobQueue.Report) async {
    pending.append(report)
    guard lastReport.map({ clock.now - $0 >= Self.interval }) ?? true else { return }
    await flush()
  }

  /// Tells the store what was not yet told.
  func flush() async {
    guard !pending.isEmpty, !isLost else { return }
    let report = pending
    pending = JobQueue.Report()
    lastReport = clock.now
    do { try await queue.report(report, of: claim) } catch is JobError {
      isLost = true
    } catch {
      // Said again next time: what the store does not have, nobody sees.
      logger.error("progress can't be recorded", metadata: ["error": "\(error)"])
      var again = report
      again.append(pending)
      pending = again
    }
  }

  /// Keeps the lease while `body` runs.
  func keeping<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    let renewing = Task { await watch { _ in } }
    defer { renewing.cancel() }
    return try await body()
  }

  /// Keeps the lease until the task is cancelled, and tells of what has to be acted on.
  func watch(_ tell: @escaping @Sendable (News) -> Void) async {
    let news = queue.signals.news(of: claim.job.id)
    await withTaskGroup { group in
      group.addTask {
        // A third of the lease: two renewals may fail before it is lost.
        let rounds = max(1, Int(self.queue.lease.milliseconds / 3 / Self.interval.milliseconds))
        for round in 1... {
          do { try await Task.sleep(for: Self.interval) } catch { return }
          await self.flush()
          if round % rounds == 0, let heard = await self.renew() { tell(heard) }
          if await self.isLost { return tell(.leaseLost) }
        }
      }
      group.addTask {
        for await _ in news where (try? await self.queue.isCancelRequested(self.claim)) == true {
          tell(.cancelRequested)
        }
      }
      await group.waitForAll()
    }
  }

  private func renew() async -> News? {
    do { return try await queue.renew(claim) ? .cancelRequested : nil } catch is JobError {
      isLost = true
      return .leaseLost
    } catch {
      logger.error("the lease can't be renewed", metadata: ["error": "\(error)"])
      return nil
    }
  }
}
