// Who turned to what, as a sparse matrix: compressed rows.

/// A sparse matrix of users by items (or, transposed, of items by users) in compressed sparse rows: row `r` has the
/// columns `columns[offsets[r]..<offsets[r + 1]]`, ascending and each once, with the `values` of the same positions.
public struct InteractionMatrix: Sendable, Equatable {
  public let rowCount: Int
  public let columnCount: Int
  /// `rowCount + 1` positions, from 0 to the number of entries.
  public private(set) var offsets: [Int]
  public private(set) var columns: [Int32]
  public private(set) var values: [Float]

  /// Users by items; the strengths of rows with the same pair are added up.
  public init(_ interactions: Interactions) {
    self.init(
      rows: interactions.userIndices, columns: interactions.itemIndices, values: interactions.strengths,
      rowCount: interactions.users.count, columnCount: interactions.items.count)
  }

  /// Adds up the values of equal coordinates.
  ///
  /// A counting sort by row; where that leaves columns out of order, one by column before it. The time is linear in the
  /// entries.
  /// - Precondition: as many of each; every coordinate within the counts.
  public init(rows: [Int32], columns: [Int32], values: [Float], rowCount: Int, columnCount: Int) {
    precondition(rows.count == columns.count && rows.count == values.count)
    var grouped = Self.grouped(by: rows, bins: rowCount, others: columns, values: values)
    if !Self.ascends(grouped.others, within: grouped.offsets) {
      let byColumn = Self.grouped(by: columns, bins: columnCount, others: rows, values: values)
      grouped = Self.grouped(
        by: byColumn.others, bins: rowCount, others: Self.repeated(byColumn.offsets), values: byColumn.values)
    }
    self.init(
      rowCount: rowCount, columnCount: columnCount, offsets: grouped.offsets, columns: grouped.others,
      values: grouped.values)
    mergeRepeated()
  }

  /// - Precondition: the parts are as the type describes them.
  public init(rowCount: Int, columnCount: Int, offsets: [Int], columns: [Int32], values: [Float]) {
    precondition(offsets.count == rowCount + 1 && offsets.last == columns.count && columns.count == values.count)
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.offsets = offsets
    self.columns = columns
    self.values = values
  }

  /// Entries that are stored.
  public var count: Int { columns.count }

  /// The columns of a row.
  public subscript(row: Int) -> ArraySlice<Int32> { columns[offsets[row]..<offsets[row + 1]] }

  /// Whether a row has a column, by bisection.
  public func contains(row: Int, column: Int32) -> Bool {
    var low = offsets[row]
    var high = offsets[row + 1]
    while low < high {
      let middle = (low + high) / 2
      if columns[middle] < column { low = middle + 1 } else { high = middle }
    }
    return low < offsets[row + 1] && columns[low] == column
  }

  /// Items by users.
  public var transposed: InteractionMatrix {
    let grouped = Self.grouped(by: columns, bins: columnCount, others: Self.repeated(offsets), values: values)
    return InteractionMatrix(
      rowCount: columnCount, columnCount: rowCount, offsets: grouped.offsets, columns: grouped.others,
      values: grouped.values)
  }

  /// Adds up neighbours of the same row and column.
  private mutating func mergeRepeated() {
    let isRepeated = Self.hasNeighbors(columns, within: offsets) { $0 == $1 }
    guard isRepeated else { return }
    var (ends, merged, sums) = ([0], [Int32](), [Float]())
    ends.reserveCapacity(rowCount + 1)
    merged.reserveCapacity(count)
    sums.reserveCapacity(count)
    for row in 0..<rowCount {
      for entry in offsets[row]..<offsets[row + 1] {
        if merged.count > ends[row], merged.last == columns[entry] {
          sums[sums.count - 1] += values[entry]
        } else {
          merged.append(columns[entry])
          sums.append(values[entry])
        }
      }
      ends.append(merged.count)
    }
    (offsets, columns, values) = (ends, merged, sums)
  }

  private static func ascends(_ columns: [Int32], within offsets: [Int]) -> Bool {
    !hasNeighbors(columns, within: offsets) { $0 > $1 }
  }

  /// Whether there are neighbours in a row for which this holds.
  private static func hasNeighbors(
    _ columns: [Int32], within offsets: [Int], where holds: (Int32, Int32) -> Bool
  ) -> Bool {
    columns.withUnsafeBufferPointer { columns in
      for row in 0..<offsets.count - 1 where offsets[row] < offsets[row + 1] {
        for entry in offsets[row] + 1..<offsets[row + 1] where holds(columns[entry - 1], columns[entry]) { return true }
      }
      return false
    }
  }

  /// Entries in the order of their keys, equal keys as they came; where each key's entries begin.
  private static func grouped(
    by keys: [Int32], bins: Int, others: [Int32], values: [Float]
  ) -> (offsets: [Int], others: [Int32], values: [Float]) {
    var offsets = [Int](repeating: 0, count: bins + 1)
    offsets.withUnsafeMutableBufferPointer { offsets in
      for key in keys { offsets[Int(key) + 1] += 1 }
      for bin in 0..<bins { offsets[bin + 1] += offsets[bin] }
    }
    return (
      offsets, placed(others, by: keys, at: offsets), placed(values, by: keys, at: offsets)
    )
  }

  /// Each element in its key's part, which begins at `offsets[key]`, equal keys as they came.
  private static func placed<Element>(_ elements: [Element], by keys: [Int32], at offsets: [Int]) -> [Element] {
    var next = offsets
    return next.withUnsafeMutableBufferPointer { next in
      [Element](unsafeUninitializedCapacity: keys.count) { placed, initialized in
        for (key, element) in zip(keys, elements) {
          let place = next[Int(key)]
          placed.initializeElement(at: place, to: element)
          next[Int(key)] = place + 1
        }
        initialized = keys.count
      }
    }
  }

  /// Each row's number as often as it has entries.
  private static func repeated(_ offsets: [Int]) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: offsets.last!) { rows, initialized in
      for row in 0..<offsets.count - 1 {
        for entry in offsets[row]..<offsets[row + 1] { rows[entry] = Int32(row) }
      }
      initialized = offsets.last!
    }
  }
}
