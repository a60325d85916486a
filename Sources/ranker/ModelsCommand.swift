// `ranker models`: the models of a folder.

import ArgumentParser
import Foundation
import Reports
import Verification

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
      print("no models in \(directory); ranker train --help names the kinds")
      return
    }
    var table = TextTable([
      TextTable.Column(title: "model", isFlexible: true), TextTable.Column(title: "kind"),
      TextTable.Column(title: "created"), TextTable.Column(title: "trained on"),
      TextTable.Column(title: "parameters", alignsRight: true), TextTable.Column(title: "quality"),
      TextTable.Column(title: "state", isFlexible: true),
    ])
    for model in models {
      guard let metadata = model.metadata else {
        table.add([model.path, "", "", "", "", "", "broken: \(model.problem ?? "")"].map(\.printable))
        continue
      }
      let folder = (model.path as NSString).deletingLastPathComponent
      table.add(
        [
          "\(folder)/\(metadata.modelName)", metadata.modelType, String(metadata.createdAt.prefix(16)),
          metadata.trainedOn, Figures.count(metadata.parameterCount), Self.quality(metadata.headline),
          model.problem.map { "broken: \($0)" } ?? "verified",
        ].map(\.printable))
    }
    table.printOut()
  }

  /// `accuracy 88.1% (validation)`.
  private static func quality(_ headline: CommonMetadata.Headline?) -> String {
    guard let headline else { return "–" }
    let value = headline.isShare ? Figures.percent(headline.value) : Figures.number(headline.value, digits: 3)
    return "\(headline.measure) \(value) (\(headline.of))"
  }

  private struct Entry: Encodable {
    let path: String
    let problem: String?
    let name: String?
    let modelType: String?
    let createdAt: String?
    let trainedOn: String?
    let parameters: Int?
    let quality: CommonMetadata.Headline?

    init(_ model: ModelSummary) {
      path = model.path
      problem = model.problem
      name = model.metadata?.modelName
      modelType = model.metadata?.modelType
      createdAt = model.metadata?.createdAt
      trainedOn = model.metadata?.trainedOn
      parameters = model.metadata?.parameterCount
      quality = model.metadata?.headline
    }
  }
}
