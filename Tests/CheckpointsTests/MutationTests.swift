// Thousands of damaged files: each is an error or a value, never a crash, and memory stays bounded.

import Checkpoints
import Glibc
import Testing

@Suite("Damaged files")
struct MutationTests {
  static let checkpoints = [
    "plain.pth", "module.pth", "types.pth", "views.pth", "training.pth", "legacy.pth", "deflated.pth", "protocol4.pth",
  ]
  static let safetensors = ["plain.safetensors", "module.safetensors", "types.safetensors", "views.safetensors"]

  @Test("a file cut at any byte is an error", arguments: checkpoints + safetensors)
  func cut(name: String) throws {
    let bytes = try Resources.bytes(name)
    for count in 0..<bytes.count {
      #expect(throws: CheckpointError.self, "cut to \(count) bytes") {
        if name.hasSuffix(".pth") {
          _ = try CheckpointValue(bytes: Array(bytes.prefix(count)))
        } else {
          _ = try SafetensorsFile(bytes: Array(bytes.prefix(count)))
        }
      }
    }
  }

  @Test("in a .pth no flipped bit of a tensor goes unnoticed", arguments: ["plain.pth", "types.pth"])
  func flippedBits(name: String) throws {
    let original = try StateDictionary(contentsOf: Resources.path(name))
    var bytes = try Resources.bytes(name)
    for position in bytes.indices {
      for bit in 0..<8 as Range<UInt8> {
        bytes[position] ^= 1 << bit
        if let state = try? StateDictionary(bytes: bytes) {
          #expect(state == original, "bit \(bit) of byte \(position)")
        }
        bytes[position] ^= 1 << bit
      }
    }
  }

  @Test("random damage is an error or a value", arguments: checkpoints + safetensors)
  func damage(name: String) async throws {
    var random = Random(seed: 1)
    let bytes = try Resources.bytes(name)
    for _ in 0..<3_000 { attempt(random.damaged(bytes)) }
  }

  @Test("random damage inside the pickle, with checksums that fit, is an error or a value")
  func damagedPickle() throws {
    var random = Random(seed: 2)
    let storages = (0..<4).map { _ in [UInt8](repeating: 1, count: 96) }
    for name in ["plain.pth", "views.pth", "training.pth", "protocol4.pth"] {
      let bytes = try Resources.bytes(name)
      // The pickle is the first record, at byte 64, up to its data descriptor.
      let end = try #require((64..<bytes.count).first { bytes[$0..<$0 + 4].elementsEqual([0x50, 0x4B, 7, 8]) })
      let pickle = Array(bytes[64..<end])
      #expect(throws: CheckpointError.self) { try CheckpointValue(bytes: ZipBuilder(pickle: pickle).build()) }
      for _ in 0..<5_000 { attempt(ZipBuilder(pickle: random.damaged(pickle), storages: storages).build()) }
    }
  }

  @Test("random bytes are an error or a value")
  func noise() {
    var random = Random(seed: 3)
    for _ in 0..<5_000 {
      let noise = (0..<Int.random(in: 0..<300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      attempt(noise)
      attempt([0x80, 2] + noise)
      attempt([0x50, 0x4B, 3, 4] + noise)
      attempt(ZipBuilder(pickle: [0x80, 2] + noise).build())
      attempt(word(UInt64(noise.count)) + [UInt8(ascii: "{")] + noise)
    }
  }

  @Test("what hostile files take of memory is bounded")
  func memory() async {
    await #expect(processExitsWith: .success) {
      let before = peakMemory()
      for attack in HostilePickleTests.attacks { attempt(attack.opcodes.archive(storages: attack.storages)) }
      var random = Random(seed: 4)
      for name in MutationTests.checkpoints + MutationTests.safetensors {
        let bytes = try Resources.bytes(name)
        for _ in 0..<1_000 { attempt(random.damaged(bytes)) }
      }
      // Of these the largest file has 10 MB; each may take 64 MiB and a small multiple of its size.
      let taken = peakMemory() - before
      guard taken < 400 << 20 else { fatalError("hostile files took \(taken) bytes") }
    }
  }
}

/// The most memory that this process has had so far, in bytes.
private func peakMemory() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss * 1024
}

/// Reads bytes every way. An error must be ours; whatever else happens ends the process.
private func attempt(_ bytes: [UInt8]) {
  for read in [
    { _ = try CheckpointValue(bytes: bytes) }, { _ = try StateDictionary(bytes: bytes) },
    { _ = try SafetensorsFile(bytes: bytes) },
  ] {
    do {
      try read()
    } catch {
      #expect(error is CheckpointError)
    }
  }
}

/// SplitMix64: the same damage in every run.
private struct Random: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// One to four changes: a bit, a byte, an extreme number, bytes removed, doubled or moved.
  mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &self) where bytes.count > 16 {
      let position = Int.random(in: 0..<bytes.count - 8, using: &self)
      let count = Int.random(in: 1...8, using: &self)
      switch Int.random(in: 0..<7, using: &self) {
      case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &self)
      case 1: bytes[position] = UInt8.random(in: 0...255, using: &self)
      case 2: bytes.replaceSubrange(position..<position + count, with: repeatElement(0xFF, count: count))
      case 3: bytes.replaceSubrange(position..<position + count, with: repeatElement(0, count: count))
      case 4: bytes.removeSubrange(position..<position + count)
      case 5: bytes.insert(contentsOf: bytes[position..<position + count], at: position)
      default:
        let other = Int.random(in: 0..<bytes.count - 8, using: &self)
        bytes.replaceSubrange(position..<position + count, with: Array(bytes[other..<other + count]))
      }
    }
    return bytes
  }
}
