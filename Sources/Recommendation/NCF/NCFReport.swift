// The page that tells a person what was trained, how well it ranks, and on what.

import Foundation
import Reports
import Verification

/// The report of a trained NCF model: one self-contained page, the same bytes for the same model.
enum NCFReport {
  /// - Parameter metadata: all of it but times and checksums, which the page does not tell.
  static func html(_ metadata: NCFMetadata, drawing: Markup) -> String {
    var page = Page(
      title: metadata.name, kind: "Recommender (NCF)", lead: lead(metadata),
      footer: """
        Made by RankerKit \(metadata.versions.rankerkit). Everything on this page is in \
        \(code(MetadataFiles.name(of: metadata.name))) too.
        """)
    page.add("At a glance", tiles(metadata))
    page.add("Training", curves(metadata))
    page.add("Data", data(metadata))
    page.add("Verification", metadata.verification.markup)
    page.add("The network", drawing)
    page.add("Settings", settings(metadata))
    page.add("Using it", usage(metadata))
    return page.html
  }

  private static func code(_ text: String) -> Markup { "<code>\(text)</code>" }

  private static func lead(_ metadata: NCFMetadata) -> Markup {
    let verified = metadata.verification.badge
    guard let (_, measures) = metadata.headline else {
      return "Nothing was held out, so nothing tells how good it is. \(verified)"
    }
    return """
      For <b>\(Figures.percent(measures.hitRate))</b> of \(Figures.count(measures.caseCount)) users something that they \
      turned to later is among the first \(measures.k) of its ranking. \(verified)
      """
  }

  private static func tiles(_ metadata: NCFMetadata) -> Markup {
    let headline = metadata.headline
    let measures = headline?.measures
    let onWhat = headline.map { "\($0.name), mean of \(Figures.count($0.measures.caseCount)) users" } ?? "not measured"
    return Tiles([
      ("NDCG at 10", Figures.number(measures?.ndcg, digits: 3), onWhat),
      ("Hit rate at 10", Figures.percent(measures?.hitRate), onWhat),
      ("Users", Figures.count(metadata.userCount), "rows of a table of \(metadata.settings.embeddingDimension)"),
      ("Items", Figures.count(metadata.itemCount), "rows of a table of \(metadata.settings.embeddingDimension)"),
      ("Best epoch", "\(metadata.bestEpoch)", "of \(metadata.history.count)"),
      ("Parameters", Figures.count(metadata.parameterCount), metadata.settings.architecture.rawValue),
    ]).markup
  }

  private static func curves(_ metadata: NCFMetadata) -> Markup {
    let history = metadata.history
    func values(_ name: String) -> [Double?] { history.map { $0.metrics[name] } }
    let mark = (position: metadata.bestEpoch, label: "kept")
    let loss = LineChart("Loss", unit: "epoch", series: [.init("training", history.map(\.trainLoss))], mark: mark)
    let ranking = LineChart(
      "Ranking", unit: "epoch",
      series: [.init("NDCG at 10", values("ndcg@10")), .init("hit rate at 10", values("hit_rate@10"))], mark: mark)
    let rows = history.map { record -> [Markup] in
      [
        "\(record.epoch)", "\(Figures.number(record.trainLoss))",
        "\(Figures.number(record.metrics["ndcg@10"], digits: 4))", "\(Figures.percent(record.metrics["hit_rate@10"]))",
      ]
    }
    let table = Table(
      "Every epoch",
      columns: [
        ("epoch", .number), ("training loss", .number), ("NDCG at 10", .number), ("hit rate at 10", .number),
      ], rows: rows)
    let chosen = metadata.validation == nil ? "lowest training loss" : "highest NDCG on what was held out"
    return HistorySection(
      charts: metadata.validation == nil ? [loss] : [loss, ranking],
      note: "The epoch with the \(chosen) was kept. Negatives are drawn anew in each epoch.", table: table
    ).markup
  }

  private static func data(_ metadata: NCFMetadata) -> Markup {
    let data = metadata.data
    return Table(
      "What it was trained on", columns: [("", .text), ("", .text)],
      rows: [
        ["file", code(data.source.path)], ["SHA-256", code(data.source.sha256 ?? "–")],
        ["interactions", "\(Figures.count(data.interactions))"],
        ["pairs of a user and an item", "\(Figures.count(data.pairs))"],
        ["rows left out", "\(Figures.count(data.skippedRows))"],
        ["pairs trained on", "\(Figures.count(data.trainingPairs))"],
        ["samples of an epoch, with negatives", "\(Figures.count(data.samplesPerEpoch))"],
        ["users that validate", "\(Figures.count(data.validationUsers))"],
        ["users that test", "\(Figures.count(data.testUsers))"],
      ]
    ).markup
  }

  private static func settings(_ metadata: NCFMetadata) -> Markup {
    Table(
      "Options of the command", columns: [("", .text), ("", .text)],
      rows: metadata.settings.identity.sorted { $0.key < $1.key }.map { [code($0.key), "\($0.value)"] }
    ).markup
  }

  private static func usage(_ metadata: NCFMetadata) -> Markup {
    """
    <p>\(code("ranker recommend --model \(metadata.files.checkpoint) --user ID --top-k 10")) ranks the items that a user has \
    not seen. In any ONNX runtime \(code(metadata.files.graph)) takes \(code("user")) and \(code("item")), rows of the \
    tables as the checkpoint’s \(code("user_id_map")) and \(code("item_id_map")) have them, and gives \(code("score")).</p>

    """
  }
}
