// A model on the disk: opened, and listed with others.

import Checkpoints
import Foundation

/// A model of one kind on the disk, which may share its directory with others.
///
/// ```swift
/// let model = try ModelDirectory<RankerMetadata>(path: "models/pairwise_ranker")
/// try model.verifyChecksum(of: model.metadata.files.scorer)
/// ```
public struct ModelDirectory<Metadata: ModelMetadata>: Sendable {
  /// The directory.
  public let path: String
  public let metadata: Metadata

  /// Opens the model that a path names: a directory with one model of this kind, a metadata file, or a model's
  /// checkpoint or graph with its metadata beside it.
  ///
  /// - Throws: `ModelError.notAModel` where there is none, more than one, or a damaged one.
  public init(path: String) throws(ModelError) {
    let train = "; train one with: \(Metadata.trainingCommand)"
    guard let isFolder = MetadataFiles.isFolder(path) else {
      throw .notAModel(path: path, problem: "there is no such file or directory" + train)
    }
    var files = try MetadataFiles.paths(for: path)
    guard !files.isEmpty else {
      throw .notAModel(
        path: path,
        problem: isFolder
          ? "no *\(MetadataFiles.suffix) is in it, so it is not the directory of a finished training" + train
          : "no *\(MetadataFiles.suffix) beside it lists it as a file of its model")
    }
    if files.count > 1 {
      let ofThisKind = files.filter { file in
        (try? MetadataFiles.data(of: file)).flatMap(MetadataFiles.modelType) == Metadata.modelType
      }
      guard !ofThisKind.isEmpty else {
        throw .notAModel(path: path, problem: "holds \(files.count) models, none of them a \(Metadata.kind)" + train)
      }
      files = ofThisKind
    }
    guard files.count == 1 else {
      let names = files.map { MetadataFiles.split($0).name }
      throw .notAModel(
        path: path, problem: "holds several models; name one of \(names.joined(separator: ", ")) in it")
    }
    self.path = MetadataFiles.split(files[0]).folder
    metadata = try Metadata(contentsOf: files[0])
  }

  /// Where a file of the model is.
  public func path(of name: String) -> String { path == "." ? name : "\(path)/\(name)" }

  /// Requires that a file is the one that the training wrote.
  /// - Throws: `CheckpointError`.
  public func verifyChecksum(of name: String) throws {
    try metadata.checksums.verify(name, in: path)
  }

  /// The trained parameters, after a look at the checkpoint's checksum.
  /// - Throws: `CheckpointError`.
  public func parameters() throws -> StateDictionary {
    let common = metadata.common
    try verifyChecksum(of: common.checkpoint)
    return try StateDictionary(contentsOf: path(of: common.checkpoint), key: common.checkpointKey)
  }
}

/// What a listing tells of a model, whole or broken, of whatever kind.
public struct ModelSummary: Sendable {
  /// The metadata file.
  public let path: String
  /// What every kind of model says of itself, where it can be read.
  public let metadata: CommonMetadata?
  /// Why the model cannot be used: unreadable metadata, files missing or changed.
  public let problem: String?

  /// Every model in a folder and the folders below it, in the order of their paths. Links are not followed.
  /// - Throws: `ModelError.notAModel` where there is no such folder.
  public static func models(in folder: String) throws(ModelError) -> [ModelSummary] {
    try MetadataFiles.below(folder).map(ModelSummary.init)
  }

  /// Looks at one model, and at every byte of its files.
  public init(path: String) {
    self.path = path
    do {
      let metadata = try CommonMetadata(contentsOf: path)
      self.metadata = metadata
      do {
        try metadata.checksums.verify(in: MetadataFiles.split(path).folder)
        problem = metadata.verification.allSatisfy(\.passed) ? nil : "it failed its verification"
      } catch {
        problem = "\(error)"
      }
    } catch {
      metadata = nil
      problem = if case .notAModel(_, let reason) = error { reason } else { "\(error)" }
    }
  }
}
