// Pages: what goes into them comes out as text, and nothing else is needed to show them.

import Foundation
import Reports
import Testing

@Suite("Reports")
struct ReportsTests {
  @Test("text that is interpolated is escaped, markup is not")
  func escaping() {
    let name = "<script>alert('&\"')</script>"
    let inner: Markup = "<b>\(name)</b>"
    #expect(inner.html == "<b>&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;</b>")
    #expect(("<p>\(inner)</p>" as Markup).html == "<p>\(inner.html)</p>")
    #expect(Markup(text: "a\u{0}b\u{1B}[31m").html == "a\u{FFFD}b\u{FFFD}[31m")
  }

  @Test("a page needs nothing from elsewhere and runs nothing")
  func selfContained() {
    var page = Page(title: "A & B", lead: "Well.")
    page.add("Curves", LineChart("Loss", unit: "epoch", series: [.init("train", [3, 2, 1])]).markup)
    let html = page.html
    #expect(html.contains("<title>A &amp; B</title>"))
    for forbidden in ["http:", "https:", "<script", "src=", "<link", "@import", "url("] {
      #expect(!html.contains(forbidden), "\(forbidden)")
    }
    #expect(html.contains("prefers-color-scheme: dark"))
  }

  @Test("a curve passes through its values, and a gap interrupts it")
  func curve() throws {
    let markup = LineChart("Loss", unit: "epoch", series: [.init("train", [0, 10, nil, 10, .nan, 5])]).markup.html
    let path = try #require(markup.firstMatch(of: /<path d="([^"]+)"/)).1
    // Two points joined, then one alone, then one alone.
    #expect(path.count { $0 == "M" } == 3)
    #expect(path.count { $0 == "L" } == 1)
    let numbers = path.split(whereSeparator: { "ML ".contains($0) }).compactMap { Double($0) }
    // The drawing is 300 high, 14 left free above and 40 below: 0 is at 260, 10 at 14.
    #expect(numbers[1] == 260 && numbers[3] == 14)
    #expect(markup.contains("<title>train, epoch 2: 10.00</title>"))
    #expect(markup.contains("aria-label=\"Loss by epoch: train from 0 to 5.000\""))
  }

  @Test(
    "ticks are round numbers around the values",
    arguments: [
      ([0.13, 0.87], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]), ([3, 3], ["2.6", "2.8", "3.0", "3.2", "3.4"]),
      ([-4, 950], ["-200", "0", "200", "400", "600", "800", "1000"]),
    ])
  func ticks(values: [Double], labels: [String]) {
    let markup = LineChart("Loss", unit: "epoch", series: [.init("a", values)]).markup.html
    let found = markup.matches(of: /text-anchor="end">([^<]+)</).map { String($0.1) }
    #expect(found == labels)
  }

  @Test("a series of thousands of epochs stays a small drawing")
  func longSeries() {
    let values = (0..<20_000).map { Double?(1 / Double($0 + 1)) }
    let markup = LineChart("Loss", unit: "epoch", series: [.init("a", values)]).markup.html
    #expect(markup.matches(of: /<circle/).count <= 251)
  }

  @Test("a chart without values says so")
  func noValues() {
    #expect(LineChart("Loss", unit: "epoch", series: [.init("a", [nil, .nan])]).markup.html.contains("No values."))
  }

  @Test("numbers read as people write them")
  func figures() {
    #expect(Figures.number(0.41273) == "0.4127")
    #expect(Figures.number(1234.5) == "1235" || Figures.number(1234.5) == "1234")
    #expect(Figures.number(1.2e-7) == "1.20e-07")
    #expect(Figures.number(nil) == "–" && Figures.number(.infinity) == "∞")
    #expect(Figures.percent(0.875) == "87.5%")
    #expect(Figures.count(1_234_567) == "1,234,567" && Figures.count(-1000) == "-1,000")
    #expect(Figures.duration(0.84) == "0.8 s" && Figures.duration(185) == "3 min 5 s")
    #expect(Figures.duration(7620) == "2 h 7 min")
  }

  @Test("Graphviz lays a graph out, and the drawing is one element without a size, comments or scripts")
  func drawing() throws {
    let drawing = GraphDrawing(dot: "digraph { a [label=\"x < y\"]; a -> b }")
    guard case .drawn(let svg) = drawing else {
      // Without Graphviz the reason is told.
      #expect(drawing.markup.html.contains("apt install graphviz"))
      return
    }
    #expect(svg.hasPrefix("<svg viewBox=") && svg.hasSuffix("</svg>"))
    #expect(svg.contains("x &lt; y"))
    #expect(!svg.contains("<!--") && !svg.contains("<script"))
    #expect(try #require(drawing.file).hasPrefix("<?xml"))
  }

  @Test("without Graphviz the page says what to install")
  func noGraphviz() {
    let drawing = GraphDrawing(dot: "digraph {}", program: "no-such-program-anywhere")
    #expect(drawing.file == nil)
    #expect(drawing.markup.html.contains("apt install graphviz"))
  }

  @Test("a graph that Graphviz refuses is told as such")
  func refusedGraph() {
    guard case .missing(let reason) = GraphDrawing(dot: "this is no graph") else {
      Issue.record("a drawing of nonsense")
      return
    }
    #expect(reason.contains("Graphviz"))
  }

  @Test("a confusion shows counts and shares of each row")
  func confusion() {
    let html = ConfusionTable(labels: ["yes", "no"], counts: [[3, 1], [0, 0]]).markup.html
    #expect(html.contains("<b>3</b> <small>75.0%</small>"))
    #expect(html.contains("<b>0</b> <small>–</small>"))
  }
}
