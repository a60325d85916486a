// `ranker data stats`: what a data file looks like.

import ArgumentParser
import ConceptDetection
import Datasets
import PreferenceStore
import Recommendation
import Reports
import TextClassification

struct DataStatistics: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Show what a data file looks like.",
    discussion: """
      Tells by looking whether the file holds interactions (and in which form), labelled texts or preference pairs, or \
      whether a folder has the notes of concept detection. For interactions: how many, how dense, how uneven, from when \
      to when; for labelled texts how long they are and how often each label occurs; for pairs what `ranker pairs stats` \
      shows; for notes (--type concept, with --taxonomy) languages, sentences, and how far each concept's aliases reach.
      """)

  @Argument(help: ArgumentHelp("The file, a clickstream's directory, or a folder of notes.", valueName: "file"))
  var file: String

  @Option(help: "What the file is for, recommendation, classification, concept or pairs (default: found out).")
  var type: DataPurpose?

  @Flag(help: "Make the first bad row an error, instead of leaving it out.")
  var strict = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Understanding the file") var interactions: InteractionOptions
  @OptionGroup(title: "Understanding the file") var labels: LabelOptions
  @OptionGroup(title: "Understanding the file") var concepts: ConceptDataOptions

  func run() throws {
    switch try type ?? purpose() {
    case .pairs:
      let pairs = try PairFile(path: file, options: ReadOptions(isStrict: strict))
      remarkSkipped(pairs.skipped, of: file)
      let statistics = PairStatistics(pairs)
      if json { try printJSON(StatisticsReport(statistics)) } else { StatisticsView(statistics).printOut() }
    case .recommendation:
      let data = try InteractionDataset(path: file, options: interactions.reading(isStrict: strict))
      remarkSkipped(data.skipped, of: file)
      let statistics = InteractionStatistics(data)
      if json { try printJSON(statistics) } else { InteractionStatisticsView(statistics).printOut() }
      flushOutput()
      remarkOdd(data.warnings, data.notes)
    case .classification:
      let data = try ClassificationDataset(path: file, options: labels.reading(interactions.table, isStrict: strict))
      remarkSkipped(data.skipped, of: file)
      let statistics = ClassificationStatistics(data)
      if json { try printJSON(statistics) } else { ClassificationStatisticsView(statistics).printOut() }
      flushOutput()
      remarkOdd(data.warnings, data.notes)
    case .concept:
      let paths = try concepts.paths(file)
      let lexicon = try Lexicon(path: paths.lexicon)
      let data = try NoteDataset(path: paths.notes, options: concepts.reading(interactions.table, isStrict: strict))
      remarkSkipped(data.skipped, of: data.path)
      let candidates = try paths.candidates.map { try Candidates(path: $0) }
      let statistics = ConceptStatistics(lexicon: lexicon, notes: data, candidates: candidates)
      if json { try printJSON(statistics) } else { ConceptStatisticsView(statistics).printOut() }
      flushOutput()
      remarkOdd(lexicon.warnings + data.warnings, lexicon.notes)
    }
  }

  private func purpose() throws -> DataPurpose {
    if ConceptDataPaths.seemsToBe(file) || concepts.taxonomy != nil { return .concept }
    if try PairFile.seemsToBe(file) { return .pairs }
    let reading = labels.reading(interactions.table)
    return try ClassificationDataset.seemsToBe(file, options: reading) ? .classification : .recommendation
  }
}

/// The statistics of interactions in the terminal.
struct InteractionStatisticsView {
  private let statistics: InteractionStatistics
  private let style = Style.output

  init(_ statistics: InteractionStatistics) { self.statistics = statistics }

  func printOut() {
    let statistics = statistics
    line("form", statistics.format.rawValue)
    line("users", Figures.count(statistics.users))
    line("items", Figures.count(statistics.items))
    let repeated =
      statistics.duplicates > 0 ? style.dim("  (\(Figures.count(statistics.duplicates)) repeat a pair)") : ""
    line("interactions", Figures.count(statistics.interactions) + repeated)
    line("density", "\(Figures.number(statistics.density * 100))%")
    if let first = statistics.firstTime, let last = statistics.lastTime {
      let order = statistics.isInOrderOfTime == true ? "" : style.dim("  (not in this order in the file)")
      line("time", "\(first) to \(last)\(order)")
    }
    line(
      "strength",
      statistics.minimumStrength == statistics.maximumStrength
        ? "\(statistics.minimumStrength)" : "\(statistics.minimumStrength) to \(statistics.maximumStrength)")
    line(
      "popularity",
      "Gini \(Figures.number(statistics.popularityGini, digits: 3)); the top tenth of items has "
        + Figures.percent(statistics.topTenthShare))
    if statistics.heldOutCases > 0 {
      line(
        "held out",
        "\(count(statistics.heldOutCases, "case")) with \(count(statistics.heldOutItems, "relevant item"))")
    }
    print("")
    QuantileTable(
      "INTERACTIONS OF",
      [("a user", statistics.userActivity), ("an item", statistics.itemPopularity)]
    ).printOut()
    if !statistics.kinds.isEmpty {
      print("")
      var table = TextTable([
        .init(title: "KIND", isFlexible: true), .init(title: "INTERACTIONS", alignsRight: true),
        .init(title: "SHARE", alignsRight: true), .init(title: ""),
      ])
      for kind in statistics.kinds.prefix(20) {
        table.add([
          kind.kind, Figures.count(kind.count),
          Figures.percent(Double(kind.count) / Double(statistics.interactions)),
          kind.isContact == true ? "contact" : "",
        ])
      }
      table.printOut()
    }
  }

  private func line(_ name: String, _ value: String) { print("\(style.bold(name.fitted(13)))  \(value)") }
}
