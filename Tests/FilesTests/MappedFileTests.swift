// A mapped file is the bytes on the disk; what is no regular file is refused.

import Files
import Foundation
import Testing

@Suite("Mapped files")
struct MappedFileTests {
  @Test("a mapping has the file's bytes", arguments: [1, 4095, 4096, 4097, 100_000])
  func content(count: Int) throws {
    try withTemporaryFolder { folder in
      let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try Data(content).write(to: URL(fileURLWithPath: folder + "/file"))
      let file = try MappedFile(path: folder + "/file")
      #expect(file.path == folder + "/file")
      #expect(file.count == count && file.withUnsafeBytes { $0.elementsEqual(content) })
    }
  }

  @Test("an empty file has no bytes")
  func empty() throws {
    try withTemporaryFolder { folder in
      try Data().write(to: URL(fileURLWithPath: folder + "/file"))
      let file = try MappedFile(path: folder + "/file")
      #expect(file.count == 0 && file.withUnsafeBytes { $0.isEmpty })
    }
  }

  @Test("a mapping keeps the content that it was opened on when the file is replaced or removed")
  func replaced() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(to: folder + "/file") { try $0.write("old") }
      let file = try MappedFile(path: folder + "/file")
      try AtomicFile.write(to: folder + "/file") { try $0.write("newer") }
      #expect(file.withUnsafeBytes { $0.elementsEqual("old".utf8) })
      let newer = try MappedFile(path: folder + "/file")
      #expect(newer.withUnsafeBytes { $0.elementsEqual("newer".utf8) })
      try FileManager.default.removeItem(atPath: folder + "/file")
      #expect(file.withUnsafeBytes { $0.elementsEqual("old".utf8) })
    }
  }

  @Test("a missing file, a folder and a pipe are refused at once")
  func refused() throws {
    try withTemporaryFolder { folder in
      let missing = try #require(throws: FileError.self) { try MappedFile(path: folder + "/none") }
      #expect("\(missing)" == "\(folder)/none: cannot open for reading: No such file or directory; check the path")
      #expect(throws: FileError(path: folder, action: "read as a regular file", code: EISDIR)) {
        try MappedFile(path: folder)
      }
      try #require(mkfifo(folder + "/pipe", 0o600) == 0)
      #expect(throws: FileError(path: folder + "/pipe", action: "read as a regular file", code: EINVAL)) {
        try MappedFile(path: folder + "/pipe")
      }
    }
  }
}
