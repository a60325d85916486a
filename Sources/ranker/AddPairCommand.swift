// `ranker add-pair`: one answer by arguments, or many by asking.

import ArgumentParser
import Datasets
import PreferenceStore

extension QuestionStrategy: ExpressibleByArgument {}

struct AddPair: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-pair",
    abstract: "Store which of two items is better, or be asked about many.",
    discussion: """
      One answer:

        ranker add-pair --item-type project --item-a proj-1 --item-b proj-2 --label 1 --reason-tags relevance,metrics

      Many: ranker add-pair --interactive shows two items side by side, takes a, b, = (equal), s (skip), u (undo) and \
      q (quit), then reasons. Every answer is stored at once. Where standard input is not a terminal, it is read as \
      lines: an answer, then its reasons (or an empty line).
      """)

  @Option(help: ArgumentHelp("The type that both items are of.", valueName: "type"))
  var itemType: String?

  @Option(help: ArgumentHelp("The first item.", valueName: "id"))
  var itemA: String?

  @Option(help: ArgumentHelp("The second item.", valueName: "id"))
  var itemB: String?

  // Unconditional, or -1 would be taken for an option.
  @Option(parsing: .unconditional, help: "1 where A is preferred, 0 where they are equal, -1 where B is preferred.")
  var label: Int?

  @Option(help: ArgumentHelp("Why, as words separated by commas.", valueName: "tags"))
  var reasonTags: String?

  @Flag(help: "Make items of ids that are not known.")
  var create = false

  @Flag(name: [.short, .long], help: "Ask one question after the other.")
  var interactive = false

  @Option(help: "Which question comes next: least-compared, uncertain (needs --model) or random.")
  var strategy = QuestionStrategy.leastCompared

  @Option(help: ArgumentHelp("A trained model, for --strategy uncertain.", valueName: "dir"))
  var model: String?

  @Option(help: "The seed of what is drawn by chance; another one each time where it is not given.")
  var seed: UInt64?

  @Flag(help: "Print the stored pair as JSON.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  func validate() throws {
    if interactive {
      let unused = [
        ("--item-a", itemA != nil), ("--item-b", itemB != nil), ("--label", label != nil),
        ("--reason-tags", reasonTags != nil), ("--create", create), ("--json", json),
      ]
      if let (name, _) = unused.first(where: { $0.1 }) {
        throw ValidationError("\(name) does not go with --interactive.")
      }
      if strategy == .uncertain, model == nil {
        throw ValidationError("--strategy uncertain needs --model, the directory of a trained model.")
      }
      return
    }
    let needed = [("--item-a", itemA == nil), ("--item-b", itemB == nil), ("--label", label == nil)]
    let missing = needed.filter { $0.1 }.map(\.0)
    if !missing.isEmpty {
      throw ValidationError("\(missing.joined(separator: " and ")) missing; or ask for questions with --interactive.")
    }
    if let label, PreferenceLabel(rawValue: label) == nil {
      throw ValidationError("--label \(label) is not one of 1 (A preferred), 0 (equal) and -1 (B preferred).")
    }
  }

  func run() throws {
    if interactive { return try ask() }
    let store = create ? try database.openOrCreate() : try database.open()
    let pair = try store.addPair(
      itemA: itemA!, itemB: itemB!, label: label!, reasonTags: ReasonTags.parse(reasonTags ?? ""), type: itemType,
      createsItems: create)
    if json { return try printJSON(PairLine(pair)) }
    var line = "stored pair \(pair.id): \(pair.itemA.printable) \(pair.label.sign) \(pair.itemB.printable)"
    if let similarity = pair.similarity { line += "  (similarity \(similarity.decimals(3)))" }
    print(line)
  }

  private func ask() throws {
    let scoring = try strategy == .uncertain ? model.map(itemScoring(modelDirectory:)) : nil
    let store = try database.open()
    if let itemType, try store.summaries(ofType: itemType).isEmpty {
      let types = try store.itemTypes().map(\.type)
      throw ValidationFailure(
        "there are no items of type \"\(itemType)\"; the types are \(types.joined(separator: ", "))")
    }
    let session = try AnsweringSession(
      store: store, itemType: itemType, strategy: strategy, seed: seed ?? .random(in: .min ... .max), score: scoring)
    guard session.question != nil else {
      throw ValidationFailure("there is nothing to ask: every two items of a type were compared already")
    }
    if Terminal.isInput, Terminal.isOutput, Terminal.isCapable {
      try KeyDialogue(session: session).run()
    } else {
      try LineDialogue(session: session).run()
    }
  }
}

enum ReasonTags {
  /// The tags in what a person typed: separated by commas, without the space around them, each once.
  static func parse(_ text: String) -> [String] {
    var tags: [String] = []
    for part in text.split(separator: ",") {
      let words = part.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      if !words.isEmpty, !tags.contains(words) { tags.append(words) }
    }
    return tags
  }
}
