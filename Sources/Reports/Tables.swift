// Tables, figures at a glance, and shares: the parts of a page that are not curves.

/// A table with a head. Numbers stand right, text left.
public struct Table: Sendable {
  public enum Alignment: Sendable { case text, number }

  public var columns: [(title: String, alignment: Alignment)]
  public var rows: [[Markup]]
  /// What the table shows, for those who cannot see the heading above it.
  public var caption: String

  public init(_ caption: String, columns: [(title: String, alignment: Alignment)], rows: [[Markup]]) {
    self.caption = caption
    self.columns = columns
    self.rows = rows
  }

  public var markup: Markup {
    let head = columns.map { column -> Markup in
      column.alignment == .number
        ? "<th scope=\"col\" class=\"number\">\(column.title)</th>" : "<th scope=\"col\">\(column.title)</th>"
    }
    let body = rows.map { row -> Markup in
      let cells = zip(row, columns).enumerated().map { index, entry -> Markup in
        let (cell, column) = entry
        if index == 0, column.alignment == .text { return "<th scope=\"row\">\(cell)</th>" }
        return column.alignment == .number ? "<td class=\"number\">\(cell)</td>" : "<td>\(cell)</td>"
      }
      return "<tr>\(cells)</tr>\n"
    }
    return """
      <div class="scroll"><table><caption>\(caption)</caption><thead><tr>\(head)</tr></thead>
      <tbody>
      \(body)</tbody></table></div>

      """
  }
}

/// Names and what they stand for.
public struct Facts: Sendable {
  public var entries: [(name: String, value: Markup)]

  public init(_ entries: [(name: String, value: Markup)]) { self.entries = entries }

  public var markup: Markup {
    "<dl class=\"facts\">\(entries.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>\n" as Markup })</dl>\n"
  }
}

/// The few figures that one looks for first.
public struct Tiles: Sendable {
  public var tiles: [(name: String, value: String, note: String)]

  public init(_ tiles: [(name: String, value: String, note: String)]) { self.tiles = tiles }

  public var markup: Markup {
    let parts = tiles.map { tile -> Markup in
      """
      <div class="tile"><span class="name">\(tile.name)</span><span class="value">\(tile.value)</span>\
      <span class="note">\(tile.note)</span></div>

      """
    }
    return "<div class=\"tiles\">\(parts)</div>\n"
  }
}

/// A confusion of classes: rows are true, columns predicted, and a cell is the stronger the more of its row it holds.
public struct ConfusionTable: Sendable {
  public var labels: [String]
  public var counts: [[Int]]

  public init(labels: [String], counts: [[Int]]) {
    self.labels = labels
    self.counts = counts
  }

  public var markup: Markup {
    let head = labels.map { "<th scope=\"col\">\($0)</th>" as Markup }
    let body = zip(labels, counts).enumerated().map { row, entry -> Markup in
      let total = entry.1.reduce(0, +)
      let cells = entry.1.enumerated().map { column, count -> Markup in
        let share = total > 0 ? Double(count) / Double(total) : 0
        let kind = row == column ? "right" : "wrong"
        return """
          <td class="cell \(kind)" style="--share:\(Figures.coordinate(share))">\
          <b>\(Figures.count(count))</b> <small>\(Figures.percent(total > 0 ? share : nil))</small></td>
          """
      }
      return "<tr><th scope=\"row\">\(entry.0)</th>\(cells)</tr>\n"
    }
    return """
      <div class="scroll"><table class="confusion"><caption>Rows: what people said. Columns: what the model says.</caption>
      <thead><tr><td></td>\(head)</tr></thead><tbody>
      \(body)</tbody></table></div>

      """
  }
}

/// Parts of a whole as one bar with a legend.
public struct ShareBar: Sendable {
  public var parts: [(name: String, count: Int)]

  public init(_ parts: [(name: String, count: Int)]) { self.parts = parts }

  public var markup: Markup {
    let total = max(parts.reduce(0) { $0 + $1.count }, 1)
    let bars = parts.enumerated().filter { $0.element.count > 0 }.map { index, part -> Markup in
      """
      <span class="part part-\(index % 4 + 1)" style="flex-grow:\(part.count)" \
      title="\(part.name): \(Figures.count(part.count))"></span>
      """
    }
    let keys = parts.enumerated().map { index, part -> Markup in
      """
      <span class="key key-\(index % 4 + 1)">\(part.name) \(Figures.count(part.count)) \
      (\(Figures.percent(Double(part.count) / Double(total))))</span>
      """
    }
    return
      "<div class=\"shares\"><div class=\"bar\" aria-hidden=\"true\">\(bars)</div><p class=\"keys\">\(keys)</p></div>\n"
  }
}
