// Tensor data in files beside the model.

internal import Files

#if canImport(Glibc)
  import Glibc
#endif

/// The files that a model's tensors may name, each mapped once. A name is relative to the model's directory and must
/// stay within it, links included: a model can't make its reader open a file elsewhere.
final class ExternalDataFiles {
  private let directory: String?
  private var mapped: [String: MappedFile] = [:]

  /// - Parameter directory: where the model file is; nil when it has no place.
  init(directory: String?) { self.directory = directory }

  /// Runs `body` with the bytes that the `external_data` entries of a tensor name.
  /// - Throws: `ONNXError.externalData`.
  func withData<Result>(
    of tensor: String, _ entries: [MetadataEntry], byteCount: Int, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(ONNXError) -> Result {
    func fail(_ problem: String) -> ONNXError { .externalData(tensor: tensor, problem: problem) }
    func number(_ key: String) throws(ONNXError) -> Int? {
      guard let text = entries.first(where: { $0.key == key })?.value else { return nil }
      guard let number = Int(text), number >= 0 else { throw fail("its \(key) is '\(text)', which is no size") }
      return number
    }

    guard let location = entries.first(where: { $0.key == "location" })?.value, !location.isEmpty else {
      throw fail("it names no location")
    }
    let offset = try number("offset") ?? 0
    let length = try number("length") ?? byteCount
    guard length == byteCount else { throw fail("its length is \(length) where its type takes \(byteCount) bytes") }
    let file = try file(location, fail)
    guard offset <= file.count, length <= file.count - offset else {
      throw fail("'\(location)' has \(file.count) bytes; \(length) at \(offset) are needed")
    }
    return file.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + length)])) }
  }

  private func file(_ location: String, _ fail: (String) -> ONNXError) throws(ONNXError) -> MappedFile {
    if let file = mapped[location] { return file }
    guard let directory else {
      throw fail("it is in '\(location)', beside the model file: read the model from its path, not from bytes")
    }
    guard !location.hasPrefix("/"), !location.split(separator: "/").contains("..") else {
      throw fail("'\(location)' leads out of the model's directory")
    }
    let path = directory + "/" + location
    guard let home = Self.resolved(directory), let target = Self.resolved(path) else {
      throw fail("'\(path)' can't be found: \(String(cString: strerror(errno)))")
    }
    guard target.hasPrefix(home == "/" ? "/" : home + "/") else {
      throw fail("'\(location)' is a link to '\(target)', out of the model's directory; copy the file there")
    }
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path: target) } catch { throw fail(error.description) }
    mapped[location] = file
    return file
  }

  private static func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
