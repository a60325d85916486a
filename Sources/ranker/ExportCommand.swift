// `ranker export`: the answers as a dataset to train on.

import ArgumentParser
import Datasets
import PreferenceStore

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the pairs, with their items whole, as JSON lines to train on.",
    discussion: """
      One object a line, in the order in which the pairs were stored: {"item_a": {…}, "item_b": {…}, "label": 1, \
      "reason_tags": […], "similarity": 0.85, "created_at": "…"}. A file that is there is replaced only when the new \
      one is whole.
      """)

  @Option(help: ArgumentHelp("The file to write; - for standard output.", valueName: "file.jsonl"))
  var output: String

  @Option(help: ArgumentHelp("Only pairs of items of this type.", valueName: "type"))
  var itemType: String?

  @Option(help: ArgumentHelp("Only pairs from this date on, such as 2026-01-31.", valueName: "date"))
  var since: Timestamp?

  @OptionGroup var database: DatabaseOptions

  func run() throws {
    let written = try database.open().export(to: output, ofType: itemType, since: since)
    guard written > 0 else {
      let filters = [itemType.map { "of type \"\($0)\"" }, since.map { "since \($0)" }].compactMap { $0 }
      throw ValidationFailure(
        filters.isEmpty
          ? "there are no pairs to export; ranker add-pair --interactive collects them"
          : "there are no pairs \(filters.joined(separator: " ")) to export")
    }
    if output != "-" { print("\(count(written, "pair")) written to \(output)") }
  }
}
