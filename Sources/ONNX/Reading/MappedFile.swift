// A file as memory: its pages come from the disk when they are touched and cost no memory of their own.

#if canImport(Glibc)
  import Glibc
#endif

/// A read-only mapping of a whole regular file. Files are replaced by renaming (`AtomicFile`), never rewritten in place,
/// so a mapping keeps the content that it was opened on.
final class MappedFile: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  /// - Throws: `ONNXError.file` when the path can't be opened, is no regular file, or can't be mapped.
  init(_ path: String) throws(ONNXError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system(path, "can't be opened") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(path, "can't be examined") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .file(path: path, problem: status.st_mode & S_IFMT == S_IFDIR ? "is a directory" : "is not a regular file")
    }
    guard status.st_size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw .system(path, "can't be read")
    }
    bytes = UnsafeRawBufferPointer(start: start, count: status.st_size)
  }

  deinit {
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }
}

extension ONNXError {
  /// A file error with the system's message for the present `errno`.
  static func system(_ path: String, _ problem: String) -> ONNXError {
    .file(path: path, problem: "\(problem): \(String(cString: strerror(errno)))")
  }
}
