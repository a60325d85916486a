// The page that tells a person what was factorised, and how well it recommends.

import Reports
import Training
import Verification

/// The report of a factorisation: one self-contained page, the same bytes for the same model.
enum ALSReport {
  /// - Parameter metadata: all of it but times and checksums, which the page does not tell.
  static func html(_ metadata: ALSMetadata, drawing: Markup) -> String {
    var page = Page(
      title: metadata.name, kind: "Recommender by alternating least squares",
      lead: RecommenderPage.lead(metadata.measures, metadata.data, verification: metadata.verification),
      footer: RecommenderPage.footer(metadata))
    page.add("At a glance", tiles(metadata))
    page.add("Training", curves(metadata))
    page.add("Data", RecommenderPage.data(metadata.data))
    page.add("Verification", metadata.verification.markup)
    page.add("The graphs", graphs(metadata, drawing: drawing))
    page.add("Settings", settings(metadata.settings))
    page.add("Using it", RecommenderPage.usage(scorer: metadata.files.scorer, checkpoint: metadata.files.checkpoint))
    return page.html
  }

  private static func tiles(_ metadata: ALSMetadata) -> Markup {
    var tiles = RecommenderPage.tiles(metadata.measures, metadata.data)
    tiles.append(
      ("Loss", Figures.number(metadata.history.last?.trainLoss), "after \(metadata.history.count) iterations"))
    tiles.append(("Factors", "\(metadata.settings.factors)", "\(Figures.count(metadata.parameterCount)) numbers"))
    return Tiles(tiles).markup
  }

  private static func curves(_ metadata: ALSMetadata) -> Markup {
    let history = metadata.history
    let measured = metadata.measures.map(\.k)
    let names =
      measured.map { k in
        [("ndcg", "NDCG"), ("hit_rate", "hit rate"), ("recall", "recall")].map { name, spoken in
          (key: "\(name)@\(k)", spoken: "\(spoken)@\(k)")
        }
      } ?? []
    var charts = [LineChart("Loss", unit: "iteration", series: [.init("training", history.map(\.trainLoss))])]
    if !names.isEmpty {
      charts.append(
        LineChart(
          "On what was held out", unit: "iteration",
          series: names.map { name in .init(name.spoken, history.map { $0.metrics[name.key] }) }, showsPercent: true))
    }
    let rows = history.map { record -> [Markup] in
      ["\(record.epoch)", "\(Figures.number(record.trainLoss, digits: 7))"]
        + names.map { "\(Figures.percent(record.metrics[$0.key]))" }
    }
    let table = Table(
      "Every iteration",
      columns: [("iteration", .number), ("loss", .number)] + names.map { ($0.spoken, .number) }, rows: rows)
    return HistorySection(
      charts: charts,
      note: """
        The loss is that of all pairs, those that the data does not have included, with the regularisation. It falls at each \
        iteration; the measures need not.
        """, table: table, unit: "iteration"
    ).markup
  }

  private static func graphs(_ metadata: ALSMetadata, drawing: Markup) -> Markup {
    let files = metadata.files
    return RecommenderPage.graphs(scorer: files.scorer, topItems: files.topItems, data: metadata.data)
      + "<h3>\(files.scorer)</h3>\n\(drawing)"
  }

  private static func settings(_ settings: ALSSettings) -> Markup {
    var facts: [(name: String, value: Markup)] = [
      ("factors", "\(settings.factors)"), ("iterations", "\(settings.iterations)"),
      ("weight of an interaction (α)", "\(settings.alpha.description)"),
      ("weight of what is unobserved (α₀)", "\(settings.unobservedWeight.description)"),
      ("regularisation (λ)", "\(settings.regularization.description)"),
      ("growing with frequency (ν)", "\(settings.frequencyScaling.description)"),
      ("initial scale", "\(settings.initialScale.description)"), ("solver", "\(settings.solver.rawValue)"),
      ("seed", "\(String(settings.seed))"), ("opset", "\(settings.opset)"),
    ]
    if settings.solver == .conjugateGradient {
      facts.append(("steps of conjugate gradient", "\(settings.conjugateGradientSteps)"))
    }
    if let block = settings.blockSize { facts.append(("factors at a time", "\(block)")) }
    facts += RecommenderPage.weights(settings.eventWeights, halfLife: settings.halfLife)
    return Facts(facts).markup
  }
}
