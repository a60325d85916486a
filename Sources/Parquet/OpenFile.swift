// An open file: its bytes, its checked footer, and where the pages of a column lie.

/// How much a reader may take of the machine.
public struct ParquetReadOptions: Sendable {
  /// Threads that decode at once.
  public var threads: Int
  /// Bytes that the result of one call may take, and a page of it. A few bytes can stand for billions of equal rows,
  /// so the file's size alone says little.
  ///
  /// Nil: 1 GiB and 1024 times the size of the file.
  public var memoryLimit: Int?

  public init(threads: Int = 2, memoryLimit: Int? = nil) {
    self.threads = max(1, threads)
    self.memoryLimit = memoryLimit
  }
}

/// Where a column's pages lie in the file, after a check against its size.
struct CheckedChunk {
  let codec: Int32
  let valueCount: Int
  let start: Int
  let end: Int
}

final class OpenFile: Sendable {
  let bytes: FileBytes
  let options: ParquetReadOptions
  let memoryLimit: Int
  let leaves: [SchemaLeaf]
  let rowGroups: [RowGroup]
  let rowCounts: [Int]
  let rowCount: Int
  let keyValues: [String: String]
  let createdBy: String?
  /// Where the footer starts and the pages end.
  private let footerStart: Int

  var path: String { bytes.path }

  init(_ bytes: FileBytes, _ options: ParquetReadOptions) throws {
    self.bytes = bytes
    self.options = options
    let (scaled, overflow) = bytes.count.multipliedReportingOverflow(by: 1024)
    memoryLimit = options.memoryLimit ?? (overflow ? .max : scaled.addingReportingOverflow(1 << 30).partialValue)
    do {
      let (metadata, start) = try Self.readFooter(bytes)
      footerStart = start
      leaves = try SchemaTree(metadata.schema).leaves
      rowCounts = try Self.checkRows(metadata, leaves.count)
      rowGroups = metadata.rowGroups
      rowCount = rowCounts.reduce(0, +)
      keyValues = metadata.keyValues
      createdBy = metadata.createdBy
    } catch let fault as Fault {
      throw fault.placed(path: bytes.path)
    }
  }

  private static func readFooter(_ bytes: FileBytes) throws -> (FileMetadata, start: Int) {
    guard bytes.count >= 12 else {
      throw Fault.malformed("the whole file", found: "\(bytes.count) bytes", expected: "a Parquet file of 12 or more")
    }
    var ends = [UInt8](repeating: 0, count: 12)
    try ends.withUnsafeMutableBytes { ends in
      try bytes.read(at: 0, into: UnsafeMutableRawBufferPointer(rebasing: ends[..<4]))
      try bytes.read(at: bytes.count - 8, into: UnsafeMutableRawBufferPointer(rebasing: ends[4...]))
    }
    let magic = Array(ends[8...])
    if magic == Array("PARE".utf8) { throw encrypted }
    guard magic == Array("PAR1".utf8) else {
      throw Fault.malformed("the last 4 bytes", found: "\(magic)", expected: "PAR1; was the file written to its end?")
    }
    guard ends[..<4] == magic[...] else {
      throw Fault.malformed("the first 4 bytes", found: "\(Array(ends[..<4]))", expected: "PAR1")
    }
    let size = (0..<4).reduce(0) { $0 | Int(ends[4 + $1]) << (8 * $1) }
    guard size <= bytes.count - 12 else {
      throw Fault.malformed("footer", found: "a length of \(size) bytes", expected: "at most \(bytes.count - 12)")
    }
    let start = bytes.count - 8 - size
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
    defer { memory.deallocate() }
    try bytes.read(at: start, into: memory)
    var reader = ThriftReader(UnsafeRawBufferPointer(memory))
    do {
      let metadata = try FileMetadata(&reader)
      if metadata.isEncrypted { throw encrypted }
      return (metadata, start)
    } catch ThriftFault.ended {
      throw Fault.malformed("footer", found: "its end inside a value", expected: "whole metadata")
    } catch ThriftFault.malformed(let found, let expected) {
      throw Fault.malformed("footer, byte \(reader.position)", found: found, expected: expected)
    }
  }

  private static let encrypted = Fault.unsupported(
    "footer", found: "encryption", advice: "write the file again without it where the keys are")

  /// The rows of each group. Their sum is the file's.
  private static func checkRows(_ metadata: FileMetadata, _ columnCount: Int) throws -> [Int] {
    var sum: Int64 = 0
    for (index, group) in metadata.rowGroups.enumerated() {
      guard group.columns.count == columnCount else {
        throw Fault.malformed(
          "footer, row group \(index)", found: "\(group.columns.count) columns", expected: "the schema's \(columnCount)"
        )
      }
      let (next, overflow) = sum.addingReportingOverflow(group.rowCount)
      guard group.rowCount >= 0, !overflow else {
        throw Fault.malformed("footer, row group \(index)", found: "\(group.rowCount) rows", expected: "0 or more")
      }
      sum = next
    }
    guard sum == metadata.rowCount else {
      throw Fault.malformed(
        "footer", found: "\(metadata.rowCount) rows", expected: "\(sum), as the row groups have together")
    }
    return metadata.rowGroups.map { Int($0.rowCount) }
  }

  /// The index of a column that can be read.
  func leaf(_ name: String) throws -> (index: Int, field: ParquetField) {
    guard let index = leaves.firstIndex(where: { $0.name == name }) else {
      throw ParquetError.missingColumn(path: path, name: name, columns: leaves.map(\.name))
    }
    if let reason = leaves[index].reason { throw reason.placed(path: path, column: name) }
    return (index, leaves[index].field!)
  }

  func chunk(_ leaf: Int, rowGroup: Int) throws -> CheckedChunk {
    let chunk = rowGroups[rowGroup].columns[leaf]
    let field = leaves[leaf].field!
    if chunk.isEncrypted { throw Self.encrypted }
    if let other = chunk.filePath {
      throw Fault.unsupported("footer", found: "a column in another file, \(other)", advice: "read that file")
    }
    guard chunk.type == field.physicalType.rawValue else {
      throw Fault.malformed(
        "footer", found: "physical type \(chunk.type)", expected: "\(field.physicalType), as in the schema")
    }
    let rows = Int64(rowCounts[rowGroup])
    guard field.isList ? chunk.valueCount >= rows : chunk.valueCount == rows else {
      throw Fault.malformed(
        "footer", found: "\(chunk.valueCount) values",
        expected: "\(field.isList ? "at least " : "")the row group's \(rows)")
    }
    if chunk.valueCount == 0 { return CheckedChunk(codec: 0, valueCount: 0, start: 0, end: 0) }
    var start = chunk.dataPageOffset
    // Some writers have 0 for none.
    if let dictionary = chunk.dictionaryPageOffset, dictionary > 0 { start = min(start, dictionary) }
    let (end, overflow) = start.addingReportingOverflow(chunk.compressedSize)
    guard start >= 4, chunk.compressedSize > 0, !overflow, end <= Int64(footerStart) else {
      throw Fault.malformed(
        "footer", found: "\(chunk.compressedSize) bytes of pages at byte \(start)",
        expected: "pages before the footer at byte \(footerStart)")
    }
    return CheckedChunk(codec: chunk.codec, valueCount: Int(chunk.valueCount), start: Int(start), end: Int(end))
  }
}
