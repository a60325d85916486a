// The first look at a file: checks the wire form and sets the weights aside, before protobuf-c sees anything.

internal import COnnxSchema
internal import CProtobufC

#if canImport(Glibc)
  import Glibc
#endif

/// Goes through an encoded message once, by the schema's own descriptors, and makes a copy that protobuf-c can unpack
/// cheaply and safely:
/// - nesting, lengths, tags and texts are checked, and each error says where;
/// - `raw_data` is replaced by its place in the file (`RawDataReference`), so weights are copied once, into the tensor;
/// - repeated numbers that were written one by one are joined (packed), where protobuf-c would take 40 bytes for each.
struct WireScanner {
  /// What C++ and Python allow too, so that every file they read passes.
  static let deepestNesting = 100

  private let source: UnsafeRawBufferPointer
  private(set) var skeleton: [UInt8] = []
  private var path: [UnsafePointer<CChar>] = []

  private typealias Descriptor = UnsafePointer<ProtobufCMessageDescriptor>
  private typealias Field = UnsafePointer<ProtobufCFieldDescriptor>

  /// - Throws: `ONNXError.malformed` with the field path and the byte offset.
  static func skeleton(
    of source: UnsafeRawBufferPointer, as descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  ) throws(ONNXError) -> [UInt8] {
    var scanner = WireScanner(source: source)
    try scanner.message(descriptor, in: 0..<source.count, depth: 1)
    return scanner.skeleton
  }

  /// The fields of an encoded message, uninterpreted; `data` has the length too where the wire type has one.
  /// - Throws: `ONNXError.notWritable`: this is for fields that are about to be written.
  static func fields(
    of source: UnsafeRawBufferPointer
  ) throws(ONNXError) -> [(number: UInt32, wire: UInt8, data: Range<Int>)] {
    let scanner = WireScanner(source: source)
    var fields: [(number: UInt32, wire: UInt8, data: Range<Int>)] = []
    var position = 0
    do throws(ONNXError) {
      while position < source.count {
        let tag = try scanner.varint(&position, end: source.count)
        let start = position
        let wire = UInt8(truncatingIfNeeded: tag & 7)
        guard let number = UInt32(exactly: tag >> 3), number >= 1, number < 1 << 29 else {
          throw scanner.malformed(at: start, "\(tag >> 3) is no field number")
        }
        _ = try scanner.payload(wire, &position, end: source.count)
        fields.append((number, wire, start..<position))
      }
    } catch {
      throw .notWritable(location: "unknownFields", problem: error.description)
    }
    return fields
  }

  private init(source: UnsafeRawBufferPointer) { self.source = source }

  private func malformed(at offset: Int, _ problem: String) -> ONNXError {
    let fields = path.map { String(cString: $0) }.joined(separator: ".")
    return .malformed(location: fields.isEmpty ? "byte \(offset)" : "\(fields) at byte \(offset)", problem: problem)
  }

  // MARK: Messages

  private mutating func message(_ descriptor: Descriptor, in range: Range<Int>, depth: Int) throws(ONNXError) {
    guard depth <= Self.deepestNesting else {
      throw malformed(at: range.lowerBound, "messages are nested more than \(Self.deepestNesting) deep")
    }
    var position = range.lowerBound
    var seen: UInt64 = 0
    while position < range.upperBound {
      let start = position
      let tag = try varint(&position, end: range.upperBound)
      let number = tag >> 3
      guard number >= 1, number < 1 << 29 else { throw malformed(at: start, "\(number) is no field number") }
      let wire = UInt8(truncatingIfNeeded: tag & 7)
      guard let field = protobuf_c_message_descriptor_get_field(descriptor, UInt32(number)) else {
        let payload = try payload(wire, &position, end: range.upperBound)
        put(tag)
        if wire == Wire.bytes { put(UInt64(payload.count)) }
        skeleton.append(contentsOf: source[payload])
        continue
      }
      path.append(field.pointee.name)
      try known(field, of: descriptor, wire, tag, start, &position, end: range.upperBound, depth, &seen)
      path.removeLast()
    }
  }

  /// One occurrence of a field of the schema, or a whole run of unpacked numbers. `position` is behind its tag.
  private mutating func known(
    _ field: Field, of descriptor: Descriptor, _ wire: UInt8, _ tag: UInt64, _ start: Int, _ position: inout Int,
    end: Int, _ depth: Int, _ seen: inout UInt64
  ) throws(ONNXError) {
    let repeated = field.pointee.label == PROTOBUF_C_LABEL_REPEATED
    let expected = Wire.type(of: field.pointee.type)
    guard wire == expected || (repeated && expected != Wire.bytes && wire == Wire.bytes) else {
      throw malformed(at: start, "wire type \(wire) where \(expected) is expected")
    }
    if repeated, expected != Wire.bytes, wire == expected {
      return try run(of: wire, tag, &position, end: end)
    }
    let payload = try payload(wire, &position, end: end)
    put(tag)
    guard wire == Wire.bytes else { return skeleton.append(contentsOf: source[payload]) }
    switch field.pointee.type {
    case PROTOBUF_C_TYPE_MESSAGE:
      if !repeated {
        let bit = UInt64(1) << UInt64(field - descriptor.pointee.fields)
        // Two would have to be merged, at a cost that grows with the square of their number; no writer does it.
        guard seen & bit == 0 else { throw malformed(at: start, "the field occurs twice") }
        seen |= bit
      }
      let length = placeholder()
      let nested = field.pointee.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
      try message(nested, in: payload, depth: depth + 1)
      try patch(length, at: start)
    case PROTOBUF_C_TYPE_BYTES where isRawData(field, of: descriptor):
      put(UInt64(RawDataReference.byteCount))
      skeleton.append(contentsOf: RawDataReference(payload).bytes)
    case PROTOBUF_C_TYPE_STRING:
      let text = UnsafeRawBufferPointer(rebasing: source[payload])
      guard !text.contains(0) else { throw malformed(at: payload.lowerBound, "a text has a zero byte in it") }
      guard text.allSatisfy({ $0 < 0x80 }) || String(validating: text, as: UTF8.self) != nil else {
        throw malformed(at: payload.lowerBound, "a text is not UTF-8")
      }
      fallthrough
    default:
      put(UInt64(payload.count))
      skeleton.append(contentsOf: source[payload])
    }
  }

  /// Joins neighbouring occurrences of one repeated number, the form of most integer lists, into a packed field.
  private mutating func run(of wire: UInt8, _ tag: UInt64, _ position: inout Int, end: Int) throws(ONNXError) {
    put(tag & ~7 | UInt64(Wire.bytes))
    let start = position
    let length = placeholder()
    while true {
      skeleton.append(contentsOf: source[try payload(wire, &position, end: end)])
      var next = position
      guard next < end, try varint(&next, end: end) == tag else { break }
      position = next
    }
    try patch(length, at: start)
  }

  private func isRawData(_ field: Field, of descriptor: Descriptor) -> Bool {
    field.pointee.id == 9 && strcmp(descriptor.pointee.short_name, "TensorProto") == 0
  }

  // MARK: Wire form

  private func varint(_ position: inout Int, end: Int) throws(ONNXError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    let start = position
    while position < end, shift < 64 {
      let byte = source[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw malformed(at: start, position < end ? "a number of more than ten bytes" : "the data ends within a number")
  }

  /// The bytes of a value, behind its length where it has one; `position` moves behind them.
  private func payload(_ wire: UInt8, _ position: inout Int, end: Int) throws(ONNXError) -> Range<Int> {
    let start = position
    let count: UInt64
    switch wire {
    case Wire.varint:
      _ = try varint(&position, end: end)
      return start..<position
    case Wire.fixed64: count = 8
    case Wire.fixed32: count = 4
    case Wire.bytes: count = try varint(&position, end: end)
    default: throw malformed(at: start, "wire type \(wire), which the format does not use")
    }
    guard count <= UInt64(end - position) else {
      throw malformed(at: start, "\(count) bytes are announced and \(end - position) are left")
    }
    let payload = position..<(position + Int(count))
    position = payload.upperBound
    return payload
  }

  private mutating func put(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      skeleton.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    skeleton.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Room for a length that is known later: a varint may be padded, to five bytes here.
  private mutating func placeholder() -> Int {
    skeleton.append(contentsOf: [0x80, 0x80, 0x80, 0x80, 0x00])
    return skeleton.count
  }

  private mutating func patch(_ content: Int, at offset: Int) throws(ONNXError) {
    let length = skeleton.count - content
    guard length <= Int32.max else { throw malformed(at: offset, "a message of \(length) bytes without its weights") }
    for byte in 0..<4 { skeleton[content - 5 + byte] = UInt8(truncatingIfNeeded: length >> (7 * byte)) | 0x80 }
    skeleton[content - 1] = UInt8(truncatingIfNeeded: length >> 28)
  }
}

/// The wire types of Protocol Buffers that the format uses.
enum Wire {
  static let varint: UInt8 = 0
  static let fixed64: UInt8 = 1
  static let bytes: UInt8 = 2
  static let fixed32: UInt8 = 5

  static func type(of type: ProtobufCType) -> UInt8 {
    switch type {
    case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: bytes
    case PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32: fixed32
    case PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64: fixed64
    default: varint
    }
  }
}

/// Where a tensor's `raw_data` is in the file: what stands in its place in a skeleton.
struct RawDataReference {
  static let byteCount = 16

  let range: Range<Int>

  init(_ range: Range<Int>) { self.range = range }

  /// - Precondition: `data` was written by `bytes`.
  init(_ data: ProtobufCBinaryData) {
    precondition(data.len == Self.byteCount, "a skeleton holds references of \(Self.byteCount) bytes")
    let words = UnsafeRawPointer(data.data!)
    range = words.loadUnaligned(as: Int.self)..<words.loadUnaligned(fromByteOffset: 8, as: Int.self)
  }

  var bytes: [UInt8] {
    withUnsafeBytes(of: (range.lowerBound, range.upperBound)) { Array($0) }
  }
}
