// What can be wrong with a model or its file.

internal import Files

/// An error of reading, writing or checking a model. The description names the place, what was found and what to try.
public enum ONNXError: Error, Sendable, Equatable {
  /// The file system refused: the file, what was tried, and the system's words.
  case file(path: String, problem: String)
  /// The bytes are not an ONNX message; `location` is the message's field path, with a byte offset where one is known.
  case malformed(location: String, problem: String)
  /// Data of a tensor that lives in another file can't be had.
  case externalData(tensor: String, problem: String)
  /// The value has no form in a file; `location` is the field path.
  case notWritable(location: String, problem: String)
  /// The model is readable and of a version that is not accepted.
  case unsupportedVersion(what: String, found: String, accepted: String)
  /// The model breaks a rule of the format; `location` names the graph, node or value.
  case invalid(location: String, problem: String)
}

extension ONNXError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let path, let problem): "\(path): \(problem)"
    case .malformed(let location, let problem): "not a readable ONNX file: \(Self.at(location))\(problem)"
    case .externalData(let tensor, let problem): "external data of the tensor '\(tensor)': \(problem)"
    case .notWritable(let location, let problem): "can't be written as ONNX: \(Self.at(location))\(problem)"
    case .unsupportedVersion(let what, let found, let accepted):
      "the model has \(what) \(found); accepted is \(accepted)"
    case .invalid(let location, let problem): "invalid model: \(Self.at(location))\(problem)"
    }
  }

  private static func at(_ location: String) -> String { location.isEmpty ? "" : "\(location): " }

  /// The same error, seen from one level further out: `name` goes before the location.
  func inside(_ name: @autoclosure () -> String) -> ONNXError {
    func joined(_ inner: String) -> String { inner.isEmpty ? name() : "\(name()).\(inner)" }
    return switch self {
    case .malformed(let location, let problem): .malformed(location: joined(location), problem: problem)
    case .notWritable(let location, let problem): .notWritable(location: joined(location), problem: problem)
    default: self
    }
  }

  /// The same error with the file that it is in.
  func inFile(_ path: String) -> ONNXError {
    guard case .malformed(let location, let problem) = self else { return self }
    return .malformed(location: location.isEmpty ? path : "\(path): \(location)", problem: problem)
  }
}

extension ONNXError {
  /// What the system refused, as an error of this module.
  init(_ error: FileError) { self = .file(path: error.path, problem: error.problem) }

  /// Runs what works on files; its errors come out as `ONNXError.file`.
  static func translating<Result>(_ body: () throws(FileError) -> Result) throws(ONNXError) -> Result {
    do throws(FileError) { return try body() } catch { throw ONNXError(error) }
  }
}

/// Runs `body` with the bytes of a file, which are mapped, not loaded.
/// - Throws: `ONNXError.file` where the file can't be read; what `body` throws.
func withBytes<Result>(
  ofFile path: String, _ body: (UnsafeRawBufferPointer) throws(ONNXError) -> Result
) throws(ONNXError) -> Result {
  try ONNXError.translating { () throws(FileError) in try MappedFile(path: path) }.withUnsafeBytes(body)
}
