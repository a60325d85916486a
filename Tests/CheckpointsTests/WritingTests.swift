// What can't be written is a checkpoint's error that says why, and a model's folder holds what was written.

import Checkpoints
import Files
import Foundation
import Tensors
import Testing

@Suite("Writing")
struct WritingTests {
  @Test("a missing folder, a file in place of a folder and a folder in place of the file are named")
  func wrongPlaces() throws {
    try withTemporaryFolder { folder in
      let state: StateDictionary = ["a": Tensor(scalar: 1 as Float)]
      let missing = try #require(throws: CheckpointError.self) { try state.writePyTorch(to: folder + "/none/a.pth") }
      #expect(
        "\(missing)"
          == "\(folder)/none/a.pth: cannot create a file in \(folder)/none: No such file or directory; check the path")
      try AtomicFile.write(to: folder + "/file") { try $0.write("") }
      let inFile = try #require(throws: CheckpointError.self) { try state.writeSafetensors(to: folder + "/file/a") }
      #expect("\(inFile)".contains("Not a directory"))
      let onFolder = try #require(throws: CheckpointError.self) { try state.writePyTorch(to: folder) }
      #expect("\(onFolder)".contains("Is a directory"))
      #expect(try names(in: folder) == ["file"])
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
        let large: StateDictionary = ["table": Tensor(zeros: [1 << 20], elementType: .float)]
        do {
          try large.writePyTorch(to: folder + "/large.pth")
          fatalError("4 MiB were written past a limit of 1 MiB")
        } catch CheckpointError.system(let path, "write", EFBIG) {
          guard path == folder + "/large.pth", try names(in: folder).isEmpty else { fatalError("something is left") }
        }
      }
    }
  }

  @Test("the message of a full disk says what to do")
  func fullDiskMessage() {
    let error = CheckpointError.system(path: "m.pth", action: "write", code: ENOSPC)
    #expect("\(error)" == "m.pth: cannot write: No space left on device; free some space there or write elsewhere")
  }

  @Test("a folder for a model is made with its parents, and nothing but the written files is in it")
  func artifactDirectory() throws {
    try withTemporaryFolder { folder in
      var directory = try ArtifactDirectory(path: folder + "/models/ranker/")
      #expect(try names(in: folder + "/models/ranker") == [])
      try directory.write("a.json") { try $0.write("{}") }
      try directory.write("test_data_set_0/input_0.pb") { try $0.write("abc") }
      try directory.write(
        "a.pth", toPath: { try (["x": Tensor(scalar: 1 as Float)] as StateDictionary).writePyTorch(to: $0) })
      #expect(try names(in: folder + "/models/ranker") == ["a.json", "a.pth", "test_data_set_0"])
      #expect(directory.names == ["a.json", "test_data_set_0/input_0.pb", "a.pth"])
      let checksums = try directory.checksums()
      // printf '{}' | sha256sum; printf abc | sha256sum
      #expect(checksums.digests["a.json"] == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
      #expect(
        checksums.digests["test_data_set_0/input_0.pb"]
          == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
      try checksums.verify(in: directory.path)
    }
  }

  @Test("a folder that can't be written to is refused at once, with the reason")
  func unwritable() throws {
    let inProcfs = try #require(throws: CheckpointError.self) { try ArtifactDirectory(path: "/proc/self/model") }
    #expect("\(inProcfs)".hasPrefix("/proc/self/model: cannot make the folder: "))
    let existing = try #require(throws: CheckpointError.self) { try ArtifactDirectory(path: "/proc/self") }
    #expect("\(existing)".hasPrefix("/proc/self: cannot create a file in /proc/self in this folder: "))
    try withTemporaryFolder { folder in
      try AtomicFile.write(to: folder + "/file") { try $0.write("") }
      let onFile = try #require(throws: CheckpointError.self) { try ArtifactDirectory(path: folder + "/file/model") }
      #expect("\(onFile)".hasPrefix("\(folder)/file: cannot make the folder: Not a directory"))
    }
  }
}
