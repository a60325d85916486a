// The SHA-256 of each file of a model, so that a changed or cut file is noticed before it is used.

import Glibc

/// File names, relative to a folder, with their SHA-256.
public struct Checksums: Sendable, Equatable {
  /// 64 lower-case hexadecimal digits by file name.
  public var digests: [String: String]

  public init(_ digests: [String: String] = [:]) { self.digests = digests }

  /// The checksums of files as they are on the disk now.
  ///
  /// - Throws: `CheckpointError.system` for a file that can't be read.
  public init(of names: some Sequence<String>, in folder: String) throws {
    digests = [:]
    for name in names { digests[name] = try SHA256.hexadecimal(ofFile: "\(folder)/\(name)") }
  }

  /// Compares the files in a folder with the checksums, in the order of the names.
  ///
  /// - Throws: `CheckpointError.checksum` for the first file that is another one, `CheckpointError.system` for one that
  ///   can't be read, such as a missing one.
  public func verify(in folder: String) throws {
    for name in digests.keys.sorted() { try verify(name, in: folder) }
  }

  /// Compares one file with its checksum.
  ///
  /// - Throws: As `verify(in:)`; also `CheckpointError.missing` where no checksum was recorded under that name.
  public func verify(_ name: String, in folder: String) throws {
    let path = "\(folder)/\(name)"
    guard let expected = digests[name] else {
      throw CheckpointError.missing(
        path: path, wanted: "checksum of this file", found: "those of \(digests.keys.sorted().joined(separator: ", "))")
    }
    let found = try SHA256.hexadecimal(ofFile: path)
    guard found == expected else { throw CheckpointError.checksum(path: path, expected: expected, found: found) }
  }
}

extension Checksums: Codable {
  public init(from decoder: any Decoder) throws {
    digests = try decoder.singleValueContainer().decode([String: String].self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(digests)
  }
}
