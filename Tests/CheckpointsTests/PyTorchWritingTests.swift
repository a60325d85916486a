// What is written is what torch.save writes: compared byte by byte with files that PyTorch made.

import Checkpoints
import Tensors
import Testing

@Suite("Writing .pth files")
struct PyTorchWritingTests {
  /// A file up to its directory and what PyTorch alone adds (a serialization id), dates left out.
  private func records(_ bytes: [UInt8]) throws -> [UInt8] {
    var bytes = bytes
    var position = 0
    while bytes[position..<position + 4].elementsEqual([0x50, 0x4B, 3, 4]) {
      bytes.replaceSubrange(position + 10..<position + 14, with: [0, 0, 0, 0])
      let extra = Int(bytes[position + 28]) + Int(bytes[position + 29]) << 8
      let data = position + 30 + Int(bytes[position + 26]) + extra
      let name = String(decoding: bytes[(position + 30)...].prefix(Int(bytes[position + 26])), as: UTF8.self)
      // A record ends where the next header begins, the last at the directory.
      let signatures: [[UInt8]] = [[0x50, 0x4B, 3, 4], [0x50, 0x4B, 1, 2]]
      position = try #require((data..<bytes.count - 4).first { signatures.contains(Array(bytes[$0..<$0 + 4])) })
      if name.hasSuffix("/version") { break }
    }
    return Array(bytes[..<position])
  }

  @Test(
    "the bytes are those of torch.save, dates and its serialization id apart",
    arguments: ["plain", "types", "long"])
  func sameBytes(name: String) throws {
    let original = try Resources.bytes("\(name).pth")
    let written = try CheckpointValue(bytes: original).pytorchBytes()
    #expect(try records(written) == records(original))
  }

  @Test("a checkpoint of any values reads back as it was", arguments: ["plain", "types", "views", "training", "long"])
  func roundTrip(name: String) throws {
    let value = try CheckpointValue(contentsOf: Resources.path("\(name).pth"))
    #expect(try CheckpointValue(bytes: value.pytorchBytes()) == value)
  }

  @Test("the same state gives the same bytes, wherever the file goes")
  func deterministic() throws {
    let state: StateDictionary = ["b": Tensor([1, 2] as [Float]), "a": Tensor(scalar: 3 as Int64)]
    try withTemporaryFolder { folder in
      try state.writePyTorch(to: folder + "/one.pth")
      try state.writePyTorch(to: folder + "/two.pt")
      let sums = try ["one.pth", "two.pt"].map { try SHA256.hexadecimal(ofFile: folder + "/" + $0) }
      #expect(sums[0] == sums[1])
      #expect(try SHA256.hexadecimal(of: state.pytorchBytes()) == sums[0])
      #expect(try StateDictionary(contentsOf: folder + "/one.pth") == state)
    }
  }

  @Test("every tensor lies on a 64-byte boundary of the file, so that it can be mapped")
  func alignment() throws {
    var state = StateDictionary()
    for count in 1...40 { state["t\(count)"] = Tensor([Float](repeating: Float(count), count: count)) }
    let bytes = try state.pytorchBytes()
    for (name, tensor) in state {
      let pattern = tensor.bytes
      let places = stride(from: 0, to: bytes.count - pattern.count, by: 64)
      #expect(places.contains { bytes[$0..<$0 + pattern.count].elementsEqual(pattern) }, "\(name)")
    }
  }

  @Test("tied parameters are written once")
  func tiedParameters() throws {
    let table = Tensor([Float](repeating: 1, count: 10_000))
    let tied: StateDictionary = ["input": table, "output": table.reshaped(to: [100, 100])]
    #expect(try tied.pytorchBytes().count < 42_000)
    #expect(try StateDictionary(bytes: tied.pytorchBytes()) == tied)
  }

  @Test("a tensor of strings is refused, as PyTorch has none")
  func strings() {
    let state: StateDictionary = ["words": Tensor(strings: ["a"], shape: [1])]
    #expect(throws: CheckpointError.self) { try state.pytorchBytes() }
    #expect(throws: CheckpointError.self) { try state.safetensorsBytes() }
  }
}
