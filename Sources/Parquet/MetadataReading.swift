// Parquet's metadata out of Thrift.

extension FileMetadata {
  init(_ reader: inout ThriftReader) throws {
    try reader.structure { reader, field, type in
      switch field {
      case 2: try reader.list(type, of: .structure) { schema.append(try SchemaElement(&$0)) }
      case 3: rowCount = try reader.int64(type)
      case 4: try reader.list(type, of: .structure) { rowGroups.append(try RowGroup(&$0)) }
      case 5: try reader.list(type, of: .structure) { try readPair(&$0) }
      case 6: createdBy = try reader.string(type)
      case 8:
        isEncrypted = true
        return false
      default: return false
      }
      return true
    }
  }

  private mutating func readPair(_ reader: inout ThriftReader) throws {
    var key: String?
    var value = ""
    try reader.structure { reader, field, type in
      switch field {
      case 1: key = try reader.string(type)
      case 2: value = try reader.string(type)
      default: return false
      }
      return true
    }
    if let key { keyValues[key] = value }
  }
}

extension SchemaElement {
  init(_ reader: inout ThriftReader) throws {
    var converted: Int32?
    var scale: Int32?
    var precision: Int32?
    try reader.structure { reader, field, type in
      switch field {
      case 1: self.type = try reader.int32(type)
      case 2: typeLength = try reader.int32(type)
      case 3: repetition = try reader.int32(type)
      case 4: name = try reader.string(type)
      case 5: childCount = try reader.int32(type)
      case 6: converted = try reader.int32(type)
      case 7: scale = try reader.int32(type)
      case 8: precision = try reader.int32(type)
      case 10: annotation = try Annotation(&reader, type)
      default: return false
      }
      return true
    }
    if annotation == nil, let converted {
      annotation = Annotation(converted: converted, scale: scale ?? 0, precision: precision ?? 0)
    }
  }
}

extension Annotation {
  /// Of the union `LogicalType`.
  fileprivate init(_ reader: inout ThriftReader, _ type: ThriftType) throws {
    var result = Annotation.other
    try reader.structure(type) { reader, field, type in
      switch field {
      case 1: result = .string
      case 2: result = .map
      case 3: result = .list
      case 4: result = .enumeration
      case 5:
        result = try Self.decimal(&reader, type)
        return true
      case 6: result = .date
      case 7:
        result = .time(try Self.time(&reader, type).unit)
        return true
      case 8:
        let (unit, isUTC) = try Self.time(&reader, type)
        result = .timestamp(unit, isUTC: isUTC)
        return true
      case 10:
        result = try Self.integer(&reader, type)
        return true
      case 11: result = .unknown
      case 12: result = .json
      case 13: result = .bson
      case 14: result = .uuid
      case 15: result = .float16
      default: break
      }
      return false
    }
    self = result
  }

  /// Of the older enum `ConvertedType`. Its timestamps are in UTC.
  fileprivate init(converted: Int32, scale: Int32, precision: Int32) {
    switch converted {
    case 0: self = .string
    case 1, 2: self = .map
    case 3: self = .list
    case 4: self = .enumeration
    case 5: self = .decimal(precision: precision, scale: scale)
    case 6: self = .date
    case 7: self = .time(.milliseconds)
    case 8: self = .time(.microseconds)
    case 9: self = .timestamp(.milliseconds, isUTC: true)
    case 10: self = .timestamp(.microseconds, isUTC: true)
    case 11...14: self = .integer(bits: [8, 16, 32, 64][Int(converted) - 11], isSigned: false)
    case 15...18: self = .integer(bits: [8, 16, 32, 64][Int(converted) - 15], isSigned: true)
    case 19: self = .json
    case 20: self = .bson
    case 21: self = .interval
    default: self = .other
    }
  }

  private static func decimal(_ reader: inout ThriftReader, _ type: ThriftType) throws -> Annotation {
    var (scale, precision): (Int32, Int32) = (0, 0)
    try reader.structure(type) { reader, field, type in
      switch field {
      case 1: scale = try reader.int32(type)
      case 2: precision = try reader.int32(type)
      default: return false
      }
      return true
    }
    return .decimal(precision: precision, scale: scale)
  }

  private static func time(
    _ reader: inout ThriftReader, _ type: ThriftType
  ) throws -> (unit: ParquetTimeUnit, isUTC: Bool) {
    var unit: ParquetTimeUnit?
    var isUTC = false
    try reader.structure(type) { reader, field, type in
      switch field {
      case 1: isUTC = try reader.boolean(type)
      case 2:
        try reader.structure(type) { _, field, _ in
          switch field {
          case 1: unit = .milliseconds
          case 2: unit = .microseconds
          case 3: unit = .nanoseconds
          default: break
          }
          return false
        }
      default: return false
      }
      return true
    }
    guard let unit else { throw ThriftFault.malformed(found: "no unit of time", expected: "ms, µs or ns") }
    return (unit, isUTC)
  }

  private static func integer(_ reader: inout ThriftReader, _ type: ThriftType) throws -> Annotation {
    var bits: Int8 = 0
    var isSigned = true
    try reader.structure(type) { reader, field, type in
      switch field {
      case 1: bits = try reader.int8(type)
      case 2: isSigned = try reader.boolean(type)
      default: return false
      }
      return true
    }
    return .integer(bits: bits, isSigned: isSigned)
  }
}

extension RowGroup {
  init(_ reader: inout ThriftReader) throws {
    try reader.structure { reader, field, type in
      switch field {
      case 1: try reader.list(type, of: .structure) { columns.append(try ColumnChunk(&$0)) }
      case 3: rowCount = try reader.int64(type)
      default: return false
      }
      return true
    }
  }
}

extension ColumnChunk {
  init(_ reader: inout ThriftReader) throws {
    try reader.structure { reader, field, type in
      switch field {
      case 1: filePath = try reader.string(type)
      case 3: try readMetadata(&reader, type)
      case 8, 9:
        isEncrypted = true
        return false
      default: return false
      }
      return true
    }
  }

  private mutating func readMetadata(_ reader: inout ThriftReader, _ type: ThriftType) throws {
    try reader.structure(type) { reader, field, type in
      switch field {
      case 1: self.type = try reader.int32(type)
      case 4: codec = try reader.int32(type)
      case 5: valueCount = try reader.int64(type)
      case 7: compressedSize = try reader.int64(type)
      case 9: dataPageOffset = try reader.int64(type)
      case 11: dictionaryPageOffset = try reader.int64(type)
      default: return false
      }
      return true
    }
  }
}

extension PageHeader {
  init(_ reader: inout ThriftReader) throws {
    var type: Int32 = -1
    try reader.structure { reader, field, fieldType in
      switch field {
      case 1: type = try reader.int32(fieldType)
      case 2: uncompressedSize = try reader.int32(fieldType)
      case 3: compressedSize = try reader.int32(fieldType)
      case 4: checksum = UInt32(bitPattern: try reader.int32(fieldType))
      case 5 where type == 0:
        kind = .data
        try readData(&reader, fieldType)
      case 7 where type == 2:
        kind = .dictionary
        try readDictionary(&reader, fieldType)
      case 8 where type == 3:
        kind = .dataV2
        try readDataV2(&reader, fieldType)
      default: return false
      }
      return true
    }
    guard kind != .other || ![0, 2, 3].contains(type) else {
      throw ThriftFault.malformed(found: "a page of type \(type) without its own header", expected: "one")
    }
  }

  private mutating func readData(_ reader: inout ThriftReader, _ type: ThriftType) throws {
    try reader.structure(type) { reader, field, type in
      switch field {
      case 1: valueCount = try reader.int32(type)
      case 2: encoding = try reader.int32(type)
      case 3: definitionEncoding = try reader.int32(type)
      case 4: repetitionEncoding = try reader.int32(type)
      default: return false
      }
      return true
    }
  }

  private mutating func readDictionary(_ reader: inout ThriftReader, _ type: ThriftType) throws {
    try reader.structure(type) { reader, field, type in
      switch field {
      case 1: valueCount = try reader.int32(type)
      case 2: encoding = try reader.int32(type)
      default: return false
      }
      return true
    }
  }

  private mutating func readDataV2(_ reader: inout ThriftReader, _ type: ThriftType) throws {
    try reader.structure(type) { reader, field, type in
      switch field {
      case 1: valueCount = try reader.int32(type)
      case 4: encoding = try reader.int32(type)
      case 5: definitionSize = try reader.int32(type)
      case 6: repetitionSize = try reader.int32(type)
      case 7: isCompressed = try reader.boolean(type)
      default: return false
      }
      return true
    }
  }
}
