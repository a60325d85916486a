// A worker: takes a job, runs its training as a child process, tells how far it is, and ends it one way.

import Foundation
import Glibc
import Logging

/// How trainings run on this machine.
public struct WorkerSettings: Sendable {
  /// The folder that gets one folder for each job.
  public var modelsDirectory: String
  /// Threads of a training; nil leaves it to the training.
  public var threads: Int?
  /// Bytes of data that a training may allocate (`ulimit -d`); nil for no limit.
  public var memoryLimit: Int?
  /// How long a training may take to save its state when it is stopped.
  public var grace = Duration.seconds(20)

  public init(modelsDirectory: String, threads: Int? = nil, memoryLimit: Int? = nil) {
    self.modelsDirectory = modelsDirectory
    self.threads = threads
    self.memoryLimit = memoryLimit
  }
}

/// The name of a worker of this process, and what names of others tell.
public enum WorkerName {
  /// `host:process/number`.
  public static func own(_ number: Int) -> String { "\(host):\(getpid())/\(number)" }

  /// Whether the name is of a process of this machine that is not there any more.
  public static func isOfDeadProcess(_ name: String) -> Bool {
    guard name.hasPrefix(host + ":"),
      let process = name.dropFirst(host.count + 1).split(separator: "/").first.flatMap({ pid_t($0) })
    else { return false }
    return process != getpid() && kill(process, 0) != 0 && errno == ESRCH
  }

  private static var host: String { ProcessInfo.processInfo.hostName }
}

/// Runs jobs of a queue, one after the other.
public struct Worker: Sendable {
  let name: String
  let queue: JobQueue
  let catalogue: TrainingCatalogue
  let root: DataRoot
  let settings: WorkerSettings
  let logger: Logger

  /// - Parameter name: for people; `host:process` where there is nothing better.
  public init(
    name: String, queue: JobQueue, catalogue: TrainingCatalogue, root: DataRoot, settings: WorkerSettings,
    logger: Logger
  ) {
    self.name = name
    self.queue = queue
    self.catalogue = catalogue
    self.root = root
    self.settings = settings
    self.logger = logger
  }

  /// Works until the task is cancelled. A training that runs then saves its state, and its job is given back.
  public func run() async {
    while !Task.isCancelled {
      // Listened for before the queue is asked, so that no job slips in between.
      let news = queue.signals.newsOfWork()
      do {
        if let claim = try await queue.claim(worker: name) {
          await run(claim)
          continue
        }
      } catch {
        logger.error("the queue can't be read", metadata: ["error": "\(error)"])
      }
      await Self.wait(for: news, atMost: .seconds(1))
    }
  }

  /// Waits for news; other processes' jobs bring none, so not for long.
  private static func wait(for news: AsyncStream<Void>, atMost time: Duration) async {
    await withTaskGroup { group in
      group.addTask { for await _ in news { return } }
      group.addTask { try? await Task.sleep(for: time) }
      await group.next()
      group.cancelAll()
    }
  }

  /// Runs one job and ends its attempt.
  func run(_ claim: Claim) async {
    var logger = logger
    logger[metadataKey: "job"] = "\(claim.job.id)"
    logger[metadataKey: "attempt"] = "\(claim.attempt)"
    logger.info("training begins", metadata: ["kind": "\(claim.job.kind)", "worker": "\(name)"])
    let end = await Attempt(claim: claim, worker: self, logger: logger).run()
    logger.info("training ended", metadata: ["end": "\(end)"])
    // A store that can't be written to for a moment must not cost a finished training. The lease is not renewed
    // meanwhile: where it is lost, the job goes to another attempt, which finds the finished model.
    for delay in [0.2, 1, 3, 10] {
      do { return try await tell(end, of: claim) } catch is JobError {
        return logger.warning("the lease was lost; nothing is said of this attempt")
      } catch {
        logger.error("the end can't be recorded", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: .seconds(delay))
      }
    }
  }

  private func tell(_ end: Attempt.End, of claim: Claim) async throws {
    switch end {
    case .completed(let result): try await queue.complete(claim, result)
    case .failed(let failure): try await queue.fail(claim, failure)
    case .released: try await queue.release(claim)
    case .cancelled: try await queue.cancelled(claim)
    case .leaseLost: break
    }
  }
}
