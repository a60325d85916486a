// Data on a worker's own disk: fetched once, kept by its checksum, given to each job under the names that it knows.

import Foundation
import Glibc

/// The folder of a worker without a shared disk: `data` holds files by their SHA-256, `jobs` what trainings write,
/// `views` the data of each job under its own names, which are further names (hard links) of the same files.
struct DataCache: Sendable {
  let scratch: String
  /// Bytes that `data` may hold; what was not used for longest goes first.
  let limit: Int64

  private var data: String { "\(scratch)/data" }
  /// What is left free on the disk, for the model that comes of it.
  private static let reserve: Int64 = 64 << 20

  init(scratch: String, limit: Int64) throws {
    self.scratch = scratch
    self.limit = limit
    for name in ["data", "jobs", "views"] {
      try FileManager.default.createDirectory(atPath: "\(scratch)/\(name)", withIntermediateDirectories: true)
    }
  }

  func view(of job: String) -> String { "\(scratch)/views/\(job)" }

  /// Makes room for files that are not here yet.
  /// - Throws: ``WorkRefused`` where the limit or the disk does not allow them.
  func makeRoom(for files: [WorkFile]) throws {
    let wanted = Set(files.map(\.sha256))
    let total = files.reduce(Int64(0)) { $0 + $1.size }
    guard total <= limit else {
      throw WorkRefused(
        "the data has \(total >> 20) MB, more than the \(limit >> 20) MB that this worker keeps (--cache-limit)")
    }
    var known = entries()
    let missing = files.filter { file in !known.contains { $0.name == file.sha256 } }.reduce(Int64(0)) { $0 + $1.size }
    var present = known.reduce(Int64(0)) { $0 + $1.size }
    known = known.filter { !wanted.contains($0.name) }.sorted { $0.used < $1.used }
    func isEnough() -> Bool {
      present + missing <= limit && (missing == 0 || DiskSpace.free(at: data) - Self.reserve >= missing)
    }
    while !isEnough(), let oldest = known.first {
      known.removeFirst()
      present -= oldest.size
      unlink("\(data)/\(oldest.name)")
    }
    guard isEnough() else {
      throw WorkRefused(
        "the data needs \(missing >> 20) MB more, and \(DiskSpace.free(at: data) >> 20) MB are free on the disk of "
          + "this worker's folder")
    }
  }

  private struct Entry {
    let name: String
    let size: Int64
    let used: Int
  }

  private func entries() -> [Entry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: data)) ?? []
    return names.compactMap { name in
      var status = stat()
      guard PlainPath.isChecksum(name), lstat("\(data)/\(name)", &status) == 0 else { return nil }
      return Entry(name: name, size: Int64(status.st_size), used: status.st_mtim.tv_sec)
    }
  }

  /// Brings a file here where it is not.
  func fetch(_ file: WorkFile, by parts: (_ start: Int64, _ count: Int64) async throws -> Data) async throws {
    let path = "\(data)/\(file.sha256)"
    // Also notes that it was used.
    if utimes(path, nil) == 0 { return }
    try await Self.fetch(file, to: data, by: parts)
  }

  /// Bytes of a file that are asked for at a time.
  private static let partSize: Int64 = 8 << 20

  /// Brings a file into a folder, under its checksum or a name.
  /// - Throws: `WorkClientError.wrongChecksum` where what came is another.
  static func fetch(
    _ file: WorkFile, to folder: String, named name: String? = nil,
    by parts: (_ start: Int64, _ count: Int64) async throws -> Data
  ) async throws {
    let part = try PartFile(in: folder)
    while part.size < file.size {
      let data = try await parts(part.size, min(partSize, file.size - part.size))
      try data.withUnsafeBytes { try part.write($0) }
    }
    let found = try part.finish(as: file.sha256, named: name)
    guard found == file.sha256 else {
      throw WorkClientError.wrongChecksum("\(file.path) came with the SHA-256 \(found), not \(file.sha256)")
    }
  }

  /// Gives a job its data under the names that it knows.
  func makeView(of files: [WorkFile], for job: String) throws {
    let view = view(of: job)
    try? FileManager.default.removeItem(atPath: view)
    try FileManager.default.createDirectory(atPath: view, withIntermediateDirectories: true)
    for file in files {
      let path = "\(view)/\(try PlainPath.checked(file.path))"
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try FileManager.default.linkItem(atPath: "\(data)/\(file.sha256)", toPath: path)
    }
  }

  /// Removes what a job has here.
  func forget(_ job: String) {
    for folder in ["jobs", "views"] { try? FileManager.default.removeItem(atPath: "\(scratch)/\(folder)/\(job)") }
  }

  /// How long the state of a job that went elsewhere is kept: it may come back.
  private static let patience = 7 * 24 * 60 * 60

  /// Removes what earlier workers left: parts of files, and folders of jobs that nobody came back to.
  func sweep() {
    let files = FileManager.default
    for name in (try? files.contentsOfDirectory(atPath: data)) ?? [] where name.hasSuffix(".part") {
      if Self.age(of: "\(data)/\(name)") > 60 * 60 { unlink("\(data)/\(name)") }
    }
    for job in (try? files.contentsOfDirectory(atPath: "\(scratch)/jobs")) ?? []
    where Self.age(of: "\(scratch)/jobs/\(job)") > Self.patience {
      // A training that runs holds its lock.
      let lock = open("\(scratch)/jobs/\(job)/.lock", O_RDWR | O_CLOEXEC)
      if lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0 { forget(job) }
      if lock >= 0 { close(lock) }
    }
  }

  private static func age(of path: String) -> Int {
    var status = stat()
    return lstat(path, &status) == 0 ? time(nil) - status.st_mtim.tv_sec : 0
  }
}
