// `ranker models`: the models of a folder.

import ArgumentParser
import Foundation
import PairwiseRanking
import Reports

struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The models that were trained.", subcommands: [ModelsList.self])
}

struct ModelsList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the models in a folder and the folders below it, broken ones with the reason.")

  @Option(help: ArgumentHelp("Where to look.", valueName: "directory"))
  var directory = "models"

  @Flag(help: "Print the list as JSON.")
  var json = false

  func run() throws {
    let models = try ModelSummary.models(in: directory)
    if json { return try printJSON(models.map(Entry.init)) }
    guard !models.isEmpty else {
      print("no models in \(directory); train one with: ranker train pairwise")
      return
    }
    var table = TextTable([
      TextTable.Column(title: "model", isFlexible: true), TextTable.Column(title: "created"),
      TextTable.Column(title: "pairs", alignsRight: true), TextTable.Column(title: "features", alignsRight: true),
      TextTable.Column(title: "accuracy", alignsRight: true), TextTable.Column(title: "of"),
      TextTable.Column(title: "state", isFlexible: true),
    ])
    for model in models {
      let folder = (model.path as NSString).deletingLastPathComponent
      guard let metadata = model.metadata else {
        table.add([model.path, "", "", "", "", "", "broken: \(model.problem ?? "")"])
        continue
      }
      table.add([
        "\(folder)/\(metadata.settings.name)", String(metadata.createdAt.prefix(16)),
        Figures.count(metadata.data.pairs),
        Figures.count(metadata.layout.count), Figures.percent(Self.accuracy(metadata).value),
        Self.accuracy(metadata).of,
        model.problem.map { "broken: \($0)" } ?? "verified",
      ])
    }
    table.printOut()
  }

  /// The accuracy that tells most, and what it is of.
  private static func accuracy(_ metadata: RankerMetadata) -> (value: Double?, of: String) {
    if let folds = metadata.crossValidation { return (folds.accuracy?.mean, "\(folds.folds.count) folds") }
    return (metadata.headline.measures.accuracy, metadata.headline.name)
  }

  private struct Entry: Encodable {
    let path: String
    let problem: String?
    let name: String?
    let createdAt: String?
    let pairs: Int?
    let features: Int?
    let accuracy: Double?
    let accuracyOf: String?

    init(_ model: ModelSummary) {
      path = model.path
      problem = model.problem
      name = model.metadata?.settings.name
      createdAt = model.metadata?.createdAt
      pairs = model.metadata?.data.pairs
      features = model.metadata?.layout.count
      accuracy = model.metadata.flatMap { ModelsList.accuracy($0).value }
      accuracyOf = model.metadata.map { ModelsList.accuracy($0).of }
    }
  }
}
