// `ranker embed`: embeddings for items, made of their texts.

import ArgumentParser
import Datasets
import Encoders
import Foundation
import Reports
import TextClassification

struct Embed: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fill the embeddings of items from their texts.",
    discussion: """
      Reads items, a JSON object a line, and writes them with the embedding of their text, an item a line: the mean of the \
      encoder's last hidden states, of length 1. Everything else stays as it was, fields included that RankerKit does not \
      know. The output may be the input: the file is replaced when it is whole. Items that have an embedding keep it, \
      unless --force is given.

        ranker embed --input items.jsonl --output items.jsonl
      """)

  @Option(help: ArgumentHelp("The file of items; - for standard input.", valueName: "file"))
  var input: String

  @Option(help: ArgumentHelp("Where they go; - for standard output.", valueName: "file"))
  var output: String

  @OptionGroup var embedding: EmbeddingOptions

  func run() throws {
    let embedder = try embedding.embedder()
    let file = try ItemRecords(path: input)
    var items = file.items
    let result = try embedding.fill(&items, lines: file.lines, path: file.path, embedder: embedder)
    try file.write(items, to: output)
    let text = "\(output == "-" ? "" : "\(output): ")\(embedding.told(result))"
    if output == "-" { remark(text) } else { print(text) }
  }
}

/// How embeddings are made, the same for every command that makes some.
struct EmbeddingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The directory of a BERT or DistilBERT encoder (default: the one of tools/fetch-encoder).", valueName: "directory"
    ))
  var encoder: String?

  @Option(help: ArgumentHelp("Tokens of a text that are read (default: as the tokenizer says).", valueName: "n"))
  var maxLength: Int?

  @Option(help: ArgumentHelp("Threads (default: as many as there are cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Make embeddings anew for items that have one.")
  var force = false

  @Flag(help: "Leave items without a text as they are and count them, instead of refusing them.")
  var skipWithoutText = false

  /// Whether a person said how embeddings are to be made.
  var isGiven: Bool { encoder != nil || maxLength != nil || force || skipWithoutText }

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected 1 or more.") }
  }

  /// - Throws: where no encoder was named and the default one is not there; it says how to get it.
  func embedder() throws -> TextEmbedder {
    let directory: String
    do throws(EncoderError) { directory = try DefaultEncoder.directory(named: encoder) } catch {
      guard case .noDefaultEncoder(let path) = error else { throw error }
      throw ValidationFailure(
        "there is no encoder at \(path): obtain it with tools/fetch-encoder, or name the directory of another with "
          + "--encoder")
    }
    return TextEmbedder(directory: directory, maximumLength: maxLength, threads: threads)
  }

  func fill(
    _ items: inout [Item], lines: [Int], path: String, embedder: TextEmbedder,
    isKept: (Item) -> Bool = { _ in false }
  ) throws -> ItemEmbeddings {
    var counter: CountView?
    var before = 0
    let result = try embedder.embed(
      &items, lines: lines, path: path, replacing: force, isKept: isKept, skippingWithoutText: skipWithoutText
    ) { done, total in
      if counter == nil { counter = CountView(unit: "items", total: total, isShown: true) }
      counter?.advance(by: done - before)
      before = done
    }
    counter?.clear()
    if result.truncated > 0 {
      remark(
        "note: \(count(result.truncated, "text")) \(result.truncated == 1 ? "goes" : "go") on behind what the encoder "
          + "reads (--max-length)")
    }
    if let other = result.otherWidth, result.embedded > 0 {
      remark(
        "warning: items that kept their embedding have \(other) numbers, the new ones \(try embedder.width()): a ranker "
          + "takes one width; use --force to make all anew")
    }
    return result
  }

  func told(_ result: ItemEmbeddings) -> String {
    var text = "\(count(result.embedded, "item")) embedded"
    if result.kept > 0 { text += ", \(Figures.count(result.kept)) kept theirs" }
    if result.withoutText > 0 { text += ", \(Figures.count(result.withoutText)) without a text left as they are" }
    return text
  }
}
