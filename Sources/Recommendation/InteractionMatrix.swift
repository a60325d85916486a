// Who turned to what, as a sparse matrix: compressed rows.

/// A sparse matrix of users by items (or, transposed, of items by users) in compressed sparse rows: row `r` has the
/// columns `columns[offsets[r]..<offsets[r + 1]]`, ascending and each once, with the `values` of the same positions.
public struct InteractionMatrix: Sendable, Equatable {
  public let rowCount: Int
  public let columnCount: Int
  /// `rowCount + 1` positions, from 0 to the number of entries.
  public let offsets: [Int]
  public let columns: [Int32]
  public let values: [Float]

  /// Users by items; the strengths of rows with the same pair are added up.
  public init(_ interactions: Interactions) {
    self.init(
      rows: interactions.userIndices, columns: interactions.itemIndices, values: interactions.strengths,
      rowCount: interactions.users.count, columnCount: interactions.items.count)
  }

  /// Adds up the values of equal coordinates.
  ///
  /// Two counting sorts, by column and then by row, so the time is linear in the entries.
  /// - Precondition: as many of each; every coordinate within the counts.
  public init(rows: [Int32], columns: [Int32], values: [Float], rowCount: Int, columnCount: Int) {
    precondition(rows.count == columns.count && rows.count == values.count)
    let byColumn = Self.order(rows.count, bins: columnCount, key: { columns[$0] }, visiting: { $0 })
    let byRow = Self.order(rows.count, bins: rowCount, key: { rows[$0] }, visiting: { Int(byColumn[$0]) })
    var offsets = [0]
    offsets.reserveCapacity(rowCount + 1)
    var merged: [Int32] = []
    var sums: [Float] = []
    merged.reserveCapacity(rows.count)
    sums.reserveCapacity(rows.count)
    for position in byRow {
      let entry = Int(position)
      while offsets.count <= Int(rows[entry]) { offsets.append(merged.count) }
      if merged.count > offsets.last!, merged.last == columns[entry] {
        sums[sums.count - 1] += values[entry]
      } else {
        merged.append(columns[entry])
        sums.append(values[entry])
      }
    }
    while offsets.count <= rowCount { offsets.append(merged.count) }
    self.init(rowCount: rowCount, columnCount: columnCount, offsets: offsets, columns: merged, values: sums)
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
    var rows = [Int32](repeating: 0, count: count)
    for row in 0..<rowCount {
      for position in offsets[row]..<offsets[row + 1] { rows[position] = Int32(row) }
    }
    return InteractionMatrix(
      rows: columns, columns: rows, values: values, rowCount: columnCount, columnCount: rowCount)
  }

  /// Positions in the order of their keys, equal keys in the order of `visiting`.
  private static func order(
    _ count: Int, bins: Int, key: (Int) -> Int32, visiting: (Int) -> Int
  ) -> [Int32] {
    var starts = [Int](repeating: 0, count: bins + 1)
    for index in 0..<count { starts[Int(key(index)) + 1] += 1 }
    for bin in 0..<bins { starts[bin + 1] += starts[bin] }
    return [Int32](unsafeUninitializedCapacity: count) { order, initialized in
      for index in 0..<count {
        let entry = visiting(index)
        let bin = Int(key(entry))
        order[starts[bin]] = Int32(entry)
        starts[bin] += 1
      }
      initialized = count
    }
  }
}
