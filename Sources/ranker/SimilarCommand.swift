// `ranker similar`: items like others.

import ArgumentParser
import Recommendation
import Reports

struct Similar: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Items like an item, by a trained recommender.",
    discussion: "The score is the cosine of the two items' rows in the model's table: 1 for the same direction.")

  @OptionGroup var source: AskedRecommender

  @Option(help: ArgumentHelp("The item; may be repeated.", valueName: "id"))
  var item: [String]

  @Option(help: ArgumentHelp("Items for each.", valueName: "n"))
  var topK = 10

  @Flag(help: "Print the answer as JSON.")
  var json = false

  func validate() throws {
    guard topK >= 1 else { throw ValidationError("--top-k is \(topK); expected 1 or more.") }
    guard !item.isEmpty else { throw ValidationError("Give at least one --item ID.") }
  }

  func run() throws {
    let recommender = source.recommender
    let found = try item.map { ($0, try recommender.similar(to: $0, count: topK)) }
    if json { return try printJSON(found.map(Output.init)) }
    for (item, entries) in found {
      print("like \(item.printable):")
      var table = TextTable([
        TextTable.Column(title: "rank", alignsRight: true), TextTable.Column(title: "cosine", alignsRight: true),
        TextTable.Column(title: "item", isFlexible: true),
      ])
      for (index, entry) in entries.enumerated() {
        table.add(["\(index + 1)", Figures.number(Double(entry.score), digits: 3), entry.item])
      }
      table.printOut()
    }
  }

  private struct Output: Encodable {
    struct Entry: Encodable {
      let item: String
      let cosine: Float
    }
    let item: String
    let similar: [Entry]

    init(_ item: String, _ entries: [Recommender.Entry]) {
      self.item = item
      similar = entries.map { Entry(item: $0.item, cosine: $0.score) }
    }
  }
}
