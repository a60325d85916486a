// What goes wrong with a checkpoint or with a file that is written: which file, what was found, what to try.

import Files

/// An error of reading, writing or checking the files of a model.
public enum CheckpointError: Error, Equatable, Sendable {
  /// The system refused an operation: `action` is what was tried ("open for reading"), `code` is `errno`.
  case system(path: String, action: String, code: Int32)

  /// The bytes are not what the format asks for at this place.
  case malformed(path: String, place: String, found: String, expected: String)

  /// A pickle names something that a state dict does not need. Nothing of it was run.
  case refusedGlobal(path: String, name: String)

  /// The file may be good, but holds something that is not read or written here.
  case unsupported(path: String, found: String, advice: String)

  /// Reading on would take more memory than the file's size justifies.
  case excessive(path: String, what: String, found: String, limit: String)

  /// A value that was asked for is not in the checkpoint, or is of another kind.
  case missing(path: String, wanted: String, found: String)

  /// A file is not the one that its SHA-256 was recorded for.
  case checksum(path: String, expected: String, found: String)
}

extension CheckpointError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .system(let path, let action, let code):
      return FileError(path: path, action: action, code: code).description
    case .malformed(let path, let place, let found, let expected):
      return "\(path): damaged or not a checkpoint: \(place): found \(found), expected \(expected)"
    case .refusedGlobal(let path, let name):
      return """
        \(path): the pickle names \(name), which a state dict does not need; it was refused and nothing was run. \
        If you trust the file, open it in Python and save only tensors, numbers, strings, lists and dicts: \
        torch.save(model.state_dict(), "state.pth")
        """
    case .unsupported(let path, let found, let advice):
      return "\(path): \(found) is not supported; \(advice)"
    case .excessive(let path, let what, let found, let limit):
      return "\(path): \(what) would take \(found), more than \(limit); the file is damaged or hostile"
    case .missing(let path, let wanted, let found):
      return "\(path): no \(wanted); the checkpoint holds \(found)"
    case .checksum(let path, let expected, let found):
      return """
        \(path): SHA-256 is \(found), expected \(expected); \
        the file was changed or cut since it was written: restore it or make it again
        """
    }
  }
}
