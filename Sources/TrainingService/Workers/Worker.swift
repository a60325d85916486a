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

  /// The name of a worker that asks over HTTP: its machine may be another of the same name.
  static func remote(_ name: String) -> String { "http/\(name)" }

  /// Whether the name is of a worker that asks over HTTP.
  public static func isRemote(_ name: String) -> Bool { name.hasPrefix("http/") }

  private static var host: String { ProcessInfo.processInfo.hostName }
}

/// Runs jobs, one after the other.
public struct Worker: Sendable {
  let name: String
  let source: any WorkSource
  let catalogue: TrainingCatalogue
  let settings: WorkerSettings
  let logger: Logger

  /// - Parameter name: for people; `host:process` where there is nothing better.
  public init(
    name: String, source: any WorkSource, catalogue: TrainingCatalogue, settings: WorkerSettings, logger: Logger
  ) {
    self.name = name
    self.source = source
    self.catalogue = catalogue
    self.settings = settings
    self.logger = logger
  }

  /// Works until the task is cancelled. A training that runs then saves its state, and its job is given back.
  public func run() async {
    var delays = BackOff()
    while !Task.isCancelled {
      // Listened for before work is asked for, so that no job slips in between.
      let news = source.newsOfWork()
      do {
        // Not a part of this task: a claim whose answer is not waited for would be nobody's until its lease runs out.
        let claim = try await Task { [source, name] in try await source.claim(worker: name) }.value
        delays = BackOff()
        if let claim { await run(claim) } else { await news.wait(atMost: .seconds(1)) }
      } catch {
        logger.error("there is no asking for work", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: delays.next())
      }
    }
  }

  /// How long a worker that is being stopped tries to say what became of its job.
  private static let lastPatience = Duration.seconds(15)

  /// Runs one job and ends its attempt.
  func run(_ claim: Claim) async {
    var logger = logger
    logger[metadataKey: "job"] = "\(claim.job.id)"
    logger[metadataKey: "attempt"] = "\(claim.attempt)"
    logger.info("training begins", metadata: ["kind": "\(claim.job.kind)", "worker": "\(name)"])
    let keeper = LeaseKeeper(claim: claim, source: source, logger: logger)
    let folder = JobFolder("\(settings.modelsDirectory)/\(claim.job.id)")
    let attempt = Attempt(claim: claim, worker: self, folder: folder, keeper: keeper, logger: logger)
    guard let end = await attempt.run() else {
      return logger.warning("the lease was lost; nothing is said of this attempt")
    }
    logger.info("training ended", metadata: ["end": "\(end)"])
    // Not a part of this task: who is stopped must still be able to say so. The lease is kept meanwhile.
    let keeping = Task { await keeper.watch { _ in } }
    await tell(end, of: claim, folder: folder, keeper: keeper, logger: logger)
    keeping.cancel()
    await keeping.value
  }

  /// Says how an attempt ended, until somebody has heard it. A store that can't be written to for a while, or a server
  /// that is away, must not cost a finished training; where the lease was lost meanwhile, the answer says so.
  private func tell(
    _ end: AttemptEnd, of claim: Claim, folder: JobFolder, keeper: LeaseKeeper, logger: Logger
  ) async {
    var end = end
    var delays = BackOff()
    var stopsAt: ContinuousClock.Instant?
    while true {
      await keeper.flush(isLast: true)
      do {
        return try await Task { [source, end] in try await source.end(claim, end, folder: folder) }.value
      } catch is JobError {
        return logger.warning("the lease was lost; nothing is said of this attempt")
      } catch let refusal as WorkRefused {
        logger.error("the end is refused", metadata: ["error": "\(refusal)"])
        guard case .completed = end else { return }
        end = .failed(.broke("\(refusal)"))
      } catch {
        logger.error("the end can't be recorded", metadata: ["error": "\(error)"])
        if Task.isCancelled {
          let last = stopsAt ?? .now + Self.lastPatience
          stopsAt = last
          guard ContinuousClock.now < last else { return }
        }
        let delay = delays.next()
        // A task that is cancelled sleeps no more, so this one's sleep is another's.
        await Task { try? await Task.sleep(for: delay) }.value
      }
    }
  }
}
