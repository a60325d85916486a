// Work over HTTP: from a server that this machine shares no disk with.

import Foundation
import Glibc
import Synchronization

/// How a worker far away from its server works.
public struct RemoteWorkSettings: Sendable {
  /// Its address, such as `https://train.example.org`.
  public var server: String
  /// A token that may work (`ranker users token --worker`).
  public var token: String
  /// The folder on this machine for data, states and models until the server has them.
  public var scratch: String
  /// Bytes of data that are kept for further jobs.
  public var cacheLimit: Int64 = 20 << 30
  /// The server's data folder, where this machine has it too: nothing is fetched then.
  public var dataRoot: String?
  /// How often a running training's saved state is sent, where it changed.
  public var stateInterval = Duration.seconds(30)

  public init(server: String, token: String, scratch: String) {
    self.server = server
    self.token = token
    self.scratch = scratch
  }
}

/// Work from a server over HTTP. Data and states come from there and are checked by their SHA-256; states, models and
/// all news go there.
public struct RemoteWork: WorkSource {
  let client: WorkClient
  private let cache: DataCache
  private let root: DataRoot?
  private let checksums = FileChecksums()
  private let memory = Memory()
  public let stateInterval: Duration?

  /// What has to be remembered between two questions.
  private final class Memory: Sendable {
    /// The key of a worker's question that has no answer yet.
    let keys = Mutex<[String: String]>([:])
    /// The state of a job that the server has, by name.
    let states = Mutex<[String: [String: String]]>([:])
  }

  /// - Throws: `WorkClientError.notAnAddress`, ``DataRootError``.
  public init(_ settings: RemoteWorkSettings) throws {
    client = try WorkClient(server: settings.server, token: settings.token)
    try FileManager.default.createDirectory(atPath: settings.scratch, withIntermediateDirectories: true)
    // Whole and without links: trainings are told paths below it.
    guard let scratch = realpath(settings.scratch, nil) else { throw DataRootError.noFolder(settings.scratch) }
    defer { free(scratch) }
    cache = try DataCache(scratch: String(cString: scratch), limit: settings.cacheLimit)
    root = try settings.dataRoot.map { path throws(DataRootError) in try DataRoot(path) }
    stateInterval = settings.stateInterval
    cache.sweep()
  }

  /// The folder that gets one folder for each job.
  public var jobsDirectory: String { "\(cache.scratch)/jobs" }

  /// Asks whether the server is there and lets this worker work.
  /// - Throws: ``WorkClientError``.
  public func checkAccess() async throws { _ = try await client.send("GET", "", as: Nothing.self) }

  private struct Nothing: Decodable {}

  // Work

  /// How long the server may wait for work before it answers. A worker that is being stopped waits for the answer.
  private static let wait = 2000

  public func claim(worker: String) async throws -> Claim? {
    let key = memory.keys.withLock { keys in
      let key = keys[worker] ?? UUID().uuidString
      keys[worker] = key
      return key
    }
    let question = WorkRequest(worker: worker, key: key, milliseconds: Self.wait)
    let grant = try await client.send("POST", "/claims", question, as: WorkGrant.self)
    memory.keys.withLock { $0[worker] = nil }
    guard let claim = grant?.claim else { return nil }
    // It stands in paths of this machine.
    guard UUID(uuidString: claim.job.id) != nil, claim.attempt > 0, claim.lease > .zero else {
      throw WorkRefused("the server gave a job whose id is none")
    }
    return claim
  }

  /// Asking itself waits, so there is nothing to wait for besides.
  public func newsOfWork() -> AsyncStream<Void> { AsyncStream { $0.finish() } }

  public func renew(_ claim: Claim) async throws -> Bool {
    try await ask("POST", "/renew", of: claim, as: WorkWishes.self).cancelRequested
  }

  /// Events of one message: the server reads bodies up to a megabyte.
  private static let mostEvents = 100
  private static let mostBytes = 512 << 10

  public func report(_ report: JobQueue.Report, of claim: Claim) async throws {
    var rest = report.events[...]
    var heard = report.heard
    var isFirst = true
    while isFirst || !rest.isEmpty {
      var part = JobQueue.Report()
      var size = 0
      while let event = rest.first, part.events.count < Self.mostEvents {
        size += event.body.data.count
        if size > Self.mostBytes, !part.events.isEmpty { break }
        part.events.append(event)
        rest.removeFirst()
      }
      part.heard = heard
      heard = heard.map { $0 + part.events.count }
      if rest.isEmpty {
        part.status = report.status
        part.progress = report.progress
      }
      isFirst = false
      _ = try await ask("POST", "/reports", WorkReport(part), of: claim, as: WorkWishes.self)
    }
  }

  /// The next renewal tells, or the answer to the next report.
  public func cancelRequests(of claim: Claim) -> AsyncStream<Void> { AsyncStream { $0.finish() } }

  // Files from the server

  public func data(of claim: Claim, beside paths: [String]) async throws -> JobData {
    if let root {
      do { return JobData(path: try claim.job.dataPath.map { try root.absolute($0) }, root: root.path) } catch {
        // The server has it, or the job would not be: another worker may have a better look.
        throw WorkRefused("with this worker's --data-root, \(error)")
      }
    }
    let view = cache.view(of: claim.job.id)
    let dataPath = claim.job.dataPath
    let asked = (dataPath.map { [$0] } ?? []) + paths
    let names = try asked.map { $0 == "." ? "" : try PlainPath.checked($0) }
    guard !names.isEmpty else {
      try cache.makeView(of: [], for: claim.job.id)
      return JobData(path: nil, root: view)
    }
    let files = try await files("/data", of: claim)
    for file in files
    where !names.contains(where: { $0.isEmpty || file.path == $0 || file.path.hasPrefix($0 + "/") }) {
      throw WorkRefused("the server sent \(file.path.prefix(100)) as the data \(asked.joined(separator: ", "))")
    }
    try cache.makeRoom(for: files)
    for file in files {
      try await again { try await cache.fetch(file) { try await part("/data", file, $0, $1, of: claim) } }
    }
    try cache.makeView(of: files, for: claim.job.id)
    return JobData(path: dataPath.map { $0 == "." ? view : "\(view)/\($0)" }, root: view)
  }

  /// The attempt that last wrote to a job's folder here.
  private func markPath(_ folder: JobFolder) -> String { "\(folder.path)/.attempt" }

  public func prepare(_ folder: JobFolder, for claim: Claim) async throws {
    let mark = try? String(contentsOfFile: markPath(folder), encoding: .utf8)
    // Where the attempt before was this folder's own, what lies here is at least as new as what the server has.
    if mark.flatMap({ Int($0) }) != claim.attempt - 1 || !folder.hasSavedState {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name != ".lock" {
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
      }
      let files = try await files("/state", of: claim)
      for file in files {
        guard file.path.hasSuffix(TrainingKind.stateSuffix), !file.path.contains("/") else {
          throw WorkRefused("the server sent \(file.path.prefix(100)) as a saved state")
        }
        try await again {
          try await DataCache.fetch(file, to: folder.path, named: file.path) {
            try await part("/state", file, $0, $1, of: claim)
          }
        }
      }
      memory.states.withLock { states in
        states[claim.job.id] = Dictionary(files.map { ($0.path, $0.sha256) }) { first, _ in first }
      }
    }
    try Data("\(claim.attempt)".utf8).write(to: URL(fileURLWithPath: markPath(folder)), options: .atomic)
  }

  private func files(_ path: String, of claim: Claim) async throws -> [WorkFile] {
    let files = try await again { try await ask("GET", path, of: claim, patience: 600, as: WorkFiles.self).files }
    for file in files {
      _ = try PlainPath.checked(file.path)
      guard PlainPath.isChecksum(file.sha256), file.size >= 0 else {
        throw WorkRefused("the server sent a file without size or checksum")
      }
    }
    return files
  }

  private func part(
    _ path: String, _ file: WorkFile, _ start: Int64, _ count: Int64, of claim: Claim
  ) async throws -> Data {
    try await asked(claim) { try await client.part("\($0)\(path)/\(file.sha256)", from: start, count: count) }
  }

  // Files to the server

  public func saveState(in folder: JobFolder, of claim: Claim) async throws {
    let names = folder.stateFiles
    guard !names.isEmpty else { return }
    // Trainings replace their state whole: a second name keeps what it is now.
    var snapshots: [(file: WorkFile, path: String)] = []
    defer { for snapshot in snapshots { unlink(snapshot.path) } }
    for name in names {
      let path = "\(folder.path)/.\(name).sent"
      unlink(path)
      guard link("\(folder.path)/\(name)", path) == 0 else { continue }
      snapshots.append((WorkFile(path: name, size: 0, sha256: ""), path))
      snapshots[snapshots.count - 1].file = try await checksums.file(at: path, named: name)
    }
    let state = Dictionary(snapshots.map { ($0.file.path, $0.file.sha256) }) { first, _ in first }
    guard memory.states.withLock({ $0[claim.job.id] }) != state else { return }
    try await deliver(snapshots) { files in
      try await ask("POST", "/state", WorkFiles(files: files), of: claim, patience: 60, as: WorkMissing.self)
    } upload: {
      try await upload($0, from: $1, of: claim)
    }
    memory.states.withLock { $0[claim.job.id] = state }
  }

  public func end(_ claim: Claim, _ end: AttemptEnd, folder: JobFolder) async throws {
    var message: WorkEnd
    var files: [(file: WorkFile, path: String)] = []
    switch end {
    case .completed(let result):
      for name in result.files {
        let path = "\(folder.path)/\(try PlainPath.checked(name))"
        do { files.append((try await checksums.file(at: path, named: name), path)) } catch {
          throw WorkRefused("the training's \(name) can't be read: \(error)")
        }
      }
      message = WorkEnd(end: .completed, metrics: result.metrics)
    case .failed(.refused(let problem)): message = WorkEnd(end: .refused, problem: problem)
    case .failed(.broke(let problem)): message = WorkEnd(end: .broke, problem: problem)
    case .released: message = WorkEnd(end: .released)
    case .cancelled: message = WorkEnd(end: .cancelled)
    }
    if message.end != .completed, message.end != .refused {
      // A state that finds no room on the server must not keep the job from going on elsewhere.
      do { try await saveState(in: folder, of: claim) } catch is WorkRefused {}
    }
    try await deliver(files) { files in
      message.files = files
      return try await ask("POST", "/end", message, of: claim, patience: 60, as: WorkMissing.self)
    } upload: {
      try await upload($0, from: $1, of: claim)
    }
    memory.states.withLock { $0[claim.job.id] = nil }
    // What is to be gone on with stays: the job may come back.
    switch end {
    case .completed, .failed(.refused): cache.forget(claim.job.id)
    default: break
    }
  }

  /// Says what there is, sends what the server has not, and says it again until nothing is missing.
  private func deliver(
    _ files: [(file: WorkFile, path: String)], say: ([WorkFile]) async throws -> WorkMissing,
    upload: (WorkFile, String) async throws -> Void
  ) async throws {
    for _ in 0..<3 {
      let missing = Set(try await say(files.map(\.file)).missing)
      if missing.isEmpty { return }
      var sent: Set<String> = []
      for (file, path) in files where missing.contains(file.sha256) && sent.insert(file.sha256).inserted {
        try await again { try await upload(file, path) }
      }
    }
    throw WorkClientError.serverFailed(status: 200, message: "files that were sent did not stay there")
  }

  private func upload(_ file: WorkFile, from path: String, of claim: Claim) async throws {
    try await asked(claim) { try await client.upload("\($0)/files/\(file.sha256)", file: path) }
  }
}
