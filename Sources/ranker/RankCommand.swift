// `ranker rank`: items in, the best first.

import ArgumentParser
import Datasets
import Foundation
import PairwiseRanking
import Reports

struct Rank: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Rank items with a trained model, best first.",
    discussion: """
      Items are JSON lines as `ranker items import` takes them. An item needs the embedding that the model was trained \
      with; a metric that is missing counts as the training's mean. Scores are comparable within one model only.
      """)

  @Option(help: ArgumentHelp("The directory of the model.", valueName: "directory"))
  var model: String

  @Option(help: ArgumentHelp("The items, JSON lines; - for standard input.", valueName: "file.jsonl"))
  var items: String

  @Option(help: ArgumentHelp("Embeddings of items that refer to one, JSON lines.", valueName: "file.jsonl"))
  var embeddings: String?

  @Option(help: ArgumentHelp("Print only the first of them.", valueName: "n"))
  var topK: Int?

  @Option(help: ArgumentHelp("Threads (default: as many as there are cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Print the ranking as JSON.")
  var json = false

  func validate() throws {
    if let topK, topK < 1 { throw ValidationError("--top-k is \(topK); expected 1 or more.") }
    if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected 1 or more.") }
  }

  func run() throws {
    let ranker = try PairwiseRanking.Ranker(directory: model, threads: threads)
    var file = try ItemFile(path: items)
    if let embeddings {
      _ = file.resolveEmbeddings(from: try EmbeddingFile(path: embeddings))
    }
    remarkSkipped(file.skipped, of: items)
    let ranking = try ranker.rank(file.items, topK: topK)
    if json { try printJSON(Output(ranking)) } else { show(ranking) }
    tell(ranking, items: file.items.count)
  }

  private func show(_ ranking: PairwiseRanking.Ranker.Ranking) {
    var table = TextTable([
      TextTable.Column(title: "rank", alignsRight: true), TextTable.Column(title: "score", alignsRight: true),
      TextTable.Column(title: "id"), TextTable.Column(title: "type"),
      TextTable.Column(title: "text", isFlexible: true),
    ])
    for entry in ranking.entries {
      table.add([
        "\(entry.rank)", String(format: "%.4f", entry.score), entry.item.id, entry.item.itemType,
        entry.item.text ?? "",
      ])
    }
    table.printOut()
  }

  private func tell(_ ranking: PairwiseRanking.Ranker.Ranking, items: Int) {
    flushOutput()
    if !ranking.leftOut.isEmpty {
      remark("warning: left out \(ranking.leftOut.count) of \(count(items, "item"))")
      for item in ranking.leftOut.prefix(5) { remark("  \(item.reason.printable)") }
      if ranking.leftOut.count > 5 { remark("  … and \(ranking.leftOut.count - 5) more") }
    }
    if ranking.missingMetrics > 0 {
      remark(
        "note: \(count(ranking.missingMetrics, "metric")) missing, taken as the training's mean")
    }
  }

  private struct Output: Encodable {
    struct Entry: Encodable {
      let rank: Int
      let id: String
      let itemType: String
      let score: Float
    }
    struct LeftOut: Encodable {
      let id: String
      let reason: String
    }
    let ranking: [Entry]
    let leftOut: [LeftOut]
    let missingMetrics: Int

    init(_ ranking: PairwiseRanking.Ranker.Ranking) {
      self.ranking = ranking.entries.map {
        Entry(rank: $0.rank, id: $0.item.id, itemType: $0.item.itemType, score: $0.score)
      }
      leftOut = ranking.leftOut.map { LeftOut(id: $0.id, reason: $0.reason) }
      missingMetrics = ranking.missingMetrics
    }
  }
}
