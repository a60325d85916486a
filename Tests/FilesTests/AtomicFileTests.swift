// Files appear whole or not at all, and what went wrong is said.

import Files
import Foundation
import Testing

@Suite("Atomic files")
struct AtomicFileTests {
  private struct Interruption: Error {}

  @Test("a file appears when it is complete, with what was written in small and large parts")
  func appears() throws {
    try withTemporaryFolder { folder in
      var expected: [UInt8] = []
      try AtomicFile.write(to: folder + "/file") { file in
        for count in [1, 100, 65_535, 65_536, 65_537, 1_000_000, 3] {
          let part = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
          try file.write(part)
          expected += part
        }
        try file.write("the end")
        expected += "the end".utf8
        #expect(try names(in: folder).allSatisfy { $0 != "file" })
      }
      #expect(try names(in: folder) == ["file"])
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/file")).elementsEqual(expected))
    }
  }

  @Test("a failure half-way leaves the old file and nothing else")
  func interruption() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(to: folder + "/file") { try $0.write("old") }
      #expect(throws: Interruption.self) {
        try AtomicFile.write(to: folder + "/file") { file in
          try file.write([UInt8](repeating: 0, count: 200_000))
          throw Interruption()
        }
      }
      #expect(try names(in: folder) == ["file"])
      #expect(try String(contentsOfFile: folder + "/file", encoding: .utf8) == "old")
      do {
        let dropped = try AtomicFile(path: folder + "/other")
        try dropped.write("never committed")
      }
      #expect(try names(in: folder) == ["file"])
    }
  }

  @Test("a name that is known only at the end is the only one that the file ever has")
  func lateName() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(to: folder + "/model") { try $0.write("old") }
      let file = try AtomicFile(path: folder + "/model")
      try file.write("new")
      #expect(file.path == folder + "/model")
      try file.commit(as: "model-8f14e45f.data")
      #expect(file.path == folder + "/model-8f14e45f.data")
      #expect(try names(in: folder) == ["model", "model-8f14e45f.data"])
      #expect(try String(contentsOfFile: folder + "/model", encoding: .utf8) == "old")
      #expect(try String(contentsOfFile: folder + "/model-8f14e45f.data", encoding: .utf8) == "new")
    }
  }

  @Test("a file that can't have its name leaves nothing behind")
  func nameTaken() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/taken", withIntermediateDirectories: true)
      let file = try AtomicFile(path: folder + "/file")
      try file.write("content")
      #expect(throws: FileError(path: folder + "/taken", action: "rename into place", code: EISDIR)) {
        try file.commit(as: "taken")
      }
      #expect(try names(in: folder) == ["taken"])
    }
  }

  @Test("a missing folder, a file in place of a folder, a folder in place of the file and no name at all are refused")
  func wrongPlaces() throws {
    try withTemporaryFolder { folder in
      let missing = try #require(throws: FileError.self) { try AtomicFile(path: folder + "/none/a") }
      #expect(
        "\(missing)"
          == "\(folder)/none/a: cannot create a file in \(folder)/none: No such file or directory; check the path")
      try AtomicFile.write(to: folder + "/file") { try $0.write("") }
      for path in ["/file/a", "/file/"] {
        let inFile = try #require(throws: FileError.self) { try AtomicFile(path: folder + path) }
        #expect(inFile.code == ENOTDIR && inFile.path == folder + path)
      }
      for path in [folder, folder + "/", "/", "."] {
        #expect(throws: FileError(path: path, action: "write", code: EISDIR)) { try AtomicFile(path: path) }
      }
      #expect(throws: FileError(path: "", action: "write a file without a name", code: ENOENT)) {
        try AtomicFile(path: "")
      }
      #expect(try names(in: folder) == ["file"])
    }
  }

  @Test("a device or a pipe is not replaced by a file")
  func specialFiles() throws {
    try withTemporaryFolder { folder in
      let pipe = folder + "/pipe"
      try #require(mkfifo(pipe, 0o600) == 0)
      for path in ["/dev/null", pipe] {
        #expect(throws: FileError(path: path, action: "put a file in the place of a device or a pipe", code: EINVAL)) {
          try AtomicFile.write(to: path) { try $0.write("content") }
        }
      }
      var status = stat()
      #expect(stat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
      #expect(try names(in: folder) == ["pipe"])
    }
  }

  /// A full disk answers ENOSPC at the write, as a limit of the file size answers EFBIG; only the latter can be had
  /// without a disk of one's own.
  @Test("a file that outgrows what the system allows is an error that says so, and nothing is left behind")
  func full() async {
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
      guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { fatalError("no limit") }
      try withTemporaryFolder { folder in
        do {
          try AtomicFile.write(to: folder + "/large") { try $0.write([UInt8](repeating: 1, count: 4 << 20)) }
          fatalError("4 MiB were written past a limit of 1 MiB")
        } catch let error as FileError {
          let expected = FileError(path: folder + "/large", action: "write", code: EFBIG)
          guard error == expected else { fatalError("\(error)") }
          guard try names(in: folder).isEmpty else { fatalError("something is left") }
        }
      }
    }
  }

  @Test("the message of a full disk says what to do")
  func fullDiskMessage() {
    let error = FileError(path: "m.pth", action: "write", code: ENOSPC)
    #expect("\(error)" == "m.pth: cannot write: No space left on device; free some space there or write elsewhere")
    #expect(error.problem == "cannot write: No space left on device; free some space there or write elsewhere")
  }
}
