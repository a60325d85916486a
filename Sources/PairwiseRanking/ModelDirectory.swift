// A directory with a trained ranker: found, opened, listed.

import Checkpoints
import Foundation

/// A pairwise ranker on the disk.
public struct ModelDirectory: Sendable {
  public let path: String
  public let metadata: RankerMetadata

  /// Opens the model of a directory, or that of a metadata file.
  ///
  /// - Throws: `RankingError.notAModel` where there is none, more than one, or a damaged one.
  public init(path: String) throws {
    if path.hasSuffix(Self.suffix), !Self.isDirectory(path) {
      self.path = (path as NSString).deletingLastPathComponent
      metadata = try RankerMetadata(contentsOf: path)
      return
    }
    guard Self.isDirectory(path) else {
      throw RankingError.notAModel(
        path: path, problem: "there is no such directory; train one with: ranker train pairwise --output \(path)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(Self.suffix) }.sorted()
    guard let name = names.first else {
      throw RankingError.notAModel(
        path: path, problem: "no *\(Self.suffix) is in it, so it is not the directory of a finished training")
    }
    guard names.count == 1 else {
      throw RankingError.notAModel(
        path: path, problem: "holds several models; name one of \(names.joined(separator: ", ")) in it")
    }
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    metadata = try RankerMetadata(contentsOf: "\(path)/\(name)")
  }

  static let suffix = "_metadata.json"

  static func isDirectory(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }

  /// Where a file of the model is.
  public func path(of name: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }

  /// Requires that a file is the one that the training wrote.
  /// - Throws: `CheckpointError`.
  public func verifyChecksum(of name: String) throws {
    try metadata.checksums.verify(name, in: path.isEmpty ? "." : path)
  }
}

/// What a listing tells of a model, whole or broken.
public struct ModelSummary: Sendable {
  /// The metadata file.
  public let path: String
  /// The model, where its metadata can be read.
  public let metadata: RankerMetadata?
  /// Why the model cannot be used: unreadable metadata, files missing or changed.
  public let problem: String?

  /// Every model in a folder and the folders below it, in the order of their paths.
  ///
  /// Links are not followed. Models of other kinds are listed with a problem that names the kind.
  public static func models(in folder: String) throws -> [ModelSummary] {
    guard ModelDirectory.isDirectory(folder) else {
      throw RankingError.notAModel(path: folder, problem: "there is no such directory")
    }
    guard let walk = FileManager.default.enumerator(atPath: folder) else { return [] }
    let base = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    let found = walk.compactMap { $0 as? String }.filter { $0.hasSuffix(ModelDirectory.suffix) }
    return found.sorted().map { ModelSummary(path: "\(base)/\($0)") }
  }

  /// Looks at one model.
  init(path: String) {
    self.path = path
    do {
      let directory = try ModelDirectory(path: path)
      metadata = directory.metadata
      problem = Self.problem(of: directory)
    } catch RankingError.notAModel(_, let reason) {
      metadata = nil
      problem = reason
    } catch {
      metadata = nil
      problem = "\(error)"
    }
  }

  private static func problem(of directory: ModelDirectory) -> String? {
    for name in directory.metadata.checksums.digests.keys.sorted() {
      do { try directory.verifyChecksum(of: name) } catch { return "\(error)" }
    }
    return nil
  }
}
