// What goes wrong with a file: which one, what was tried, what the system said, what to do about it.

import Glibc

/// The system refused an operation on a file.
///
/// The modules above have errors of their own; they take this one in (`CheckpointError.system`, `ONNXError.file`).
public struct FileError: Error, Hashable, Sendable {
  public let path: String
  /// What was tried, so that "cannot" goes before it: "open for reading".
  public let action: String
  /// The system's `errno`.
  public let code: Int32

  public init(path: String, action: String, code: Int32) {
    self.path = path
    self.action = action
    self.code = code
  }

  /// The message without the path: what can't be done, the system's words for it, and what to try where that is known.
  public var problem: String {
    "cannot \(action): \(String(cString: strerror(code)))\(advice.map { "; \($0)" } ?? "")"
  }

  private var advice: String? {
    switch code {
    case ENOSPC, EDQUOT: "free some space there or write elsewhere"
    case EACCES, EPERM: "check the permissions of the file and its folder"
    case EROFS: "the file system is mounted read-only; write elsewhere"
    case ENOENT: "check the path"
    case EFBIG: "the file system or the process's limit (ulimit -f) does not allow a file of this size"
    case EISDIR: "the path is a folder, give a file"
    default: nil
    }
  }
}

extension FileError: CustomStringConvertible {
  public var description: String { "\(path): \(problem)" }
}
