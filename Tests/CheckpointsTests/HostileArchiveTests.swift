// Zip archives whose headers lie, and files that are something else.

import Checkpoints
import Files
import Testing

@Suite("Hostile archives")
struct HostileArchiveTests {
  private static let pickle = ([.proto] + .tensor(shape: [2], strides: [1], storageCount: 2) + [.stop]).bytes
  private static let storage: [UInt8] = [0, 0, 128, 63, 0, 0, 0, 64]

  private func message(_ change: (inout ZipBuilder) -> Void) throws -> String {
    var zip = ZipBuilder(pickle: Self.pickle, storages: [Self.storage])
    change(&zip)
    let error = try #require(throws: CheckpointError.self) { try CheckpointValue(bytes: zip.build()) }
    return "\(error)"
  }

  @Test("the archive that the others are made of is read")
  func intact() throws {
    let zip = ZipBuilder(pickle: Self.pickle, storages: [Self.storage])
    #expect(try CheckpointValue(bytes: zip.build()).tensor?.elements(as: Float.self) == [1, 2])
  }

  @Test("a lie of the headers is refused and named")
  func lies() throws {
    #expect(try message { $0.records[1].crc = 1 }.contains("CRC-32"))
    #expect(
      try message {
        $0.records[1].bytes[2] ^= 1
        $0.records[1].crc = crc32(Self.storage)
      }.contains("CRC-32"))
    #expect(try message { $0.records[1].flags = 1 }.contains("encrypted"))
    #expect(try message { $0.records[1].method = 12 }.contains("compressed by method 12"))
    #expect(try message { $0.records[1].method = 8 }.contains("inflate"))
    #expect(try message { $0.records[1].size = 9 }.contains("stored in 8 bytes"))
    #expect(try message { $0.records[1].offset = 5 }.contains("a record of that name"))
    #expect(try message { $0.records[1].offset = .max - 1 }.contains("a record of that name"))
    #expect(try message { $0.records.append($0.records[1]) }.contains("two records"))
    #expect(try message { $0.records.removeFirst() }.contains("expected a record data.pkl"))
    #expect(try message { $0.extraCount = 1 }.contains("records ending at"))
    #expect(
      try message { $0.records.append(.init(name: "archive/byteorder", bytes: Array("big".utf8))) }.contains("big"))
    #expect(try message { $0.records.append(.init(name: "archive/constants.pkl", bytes: [])) }.contains("TorchScript"))
  }

  @Test("records that share bytes are refused: they would inflate without bound")
  func overlap() throws {
    // The first record's data holds a whole local header of the second's name.
    var inner = ZipBuilder(pickle: [])
    inner.records = [.init(name: "archive/data/0", bytes: Self.storage)]
    let error = try message { zip in
      zip.records.append(.init(name: "archive/outer", bytes: inner.build()))
      zip.records.swapAt(0, 2)
      zip.records[1].offset = UInt32(30 + "archive/outer".utf8.count)
    }
    #expect(error.contains("overlaps"))
  }

  @Test("a record that announces to inflate to gigabytes is refused before it is")
  func announcedSize() throws {
    #expect(
      try message {
        $0.records[1].method = 8
        $0.records[1].size = .max - 1
      }.contains("inflating the record \"archive/data/0\" would take 4294967294 bytes"))
  }

  @Test(
    "a file of another kind is refused with what to do",
    arguments: [
      ("", "no bytes"), ("PK", "neither a zip nor a pickle"), ("PK\u{3}\u{4}", "at least 22"),
      ("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"), ("\u{1F}\u{8B}", "neither"),
      ("<!DOCTYPE html>", "neither a zip nor a pickle"),
    ])
  func otherFiles(content: String, message: String) throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(to: folder + "/file.pth") { try $0.write(content) }
      for read in [
        { _ = try CheckpointValue(contentsOf: folder + "/file.pth") },
        { _ = try StateDictionary(contentsOf: folder + "/file.pth") },
      ] {
        let error = try #require(throws: CheckpointError.self) { try read() }
        #expect("\(error)".contains(message), "\(error)")
        #expect("\(error)".hasPrefix(folder + "/file.pth: "))
      }
    }
  }

  @Test("a missing file and a folder are errors with the path and the system's reason")
  func missing() throws {
    try withTemporaryFolder { folder in
      let missing = try #require(throws: CheckpointError.self) { try StateDictionary(contentsOf: folder + "/none.pth") }
      #expect("\(missing)" == "\(folder)/none.pth: cannot open for reading: No such file or directory; check the path")
      let directory = try #require(throws: CheckpointError.self) { try StateDictionary(contentsOf: folder) }
      #expect("\(directory)".contains("Is a directory"))
    }
  }

  @Test("safetensors given as .pth, and the other way round, are told apart by content")
  func swapped() throws {
    let pth = try Resources.bytes("plain.pth")
    let safetensors = try Resources.bytes("plain.safetensors")
    let asPyTorch = try #require(throws: CheckpointError.self) { try CheckpointValue(bytes: safetensors) }
    #expect("\(asPyTorch)".contains("a safetensors file where"))
    let asSafetensors = try #require(throws: CheckpointError.self) { try SafetensorsFile(bytes: pth) }
    #expect("\(asSafetensors)".contains("read it as a .pth"))
  }
}
