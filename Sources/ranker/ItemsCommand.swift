// `ranker items`: the things that are compared.

import ArgumentParser
import Datasets
import PreferenceStore

struct Items: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Import, list, show and remove items.",
    subcommands: [Import.self, List.self, Show.self, Remove.self])

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add items from a file, or update those whose id is known.",
      discussion: """
        FILE holds one JSON object a line (or one JSON array of them), with the fields id, itemType, \
        itemReferenceID, embedding, embedding_id, metrics, text and createdAt; only id is required. \
        An item without an embedding keeps the one that is stored.

        With --embed, items that have a text and no embedding, here or stored with the same text, get one made of their \
        text (see ranker embed --help).
        """)

    @Argument(help: ArgumentHelp("The file of items; - for standard input.", valueName: "file.jsonl"))
    var file: String

    @Option(
      help: ArgumentHelp(
        "JSON lines of embedding_id and embedding, for items that name theirs.", valueName: "file"))
    var embeddings: String?

    @Flag(help: "Refuse the file at its first bad line, instead of leaving such lines out.")
    var strict = false

    @Flag(help: "Make embeddings of the items' texts.")
    var embed = false

    @OptionGroup(title: "With --embed") var embedding: EmbeddingOptions
    @OptionGroup var database: DatabaseOptions

    func validate() throws {
      if !embed, embedding.isGiven {
        throw ValidationError("--encoder, --max-length, --force and --skip-without-text go with --embed; add it.")
      }
    }

    func run() throws {
      let embedder = embed ? try embedding.embedder() : nil
      let options = ReadOptions(isStrict: strict)
      var items = try ItemFile(path: file, options: options)
      remarkSkipped(items.skipped, of: items.path)
      if let embeddings {
        let vectors = try EmbeddingFile(path: embeddings, options: options)
        remarkSkipped(vectors.skipped, of: embeddings)
        let missing = items.resolveEmbeddings(from: vectors)
        if let first = missing.first {
          let text =
            "\(embeddings) has no embedding \"\(first.embeddingID ?? "")\", which \"\(first.id)\" names"
            + (missing.count > 1 ? " (nor those of \(count(missing.count - 1, "other item")))" : "")
          if strict { throw ValidationFailure(text) }
          remark("warning: \(text.printable)")
        }
      }
      let store = try database.openOrCreate()
      if let embedder {
        let stored = Dictionary(
          try store.summaries().lazy.filter { $0.embeddingWidth != nil }.map { ($0.id, $0.text) },
          uniquingKeysWith: { first, _ in first })
        let made = try embedding.fill(&items.items, lines: items.lines, path: items.path, embedder: embedder) { item in
          stored[item.id].map { $0 == item.text } ?? false
        }
        print(embedding.told(made))
      }
      let result = try store.importItems(items.items)
      print(
        "\(count(result.added, "item")) added, \(result.updated) updated, \(result.unchanged) unchanged "
          + "in \(database.path)")
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List items by type and id.")

    @Option(help: ArgumentHelp("Only items of this type.", valueName: "type"))
    var itemType: String?

    @Option(help: ArgumentHelp("Only items with this in their id, reference or text.", valueName: "text"))
    var search: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var database: DatabaseOptions

    func run() throws {
      let items = try database.open().summaries(ofType: itemType, search: search)
      if json { return try printJSON(items.map(ItemLine.init)) }
      if items.isEmpty {
        print("no items\(search == nil && itemType == nil ? "" : " match")")
        return
      }
      var table = TextTable([
        .init(title: "ID", isFlexible: true), .init(title: "TYPE", isFlexible: true),
        .init(title: "PAIRS", alignsRight: true), .init(title: "EMBEDDING", alignsRight: true),
        .init(title: "METRICS", alignsRight: true), .init(title: "TEXT", isFlexible: true),
      ])
      for item in items {
        table.add([
          item.id, item.itemType, "\(item.pairCount)", item.embeddingWidth.map(String.init) ?? "–",
          item.metrics.isEmpty ? "–" : "\(item.metrics.count)", item.text ?? "",
        ])
      }
      table.printOut()
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show one item.")

    @Argument(help: "The item's id.")
    var id: String

    @Flag(help: "Print the item as one line of JSON, embedding and all.")
    var json = false

    @OptionGroup var database: DatabaseOptions

    func run() throws {
      let store = try database.open()
      let item = try store.item(id)
      if json {
        var text: [UInt8] = []
        item.appendJSON(to: &text)
        print(String(decoding: text, as: UTF8.self))
        return
      }
      let style = Style.output
      func line(_ name: String, _ value: String) { print(style.dim(name.fitted(14)) + value.printable) }
      line("id", item.id)
      line("type", item.itemType)
      line("reference", item.itemReferenceID)
      line("created", item.createdAt?.description ?? "–")
      let embedding = item.embedding.map { numbers in
        "\(count(numbers.count, "number")): \(numbers.prefix(4).map { "\($0)" }.joined(separator: ", "))"
          + (numbers.count > 4 ? ", …" : "")
      }
      line("embedding", embedding ?? "–")
      if let embeddingID = item.embeddingID { line("embedding id", embeddingID) }
      line("pairs", "\(try store.pairs(about: item.id).count)")
      if !item.metrics.isEmpty {
        print(style.dim("metrics"))
        let width = item.metrics.keys.map(\.printable.cellCount).max() ?? 0
        for (name, value) in item.metrics.sorted(by: { $0.key < $1.key }) {
          print("  \(name.printable.fitted(width))  \(value)")
        }
      }
      if let text = item.text {
        print(style.dim("text"))
        for line in text.printable.wrapped(min(100, Terminal.size?.columns ?? 100) - 2) { print("  \(line)") }
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove one item.")

    @Argument(help: "The item's id.")
    var id: String

    @Flag(help: "Remove the pairs that refer to it, too.")
    var cascade = false

    @OptionGroup var database: DatabaseOptions

    func run() throws {
      let pairCount = try database.open().removeItem(id, cascade: cascade)
      print("removed \"\(id.printable)\"" + (pairCount > 0 ? " and \(count(pairCount, "pair"))" : ""))
    }
  }
}

/// A failure that a command finds itself.
struct ValidationFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// An item in a list, as JSON.
private struct ItemLine: Encodable {
  let id: String
  let itemType: String
  let itemReferenceID: String
  let metrics: [String: Double]
  let text: String?
  let embeddingWidth: Int?
  let createdAt: Timestamp
  let pairCount: Int

  init(_ item: ItemSummary) {
    id = item.id
    itemType = item.itemType
    itemReferenceID = item.itemReferenceID
    metrics = item.metrics
    text = item.text
    embeddingWidth = item.embeddingWidth
    createdAt = item.createdAt
    pairCount = item.pairCount
  }
}
