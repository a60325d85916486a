// protobuf-c with a limit on what it may allocate.

internal import COnnxSchema
internal import CProtobufC

#if canImport(Glibc)
  import Glibc
#endif

/// Unpacks `source` as the message `Message` (whose descriptor is given), hands it to `body` and frees it.
/// `raw_data` fields hold `RawDataReference`s into `source`.
func withUnpacked<Message, Result>(
  _ source: UnsafeRawBufferPointer, as descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
  _ body: (UnsafePointer<Message>) throws(ONNXError) -> Result
) throws(ONNXError) -> Result {
  let skeleton = try WireScanner.skeleton(of: source, as: descriptor)
  // An element of a list costs protobuf-c up to 80 bytes while it reads and a message's struct up to 250 after; honest
  // files stay far below this, files of nothing but empty messages do not.
  var budget = 64 * min(skeleton.count, source.count) + (1 << 20)
  return try withUnsafeMutablePointer(to: &budget) { (budget) throws(ONNXError) -> Result in
    var allocator = ProtobufCAllocator(
      alloc: { budget, size in
        let left = budget!.assumingMemoryBound(to: Int.self)
        guard size <= left.pointee else { return nil }
        left.pointee -= size
        return malloc(size)
      },
      free: { _, block in free(block) },
      allocator_data: budget)
    guard let message = protobuf_c_message_unpack(descriptor, &allocator, skeleton.count, skeleton) else {
      throw .malformed(
        location: "", problem: budget.pointee < 4096 ? "its structure takes too much memory" : "the fields do not parse"
      )
    }
    defer { protobuf_c_message_free_unpacked(message, &allocator) }
    return try body(UnsafeRawPointer(message).assumingMemoryBound(to: Message.self))
  }
}
