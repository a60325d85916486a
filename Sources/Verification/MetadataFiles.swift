// The metadata files of models: where they are, which one a file belongs to, and reading them whatever the kind.

import Checkpoints
import Foundation

/// Finds the metadata files of models. A model is there where its metadata are: they are written last.
public enum MetadataFiles {
  static let suffix = "_metadata.json"

  /// The name of the metadata file of a model.
  public static func name(of model: String) -> String { model + suffix }

  /// The name of the metadata file of a model that has its directory for itself.
  public static let ofDirectory = "metadata.json"

  private static func isMetadata(_ path: String) -> Bool {
    path.hasSuffix(suffix) || path == ofDirectory || path.hasSuffix("/\(ofDirectory)")
  }

  /// Whether a path names a model as a whole, a directory or its metadata file, and not one of its files.
  public static func namesModel(_ path: String) -> Bool {
    isFolder(path) ?? false || isMetadata(path)
  }

  /// The metadata files that a path names: those of a directory, in the order of their names; the file itself; or that
  /// of the model which a checkpoint or a graph belongs to. Empty where there is none.
  /// - Throws: `ModelError.notAModel` where there is nothing at the path.
  public static func paths(for path: String) throws(ModelError) -> [String] {
    guard let isFolder = isFolder(path) else {
      throw .notAModel(path: path, problem: "there is no such file or directory")
    }
    if isFolder { return try metadata(in: path) }
    return isMetadata(path) ? [path] : owner(of: path).map { [$0] } ?? []
  }

  /// Every metadata file in a folder and the folders below it, in the order of their paths. Links are not followed.
  /// - Throws: `ModelError.notAModel` where there is no such folder.
  public static func below(_ folder: String) throws(ModelError) -> [String] {
    guard isFolder(folder) == true, let walk = FileManager.default.enumerator(atPath: folder) else {
      throw .notAModel(path: folder, problem: "there is no such directory")
    }
    let base = trimmed(folder)
    return walk.compactMap { $0 as? String }.filter(isMetadata).sorted().map { "\(base)/\($0)" }
  }

  /// The metadata file beside `file` that lists it as one of its model's.
  private static func owner(of file: String) -> String? {
    let (folder, name) = split(file)
    guard let candidates = try? metadata(in: folder) else { return nil }
    return candidates.first { candidate in
      guard let common = try? CommonMetadata(contentsOf: candidate) else { return false }
      return common.checksums.digests[name] != nil || common.files.values.contains(name)
    }
  }

  private static func metadata(in folder: String) throws(ModelError) -> [String] {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
      throw .notAModel(path: folder, problem: "cannot be listed: \(error.localizedDescription)")
    }
    let base = trimmed(folder)
    return names.filter(isMetadata).sorted().map { base == "." ? $0 : "\(base)/\($0)" }
  }

  /// Whether a folder is at the path; nil where there is nothing.
  static func isFolder(_ path: String) -> Bool? {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) ? isFolder.boolValue : nil
  }

  /// The folder of a path (`.` where it names none) and the name in it.
  static func split(_ path: String) -> (folder: String, name: String) {
    let folder = (path as NSString).deletingLastPathComponent
    return (folder.isEmpty ? "." : folder, (path as NSString).lastPathComponent)
  }

  private static func trimmed(_ folder: String) -> String {
    folder.count > 1 && folder.hasSuffix("/") ? trimmed(String(folder.dropLast())) : folder
  }

  // MARK: Reading

  static func data(of path: String) throws(ModelError) -> Data {
    do { return try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .notAModel(path: path, problem: "cannot be read: \(error.localizedDescription)")
    }
  }

  static func modelType(in data: Data) -> String? {
    struct Kind: Decodable {
      var modelType: String?

      enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
      }
    }
    return (try? JSONDecoder().decode(Kind.self, from: data))?.modelType
  }

  /// A decoding error in words.
  static func told(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "'\(context.codingPath.map(\.stringValue).joined(separator: "."))': \(context.debugDescription)"
    case DecodingError.dataCorrupted(let context): context.debugDescription
    default: "\(error)"
    }
  }
}

extension CommonMetadata {
  /// Reads the common part of a metadata file, of whatever kind.
  /// - Throws: `ModelError.notAModel` where it is missing or damaged.
  public init(contentsOf path: String) throws(ModelError) {
    let data = try MetadataFiles.data(of: path)
    do { self = try JSONDecoder().decode(CommonMetadata.self, from: data) } catch {
      throw .notAModel(path: path, problem: "is no metadata of a model: \(MetadataFiles.told(error))")
    }
  }
}
