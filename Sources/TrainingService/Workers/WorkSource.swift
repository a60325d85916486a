// The border between a worker and where its work comes from: a database that both have, or a server far away.

import Foundation

/// Where a worker's jobs come from, and where what becomes of them goes.
///
/// A worker knows nothing else of the service. ``LocalWork`` is the queue in the database, with data and models on disks
/// that this machine has.
public protocol WorkSource: Sendable {
  /// Takes the job that has waited longest; nil where there is none for now. May wait a while for one.
  ///
  /// - Parameter worker: a name for people; leases go by attempts.
  func claim(worker: String) async throws -> Claim?

  /// News that there may be work: what makes it worth asking before a while is over.
  func newsOfWork() -> AsyncStream<Void>

  /// Keeps the lease.
  /// - Returns: whether somebody wants the job cancelled.
  /// - Throws: `JobError.staleAttempt` where it was lost: the worker has to stop.
  func renew(_ claim: Claim) async throws -> Bool

  /// Notes how far an attempt is, and renews its lease.
  /// - Throws: `JobError.staleAttempt`.
  func report(_ report: JobQueue.Report, of claim: Claim) async throws

  /// Tells when somebody wants the job cancelled, sooner than the next renewal would; perhaps never.
  func cancelRequests(of claim: Claim) -> AsyncStream<Void>

  /// Where the job's data is on this machine, brought here where it was not.
  ///
  /// - Parameter paths: what the job's parameters name below the data folder, which has to be there as well.
  /// - Throws: `DataRootError` where there is none (any more).
  func data(of claim: Claim, beside paths: [String]) async throws -> JobData

  /// Makes a job's folder on this machine such that the attempt goes on from the last state that is known.
  func prepare(_ folder: JobFolder, for claim: Claim) async throws

  /// How often a running training's saved state is brought away; nil where the job's folder itself is safe.
  var stateInterval: Duration? { get }

  /// Brings the state that a training saved to where the job's next attempt finds it.
  func saveState(in folder: JobFolder, of claim: Claim) async throws

  /// Ends an attempt, with the model that it left in the folder or without one.
  /// - Throws: `JobError.staleAttempt` where the attempt is not the present one; ``WorkRefused`` where trying again is
  ///   in vain.
  func end(_ claim: Claim, _ end: AttemptEnd, folder: JobFolder) async throws
}

/// The data of a job, on the machine that trains.
public struct JobData: Sendable, Hashable {
  /// Where it is; nil for the kind's own sample.
  public var path: String?
  /// The folder below which people know it: what is told of it, is told from there.
  public var root: String

  public init(path: String?, root: String) {
    self.path = path
    self.root = root
  }
}

/// How an attempt ends.
public enum AttemptEnd: Sendable {
  case completed(AttemptResult)
  case failed(AttemptFailure)
  /// The worker is being stopped.
  case released
  case cancelled
}

/// What is not possible, however often it is tried: too much data for the disk, say. The attempt counts as broken.
public struct WorkRefused: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// Work from a database that this process has open; data and models on disks that this machine has.
public struct LocalWork: WorkSource {
  let queue: JobQueue
  let root: DataRoot

  public init(_ queue: JobQueue, root: DataRoot) {
    self.queue = queue
    self.root = root
  }

  public func claim(worker: String) async throws -> Claim? { try await queue.claim(worker: worker) }

  public func newsOfWork() -> AsyncStream<Void> { queue.signals.newsOfWork() }

  public func renew(_ claim: Claim) async throws -> Bool { try await queue.renew(claim) }

  public func report(_ report: JobQueue.Report, of claim: Claim) async throws {
    try await queue.report(report, of: claim)
  }

  public func cancelRequests(of claim: Claim) -> AsyncStream<Void> {
    let news = queue.signals.news(of: claim.job.id)
    return AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      let watching = Task {
        for await _ in news where (try? await queue.isCancelRequested(claim)) == true { continuation.yield() }
        continuation.finish()
      }
      continuation.onTermination = { _ in watching.cancel() }
    }
  }

  public func data(of claim: Claim, beside paths: [String]) async throws -> JobData {
    // It may have gone, or a link in its place, since the job was asked for.
    JobData(path: try claim.job.dataPath.map { try root.absolute($0) }, root: root.path)
  }

  public func prepare(_ folder: JobFolder, for claim: Claim) {}

  public var stateInterval: Duration? { nil }

  public func saveState(in folder: JobFolder, of claim: Claim) {}

  public func end(_ claim: Claim, _ end: AttemptEnd, folder: JobFolder) async throws {
    switch end {
    case .completed(let result): try await queue.complete(claim, result)
    case .failed(let failure): try await queue.fail(claim, failure)
    case .released: try await queue.release(claim)
    case .cancelled: try await queue.cancelled(claim)
    }
  }
}
