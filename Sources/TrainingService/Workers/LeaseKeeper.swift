// Keeps an attempt's lease, and tells what the training says: often enough to be live, seldom enough to be cheap.

import Foundation
import Logging

/// The attempt's voice towards where its work comes from.
actor LeaseKeeper {
  /// What the answers are.
  enum News: Error, Sendable {
    case cancelRequested, leaseLost
  }

  private let claim: Claim
  private let source: any WorkSource
  private let logger: Logger
  private var pending = JobQueue.Report()
  /// Events that were told for certain.
  private var told = 0
  private var isLost = false
  private var delays = BackOff()
  private var quietUntil = ContinuousClock.now

  /// An eye sees no more than this; a training may end thousands of epochs in a second.
  private static let interval = Duration.milliseconds(200)

  init(claim: Claim, source: any WorkSource, logger: Logger) {
    self.claim = claim
    self.source = source
    self.logger = logger
  }

  /// Takes what the training said; it is told soon.
  func add(_ report: JobQueue.Report) { pending.append(report) }

  /// Tells what was not yet told.
  /// - Parameter isLast: tries even where the last try failed a moment ago.
  func flush(isLast: Bool = false) async {
    guard !pending.isEmpty, !isLost, isLast || ContinuousClock.now >= quietUntil else { return }
    let report = pending
    pending = JobQueue.Report()
    do {
      try await source.report(report, of: claim)
      told += report.events.count
      delays = BackOff()
    } catch is JobError {
      isLost = true
    } catch {
      // Said again next time: what the store does not have, nobody sees.
      if !Task.isCancelled { logger.error("progress can't be recorded", metadata: ["error": "\(error)"]) }
      var again = report
      again.append(pending)
      // Perhaps all of it was heard, and only the answer got lost.
      again.heard = told
      pending = again
      quietUntil = .now + delays.next()
    }
  }

  /// Keeps the lease while `body` runs, and ends it where the job is to be cancelled or the lease is lost.
  /// - Throws: what `body` throws; ``News`` where it was ended.
  func keeping<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let (heard, told) = AsyncStream<News>.makeStream()
    let watching = Task { await watch { told.yield($0) } }
    let work = Task { try await body() }
    let ending = Task {
      for await news in heard {
        work.cancel()
        return Optional(news)
      }
      return nil
    }
    let result = await withTaskCancellationHandler {
      await work.result
    } onCancel: {
      work.cancel()
    }
    watching.cancel()
    await watching.value
    told.finish()
    let news = await ending.value
    switch result {
    case .success(let value): return value
    case .failure(let error): throw news ?? error
    }
  }

  /// Keeps the lease until the task is cancelled, and tells of what has to be acted on.
  func watch(_ tell: @escaping @Sendable (News) -> Void) async {
    let requests = source.cancelRequests(of: claim)
    await withTaskGroup { group in
      group.addTask {
        // A third of the lease: two renewals may fail before it is lost.
        let rounds = max(1, Int(self.claim.lease.milliseconds / 3 / Self.interval.milliseconds))
        for round in 1... {
          do { try await Task.sleep(for: Self.interval) } catch { return }
          await self.flush()
          if round % rounds == 0, let heard = await self.renew() { tell(heard) }
          if await self.isLost { return tell(.leaseLost) }
        }
      }
      group.addTask { for await _ in requests { tell(.cancelRequested) } }
      await group.waitForAll()
    }
  }

  private func renew() async -> News? {
    do { return try await source.renew(claim) ? .cancelRequested : nil } catch is JobError {
      isLost = true
      return .leaseLost
    } catch {
      if !Task.isCancelled { logger.error("the lease can't be renewed", metadata: ["error": "\(error)"]) }
      return nil
    }
  }
}

/// Delays that grow from a fifth of a second to ten, each shortened at random, so that many who wait for the same thing
/// don't all come back at once.
struct BackOff: Sendable {
  private var count = 0

  mutating func next() -> Duration {
    let longest = min(0.2 * Double(1 << min(count, 6)), 10)
    count += 1
    return .seconds(longest * Double.random(in: 0.5...1))
  }
}
