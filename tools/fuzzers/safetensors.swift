// libFuzzer's way into the reader of safetensors.

import Checkpoints

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let file: SafetensorsFile
  do {
    file = try SafetensorsFile(bytes: UnsafeRawBufferPointer(start: start, count: count))
  } catch is CheckpointError {
    return 0
  } catch {
    fatalError("a foreign error: \(error)")
  }
  // What was read can be written, and read back to the same bytes.
  do {
    let copy = try file.bytes()
    let again = try copy.withUnsafeBytes { try SafetensorsFile(bytes: $0) }
    guard try again.bytes() == copy else { fatalError("another copy") }
  } catch {
    fatalError("no way back: \(error)")
  }
  return 0
}
