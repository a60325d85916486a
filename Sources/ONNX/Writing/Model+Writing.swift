// Writing a model, or one tensor, to bytes or to a file.

internal import COnnxSchema
internal import CProtobufC
internal import Files

/// Whether a model's large initializers go into a file of their own beside it.
public enum ExternalDataPolicy: Sendable, Hashable {
  /// Only when the model would pass 2 GB, the most that a Protocol Buffers message can have.
  case whenNeeded
  /// Every initializer of a kilobyte or more.
  case always
  /// Not at all; a model that passes 2 GB is an error.
  case never
}

extension Model {
  /// The model in the format's binary form. The same model gives the same bytes.
  /// - Throws: `ONNXError.notWritable` where the format has no form for a value, or beyond 2 GB.
  public func serialized() throws(ONNXError) -> [UInt8] {
    var writer = ModelWriter()
    let message = try writer.model(self)
    return try withExtendedLifetime((self, writer.arena)) { () throws(ONNXError) in
      try packed(UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self))
    }
  }

  /// Writes the model to a file, replacing one that is there. The file appears whole or not at all.
  ///
  /// External data goes to `NAME-HASH.data` beside it, with the hash of the content in the name, so a reader never
  /// finds a model with another version's weights; the predecessors' data files are removed.
  /// - Throws: `ONNXError.file` or `.notWritable`.
  public func write(to path: String, externalData: ExternalDataPolicy = .whenNeeded) throws(ONNXError) {
    var policy = externalData
    if policy == .whenNeeded {
      var writer = ModelWriter()
      let message = try writer.model(self)
      let size = withExtendedLifetime((self, writer.arena)) {
        protobuf_c_message_get_packed_size(UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self))
      }
      policy = size > Int32.max ? .always : .never
    }
    let data = policy == .always ? ExternalDataFile(besideModel: path) : nil
    var writer = ModelWriter(externalData: data)
    let message = try writer.model(self)
    try data?.commit()
    do throws(ONNXError) {
      try withExtendedLifetime((self, writer.arena, data)) { () throws(ONNXError) in
        try ONNX.write(UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self), to: path)
      }
    } catch {
      data?.withdraw()
      throw error
    }
    data?.removePredecessors()
  }
}

extension Initializer {
  /// The tensor in the format's binary form, as in `input_0.pb` of a test data set.
  /// - Throws: `ONNXError.notWritable`.
  public func serialized() throws(ONNXError) -> [UInt8] {
    var writer = ModelWriter()
    let message = try writer.tensor(self, mayBeExternal: false)
    return try withExtendedLifetime((self, writer.arena)) { () throws(ONNXError) in
      try packed(UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self))
    }
  }

  /// Writes a file of this one tensor. The file appears whole or not at all.
  /// - Throws: `ONNXError.file` or `.notWritable`.
  public func write(to path: String) throws(ONNXError) {
    var writer = ModelWriter()
    let message = try writer.tensor(self, mayBeExternal: false)
    try withExtendedLifetime((self, writer.arena)) { () throws(ONNXError) in
      try ONNX.write(UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self), to: path)
    }
  }
}

private func checkSize(_ message: UnsafePointer<ProtobufCMessage>) throws(ONNXError) -> Int {
  let size = protobuf_c_message_get_packed_size(message)
  guard size <= Int32.max else {
    throw .notWritable(
      location: "", problem: "\(size) bytes pass the 2 GB of a Protocol Buffers message; use external data")
  }
  return size
}

func packed(_ message: UnsafePointer<ProtobufCMessage>) throws(ONNXError) -> [UInt8] {
  let size = try checkSize(message)
  return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
    count = size == 0 ? 0 : protobuf_c_message_pack(message, buffer.baseAddress)
  }
}

/// Streams a message into a file: the weights go from their tensors to the disk without a copy in between.
func write(_ message: UnsafePointer<ProtobufCMessage>, to path: String) throws(ONNXError) {
  _ = try checkSize(message)
  let sink = MessageSink(try ONNXError.translating { () throws(FileError) in try AtomicFile(path: path) })
  var stream = MessageStream(
    base: ProtobufCBuffer(append: { stream, count, data in
      let sink = UnsafeRawPointer(stream!).assumingMemoryBound(to: MessageStream.self).pointee.sink
      sink.takeUnretainedValue().append(UnsafeRawBufferPointer(start: data, count: count))
    }), sink: .passUnretained(sink))
  withUnsafeMutablePointer(to: &stream) { stream in
    _ = protobuf_c_message_pack_to_buffer(
      message, UnsafeMutableRawPointer(stream).assumingMemoryBound(to: ProtobufCBuffer.self))
  }
  try sink.commit()
}

/// protobuf-c's buffer "class" with a field of ours behind its function.
private struct MessageStream {
  var base: ProtobufCBuffer
  var sink: Unmanaged<MessageSink>
}

/// Takes a message's pieces and keeps the first error for the end: a C callback can't throw.
private final class MessageSink {
  private let file: AtomicFile
  private var failure: FileError?

  init(_ file: AtomicFile) { self.file = file }

  func append(_ bytes: UnsafeRawBufferPointer) {
    guard failure == nil else { return }
    do throws(FileError) { try file.write(bytes) } catch { failure = error }
  }

  func commit() throws(ONNXError) {
    if let failure { throw ONNXError(failure) }
    try ONNXError.translating { () throws(FileError) in try file.commit() }
  }
}
