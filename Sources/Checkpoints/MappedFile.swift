// A file's bytes as memory, read by the system page by page when they are touched.

import Glibc

/// A whole file mapped for reading. The bytes live as long as the object.
final class MappedFile {
  let path: String
  let bytes: UnsafeRawBufferPointer

  /// - Throws: `CheckpointError` when the file is missing, empty, not a regular file or can't be opened.
  init(path: String) throws {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CheckpointError.system(path: path, action: "open for reading", code: errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw CheckpointError.system(path: path, action: "read the size", code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CheckpointError.system(
        path: path, action: "read as a file", code: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      throw CheckpointError.malformed(path: path, place: "the whole file", found: "no bytes", expected: "a checkpoint")
    }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw CheckpointError.system(path: path, action: "map into memory", code: errno)
    }
    madvise(address, size, MADV_SEQUENTIAL)
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
