// Thrift's compact protocol, as far as Parquet's metadata needs it, to be written.

/// Writes fields of structures in ascending order.
struct ThriftWriter {
  private(set) var bytes: [UInt8] = []
  /// The last field of each structure that is open.
  private var lastFields: [Int] = [0]

  mutating func field(_ number: Int, _ value: Int32) {
    header(number, .int32)
    signed(Int64(value))
  }

  mutating func field(_ number: Int, _ value: Int64) {
    header(number, .int64)
    signed(value)
  }

  mutating func field(_ number: Int, _ value: Int16) {
    header(number, .int16)
    signed(Int64(value))
  }

  mutating func field(_ number: Int, _ value: Int8) {
    header(number, .byte)
    bytes.append(UInt8(bitPattern: value))
  }

  mutating func field(_ number: Int, _ value: Bool) { header(number, value ? .yes : .no) }

  mutating func field(_ number: Int, _ value: String) {
    header(number, .binary)
    text(value)
  }

  mutating func field(_ number: Int, _ body: (inout ThriftWriter) -> Void) {
    header(number, .structure)
    structure(body)
  }

  mutating func field(_ number: Int, _ values: [Int32]) {
    listHeader(number, values.count, .int32)
    for value in values { signed(Int64(value)) }
  }

  mutating func field(_ number: Int, _ values: [String]) {
    listHeader(number, values.count, .binary)
    for value in values { text(value) }
  }

  mutating func field<Item>(_ number: Int, _ items: [Item], _ body: (inout ThriftWriter, Item) -> Void) {
    listHeader(number, items.count, .structure)
    for item in items { structure { body(&$0, item) } }
  }

  /// Ends the outermost structure.
  mutating func end() { bytes.append(0) }

  private mutating func structure(_ body: (inout ThriftWriter) -> Void) {
    lastFields.append(0)
    body(&self)
    lastFields.removeLast()
    bytes.append(0)
  }

  /// Parquet's field numbers are never more than 15 apart.
  private mutating func header(_ number: Int, _ type: ThriftType) {
    bytes.append(UInt8(number - lastFields[lastFields.count - 1]) << 4 | type.rawValue)
    lastFields[lastFields.count - 1] = number
  }

  private mutating func listHeader(_ number: Int, _ count: Int, _ type: ThriftType) {
    header(number, .list)
    bytes.append(UInt8(min(count, 15)) << 4 | type.rawValue)
    if count >= 15 { bytes.appendVariable(UInt64(count)) }
  }

  private mutating func signed(_ value: Int64) {
    bytes.appendVariable(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  private mutating func text(_ value: String) {
    bytes.appendVariable(UInt64(value.utf8.count))
    bytes += value.utf8
  }
}

extension [UInt8] {
  /// Appends a number, seven bits a byte, the lowest first.
  mutating func appendVariable(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  mutating func appendLittleEndian(_ number: UInt32) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
