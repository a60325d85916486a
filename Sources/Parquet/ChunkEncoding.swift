// One column of a row group to the bytes of its pages.

import CDeflate

/// A column's values and levels, ready to be cut into pages.
struct ColumnToWrite {
  var field: ParquetField
  var values: PlainValues
  /// One for each value, null and empty list; empty where the field has none.
  var definitions: [UInt8] = []
  var repetitions: [UInt8] = []
  /// Of levels: the number of rows of a flat column.
  var levelCount: Int
}

/// The pages of a chunk.
struct EncodedChunk {
  var bytes: [UInt8] = []
  var valueCount = 0
  var hasDictionary = false
  var dataOffset = 0
  var uncompressedSize = 0
}

extension ColumnToWrite {
  /// About the size of a page before compression, as other writers have it: it stays in the second-level cache.
  private static let pageSize = 1 << 20
  /// Rows of a page of dictionary indices, whose size says nothing about the values.
  private static let largestPageCount = 1 << 17

  /// Encodes and compresses all pages.
  func encode(_ compression: ParquetCompression, useDictionary: Bool) throws -> EncodedChunk {
    var chunk = EncodedChunk()
    chunk.valueCount = levelCount
    let dictionary = useDictionary ? BuiltDictionary(values) : nil
    if let dictionary {
      var page: [UInt8] = []
      dictionary.values.append(0..<dictionary.values.count, to: &page)
      try chunk.append(page, compression, values: dictionary.values.count, .plain, isDictionary: true)
      chunk.hasDictionary = true
      chunk.dataOffset = chunk.bytes.count
    }
    var level = 0
    var value = 0
    while level < levelCount {
      let end = pageEnd(from: level, value: value, hasDictionary: dictionary != nil)
      let present = definitions.isEmpty ? end.level - level : end.value - value
      var page: [UInt8] = []
      if !repetitions.isEmpty { page.appendLevels(repetitions[level..<end.level], maximum: field.maximumRepetition) }
      if !definitions.isEmpty { page.appendLevels(definitions[level..<end.level], maximum: field.maximumDefinition) }
      if let dictionary {
        page.append(UInt8(dictionary.indexWidth))
        dictionary.indices[value..<value + present].withUnsafeBufferPointer {
          page.appendRuns($0, width: dictionary.indexWidth)
        }
      } else {
        values.append(value..<value + present, to: &page)
      }
      let encoding: Encoding = dictionary == nil ? .plain : .runLengthDictionary
      try chunk.append(page, compression, values: end.level - level, encoding, isDictionary: false)
      level = end.level
      value += present
    }
    return chunk
  }

  /// Where a page ends that starts at a level: before a row, when the page is full.
  private func pageEnd(from start: Int, value: Int, hasDictionary: Bool) -> (level: Int, value: Int) {
    let fixed = hasDictionary ? nil : values.width
    let most = fixed.map { min(Self.pageSize / $0, Self.largestPageCount) } ?? Self.largestPageCount
    if definitions.isEmpty, fixed != nil || hasDictionary {
      let end = min(start + most, levelCount)
      return (end, value + end - start)
    }
    var (level, value, size) = (start, value, 0)
    while level < levelCount {
      let startsRow = repetitions.isEmpty || repetitions[level] == 0
      if startsRow, level - start >= most || size >= Self.pageSize { break }
      if definitions.isEmpty || definitions[level] == field.maximumDefinition {
        if !hasDictionary { size += fixed ?? values.slice(value).count + 4 }
        value += 1
      }
      level += 1
    }
    return (level, value)
  }
}

extension EncodedChunk {
  mutating fileprivate func append(
    _ page: [UInt8], _ compression: ParquetCompression, values: Int, _ encoding: Encoding, isDictionary: Bool
  ) throws {
    // The format's sizes are signed numbers of 32 bits.
    guard page.count < 1 << 30 else {
      throw Fault.unsupported(
        "page", found: "\(page.count) bytes in one row", advice: "write rows of less than 1 GiB, at most")
    }
    let body = try compression.compress(page)
    let checksum = body.withUnsafeBytes { libdeflate_crc32(0, $0.baseAddress, $0.count) }
    let header = pageHeader(
      dictionary: isDictionary, uncompressed: page.count, compressed: body.count, checksum: checksum, values: values,
      encoding: encoding)
    bytes += header
    bytes += body
    uncompressedSize += header.count + page.count
  }
}

/// What the writer can take apart. `ParquetColumn` and `ParquetListColumn` are.
protocol WritableColumn: ParquetColumnData {
  /// - Throws: `Fault` where the column doesn't fit the field.
  func prepared(for field: ParquetField) throws -> ColumnToWrite
}

extension ParquetColumn: WritableColumn {
  func prepared(for field: ParquetField) throws -> ColumnToWrite {
    guard !field.isList else {
      throw Fault.conversion("values", found: "one value a row", asked: "a list a row (a ParquetListColumn)")
    }
    guard field.isOptional || validity == nil else {
      throw Fault.conversion("values", found: "\(nullCount) nulls", asked: "values only, as the field is not optional")
    }
    var column = ColumnToWrite(field: field, values: try PlainValues(self, field), levelCount: rowCount)
    if field.isOptional {
      column.definitions = validity?.map { $0 ? 1 : 0 } ?? Array(repeating: 1, count: rowCount)
    }
    return column
  }
}

extension ParquetListColumn: WritableColumn {
  func prepared(for field: ParquetField) throws -> ColumnToWrite {
    guard field.isList else {
      throw Fault.conversion("values", found: "a list a row", asked: "one value a row (a ParquetColumn)")
    }
    guard field.isOptional || elements.validity == nil else {
      throw Fault.conversion(
        "values", found: "\(elements.nullCount) null elements", asked: "values only, as the field is not optional")
    }
    guard field.isListOptional || validity == nil else {
      throw Fault.conversion("values", found: "null lists", asked: "lists only, as the field's isListOptional is false")
    }
    let present = field.maximumDefinition
    let null = present - 1
    let (empty, nothing) = (field.repeatedDefinition - 1, UInt8(0))
    var column = ColumnToWrite(field: field, values: try PlainValues(elements, field), levelCount: 0)
    for row in 0..<rowCount {
      let range = offsets[row]..<offsets[row + 1]
      if range.isEmpty {
        column.repetitions.append(0)
        column.definitions.append(validity?[row] == false ? nothing : empty)
        continue
      }
      guard validity?[row] != false else {
        throw Fault.conversion("row \(row)", found: "a null list of \(range.count) elements", asked: "none in it")
      }
      for element in range {
        column.repetitions.append(element == range.lowerBound ? 0 : 1)
        column.definitions.append(elements.validity?[element] == false ? null : present)
      }
    }
    column.levelCount = column.repetitions.count
    return column
  }
}
