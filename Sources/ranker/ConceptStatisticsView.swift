// The statistics of a lexicon and notes in the terminal.

import ConceptDetection
import Reports

struct ConceptStatisticsView {
  private let statistics: ConceptStatistics
  private let style = Style.output

  init(_ statistics: ConceptStatistics) { self.statistics = statistics }

  func printOut() {
    let statistics = statistics
    func aside(_ count: Int, _ text: String) -> String {
      count > 0 ? style.dim("  (\(Figures.count(count)) \(text))") : ""
    }
    line("notes", Figures.count(statistics.notes) + aside(statistics.repeatedNotes, "repeat a text"))
    line("languages", Self.list(statistics.languages.map { ($0.name.isEmpty ? "unnamed" : $0.name, $0.count) }))
    line("sentences", Figures.count(statistics.sentences))
    line(
      "with an alias",
      "\(Figures.count(statistics.namedNotes)) notes, "
        + Figures.percent(Double(statistics.namedNotes) / Double(max(statistics.notes, 1))))
    line(
      "concepts",
      "\(Figures.count(statistics.concepts.count)): " + Self.list(statistics.buckets.map { ($0.name, $0.count) }))
    line("aliases", Figures.count(statistics.aliases) + aside(statistics.sharedAliases, "name several concepts"))
    if let candidates = statistics.candidates {
      line("candidates", Figures.count(candidates) + aside(statistics.namingCandidates ?? 0, "name a concept"))
    }
    let redactions = statistics.redactions
    line(
      "taken out",
      Self.list([
        ("e-mail addresses", redactions.emails), ("telephone", redactions.phones), ("card", redactions.cards),
        ("account numbers", redactions.accounts),
      ]))
    print("")
    QuantileTable(
      "OF A", [("note, words", statistics.wordsPerNote), ("concept, aliases", statistics.aliasesPerConcept)]
    ).printOut()
    print("")
    var table = TextTable([
      .init(title: "CONCEPT", isFlexible: true), .init(title: "BUCKET"), .init(title: "ALIASES", alignsRight: true),
      .init(title: "NOTES WITH ONE", alignsRight: true),
    ])
    for concept in statistics.concepts.sorted(by: { ($1.notes, $0.id) < ($0.notes, $1.id) }) {
      table.add([
        concept.id.printable, concept.bucket.rawValue, Figures.count(concept.aliases), Figures.count(concept.notes),
      ])
    }
    table.printOut()
  }

  private static func list(_ counts: [(name: String, count: Int)]) -> String {
    counts.map { "\($0.name.printable) \(Figures.count($0.count))" }.joined(separator: ", ")
  }

  private func line(_ name: String, _ value: String) { print("\(style.bold(name.fitted(13)))  \(value)") }
}
