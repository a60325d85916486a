// SHA-256 as the standard's examples have it, and files that were changed.

import Checkpoints
import Files
import Foundation
import Testing

@Suite("Checksums")
struct ChecksumTests {
  @Test(
    "the examples of FIPS 180 give their digests",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func examples(text: String, digest: String) throws {
    #expect(SHA256.hexadecimal(of: Array(text.utf8)) == digest)
    try withTemporaryFolder { folder in
      try AtomicFile.write(to: folder + "/file") { try $0.write(text) }
      #expect(try SHA256.hexadecimal(ofFile: folder + "/file") == digest)
    }
    let hash = SHA256()
    for byte in text.utf8.prefix(100) { withUnsafeBytes(of: byte) { hash.update($0) } }
    Array(text.utf8.dropFirst(100)).withUnsafeBytes { hash.update($0) }
    #expect(hash.hexadecimal() == digest)
  }

  @Test("a changed, a missing and an unrecorded file are each named")
  func verification() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(to: folder + "/a") { try $0.write("abc") }
      try AtomicFile.write(to: folder + "/b") { try $0.write("b") }
      let recorded = try Checksums(of: ["a", "b"], in: folder)
      try recorded.verify(in: folder)
      let decoded = try JSONDecoder().decode(Checksums.self, from: JSONEncoder().encode(recorded))
      #expect(decoded == recorded)

      try AtomicFile.write(to: folder + "/a") { try $0.write("abd") }
      #expect(
        throws: CheckpointError.checksum(
          path: folder + "/a", expected: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          found: "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9")
      ) { try recorded.verify(in: folder) }
      try recorded.verify("b", in: folder)
      try FileManager.default.removeItem(atPath: folder + "/b")
      let missing = try #require(throws: CheckpointError.self) { try recorded.verify("b", in: folder) }
      #expect("\(missing)".contains("No such file or directory"))
      let unrecorded = try #require(throws: CheckpointError.self) { try recorded.verify("c", in: folder) }
      #expect("\(unrecorded)".contains("no checksum of this file"))
    }
  }
}
