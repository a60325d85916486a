// safetensors files of the reference package are read, and written byte by byte as it does.

import Checkpoints
import Tensors
import Testing

@Suite("safetensors")
struct SafetensorsTests {
  @Test("the bytes are those of the reference package", arguments: ["plain", "module", "types", "views"])
  func sameBytes(name: String) throws {
    let original = try Resources.bytes("\(name).safetensors")
    let file = try SafetensorsFile(bytes: original)
    // The reference package writes metadata in no fixed order; it has been seen in both.
    if file.metadata.isEmpty {
      #expect(try file.bytes() == original)
    } else {
      #expect(try file.bytes().count == original.count)
      let headerEnd = original.count - (try StateDictionary(bytes: original)).reduce(0) { $0 + $1.tensor.byteCount }
      #expect(try file.bytes()[headerEnd...] == original[headerEnd...])
    }
    #expect(try SafetensorsFile(bytes: file.bytes()) == file)
  }

  @Test("metadata is kept, whatever characters it has")
  func metadata() throws {
    let file = try SafetensorsFile(contentsOf: Resources.path("plain.safetensors"))
    #expect(file.metadata == ["format": "pt", "quoted \"é\n": "\u{1} / \\"])
    try withTemporaryFolder { folder in
      try file.write(to: folder + "/copy.safetensors")
      #expect(try SafetensorsFile(contentsOf: folder + "/copy.safetensors") == file)
    }
  }

  @Test("metadata and escapes in any JSON spelling are read")
  func jsonSpelling() throws {
    let header = #" { "__metadata__" : { "a\u0041\/\ud83d\ude00" : "\t\b\f\r\"" } } "#
    #expect(
      try SafetensorsFile(bytes: file(header: "{" + header.dropFirst(2))).metadata == ["aA/😀": "\t\u{8}\u{C}\r\""])
  }

  @Test("four-bit floats are packed")
  func packed() throws {
    let bytes = file(header: #"{"f":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}"#, data: [0x21, 0x43])
    let state = try StateDictionary(bytes: bytes)
    #expect(state["f"]?.elementType == .float4e2m1)
    #expect(state["f"]?.bytes == [0x21, 0x43])
    #expect(try StateDictionary(bytes: state.safetensorsBytes()) == state)
  }

  @Test("a file that breaks the specification is refused, and the message says where", arguments: Self.broken)
  func refused(_ broken: Broken) throws {
    let error = try #require(throws: CheckpointError.self) { try SafetensorsFile(bytes: broken.bytes) }
    #expect("\(error)".contains(broken.message), "\(error)")
  }

  struct Broken: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let message: String
    var testDescription: String { name }
  }

  private static let one = #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#
  private static let eight = [UInt8](repeating: 0, count: 8)

  static let broken: [Broken] = [
    .init(name: "too short", bytes: [1, 2, 3], message: "8 bytes with the header's size"),
    .init(name: "a header of 2^60 bytes", bytes: word(1 << 60 as UInt64) + eight, message: "100000000 that the format"),
    .init(name: "a header beyond the limit", bytes: word(100_000_001 as UInt64) + eight, message: "100000000"),
    .init(name: "a header longer than the file", bytes: word(100 as UInt64) + eight, message: "8 bytes in the file"),
    .init(name: "no object", bytes: file(header: "[]"), message: #"found "[", expected "{""#),
    .init(name: "something after the object", bytes: file(header: "{}x"), message: "nothing but spaces"),
    .init(
      name: "deep nesting", bytes: file(header: "{\"a\":" + String(repeating: "[", count: 1_000_000)),
      message: #"expected "{""#),
    .init(
      name: "deep nesting in a shape",
      bytes: file(header: #"{"a":{"shape":"# + String(repeating: "[", count: 1_000_000)),
      message: "a number of at least 0"),
    .init(name: "a name twice", bytes: file(header: "{\(one),\(one)}", data: eight), message: #""a" twice"#),
    .init(
      name: "metadata that is no text", bytes: file(header: #"{"__metadata__":{"a":1}}"#), message: #"expected """#),
    .init(
      name: "an unknown type", bytes: file(header: #"{"a":{"dtype":"F31","shape":[],"data_offsets":[0,0]}}"#),
      message: #"tensor "a" of dtype "F31""#),
    .init(
      name: "an unknown field", bytes: file(header: #"{"a":{"dtype":"F32","stride":[]}}"#), message: #""stride""#),
    .init(name: "no shape", bytes: file(header: #"{"a":{"dtype":"F32"}}"#), message: "an incomplete tensor"),
    .init(
      name: "a negative extent", bytes: file(header: #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}"#),
      message: "a number of at least 0"),
    .init(
      name: "a fraction", bytes: file(header: #"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,0]}}"#),
      message: #"found ".""#),
    .init(
      name: "an extent beyond 64 bits",
      bytes: file(header: #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}}"#),
      message: "below 2^63"),
    .init(
      name: "a shape whose product leaves 64 bits",
      bytes: file(header: #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#),
      message: "a number of whole bytes that memory can hold"),
    .init(
      name: "such a shape with a zero",
      bytes: file(header: #"{"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}"#),
      message: "memory can hold"),
    .init(
      name: "a size whose bits leave 64 bits",
      bytes: file(header: #"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}"#),
      message: "memory can hold"),
    .init(
      name: "bytes that do not fit the shape",
      bytes: file(header: #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, data: eight),
      message: "found 8 bytes of data, expected 12"),
    .init(
      name: "data beyond the file", bytes: file(header: "{\(one)}", data: [0]), message: "a range of the file's 1 bytes"
    ),
    .init(
      name: "offsets backwards", bytes: file(header: #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[1,0]}}"#),
      message: "from byte 1 to 0"),
    .init(
      name: "a gap",
      bytes: file(header: #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, data: [0, 0]),
      message: "a gap"),
    .init(
      name: "an overlap",
      bytes: file(
        header: #"{\#(one),"b":{"dtype":"U8","shape":[5],"data_offsets":[7,12]}}"#, data: eight + [0, 0, 0, 0]),
      message: "an overlap"),
    .init(
      name: "bytes of no tensor", bytes: file(header: "{\(one)}", data: eight + [0]), message: "expected the 8 that"),
    .init(
      name: "half a byte",
      bytes: file(header: #"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, data: [0, 0]),
      message: "whole bytes"),
    .init(name: "half a surrogate pair", bytes: file(header: #"{"\ud83d":{}}"#), message: "surrogate"),
    .init(
      name: "65 dimensions",
      bytes: file(
        header: #"{"a":{"dtype":"U8","shape":[\#(repeatElement("1", count: 65).joined(separator: ","))]}}"#),
      message: "at most 64"),
  ]
}

/// A file with this header and data.
private func file(header: some StringProtocol, data: [UInt8] = []) -> [UInt8] {
  word(UInt64(header.utf8.count)) + Array(header.utf8) + data
}
