// Files as this module reads and writes them: what the system refuses is a `CheckpointError`.

import Files

/// Reads a whole file, whose bytes live as long as `body` runs.
///
/// - Throws: `CheckpointError.system` where the file can't be read, `.malformed` where it is empty; what `body` throws.
func withBytes<Result>(ofFile path: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
  try throwingCheckpointErrors {
    let file = try MappedFile(path: path)
    guard file.count > 0 else {
      throw CheckpointError.malformed(path: path, place: "the whole file", found: "no bytes", expected: "a checkpoint")
    }
    return try file.withUnsafeBytes(body)
  }
}

/// Writes a file, whole or not at all.
///
/// - Throws: `CheckpointError.system` where the file can't be written; what `body` throws.
func writeFile(to path: String, _ body: (AtomicFile) throws -> Void) throws {
  try throwingCheckpointErrors { try AtomicFile.write(to: path, body) }
}

private func throwingCheckpointErrors<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as FileError {
    throw CheckpointError.system(path: error.path, action: error.action, code: error.code)
  }
}
