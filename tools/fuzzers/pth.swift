// libFuzzer's way into the reader of .pth files: the zip archive, and the older format of plain pickles.
// Built with -D FUZZING, which leaves the comparison of checksums out: no mutation would get past it.

import Checkpoints

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let value: CheckpointValue
  do {
    value = try CheckpointValue(pytorchBytes: UnsafeRawBufferPointer(start: start, count: count))
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
