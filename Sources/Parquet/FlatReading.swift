// Reading a flat column: every row group's values go straight to their place in one array.

/// A flat column that is being read. Its parts write to separate stretches of the same memory.
final class FlatReading<Value: ParquetValue>: ColumnReading, @unchecked Sendable {
  private let source: ColumnSource
  private let rowCounts: [Int]
  /// The first row of each part, and the number of rows.
  private let starts: [Int]
  private var base = UnsafeMutableRawPointer(bitPattern: 1)!
  private var validity: UnsafeMutableBufferPointer<Bool>
  /// Whether a part has nulls: only then has it written its validity.
  private let hasNulls: UnsafeMutableBufferPointer<Bool>
  private var result: ParquetColumn<Value>?

  var field: ParquetField { source.field }
  /// What was read; to be asked for after `withStorage`.
  var column: ParquetColumn<Value> { result! }

  init(_ scope: ReadScope, _ selection: ParquetSelection<Value>) throws {
    source = try ColumnSource(scope, selection, isList: false)
    rowCounts = scope.rowCounts
    starts = rowCounts.reduce(into: [0]) { $0.append($0.last! + $1) }
    hasNulls = .allocate(capacity: rowCounts.count)
    hasNulls.initialize(repeating: false)
    validity = UnsafeMutableBufferPointer(start: nil, count: 0)
  }

  deinit {
    hasNulls.deallocate()
    validity.deallocate()
  }

  func byteCount() throws -> Int {
    let (bytes, overflow) = starts.last!.multipliedReportingOverflow(by: source.stride + (field.isOptional ? 1 : 0))
    return overflow ? .max : bytes
  }

  func withStorage(_ body: () throws -> Void) throws {
    let rows = starts.last!
    if field.isOptional { validity = .allocate(capacity: rows) }
    let values = try [Value](unsafeUninitializedCapacity: rows) { buffer, count in
      let memory = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: rows * source.stride)
      adviseHugePages(memory)
      if let start = memory.baseAddress {
        source.kernel.movement.initialize(start, rows)
        base = start
      }
      // Numbers are left as they are where reading fails: nobody gets to see them.
      count = rows
      try body()
    }
    result = ParquetColumn(values, validity: hasNulls.contains(true) ? finishedValidity() : nil)
  }

  private func finishedValidity() -> [Bool] {
    for part in rowCounts.indices where !hasNulls[part] {
      (validity.baseAddress! + starts[part]).initialize(repeating: true, count: rowCounts[part])
    }
    return Array(validity)
  }

  func read(_ part: Int, _ memory: PageMemory) throws {
    let movement = source.kernel.movement
    try source.read(part, memory) { reader, _ in
      let decoder = ValueDecoder(reader)
      let maximum = field.maximumDefinition
      var row = starts[part]
      while let page = try reader.next() {
        let target = base + row * movement.stride
        var present = page.count
        if case .each(let levels) = page.definitions {
          present = countPresent(levels, page.count, maximum: maximum)
        }
        try decoder.decode(page, count: present, to: target)
        if present < page.count, case .each(let levels) = page.definitions {
          movement.spread(target, present, levels, maximum, page.count)
          startValidity(part, before: row)
          for index in 0..<page.count { validity[row &+ index] = levels[index] == maximum }
        } else if hasNulls[part] {
          (validity.baseAddress! + row).initialize(repeating: true, count: page.count)
        }
        row += page.count
      }
    }
  }

  /// The first null of a part: the rows before it are valid.
  private func startValidity(_ part: Int, before row: Int) {
    if hasNulls[part] { return }
    hasNulls[part] = true
    (validity.baseAddress! + starts[part]).initialize(repeating: true, count: row - starts[part])
  }
}
