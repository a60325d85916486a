// libFuzzer's way into the unpickler: the input is the pickle of a checkpoint in the format of PyTorch before 1.6, whose
// fixed beginning is put before it here, and the list of storages and their bytes that follow it.

import Checkpoints

/// Three pickles: the magic number, the version 1001, and an empty dict about the system.
private let beginning: [UInt8] = [
  0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  0x80, 2, 0x4D, 0xE9, 3, 0x2E,
  0x80, 2, 0x7D, 0x2E,
]

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = beginning + UnsafeBufferPointer(start: start, count: count)
  let value: CheckpointValue
  do {
    value = try bytes.withUnsafeBytes { try CheckpointValue(pytorchBytes: $0) }
  } catch is CheckpointError {
    return 0
  } catch {
    fatalError("a foreign error: \(error)")
  }
  // What was read can be written, and read back to the same bytes.
  do {
    let copy = try value.pytorchBytes()
    let again = try copy.withUnsafeBytes { try CheckpointValue(pytorchBytes: $0) }
    guard try again.pytorchBytes() == copy else { fatalError("another copy") }
  } catch {
    fatalError("no way back: \(error)")
  }
  return 0
}
