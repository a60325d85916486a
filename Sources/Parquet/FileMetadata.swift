// The metadata of a Parquet file as values, field for field of the format's Thrift definition (parquet.thrift).

/// How the bytes of a value are kept.
public enum ParquetPhysicalType: Int32, Sendable {
  case boolean = 0
  case int32, int64, int96, float, double, byteArray, fixedLengthByteArray
}

/// How pages are compressed.
public enum ParquetCompression: Int32, Sendable {
  case none = 0
  case snappy = 1
  case gzip = 2
  case zstandard = 6
  case lz4 = 7
}

enum Encoding: Int32 {
  case plain = 0
  case plainDictionary = 2
  case runLength = 3
  case bitPacked = 4
  case deltaBinaryPacked = 5
  case deltaLengthByteArray = 6
  case deltaByteArray = 7
  case runLengthDictionary = 8
  case byteStreamSplit = 9
}

enum Repetition: Int32 {
  case required = 0
  case optional, repeated
}

/// The annotation of a column, from the older or the newer of the two fields that carry it.
enum Annotation: Equatable {
  case string, map, list, enumeration, date, json, bson, uuid, float16, interval, unknown
  case decimal(precision: Int32, scale: Int32)
  case time(ParquetTimeUnit)
  case timestamp(ParquetTimeUnit, isUTC: Bool)
  case integer(bits: Int8, isSigned: Bool)
  /// One that came after this reader.
  case other
}

struct SchemaElement {
  var type: Int32?
  var typeLength: Int32?
  var repetition: Int32?
  var name = ""
  var childCount: Int32?
  var annotation: Annotation?
}

struct ColumnChunk {
  var filePath: String?
  var isEncrypted = false
  var type: Int32 = -1
  var codec: Int32 = -1
  var valueCount: Int64 = -1
  var compressedSize: Int64 = -1
  var dataPageOffset: Int64 = -1
  var dictionaryPageOffset: Int64?
}

struct RowGroup {
  var columns: [ColumnChunk] = []
  var rowCount: Int64 = -1
}

struct FileMetadata {
  var schema: [SchemaElement] = []
  var rowCount: Int64 = -1
  var rowGroups: [RowGroup] = []
  var keyValues: [String: String] = [:]
  var createdBy: String?
  var isEncrypted = false
}

struct PageHeader {
  enum Kind {
    case data, dataV2, dictionary
    /// An index, or something that came after this reader.
    case other
  }
  var kind = Kind.other
  var uncompressedSize: Int32 = -1
  var compressedSize: Int32 = -1
  var checksum: UInt32?
  var valueCount: Int32 = -1
  var encoding: Int32 = -1
  var definitionEncoding: Int32 = Encoding.runLength.rawValue
  var repetitionEncoding: Int32 = Encoding.runLength.rawValue
  // Of version 2 only:
  var definitionSize: Int32 = 0
  var repetitionSize: Int32 = 0
  var isCompressed = true
}
