// Reading columns: the pieces of work, one for each column and row group, and the threads that do them.

import Glibc
import Synchronization
import Threads

/// The rows to read: all row groups, or one.
struct ReadScope: Sendable {
  let file: OpenFile
  let rowGroups: Range<Int>

  var rowCounts: [Int] { Array(file.rowCounts[rowGroups]) }

  /// Reads columns together: their parts are done by the threads in turns.
  func read(_ readings: [any ColumnReading]) throws {
    var total = 0
    for reading in readings {
      let (sum, overflow) = total.addingReportingOverflow(try reading.byteCount())
      guard !overflow, sum <= file.memoryLimit else {
        throw Fault.excessive(
          "columns", found: "\(overflow ? "too many" : "\(sum)") bytes of values",
          limit: "the \(file.memoryLimit) that are allowed"
        ).placed(path: file.path, column: reading.field.name)
      }
      total = sum
    }
    try withStorage(readings[...]) {
      try perform(rowGroups.count * readings.count) { task, memory in
        let (part, column) = task.quotientAndRemainder(dividingBy: readings.count)
        try readings[column].read(part, memory)
      }
    }
  }

  private func withStorage(_ readings: ArraySlice<any ColumnReading>, _ body: () throws -> Void) throws {
    guard let first = readings.first else { return try body() }
    try first.withStorage { try withStorage(readings.dropFirst(), body) }
  }

  /// Does the tasks 0 to `count - 1` in about this order. Throws the error of the first that fails.
  private func perform(_ count: Int, _ task: @Sendable (Int, PageMemory) throws -> Void) throws {
    let next = Atomic(0)
    let failure = Mutex<(task: Int, error: any Error)?>(nil)
    _ = concurrently(min(file.options.threads, count)) { _ in
      let memory = PageMemory()
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        if index >= count { return }
        do {
          try task(index, memory)
        } catch {
          // Tasks before this one have been started, and tell their errors too; later ones need not start.
          next.store(count, ordering: .relaxed)
          failure.withLock { if $0 == nil || index < $0!.task { $0 = (index, error) } }
          return
        }
      }
    }
    if let error = failure.withLock({ $0?.error }) { throw error }
  }
}

/// A column that is being read, in parts of a row group each.
protocol ColumnReading: AnyObject, Sendable {
  var field: ParquetField { get }
  /// What the values take, by what the footer says. Nothing has been allocated yet.
  func byteCount() throws -> Int
  /// Makes room for the values, has `body` call `read` for every part, and makes the column of them.
  func withStorage(_ body: () throws -> Void) throws
  func read(_ part: Int, _ memory: PageMemory) throws
}

/// What the readings of a flat column and of lists have in common: a column, and how its values are converted.
struct ColumnSource: Sendable {
  let scope: ReadScope
  let leaf: Int
  let field: ParquetField
  let kernel: ValueKernel

  /// - Throws: `ParquetError` where there is no such column, or it can't be had as the selection's type.
  init<Value>(_ scope: ReadScope, _ selection: ParquetSelection<Value>, isList: Bool) throws {
    let file = scope.file
    let (leaf, field) = try file.leaf(selection.name)
    self.scope = scope
    self.leaf = leaf
    self.field = field
    guard field.isList == isList else {
      throw Fault.conversion(
        "schema", found: field.isList ? "a list in each row" : "one value in each row",
        asked: field.isList ? "single values (ask for a listColumn)" : "lists (ask for a column)"
      ).placed(path: file.path, column: field.name)
    }
    guard let kernel = selection.makeKernel(field) else {
      throw Fault.conversion(
        "schema", found: "\(field.type)",
        asked: "\(selection.wanted) without a chance of losing something (its own type is \(field.swiftType))"
      ).placed(path: file.path, column: field.name)
    }
    self.kernel = kernel
  }

  var stride: Int { kernel.movement.stride }

  /// Calls `body` with a reader of the part's pages; nothing where it has no rows. Errors get their place.
  func read(
    _ part: Int, _ memory: PageMemory, _ body: (PageReader, CheckedChunk) throws -> Void
  ) throws {
    let file = scope.file
    let rowGroup = scope.rowGroups.lowerBound + part
    var reader: PageReader?
    do {
      let chunk = try file.chunk(leaf, rowGroup: rowGroup)
      if chunk.valueCount == 0 { return }
      let pages = try PageReader(file.bytes, field, chunk, kernel, memory, memoryLimit: file.memoryLimit)
      reader = pages
      try body(pages, chunk)
    } catch let fault as Fault {
      let page = reader.flatMap { $0.pageIndex >= 0 ? $0.pageIndex : nil }
      throw fault.placed(path: file.path, column: field.name, rowGroup: rowGroup, page: page)
    }
  }
}

/// Advises the system to back large memory by large pages: touching it the first time is then many times faster.
func adviseHugePages(_ memory: UnsafeMutableRawBufferPointer) {
  let page = 1 << 21
  guard let start = memory.baseAddress, memory.count >= 2 * page else { return }
  let aligned = start.alignedUp(toMultipleOf: page)
  let size = (memory.count - (aligned - start)) & ~(page - 1)
  madvise(aligned, size, MADV_HUGEPAGE)
}

/// How many of the levels are `maximum`.
func countPresent(_ levels: UnsafePointer<UInt8>, _ count: Int, maximum: UInt8) -> Int {
  var present = 0
  for index in 0..<count where levels[index] == maximum { present &+= 1 }
  return present
}
