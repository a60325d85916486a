// SHA-256 of files, remembered for as long as a file is what it was.

import Checkpoints
import Foundation
import Glibc

/// Checksums of files. A file is read once, however many ask, until its size, its time of change or its place on the
/// disk is another.
actor FileChecksums {
  private struct Identity: Hashable {
    let device: UInt
    let number: UInt
    let size: Int64
    let seconds: Int
    let nanoseconds: Int
  }

  private struct Entry {
    let identity: Identity
    let checksum: Task<String, any Error>
  }

  private var entries: [String: Entry] = [:]
  /// Entries take some hundred bytes each.
  private static let most = 10_000

  /// A regular file's size and checksum.
  /// - Throws: `CheckpointError.system` where it can't be read; ``WorkRefused`` where it is no regular file.
  func file(at path: String, named name: String) async throws -> WorkFile {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw CheckpointError.system(path: name, action: "read the size", code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw WorkRefused("\(name) is not a regular file") }
    let identity = Identity(
      device: UInt(status.st_dev), number: UInt(status.st_ino), size: Int64(status.st_size),
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    let entry: Entry
    if let known = entries[path], known.identity == identity {
      entry = known
    } else {
      if entries.count >= Self.most { entries = [:] }
      // Not on this actor, which others wait for.
      entry = Entry(identity: identity, checksum: Task.detached { try SHA256.hexadecimal(ofFile: path) })
      entries[path] = entry
    }
    do {
      return WorkFile(path: name, size: identity.size, sha256: try await entry.checksum.value)
    } catch {
      entries[path] = nil
      throw error
    }
  }
}

/// A job's data as it is served: names as the training is to see them, and where the files are.
struct ServedData: Sendable {
  let files: [(file: WorkFile, place: String)]

  private static let mostFiles = 10_000
  private static let deepest = 8

  /// - Throws: ``DataRootError``, ``WorkRefused``, `CheckpointError.system`.
  init(_ paths: [String], root: DataRoot, checksums: FileChecksums) async throws {
    var found: [(file: WorkFile, place: String)] = []
    // A lexicon may lie in the folder of the notes: each file is served once.
    var known: Set<String> = []
    for dataPath in paths {
      let place = try root.absolute(dataPath)
      var pending = [(name: dataPath == "." ? "" : dataPath, place: place, depth: 0)]
      while let (name, place, depth) = pending.popLast() {
        guard Self.isFolder(place) else {
          guard known.insert(name).inserted else { continue }
          found.append((try await checksums.file(at: place, named: try PlainPath.checked(name)), place))
          guard found.count <= Self.mostFiles else {
            throw WorkRefused("\(dataPath) has more than \(Self.mostFiles) files; more are not sent to a worker")
          }
          continue
        }
        guard depth < Self.deepest else {
          throw WorkRefused("\(name) is more than \(Self.deepest) folders deep; more are not sent to a worker")
        }
        for entry in try root.entries(of: place) {
          let below = name.isEmpty ? entry.name : "\(name)/\(entry.name)"
          pending.append((below, try root.absolute(entry.path), depth + 1))
        }
      }
    }
    files = found
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
