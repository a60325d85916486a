// A network's outline as SVG: one column of boxes, and to its right the lines of what skips some of them. It fits a phone.

extension NetworkOutline {
  private static let width = 300.0
  private static let gap = 20.0
  private static let tall = 46.0
  private static let flat = 32.0
  private static let laneWidth = 11.0
  /// Characters of a line that fit a box.
  private static let mostCharacters = 44

  /// A value's way past rows that do not use it: down a lane, and off it at each row that does.
  private struct Lane {
    var source: Int
    var targets: [Int]
    var place = 0
  }

  /// The drawing, in the page's colours; it names itself to screen readers, and each box has the whole text as a tooltip.
  public var drawing: Markup {
    let heights = rows.map { $0.detail.isEmpty ? Self.flat : Self.tall }
    var tops: [Double] = []
    var y = 2.0
    for height in heights {
      tops.append(y)
      y += height + Self.gap
    }
    let lanes = laidOut()
    let laneCount = (lanes.map(\.place).max() ?? -1) + 1
    let (width, height) = (
      Self.width + (laneCount > 0 ? 14 + Double(laneCount) * Self.laneWidth : 0) + 4, y - Self.gap + 2
    )
    func text(_ value: Double) -> String { Figures.coordinate(value) }

    var lines: Markup = ""
    for row in rows.indices.dropLast() where targets[row].contains(row + 1) {
      let (from, to) = (tops[row] + heights[row], tops[row + 1])
      lines += Self.arrow(
        "M\(text(Self.width / 2)) \(text(from))V\(text(to - 1))", tip: (Self.width / 2, to), isDown: true)
    }
    for lane in lanes {
      let x = Self.width + 14 + Double(lane.place) * Self.laneWidth
      // Values leave in the lower half of a box and enter in the upper, so that lines of both are told apart.
      let start = tops[lane.source] + heights[lane.source] * 0.72
      let ends = lane.targets.map { tops[$0] + heights[$0] * 0.3 }
      lines += "<path d=\"M\(text(Self.width + 1)) \(text(start))H\(text(x))V\(text(ends.max() ?? start))\"/>"
      for end in ends {
        lines += Self.arrow(
          "M\(text(x)) \(text(end))H\(text(Self.width + 3))", tip: (Self.width + 1, end), isDown: false)
      }
    }
    var boxes: Markup = ""
    for (index, row) in rows.enumerated() { boxes += Self.box(row, top: tops[index], height: heights[index]) }
    return """
      <svg class="network" viewBox="0 0 \(text(width)) \(text(height))" width="\(text(width))" role="img" \
      aria-label="The network: \(summary)">
      <g class="flow">\(lines)</g>
      \(boxes)</svg>
      """
  }

  /// The network in words, as a list of its rows.
  private var summary: String {
    rows.map { row in
      row.title + (row.repeats > 1 ? ", \(row.repeats) alike" : "")
    }.joined(separator: ", then ")
  }

  private static func arrow(_ path: String, tip: (x: Double, y: Double), isDown: Bool) -> Markup {
    let (x, y) = tip
    let corners = isDown ? [(x - 4, y - 6), (x + 4, y - 6)] : [(x + 6, y - 3.5), (x + 6, y + 3.5)]
    let points = ([(x, y)] + corners).map { "\(Figures.coordinate($0.0)),\(Figures.coordinate($0.1))" }
    return "<path d=\"\(path)\"/><polygon points=\"\(points.joined(separator: " "))\"/>"
  }

  private static func box(_ row: Row, top: Double, height: Double) -> Markup {
    let name =
      switch row.kind {
      case .input, .output: "end"
      case .weighted: "weighted"
      case .plain: "plain"
      }
    let radius = row.kind == .input || row.kind == .output ? height / 2 : 8
    func line(_ content: String, _ y: Double, _ style: String) -> Markup {
      let shown = content.count > mostCharacters ? content.prefix(mostCharacters - 1) + "…" : content[...]
      return "<text class=\"\(style)\" x=\"16\" y=\"\(Figures.coordinate(y))\">\(String(shown))</text>"
    }
    var box: Markup = """
      <g class="\(name)"><title>\(row.title)\(row.detail.isEmpty ? "" : ": ")\(row.detail)</title>\
      <rect x="1" y="\(Figures.coordinate(top))" width="\(Figures.coordinate(width - 1))" \
      height="\(Figures.coordinate(height))" rx="\(Figures.coordinate(radius))"/>
      """
    box += line(row.title, top + (row.detail.isEmpty ? height / 2 + 4.5 : 19), "title")
    if !row.detail.isEmpty { box += line(row.detail, top + 36, "detail") }
    if row.repeats > 1 {
      box += """
        <text class="repeats" x="\(Figures.coordinate(width - 16))" y="\(Figures.coordinate(top + 19))" \
        text-anchor="end">× \(row.repeats)</text>
        """
    }
    return box + "</g>\n"
  }

  /// A lane for each row whose values skip rows; lanes that do not meet share a place, the shortest nearest the boxes.
  private func laidOut() -> [Lane] {
    var lanes = rows.indices.compactMap { row -> Lane? in
      let far = targets[row].filter { $0 > row + 1 }
      return far.isEmpty ? nil : Lane(source: row, targets: far)
    }
    lanes.sort { ($0.targets.max()! - $0.source, $0.source) < ($1.targets.max()! - $1.source, $1.source) }
    var taken: [[ClosedRange<Int>]] = []
    for index in lanes.indices {
      let span = lanes[index].source...lanes[index].targets.max()!
      let place = taken.firstIndex { $0.allSatisfy { !$0.overlaps(span) } } ?? taken.count
      if place == taken.count { taken.append([]) }
      taken[place].append(span)
      lanes[index].place = place
    }
    return lanes
  }
}
