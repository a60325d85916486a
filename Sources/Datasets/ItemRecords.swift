// A file of items that is written again with other embeddings and all else as it was.

import Files

/// The items of a file with their text, so that what an item does not know of is not lost when it is written.
public struct ItemRecords: Sendable {
  public let path: String
  public private(set) var items: [Item]
  /// The line that each item begins on, counted from 1.
  public let lines: [Int]
  private let records: [[UInt8]]

  /// Reads the items of `path` (`-`: standard input), one JSON object a line or one array. Every line must be an item: who
  /// writes the file again must not lose one.
  ///
  /// - Throws: where the file can't be read or a line is no item.
  public init(path: String) throws(DatasetError) {
    let file = try RecordFile(path: path)
    let options = ReadOptions(isStrict: true)
    let read = try file.decode(options: options) { KeptRecordDecoder(maximumLength: options.maximumLineLength) }
    self.path = file.path
    items = read.ranges.flatMap { $0.decoder.items.values }
    lines = read.ranges.flatMap { range in range.decoder.items.lines.map { $0 + range.linesBefore } }
    records = read.ranges.flatMap(\.decoder.records)
  }

  /// Writes an item a line, each as it was read but for its `embedding`, which is that of `items`: replaced where it was
  /// there, behind all else where not. The file appears when it is whole, so it may be the one that was read.
  ///
  /// - Precondition: as many items as were read, in their order.
  public func write(_ items: [Item], to path: String) throws(FileError) {
    precondition(items.count == records.count, "\(items.count) items for \(records.count) records")
    let writer = try LineWriter(path: path)
    for (place, record) in records.enumerated() {
      let embedding = items[place].embedding
      try writer.writeLine { line in
        guard let embedding, embedding != self.items[place].embedding else {
          Self.append(record[...], to: &line)
          return
        }
        Self.append(record, withEmbedding: embedding, to: &line)
      }
    }
    try writer.finish()
  }

  private static func append(_ record: [UInt8], withEmbedding embedding: [Float], to line: inout [UInt8]) {
    func appendNumbers() {
      line.append(UInt8(ascii: "["))
      for (index, number) in embedding.enumerated() {
        if index > 0 { line.append(contentsOf: ", ".utf8) }
        JSONWriter.append(number, to: &line)
      }
      line.append(UInt8(ascii: "]"))
    }
    switch embeddingPlace(in: record) {
    case .value(let range):
      append(record[..<range.lowerBound], to: &line)
      appendNumbers()
      append(record[range.upperBound...], to: &line)
    case .end(let end):
      append(record[..<end], to: &line)
      // An item has an id at least, so there is something before.
      line.append(contentsOf: ", \"embedding\": ".utf8)
      appendNumbers()
      append(record[end...], to: &line)
    }
  }

  /// On one line: a line break in JSON stands between values, and is as good as a blank there.
  private static func append(_ text: ArraySlice<UInt8>, to line: inout [UInt8]) {
    line.append(contentsOf: text.lazy.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? 0x20 : $0 })
  }

  private enum Place {
    case value(Range<Int>)
    /// Where the object's closing brace is.
    case end(Int)
  }

  /// Where the value of the key `embedding` stands in an object that is known to be JSON.
  private static func embeddingPlace(in record: [UInt8]) -> Place {
    var depth = 0
    var position = 0
    var keyStart: Int?
    var valueStart: Int?
    var end = record.count
    scan: while position < record.count {
      let byte = record[position]
      switch byte {
      case UInt8(ascii: "\""):
        let start = position
        position += 1
        while record[position] != UInt8(ascii: "\"") { position += record[position] == UInt8(ascii: "\\") ? 2 : 1 }
        if depth == 1, valueStart == nil, record[(start + 1)..<position].elementsEqual("embedding".utf8) {
          keyStart = start
        }
      case UInt8(ascii: ":"):
        if depth == 1, keyStart != nil, valueStart == nil { valueStart = position + 1 }
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 {
          end = position
          break scan
        }
      case UInt8(ascii: ","):
        if depth == 1 {
          if valueStart != nil {
            end = position
            break scan
          }
          keyStart = nil
        }
      default: break
      }
      position += 1
    }
    return valueStart.map { .value($0..<end) } ?? .end(end)
  }
}

/// Decodes items and keeps the text of each.
private final class KeptRecordDecoder: RecordDecoder {
  let items: ValueDecoder<Item>
  private(set) var records: [[UInt8]] = []

  init(maximumLength: Int) {
    items = ValueDecoder(maximumLength: maximumLength) { value throws(RecordProblem) in try Item(json: value) }
  }

  func decode(_ record: UnsafeRawBufferPointer, line: Int) throws(RecordProblem) {
    try items.decode(record, line: line)
    records.append(Array(record))
  }
}
