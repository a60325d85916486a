// The self-contained page: one file that needs nothing else, in light and dark, on paper and on a phone.

/// A page of sections.
///
/// ```swift
/// var page = Page(title: "pairwise_ranker", lead: "Orders 88% of the pairs rightly.")
/// page.add("Training", LineChart("Loss", unit: "epoch", series: [.init("train", [0.9, 0.5])]).markup)
/// try AtomicFile.write(to: "report.html") { try $0.write(page.html) }
/// ```
public struct Page: Sendable {
  public var title: String
  /// What kind of page it is, above the title.
  public var kind: String
  /// The one sentence that one would tell a friend.
  public var lead: Markup
  public var sections: [(title: String, content: Markup)] = []
  /// The last line.
  public var footer: Markup

  public init(title: String, kind: String = "", lead: Markup = .empty, footer: Markup = .empty) {
    self.title = title
    self.kind = kind
    self.lead = lead
    self.footer = footer
  }

  /// Appends a section.
  public mutating func add(_ title: String, _ content: Markup) { sections.append((title, content)) }

  /// The document.
  public var html: String {
    let body = sections.map { section -> Markup in
      "<section aria-label=\"\(section.title)\"><h2>\(section.title)</h2>\n\(section.content)</section>\n"
    }
    let kind: Markup = kind.isEmpty ? .empty : "<p class=\"kind\">\(self.kind)</p>\n"
    let lead: Markup = lead.isEmpty ? .empty : "<p class=\"lead\">\(self.lead)</p>\n"
    let footer: Markup = footer.isEmpty ? .empty : "<footer>\(self.footer)</footer>\n"
    let document: Markup = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title)</title>
      <style>
      \(Markup(trusted: Theme.css))</style>
      </head>
      <body>
      <header>
      \(kind)<h1>\(title)</h1>
      \(lead)</header>
      <main>
      \(body)</main>
      \(footer)</body>
      </html>

      """
    return document.html
  }
}
