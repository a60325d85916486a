// Tables in the terminal: columns as wide as they need, the widest one narrowed until a row fits.

struct TextTable {
  struct Column {
    let title: String
    var alignsRight = false
    /// May be narrowed to fit the terminal.
    var isFlexible = false
  }

  let columns: [Column]
  private(set) var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row of plain cells, one a column.
  mutating func add(_ cells: [String]) { rows.append(cells.map(\.printable)) }

  /// The lines of the table; a flexible column is narrowed where a row would pass `width`.
  func lines(width: Int?, style: Style) -> [String] {
    var widths = columns.indices.map { index in
      max(columns[index].title.cellCount, rows.map { $0[index].cellCount }.max() ?? 0)
    }
    if let width {
      let gaps = 2 * (columns.count - 1)
      while widths.reduce(gaps, +) > width,
        let widest = columns.indices.filter({ columns[$0].isFlexible && widths[$0] > 8 })
          .max(by: { widths[$0] < widths[$1] })
      {
        // Down to what fits, or to a readable rest.
        widths[widest] = max(8, widths[widest] - (widths.reduce(gaps, +) - width))
      }
    }
    let header = columns.indices.map { index in
      style.dim(columns[index].title.fitted(widths[index], alignsRight: columns[index].alignsRight))
    }
    let body = rows.map { row in
      columns.indices.map { row[$0].fitted(widths[$0], alignsRight: columns[$0].alignsRight) }
    }
    return ([header] + body).map { cells in
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// Prints the table, fitted to the terminal where there is one.
  func printOut() {
    for line in lines(width: Terminal.size?.columns, style: .output) { print(line) }
  }
}
