// How a training went, epoch by epoch: curves for the eye, and the numbers for who wants them.

/// Curves side by side, a note, and all their numbers folded away as a table.
public struct HistorySection: Sendable {
  public var charts: [LineChart]
  /// How to read the curves.
  public var note: Markup
  /// One row for each epoch.
  public var table: Table
  /// What a row is: `epoch`.
  public var unit: String

  public init(charts: [LineChart], note: Markup = .empty, table: Table, unit: String = "epoch") {
    self.charts = charts
    self.note = note
    self.table = table
    self.unit = unit
  }

  public var markup: Markup {
    """
    <div class="charts">
    \(charts.map(\.markup))</div>
    <p class="note">\(note)</p>
    <details><summary>All \(table.rows.count) \(unit)s as a table</summary>
    \(table.markup)</details>

    """
  }
}
