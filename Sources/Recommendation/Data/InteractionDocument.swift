// The JSON document of interactions, written line by line: `metadata`, `interactions`, `held_out_test`.

import Datasets

/// Writes the document that ``InteractionDataset`` reads: an element a line, so that it is never whole in memory.
final class InteractionDocument {
  private let writer: LineWriter
  /// A comma stands behind every element but the last, at the end of its line: lines are written one behind.
  private var line: [UInt8] = []
  private var isFirst = true
  private(set) var interactionCount = 0
  private(set) var caseCount = 0

  /// - Parameters:
  ///   - path: where it goes; `-` for standard output.
  ///   - metadata: a JSON object.
  init(path: String, metadata: String) throws {
    writer = try LineWriter(path: path)
    try writer.writeLine { $0.append(contentsOf: "{\"metadata\": \(metadata),".utf8) }
    line.append(contentsOf: "\"interactions\": [".utf8)
  }

  /// Appends an interaction, an object that `body` writes.
  func appendInteraction(_ body: (inout [UInt8]) -> Void) throws {
    precondition(caseCount == 0, "interactions come before held-out cases")
    try append(body)
    interactionCount += 1
  }

  /// Appends a held-out case: `user`, a string that the closure writes, and its items, each written by a call; without
  /// candidates, all items that the user has not seen are ranked.
  func appendCase<Item>(
    user: (inout [UInt8]) -> Void, relevant: [Item], candidates: [Item], item: (Item, inout [UInt8]) -> Void
  ) throws {
    if caseCount == 0 {
      try writeLine(ending: "")
      line.append(contentsOf: "],\n\"held_out_test\": [".utf8)
      isFirst = true
    }
    func appendItems(_ name: String, _ items: [Item], to text: inout [UInt8]) {
      text.append(contentsOf: ", \"\(name)\": [".utf8)
      for (index, element) in items.enumerated() {
        if index > 0 { text.append(contentsOf: ", ".utf8) }
        item(element, &text)
      }
      text.append(UInt8(ascii: "]"))
    }
    try append { text in
      text.append(contentsOf: "{\"user_id\": ".utf8)
      user(&text)
      appendItems("relevant_items", relevant, to: &text)
      if !candidates.isEmpty { appendItems("candidate_items", candidates, to: &text) }
      text.append(UInt8(ascii: "}"))
    }
    caseCount += 1
  }

  /// Closes the document and gives the file its name.
  func finish() throws {
    try writeLine(ending: "")
    try writer.writeLine { $0.append(contentsOf: "]}".utf8) }
    try writer.finish()
  }

  private func append(_ body: (inout [UInt8]) -> Void) throws {
    try writeLine(ending: isFirst ? "" : ",")
    isFirst = false
    body(&line)
  }

  private func writeLine(ending: String) throws {
    try writer.writeLine { text in
      text.append(contentsOf: line)
      text.append(contentsOf: ending.utf8)
    }
    line.removeAll(keepingCapacity: true)
  }
}
