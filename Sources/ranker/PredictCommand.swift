// `ranker predict`: scores of pairs of users and items.

import ArgumentParser
import Foundation
import Recommendation
import Reports

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Scores of items for users, by a trained recommender.",
    discussion: """
      Scores of one user are comparable. For a user whom the model does not know, the score of an item is the share of \
      all users that turned to it, and the answer says so.

        ranker predict --model models/ncf_benchmark_v1.pt --user u17 --items i4,i92
        ranker predict --model models/ncf_benchmark_v1.pt --pairs pairs.csv --output scores.csv
      """)

  @OptionGroup var source: AskedRecommender

  @Option(help: ArgumentHelp("The user.", valueName: "id"))
  var user: String?

  @Option(help: ArgumentHelp("The items, separated by commas.", valueName: "ids"))
  var items: String?

  @Option(
    help: ArgumentHelp("A file with columns user_id and item_id: CSV, TSV, JSON lines or Parquet.", valueName: "file"))
  var pairs: String?

  @OptionGroup var output: AnswerOutput

  func validate() throws {
    guard (user != nil && items != nil) != (pairs != nil), (user == nil) == (items == nil) else {
      throw ValidationError("Give --user ID and --items IDS, or --pairs FILE.")
    }
    if let items, idList(items).isEmpty { throw ValidationError("--items is empty; expected ids separated by commas.") }
  }

  func run() throws {
    let recommender = source.recommender
    guard let pairs else {
      let asked = idList(items!).map { (user: user!, item: $0) }
      let (predictions, leftOut) = try recommender.predictBatch(asked, unknownItems: source.unknownItems)
      remarkLeftOut(leftOut)
      return try show(predictions)
    }
    // Read first: a file that can't be read should not leave an output behind.
    let data = try InteractionDataset(path: pairs)
    remarkSkipped(data.skipped, of: pairs)
    let rows = data.interactions
    let writer = try RecommendationWriter(path: output.path ?? "-", content: .predictions)
    let counter = CountView(
      unit: "pairs", total: rows.count, isShown: output.path != nil && output.path != "-")
    var leftOut: [String] = []
    var told: Set<String> = []
    for start in stride(from: 0, to: rows.count, by: Self.piece) {
      let asked = (start..<min(start + Self.piece, rows.count)).map {
        (user: rows.users.ids[Int(rows.userIndices[$0])], item: rows.items.ids[Int(rows.itemIndices[$0])])
      }
      let answer = try recommender.predictBatch(asked, unknownItems: source.unknownItems)
      for prediction in answer.predictions { try writer.write(prediction) }
      leftOut += answer.leftOut.filter { told.insert($0).inserted }
      counter.advance(by: asked.count)
    }
    try writer.finish()
    counter.clear()
    remarkLeftOut(leftOut)
    if let path = output.path, path != "-" { print("\(path): \(Figures.count(writer.rowCount)) rows") }
  }

  private static let piece = 1 << 16

  private func show(_ predictions: [Recommender.Prediction]) throws {
    if output.json { return try printJSON(predictions.map(Output.init)) }
    if let path = output.path {
      let writer = try RecommendationWriter(path: path, content: .predictions)
      for prediction in predictions { try writer.write(prediction) }
      return try writer.finish()
    }
    if let first = predictions.first, first.source == .popularity {
      print("\(first.user.printable): not known to the model: the share of all users that turned to each item")
    }
    var table = TextTable([
      TextTable.Column(title: "item", isFlexible: true), TextTable.Column(title: "score", alignsRight: true),
    ])
    for prediction in predictions { table.add([prediction.item, Figures.number(Double(prediction.score))]) }
    table.printOut()
  }

  private struct Output: Encodable {
    let user: String
    let item: String
    let score: Float
    let source: Recommender.Source

    init(_ prediction: Recommender.Prediction) {
      (user, item) = (prediction.user, prediction.item)
      (score, source) = (prediction.score, prediction.source)
    }
  }
}
