// Curves over epochs, as SVG that follows the page's colours.

/// Lines over a common x axis.
///
/// The drawing scales with its place, says each value in a tooltip, and names itself to screen readers. Its colours are
/// those of the page's theme (`Theme.css`).
public struct LineChart: Sendable {
  /// One line. Values that are nil or not finite leave a gap.
  public struct Series: Sendable {
    public var name: String
    public var values: [Double?]

    public init(_ name: String, _ values: [Double?]) {
      self.name = name
      self.values = values
    }
  }

  public var title: String
  public var series: [Series]
  /// What x counts: `epoch`.
  public var unit: String
  /// The x of the first value.
  public var start: Int
  /// An x to mark, and why: `best epoch`.
  public var mark: (position: Int, label: String)?
  public var showsPercent: Bool

  public init(
    _ title: String, unit: String, series: [Series], start: Int = 1, mark: (position: Int, label: String)? = nil,
    showsPercent: Bool = false
  ) {
    self.title = title
    self.series = series
    self.unit = unit
    self.start = start
    self.mark = mark
    self.showsPercent = showsPercent
  }

  private static let width = 560.0
  private static let height = 300.0
  private static let left = 52.0
  private static let right = 14.0
  private static let top = 14.0
  private static let bottom = 40.0
  /// More tooltips than pixels help nobody.
  private static let mostTargets = 250

  /// The chart as a figure: a caption with the lines' names, then the drawing.
  public var markup: Markup {
    let drawn = series.filter { $0.values.contains { $0?.isFinite == true } }
    guard !drawn.isEmpty else {
      return "<figure class=\"chart\"><figcaption>\(title)</figcaption><p class=\"note\">No values.</p></figure>"
    }
    let last = start + max(drawn.map(\.values.count).max()! - 1, 0)
    let x = Axis(covering: [Double(start), Double(last)], count: 8, rounds: false, whole: true)
    let y = Axis(covering: drawn.flatMap { $0.values.compactMap { $0 } }, count: 5, rounds: true)
    let names = drawn.enumerated().map { index, series -> Markup in
      "<span class=\"key key-\(index % 4 + 1)\">\(series.name)</span>"
    }
    var drawing = grid(x, y)
    if let mark { drawing += line(at: mark, x) }
    for (index, series) in drawn.enumerated() { drawing += curve(series, index, x, y) }
    return """
      <figure class="chart"><figcaption>\(title) <span class="keys">\(names)</span></figcaption>
      <svg viewBox="0 0 \(point(Self.width)) \(point(Self.height))" role="img" aria-label="\(summary(drawn))">
      \(drawing)</svg></figure>

      """
  }

  private func text(_ value: Double) -> String {
    showsPercent ? Figures.percent(value) : Figures.number(value)
  }

  /// What a screen reader says in place of the drawing.
  private func summary(_ drawn: [Series]) -> String {
    let parts = drawn.map { series in
      let values = series.values.compactMap { $0 }.filter(\.isFinite)
      return "\(series.name) from \(text(values.first!)) to \(text(values.last!))"
    }
    return "\(title) by \(unit): \(parts.joined(separator: "; "))"
  }

  private func point(_ value: Double) -> String { Figures.coordinate(value) }
  private func place(_ value: Int, _ x: Axis) -> Double {
    Self.left + x.position(Double(value)) * (Self.width - Self.left - Self.right)
  }
  private func place(_ value: Double, _ y: Axis) -> Double {
    Self.height - Self.bottom - y.position(value) * (Self.height - Self.top - Self.bottom)
  }

  private func grid(_ x: Axis, _ y: Axis) -> Markup {
    var drawing: Markup = "<g class=\"grid\">\n"
    for tick in y.ticks {
      let height = point(place(tick, y))
      let label = showsPercent ? y.percentLabel(tick) : y.label(tick)
      drawing += """
        <line x1="\(point(Self.left))" x2="\(point(Self.width - Self.right))" y1="\(height)" y2="\(height)"/>\
        <text x="\(point(Self.left - 8))" y="\(height)" dy="0.35em" text-anchor="end">\(label)</text>

        """
    }
    for tick in x.ticks {
      drawing += """
        <text x="\(point(place(Int(tick), x)))" y="\(point(Self.height - Self.bottom + 18))" \
        text-anchor="middle">\(x.label(tick))</text>

        """
    }
    drawing += """
      <text x="\(point((Self.left + Self.width - Self.right) / 2))" y="\(point(Self.height - 5))" \
      text-anchor="middle">\(unit)</text></g>

      """
    return drawing
  }

  private func line(at mark: (position: Int, label: String), _ x: Axis) -> Markup {
    let position = place(mark.position, x)
    let isRight = position > Self.width * 0.7
    return """
      <g class="mark"><line x1="\(point(position))" x2="\(point(position))" y1="\(point(Self.top))" \
      y2="\(point(Self.height - Self.bottom))"/>\
      <text x="\(point(position + (isRight ? -6 : 6)))" y="\(point(Self.top + 10))" \
      text-anchor="\(isRight ? "end" : "start")">\(mark.label)</text></g>

      """
  }

  private func curve(_ series: Series, _ index: Int, _ x: Axis, _ y: Axis) -> Markup {
    var path = ""
    var isDown = false
    var points: [(x: Int, value: Double)] = []
    for (offset, value) in series.values.enumerated() {
      guard let value, value.isFinite else {
        isDown = false
        continue
      }
      path += "\(isDown ? "L" : "M")\(point(place(start + offset, x))) \(point(place(value, y)))"
      isDown = true
      points.append((start + offset, value))
    }
    let stride = max(1, (points.count + Self.mostTargets - 1) / Self.mostTargets)
    let targets = points.enumerated().filter { $0.offset % stride == 0 || $0.offset == points.count - 1 }
    let circles = targets.map { _, target -> Markup in
      """
      <circle cx="\(point(place(target.x, x)))" cy="\(point(place(target.value, y)))" r="7">\
      <title>\(series.name), \(unit) \(target.x): \(text(target.value))</title></circle>
      """
    }
    // A lone point has no line.
    let dot: Markup =
      points.count == 1
      ? "<circle class=\"dot\" cx=\"\(point(place(points[0].x, x)))\" cy=\"\(point(place(points[0].value, y)))\" r=\"4\"/>"
      : ""
    return "<g class=\"line line-\(index % 4 + 1)\"><path d=\"\(path)\"/>\(dot)\(circles)</g>\n"
  }
}

extension Axis {
  /// A tick of shares, as percents.
  fileprivate func percentLabel(_ tick: Double) -> String {
    let scaled = Axis(covering: ticks.map { $0 * 100 }, count: max(ticks.count - 1, 1), rounds: true)
    return scaled.label(tick * 100) + "%"
  }
}
