// Reading a column of lists: rows, empty lists and nulls out of the levels.

import Synchronization

/// A column of lists that is being read. How many elements a part has is only known when it was read: parts are put
/// together at the end.
final class ListReading<Value: ParquetValue>: ColumnReading {
  private struct Part {
    var offsets: [Int]
    var values: [Value]
    /// Nil where all are there.
    var elementValidity: [Bool]?
    var listValidity: [Bool]?
  }

  private let source: ColumnSource
  private let rowCounts: [Int]
  private let parts: Mutex<[Part?]>
  private let result = Mutex<ParquetListColumn<Value>?>(nil)

  var field: ParquetField { source.field }
  /// What was read; to be asked for after `withStorage`.
  var column: ParquetListColumn<Value> { result.withLock { $0! } }

  init(_ scope: ReadScope, _ selection: ParquetSelection<Value>) throws {
    source = try ColumnSource(scope, selection, isList: true)
    rowCounts = scope.rowCounts
    parts = Mutex(Array(repeating: nil, count: rowCounts.count))
  }

  func byteCount() throws -> Int {
    var total = 0
    for (part, rows) in rowCounts.enumerated() {
      let group = source.scope.rowGroups.lowerBound + part
      let values = source.scope.file.rowGroups[group].columns[source.leaf].valueCount
      let (elements, overflow) = Int(values).multipliedReportingOverflow(by: source.stride + 1)
      let (offsets, secondOverflow) = rows.multipliedReportingOverflow(by: MemoryLayout<Int>.stride + 1)
      let (both, thirdOverflow) = max(0, elements).addingReportingOverflow(offsets)
      let (sum, fourthOverflow) = total.addingReportingOverflow(both)
      if overflow || secondOverflow || thirdOverflow || fourthOverflow { return .max }
      total = sum
    }
    return total
  }

  func withStorage(_ body: () throws -> Void) throws {
    try body()
    let read = parts.withLock { parts in
      defer { parts = [] }
      return parts
    }
    let column = join(read.map { $0! })
    result.withLock { $0 = column }
  }

  private func join(_ parts: [Part]) -> ParquetListColumn<Value> {
    var offsets = [0]
    var values: [Value] = []
    offsets.reserveCapacity(rowCounts.reduce(1, +))
    values.reserveCapacity(parts.reduce(0) { $0 + $1.values.count })
    for part in parts {
      let start = values.count
      for offset in part.offsets.dropFirst() { offsets.append(start + offset) }
      values += part.values
    }
    return ParquetListColumn(
      offsets: offsets,
      elements: ParquetColumn(values, validity: joinValidity(parts.map { ($0.elementValidity, $0.values.count) })),
      validity: joinValidity(parts.map { ($0.listValidity, $0.offsets.count - 1) }))
  }

  private func joinValidity(_ parts: [(validity: [Bool]?, count: Int)]) -> [Bool]? {
    if parts.allSatisfy({ $0.validity == nil }) { return nil }
    return parts.flatMap { $0.validity ?? Array(repeating: true, count: $0.count) }
  }

  func read(_ part: Int, _ memory: PageMemory) throws {
    var made = Part(offsets: [0], values: [])
    try source.read(part, memory) { reader, chunk in
      var lists = ListAssembly(rowCount: rowCounts[part], field)
      made.values = try [Value](unsafeUninitializedCapacity: chunk.valueCount) { buffer, count in
        let base = UnsafeMutableRawPointer(buffer.baseAddress!)
        source.kernel.movement.initialize(base, chunk.valueCount)
        count = chunk.valueCount
        try readPages(reader, &lists, to: base)
      }
      made.offsets = try lists.finish()
      made.values.removeLast(made.values.count - lists.elementCount)
      made.elementValidity = lists.elementValidity
      made.listValidity = lists.listValidity
    }
    let finished = made
    parts.withLock { $0[part] = finished }
  }

  private func readPages(
    _ reader: PageReader, _ lists: inout ListAssembly, to base: UnsafeMutableRawPointer
  ) throws {
    let decoder = ValueDecoder(reader)
    let movement = source.kernel.movement
    var levels = Workspace()
    while let page = try reader.next() {
      let target = base + lists.elementCount * movement.stride
      let elements = levels.reserve(page.count).assumingMemoryBound(to: UInt8.self)
      let count = try lists.add(page, elementLevels: elements)
      let present = countPresent(elements, count, maximum: field.maximumDefinition)
      try decoder.decode(page, count: present, to: target)
      if present < count { movement.spread(target, present, elements, field.maximumDefinition, count) }
    }
  }
}

/// Lists as they come out of levels (Dremel's encoding): a repetition level of 0 starts a row, and the definition level
/// tells a null list, an empty one, a null element and an element apart.
struct ListAssembly {
  private(set) var elementCount = 0
  private(set) var elementValidity: [Bool]?
  private(set) var listValidity: [Bool]?
  private var offsets: [Int] = []
  private let rowCount: Int
  private let field: ParquetField

  init(rowCount: Int, _ field: ParquetField) {
    self.rowCount = rowCount
    self.field = field
  }

  /// Takes the levels of a page. Writes the definition levels of elements alone to `elementLevels`, returns how many.
  mutating func add(_ page: DataPage, elementLevels: UnsafeMutablePointer<UInt8>) throws -> Int {
    guard page.count > 0, let repetitions = page.repetitions else { return 0 }
    var definitions: UnsafePointer<UInt8>?
    if case .each(let levels) = page.definitions { definitions = levels }
    var count = 0
    for index in 0..<page.count {
      let definition = definitions?[index] ?? field.maximumDefinition
      if repetitions[index] == 0 {
        try startRow(at: elementCount + count, definition)
      } else if offsets.isEmpty || definition < field.repeatedDefinition {
        throw Fault.malformed(
          "levels", found: "a repetition without \(offsets.isEmpty ? "a row" : "an element")", expected: "both")
      }
      if definition >= field.repeatedDefinition {
        elementLevels[count] = definition
        count += 1
      }
    }
    markElements(elementLevels, count)
    elementCount += count
    return count
  }

  private mutating func startRow(at offset: Int, _ definition: UInt8) throws {
    guard offsets.count < rowCount else {
      throw Fault.malformed("levels", found: "more than \(rowCount) rows", expected: "as many as the row group has")
    }
    let isNull = definition + 1 < field.repeatedDefinition
    if isNull, listValidity == nil { listValidity = Array(repeating: true, count: offsets.count) }
    listValidity?.append(!isNull)
    offsets.append(offset)
  }

  private mutating func markElements(_ levels: UnsafePointer<UInt8>, _ count: Int) {
    let maximum = field.maximumDefinition
    if elementValidity == nil {
      if countPresent(levels, count, maximum: maximum) == count { return }
      elementValidity = Array(repeating: true, count: elementCount)
    }
    for index in 0..<count { elementValidity!.append(levels[index] == maximum) }
  }

  /// The offsets of all rows, to be asked for after the last page.
  mutating func finish() throws -> [Int] {
    guard offsets.count == rowCount else {
      throw Fault.malformed("levels", found: "\(offsets.count) rows", expected: "the row group's \(rowCount)")
    }
    return offsets + [elementCount]
  }
}
