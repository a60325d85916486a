// `ranker pairs`: the answers that were given.

import ArgumentParser
import Datasets
import PreferenceStore

struct Pairs: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List, judge, remove and import preference pairs.",
    subcommands: [List.self, Stats.self, Remove.self, Import.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List pairs in the order in which they were stored.")

    @Option(help: ArgumentHelp("Only pairs of items of this type.", valueName: "type"))
    var itemType: String?

    @Option(help: ArgumentHelp("Only pairs about this item.", valueName: "id"))
    var item: String?

    @Option(help: ArgumentHelp("Only pairs from this date on, such as 2026-01-31.", valueName: "date"))
    var since: Timestamp?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var database: DatabaseOptions

    func run() throws {
      let store = try database.open()
      if let item { _ = try store.item(item) }
      let pairs = try store.pairs(ofType: itemType, about: item, since: since)
      if json { return try printJSON(pairs.map(PairLine.init)) }
      if pairs.isEmpty {
        print("no pairs\(itemType == nil && item == nil && since == nil ? "" : " match")")
        return
      }
      var table = TextTable([
        .init(title: "PAIR", alignsRight: true), .init(title: "ITEM A", isFlexible: true), .init(title: ""),
        .init(title: "ITEM B", isFlexible: true), .init(title: "TYPE", isFlexible: true),
        .init(title: "SIMILARITY", alignsRight: true), .init(title: "REASONS", isFlexible: true),
        .init(title: "CREATED"),
      ])
      for pair in pairs {
        table.add([
          "\(pair.id)", pair.itemA, pair.label.sign, pair.itemB, pair.itemType ?? "–",
          pair.similarity.map { $0.decimals(3) } ?? "–", pair.reasonTags.joined(separator: ", "),
          pair.createdAt.description,
        ])
      }
      table.printOut()
    }
  }

  struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show the balance of labels, what they cover, and where they contradict each other.")

    @Option(help: ArgumentHelp("Only pairs of items of this type.", valueName: "type"))
    var itemType: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var database: DatabaseOptions

    func run() throws {
      let statistics = try database.open().statistics(ofType: itemType)
      if json { try printJSON(StatisticsReport(statistics)) } else { StatisticsView(statistics).printOut() }
      if statistics.pairCount < PairStatistics.goal {
        remark(
          "warning: \(count(statistics.pairCount, "pair")); a ranker needs \(PairStatistics.goal) or more to learn "
            + "something that holds")
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove one pair.")

    @Argument(help: "The pair's number, as ranker pairs list shows it.")
    var pair: Int64

    @OptionGroup var database: DatabaseOptions

    func run() throws {
      let removed = try database.open().removePair(pair)
      print("removed pair \(removed.id): \(removed.itemA.printable) \(removed.label.sign) \(removed.itemB.printable)")
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add pairs from a file, with their items.",
      discussion: """
        FILE holds one JSON object a line, as ranker export writes it; itemA and itemB may also be ids of items that \
        are stored already. Pairs that are stored already, to the moment, are passed over.
        """)

    @Argument(help: ArgumentHelp("The file of pairs; - for standard input.", valueName: "file.jsonl"))
    var file: String

    @Flag(help: "Let items of the file replace stored items of the same id.")
    var updateItems = false

    @Flag(help: "Refuse the file at its first bad line, instead of leaving such lines out.")
    var strict = false

    @OptionGroup var database: DatabaseOptions

    func run() throws {
      let pairs = try PairFile(path: file, options: ReadOptions(isStrict: strict, allowsReferences: true))
      remarkSkipped(pairs.skipped, of: file)
      let result = try database.openOrCreate().importPairs(pairs, updatesItems: updateItems)
      var parts = ["\(count(result.added, "pair")) added"]
      if result.known > 0 { parts.append("\(result.known) known already") }
      if result.items.added > 0 { parts.append("\(count(result.items.added, "item")) added") }
      if result.items.updated > 0 { parts.append("\(count(result.items.updated, "item")) updated") }
      print("\(parts.joined(separator: ", ")) in \(database.path)")
    }
  }
}

extension Timestamp: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension PreferenceLabel {
  /// The answer between its two items: `proj-1 > proj-2`.
  var sign: String {
    switch self {
    case .preferA: ">"
    case .equal: "="
    case .preferB: "<"
    }
  }
}

extension Double {
  /// The number with a fixed count of decimals.
  func decimals(_ count: Int) -> String {
    guard isFinite, abs(self) < 1e15 else { return "\(self)" }
    var scale = 1.0
    for _ in 0..<count { scale *= 10 }
    guard abs(self) * scale < 9e15 else { return "\(self)" }
    let digits = String(Int64((magnitude * scale).rounded()))
    let padded = String(repeating: "0", count: max(0, count + 1 - digits.count)) + digits
    let sign = self < 0 && padded.contains(where: { $0 != "0" }) ? "-" : ""
    return count == 0 ? sign + padded : "\(sign)\(padded.dropLast(count)).\(padded.suffix(count))"
  }
}

/// A pair in a list, as JSON.
struct PairLine: Encodable {
  let id: Int64
  let itemA: String
  let itemB: String
  let itemType: String?
  let label: PreferenceLabel
  let reasonTags: [String]
  let similarity: Double?
  let createdAt: Timestamp

  init(_ pair: StoredPair) {
    id = pair.id
    itemA = pair.itemA
    itemB = pair.itemB
    itemType = pair.itemType
    label = pair.label
    reasonTags = pair.reasonTags
    similarity = pair.similarity
    createdAt = pair.createdAt
  }
}
