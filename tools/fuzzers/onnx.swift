// libFuzzer's way into the reader of ONNX: the input is a model file.

import ONNX

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let model: Model
  do {
    model = try Model(bytes: UnsafeBufferPointer(start: start, count: count))
  } catch {
    return 0
  }
  // A model that was read can be checked, shown, written, and read back as the same.
  try? model.check(fullCheck: true)
  _ = model.summary.count + model.listing.count + model.graphvizDot().count
  do {
    let bytes = try model.serialized()
    let again = try Model(bytes: bytes)
    guard again == model, try again.serialized() == bytes else { fatalError("another model came back") }
  } catch {
    fatalError("no way back: \(error)")
  }
  return 0
}
