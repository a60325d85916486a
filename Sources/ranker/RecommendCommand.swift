// `ranker recommend`: the best items for one user, several, all of a file, or all that the model knows.

import ArgumentParser
import Foundation
import Recommendation
import Reports

struct Recommend: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The best items for users, by a trained recommender.",
    discussion: """
      A user whom the model does not know gets what most users turned to, and the answer says so; with --items-seen an \
      ALS model places the new user among the others first. What a user turned to in the training's data is not \
      recommended again unless --include-seen asks for it.

        ranker recommend --model ml_models/als.pt --user u17 --top-k 10
        ranker recommend --model ml_models/als.pt --items-seen i4,i92,i11
        ranker recommend --model ml_models/als.pt --all-users --output recommendations.parquet
      """)

  @OptionGroup var source: AskedRecommender

  @Option(help: ArgumentHelp("A user; may be repeated.", valueName: "id"))
  var user: [String] = []

  @Option(help: ArgumentHelp("A file of users, one id a line; - for standard input.", valueName: "file"))
  var users: String?

  @Flag(help: "Every user that the model knows.")
  var allUsers = false

  @Option(help: ArgumentHelp("Items that a new user has seen, separated by commas.", valueName: "ids"))
  var itemsSeen: String?

  @Option(help: ArgumentHelp("Items for each user.", valueName: "n"))
  var topK = 10

  @Flag(help: "Recommend also what the users turned to before.")
  var includeSeen = false

  @OptionGroup var output: AnswerOutput

  func validate() throws {
    guard topK >= 1 else { throw ValidationError("--top-k is \(topK); expected 1 or more.") }
    let ways = [!user.isEmpty, users != nil, allUsers].count(where: { $0 })
    guard ways == 1 || (ways == 0 && itemsSeen != nil) else {
      throw ValidationError(
        "Give users in one way: --user ID (repeated), --users FILE, --all-users, or --items-seen IDS.")
    }
    if itemsSeen != nil, users != nil || allUsers || user.count > 1 {
      throw ValidationError("--items-seen is about one new user; give it with one --user, or alone.")
    }
  }

  func run() throws {
    let recommender = source.recommender
    if let itemsSeen { return try recommendBySeen(idList(itemsSeen), recommender) }
    guard output.path != nil || users != nil || allUsers else {
      let found = try user.map { try recommender.recommend(user: $0, count: topK, includesSeen: includeSeen) }
      return try show(found)
    }
    let ids = try users.map { try lines(of: $0) } ?? (allUsers ? nil : user)
    let total = try ids?.count ?? recommender.facts().users
    let writer = try RecommendationWriter(path: output.path ?? "-", content: .recommendations)
    let counter = CountView(unit: "users", total: total, isShown: output.path != nil && !output.json)
    var sources: [Recommender.Source: Int] = [:]
    try recommender.recommendAll(users: ids, count: topK, includesSeen: includeSeen) { recommendation in
      try writer.write(recommendation)
      sources[recommendation.source, default: 0] += 1
      counter.advance()
    }
    try writer.finish()
    counter.clear()
    if let new = sources[.popularity], new > 0, try recommender.facts().modelType != "popularity" {
      remark("note: the model does not know \(count(new, "user")); they got what most users turned to")
    }
    if let path = output.path, path != "-" {
      print("\(path): \(Figures.count(writer.rowCount)) rows for \(count(total, "user"))")
    }
  }

  private func recommendBySeen(_ seen: [String], _ recommender: Recommender) throws {
    let (recommendation, leftOut) = try recommender.recommend(
      user: user.first ?? "new user", itemsSeen: seen, count: topK, includesSeen: includeSeen,
      unknownItems: source.unknownItems)
    remarkLeftOut(leftOut)
    if recommendation.source == .popularity, !seen.isEmpty {
      remark("note: only an ALS model places a new user by the items seen; here they are only left out of the answer")
    }
    try show([recommendation])
  }

  private func show(_ recommendations: [Recommender.Recommendation]) throws {
    if output.json { return try printJSON(recommendations.map(Output.init)) }
    if let path = output.path {
      let writer = try RecommendationWriter(path: path, content: .recommendations)
      for recommendation in recommendations { try writer.write(recommendation) }
      return try writer.finish()
    }
    for recommendation in recommendations {
      print("\(recommendation.user.printable): \(Self.told(recommendation.source))")
      var table = TextTable([
        TextTable.Column(title: "rank", alignsRight: true), TextTable.Column(title: "score", alignsRight: true),
        TextTable.Column(title: "item", isFlexible: true),
      ])
      for (index, entry) in recommendation.entries.enumerated() {
        table.add(["\(index + 1)", Figures.number(Double(entry.score)), entry.item])
      }
      table.printOut()
    }
  }

  private static func told(_ source: Recommender.Source) -> String {
    switch source {
    case .model: "by the model"
    case .foldIn: "placed by the items seen"
    case .popularity: "not known to the model: what most users turned to, with the share of them"
    }
  }

  private struct Output: Encodable {
    struct Entry: Encodable {
      let item: String
      let score: Float
    }
    let user: String
    let source: Recommender.Source
    let items: [Entry]

    init(_ recommendation: Recommender.Recommendation) {
      user = recommendation.user
      source = recommendation.source
      items = recommendation.entries.map { Entry(item: $0.item, score: $0.score) }
    }
  }
}

/// Which recommender is asked, and how.
struct AskedRecommender: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The model: its .pt, its .onnx, its metadata, or a directory with one recommender.", valueName: "model"))
  var model: String

  @Option(help: ArgumentHelp("Threads (default: as many as there are cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Leave out and count items that the model does not know, instead of refusing them.")
  var skipUnknown = false

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected 1 or more.") }
  }

  var recommender: Recommender { Recommender(path: model, threads: threads) }
  var unknownItems: Recommender.UnknownItems { skipUnknown ? .leftOut : .refused }
}

/// Where the answers go.
struct AnswerOutput: ParsableArguments {
  @Option(
    name: .customLong("output"),
    help: ArgumentHelp("A file for the answers: .csv, .tsv, .jsonl or .parquet; - for JSON lines.", valueName: "file"))
  var path: String?

  @Flag(help: "Print the answer as JSON.")
  var json = false

  func validate() throws {
    if json, path != nil { throw ValidationError("--json prints the answer; leave away --output.") }
  }
}

/// The ids of a list with commas.
func idList(_ text: String) -> [String] {
  text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
}

/// The lines of a file of ids, empty ones left out.
func lines(of path: String) throws -> [String] {
  let data =
    path == "-"
    ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(fileURLWithPath: path))
  guard let text = String(data: data, encoding: .utf8) else {
    throw ValidationError("\(path) is not UTF-8 text; one id a line was expected.")
  }
  let ids = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter {
    !$0.isEmpty
  }
  guard !ids.isEmpty else { throw ValidationError("\(path) has no ids; one a line was expected.") }
  return ids
}

/// Says which items were left out.
func remarkLeftOut(_ items: [String]) {
  guard !items.isEmpty else { return }
  let shown = items.prefix(5).map(\.printable).joined(separator: ", ")
  let rest = items.count > 5 ? ", … and \(items.count - 5) more" : ""
  remark("warning: left out \(count(items.count, "item")) that the model does not know: \(shown)\(rest)")
}
