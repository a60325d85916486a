// Files that workers send: kept aside by their checksums until the attempt that sent them ends well.

import Checkpoints
import Files
import Foundation
import Glibc
import HTTPTypes
import Hummingbird
import Synchronization

/// The files that attempts have sent, below `.incoming` of the models' folder: one folder for each attempt, each file
/// there under its SHA-256. A name of a worker's making only counts when the files are put into the job's folder, and is
/// checked then.
struct IncomingFiles: Sendable {
  let modelsDirectory: String

  /// The largest file that is taken, and how many of an attempt.
  static let greatestFile: Int64 = 16 << 30
  static let mostFiles = 1000
  /// What is left free on the disk: the database may be there too.
  private static let reserve: Int64 = 64 << 20

  private var root: String { "\(modelsDirectory)/.incoming" }
  private func folder(_ claim: Claim) -> String { "\(root)/\(claim.job.id)/\(claim.attempt)" }
  private func place(_ checksum: String, of claim: Claim) -> String { "\(folder(claim))/\(checksum)" }

  /// Takes a file in, part by part.
  ///
  /// - Parameters:
  ///   - length: bytes that were announced; nil where they were not.
  /// - Throws: ``ServiceProblem`` with 413, 422 (the checksum is another) or 507 (the disk is full).
  func receive(_ body: RequestBody, checksum: String, length: Int64?, of claim: Claim) async throws {
    if let length { try check(length) }
    let folder = folder(claim)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    if let length, length + Self.reserve > DiskSpace.free(at: folder) { throw Self.full }
    let part = try PartFile(in: folder)
    for try await buffer in body {
      try check(part.size + Int64(buffer.readableBytes))
      do { try buffer.withUnsafeReadableBytes { try part.write($0) } } catch let error as FileError {
        if error.code == ENOSPC || error.code == EDQUOT { throw Self.full }
        throw error
      }
    }
    let found = try part.finish(as: checksum)
    guard found == checksum else {
      throw ServiceProblem(
        status: .unprocessableContent,
        message: "the file's SHA-256 is \(found), not \(checksum); send it again")
    }
  }

  private func check(_ size: Int64) throws {
    guard size <= Self.greatestFile else {
      throw ServiceProblem(
        status: .contentTooLarge, message: "the file is larger than the \(Self.greatestFile) bytes that are taken")
    }
  }

  private static let full = ServiceProblem(
    status: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"),
    message: "the server's disk is full; free some space below its models' folder")

  /// Which of an attempt's files have not come yet.
  /// - Throws: ``ServiceProblem`` where a name or a number of files can't be.
  func missing(_ files: [WorkFile], of claim: Claim) throws -> [String] {
    guard files.count <= Self.mostFiles else {
      throw ServiceProblem.badRequest("there are \(files.count) files; at most \(Self.mostFiles) are taken")
    }
    guard Set(files.map(\.path)).count == files.count else {
      throw ServiceProblem.badRequest("a path is there twice")
    }
    var missing: Set<String> = []
    for file in files {
      do { _ = try PlainPath.checked(file.path) } catch { throw ServiceProblem.badRequest("\(error)") }
      guard PlainPath.isChecksum(file.sha256) else {
        throw ServiceProblem.badRequest("\"\(file.sha256.prefix(80))\" is no SHA-256 in hexadecimal digits")
      }
      try check(file.size)
      var status = stat()
      guard lstat(place(file.sha256, of: claim), &status) == 0 else {
        missing.insert(file.sha256)
        continue
      }
      guard Int64(status.st_size) == file.size else {
        throw ServiceProblem.badRequest("\(file.path) has \(status.st_size) bytes, not \(file.size)")
      }
    }
    return missing.sorted()
  }

  /// Puts files into the job's folder, each in one step; nothing where it is there already. Called within the
  /// transaction that makes sure that the attempt is the present one.
  func place(_ files: [WorkFile], of claim: Claim) throws {
    let target = "\(modelsDirectory)/\(claim.job.id)"
    for file in files {
      let path = "\(target)/\(file.path)"
      let parent = (path as NSString).deletingLastPathComponent
      // No link that lies there may lead a file elsewhere.
      if let resolved = realpath(parent, nil) {
        defer { free(resolved) }
        let wanted = realpath(modelsDirectory, nil)
        defer { free(wanted) }
        guard let wanted, String(cString: resolved).hasPrefix(String(cString: wanted) + "/\(claim.job.id)") else {
          throw WorkRefused("\(file.path) leads out of the job's folder")
        }
      } else {
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
      }
      let hidden = "\(parent)/.\(file.sha256).\(claim.attempt)"
      unlink(hidden)
      // A second name for the same bytes; where the file system has no such thing, a copy.
      if link(place(file.sha256, of: claim), hidden) != 0 {
        try FileManager.default.copyItem(atPath: place(file.sha256, of: claim), toPath: hidden)
      }
      guard rename(hidden, path) == 0 else {
        throw FileError(path: path, action: "put a file into the job's folder", code: errno)
      }
    }
  }

  /// Forgets what was sent for a job, or only one file of it that is needed no more.
  func forget(_ claim: Claim) { try? FileManager.default.removeItem(atPath: "\(root)/\(claim.job.id)") }
  func forget(_ checksum: String, of claim: Claim) { unlink(place(checksum, of: claim)) }

  /// Removes what attempts sent that are not running any more.
  func sweep(present: [String: Int]) {
    let files = FileManager.default
    for job in (try? files.contentsOfDirectory(atPath: root)) ?? [] {
      for attempt in (try? files.contentsOfDirectory(atPath: "\(root)/\(job)")) ?? []
      where present[job].map({ "\($0)" }) != attempt {
        try? files.removeItem(atPath: "\(root)/\(job)/\(attempt)")
      }
      // Only where nothing is left in it.
      rmdir("\(root)/\(job)")
    }
  }
}

/// A file that comes in part by part, under a name of its own until it is whole.
final class PartFile {
  private let folder: String
  private let path: String
  private var descriptor: Int32
  private var hash: SHA256? = SHA256()
  private(set) var size: Int64 = 0

  init(in folder: String) throws {
    self.folder = folder
    path = "\(folder)/.\(UUID().uuidString).part"
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError(path: path, action: "create a file", code: errno) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(path)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    hash?.update(bytes)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError(path: path, action: "write", code: errno) }
      rest = rest.dropFirst(count)
    }
    size += Int64(bytes.count)
  }

  /// Gives the file its name where its checksum is that name's last part; to be called once.
  /// - Returns: the checksum that it has.
  func finish(as checksum: String, named name: String? = nil) throws -> String {
    let found = hash.take()!.hexadecimal()
    guard found == checksum else { return found }
    guard fsync(descriptor) == 0, rename(path, "\(folder)/\(name ?? checksum)") == 0 else {
      throw FileError(path: path, action: "write to the disk", code: errno)
    }
    close(descriptor)
    descriptor = -1
    return found
  }
}

/// What a disk has left.
enum DiskSpace {
  /// Bytes that this process may still write at a place.
  static func free(at path: String) -> Int64 {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return Int64.max }
    let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflow ? Int64.max : Int64(clamping: bytes)
  }
}
