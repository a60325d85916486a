// Parquet's metadata to Thrift.

/// The chunk of a column as it was written.
struct WrittenChunk {
  var field: ParquetField
  var codec: ParquetCompression
  var valueCount: Int
  var hasDictionary: Bool
  /// In the file.
  var offset: Int
  /// From the start of the chunk to its first data page.
  var dataOffset: Int
  var compressedSize: Int
  /// With the pages' headers, as the format asks.
  var uncompressedSize: Int
}

struct WrittenRowGroup {
  var rowCount: Int
  var chunks: [WrittenChunk]
}

/// The footer's bytes, without its length.
func footer(_ fields: [ParquetField], _ rowGroups: [WrittenRowGroup], keyValues: [String: String]) -> [UInt8] {
  var writer = ThriftWriter()
  writer.field(1, Int32(2))
  writer.field(2, [SchemaLine.root(fields.count)] + fields.flatMap(SchemaLine.lines)) { $1.write(to: &$0) }
  writer.field(3, Int64(rowGroups.reduce(0) { $0 + $1.rowCount }))
  writer.field(4, Array(rowGroups.enumerated())) { write($1.element, ordinal: $1.offset, to: &$0) }
  if !keyValues.isEmpty {
    writer.field(5, keyValues.sorted { $0.key < $1.key }) { writer, pair in
      writer.field(1, pair.key)
      writer.field(2, pair.value)
    }
  }
  writer.field(6, "RankerKit")
  writer.end()
  return writer.bytes
}

private func write(_ group: WrittenRowGroup, ordinal: Int, to writer: inout ThriftWriter) {
  writer.field(1, group.chunks) { writer, chunk in
    writer.field(2, Int64(chunk.offset))
    writer.field(3) { write(chunk, to: &$0) }
  }
  writer.field(2, Int64(group.chunks.reduce(0) { $0 + $1.uncompressedSize }))
  writer.field(3, Int64(group.rowCount))
  if let first = group.chunks.first { writer.field(5, Int64(first.offset)) }
  writer.field(6, Int64(group.chunks.reduce(0) { $0 + $1.compressedSize }))
  if let ordinal = Int16(exactly: ordinal) { writer.field(7, ordinal) }
}

private func write(_ chunk: WrittenChunk, to writer: inout ThriftWriter) {
  let encodings: [Encoding] = chunk.hasDictionary ? [.plain, .runLength, .runLengthDictionary] : [.plain, .runLength]
  writer.field(1, chunk.field.physicalType.rawValue)
  writer.field(2, encodings.map(\.rawValue))
  writer.field(3, chunk.field.isList ? [chunk.field.name, "list", "element"] : [chunk.field.name])
  writer.field(4, chunk.codec.rawValue)
  writer.field(5, Int64(chunk.valueCount))
  writer.field(6, Int64(chunk.uncompressedSize))
  writer.field(7, Int64(chunk.compressedSize))
  writer.field(9, Int64(chunk.offset + chunk.dataOffset))
  if chunk.hasDictionary { writer.field(11, Int64(chunk.offset)) }
}

/// An element of the schema.
private struct SchemaLine {
  var name: String
  var repetition: Repetition?
  var field: ParquetField?
  var childCount: Int32?
  var isListGroup = false

  static func root(_ count: Int) -> SchemaLine { SchemaLine(name: "schema", childCount: Int32(count)) }

  static func lines(_ field: ParquetField) -> [SchemaLine] {
    let own: Repetition = field.isOptional ? .optional : .required
    guard field.isList else { return [SchemaLine(name: field.name, repetition: own, field: field)] }
    return [
      SchemaLine(
        name: field.name, repetition: field.isListOptional ? .optional : .required, childCount: 1, isListGroup: true),
      SchemaLine(name: "list", repetition: .repeated, childCount: 1),
      SchemaLine(name: "element", repetition: own, field: field),
    ]
  }

  func write(to writer: inout ThriftWriter) {
    if let field { writer.field(1, field.physicalType.rawValue) }
    if let field, field.physicalType == .fixedLengthByteArray { writer.field(2, Int32(field.typeLength)) }
    if let repetition { writer.field(3, repetition.rawValue) }
    writer.field(4, name)
    if let childCount { writer.field(5, childCount) }
    if isListGroup {
      writer.field(6, Int32(3))
      writer.field(10) { $0.field(3) { _ in } }
    }
    field?.type.writeAnnotation(to: &writer)
  }
}

extension ParquetType {
  /// The older annotation, where there is one, and the newer.
  fileprivate func writeAnnotation(to writer: inout ThriftWriter) {
    switch self {
    case .boolean, .float16, .float, .double, .bytes, .fixedBytes: break
    case .string:
      writer.field(6, Int32(0))
      writer.field(10) { $0.field(1) { _ in } }
    case .date:
      writer.field(6, Int32(6))
      writer.field(10) { $0.field(6) { _ in } }
    case .decimal(let precision, let scale):
      writer.field(6, Int32(5))
      writer.field(7, Int32(scale))
      writer.field(8, Int32(precision))
      writer.field(10) {
        $0.field(5) {
          $0.field(1, Int32(scale))
          $0.field(2, Int32(precision))
        }
      }
    case .integer(let bits, let isSigned):
      let position = Int32(bits.trailingZeroBitCount - 3)
      writer.field(6, (isSigned ? 15 : 11) + position)
      writer.field(10) {
        $0.field(10) {
          $0.field(1, Int8(bits))
          $0.field(2, isSigned)
        }
      }
    case .time(let unit):
      if unit != .nanoseconds { writer.field(6, Int32(unit == .milliseconds ? 7 : 8)) }
      writer.field(10) { $0.field(7) { unit.write(isUTC: false, to: &$0) } }
    case .timestamp(let unit, let isUTC):
      // The older one says UTC.
      if isUTC, unit != .nanoseconds { writer.field(6, Int32(unit == .milliseconds ? 9 : 10)) }
      writer.field(10) { $0.field(8) { unit.write(isUTC: isUTC, to: &$0) } }
    }
  }
}

extension ParquetTimeUnit {
  fileprivate func write(isUTC: Bool, to writer: inout ThriftWriter) {
    writer.field(1, isUTC)
    let number = self == .milliseconds ? 1 : self == .microseconds ? 2 : 3
    writer.field(2) { $0.field(number) { _ in } }
  }
}

/// The header of a page.
func pageHeader(
  dictionary: Bool, uncompressed: Int, compressed: Int, checksum: UInt32, values: Int, encoding: Encoding
) -> [UInt8] {
  var writer = ThriftWriter()
  writer.field(1, Int32(dictionary ? 2 : 0))
  writer.field(2, Int32(uncompressed))
  writer.field(3, Int32(compressed))
  writer.field(4, Int32(bitPattern: checksum))
  writer.field(dictionary ? 7 : 5) {
    $0.field(1, Int32(values))
    $0.field(2, encoding.rawValue)
    if !dictionary {
      $0.field(3, Encoding.runLength.rawValue)
      $0.field(4, Encoding.runLength.rawValue)
    }
  }
  writer.end()
  return writer.bytes
}
