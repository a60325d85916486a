// Synthesized interactions as files: the name's suffix says the form.

import Datasets
import Parquet

extension InteractionSynthesis {
  /// What was written.
  public struct Summary: Sendable, Hashable {
    public let path: String
    public let interactions: Int
    public let heldOutCases: Int
  }

  /// Writes the interactions to `path`, `-` for standard output: a JSON document with metadata and held-out cases for
  /// `.json`, an object a line for `.jsonl`, separated fields for `.csv` and `.tsv`, a table for `.parquet`. Held-out
  /// cases have a place in a document only.
  @discardableResult
  public func write(to path: String) throws -> Summary {
    try check()
    switch try Self.form(of: path) {
    case .document: return try writeDocument(to: path)
    case .lines: return try writeLines(to: path, header: nil) { Self.appendObject($0, names: $1, to: &$2) }
    case .delimited(let separator):
      let names = ["user_id", "item_id", "timestamp", "interaction_type", "implicit_rating"]
      return try writeLines(to: path, header: names.joined(separator: String(UnicodeScalar(separator)))) {
        Self.appendFields($0, names: $1, separator: separator, to: &$2)
      }
    case .parquet: return try writeParquet(to: path)
    }
  }

  private func writeDocument(to path: String) throws -> Summary {
    let document = try InteractionDocument(path: path, metadata: metadata)
    let names = Names(users: users, items: items)
    try generate { row in
      try document.appendInteraction { Self.appendObject(row, names: names, to: &$0) }
    } heldOut: { user, relevant, candidates in
      func appendText(_ append: (inout [UInt8]) -> Void, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        append(&text)
        text.append(UInt8(ascii: "\""))
      }
      try document.appendCase(
        user: { appendText({ names.appendUser(user, to: &$0) }, to: &$0) }, relevant: relevant, candidates: candidates,
        item: { item, text in appendText({ names.appendItem(item, to: &$0) }, to: &text) })
    }
    try document.finish()
    return Summary(path: path, interactions: document.interactionCount, heldOutCases: document.caseCount)
  }

  private func writeLines(
    to path: String, header: String?, append: (Row, Names, inout [UInt8]) -> Void
  ) throws -> Summary {
    let writer = try LineWriter(path: path)
    if let header { try writer.writeLine { $0.append(contentsOf: header.utf8) } }
    let names = Names(users: users, items: items)
    var synthesis = self
    synthesis.heldOutItems = 0
    var rowCount = 0
    try synthesis.generate { row in
      try writer.writeLine { append(row, names, &$0) }
      rowCount += 1
    } heldOut: { _, _, _ in
    }
    try writer.finish()
    return Summary(path: path, interactions: rowCount, heldOutCases: 0)
  }

  private func writeParquet(to path: String) throws -> Summary {
    let writer = try ParquetWriter(
      path: path,
      fields: [
        .init("user_id", .string), .init("item_id", .string),
        .init("timestamp", .timestamp(.microseconds, isUTC: true)),
        .init("interaction_type", .string), .init("implicit_rating", .float),
      ])
    let names = Names(users: users, items: items)
    var synthesis = self
    synthesis.heldOutItems = 0
    var rows: [Row] = []
    var rowCount = 0
    func text(_ append: (inout [UInt8]) -> Void) -> String {
      var bytes: [UInt8] = []
      append(&bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
    func flush() throws {
      guard !rows.isEmpty else { return }
      try writer.write([
        ParquetColumn(rows.map { row in text { names.appendUser(row.user, to: &$0) } }),
        ParquetColumn(rows.map { row in text { names.appendItem(row.item, to: &$0) } }),
        ParquetColumn(rows.map { $0.seconds * 1_000_000 }), ParquetColumn(rows.map { Self.kinds[$0.kind].name }),
        ParquetColumn(rows.map { Self.kinds[$0.kind].strength }),
      ])
      rowCount += rows.count
      rows.removeAll(keepingCapacity: true)
    }
    try synthesis.generate { row in
      rows.append(row)
      if rows.count == 250_000 { try flush() }
    } heldOut: { _, _, _ in
    }
    try flush()
    try writer.finish()
    return Summary(path: path, interactions: rowCount, heldOutCases: 0)
  }

  private static func form(of path: String) throws(SynthesisError) -> OutputForm {
    if path == "-" { return .document }
    guard let form = OutputForm(path: path) else {
      throw SynthesisError(
        setting: "output", value: path, expected: "a name that ends in .json, .jsonl, .csv, .tsv or .parquet")
    }
    return form
  }

  /// The beginning of a document. Items count all of the catalogue, as the held-out candidates come from it.
  private var metadata: String {
    let density = Double(interactions) / (Double(users) * Double(items))
    return "{\"num_users\": \(users), \"num_items\": \(items), \"num_interactions\": \(interactions), "
      + "\"density\": \(density), \"synthesis\": {\"factors\": \(factors), \"popularity_skew\": \(popularitySkew), "
      + "\"activity_skew\": \(activitySkew), \"sharpness\": \(sharpness), \"noise\": \(noise), "
      + "\"held_out_items\": \(heldOutItems), \"candidates\": \(candidates), \"days\": \(days), "
      + "\"start\": \"\(start)\", \"seed\": \(seed)}}"
  }

  private static func appendObject(_ row: Row, names: Names, to line: inout [UInt8]) {
    line.append(contentsOf: "{\"user_id\": \"".utf8)
    names.appendUser(row.user, to: &line)
    line.append(contentsOf: "\", \"item_id\": \"".utf8)
    names.appendItem(row.item, to: &line)
    line.append(contentsOf: "\", \"timestamp\": ".utf8)
    appendNumber(row.seconds, to: &line)
    line.append(contentsOf: ", \"interaction_type\": \"".utf8)
    line.append(contentsOf: kinds[row.kind].name.utf8)
    line.append(contentsOf: "\", \"implicit_rating\": ".utf8)
    line.append(contentsOf: strengths[row.kind].utf8)
    line.append(UInt8(ascii: "}"))
  }

  private static func appendFields(_ row: Row, names: Names, separator: UInt8, to line: inout [UInt8]) {
    names.appendUser(row.user, to: &line)
    line.append(separator)
    names.appendItem(row.item, to: &line)
    line.append(separator)
    appendNumber(row.seconds, to: &line)
    line.append(separator)
    line.append(contentsOf: kinds[row.kind].name.utf8)
    line.append(separator)
    line.append(contentsOf: strengths[row.kind].utf8)
  }

  private static let strengths = kinds.map { "\($0.strength)" }

  private static func appendNumber(_ number: Int64, to line: inout [UInt8]) {
    line.append(contentsOf: "\(number)".utf8)
  }

  /// `user_0042`, `item_0007`: as many digits as the largest place needs, so that they sort by place.
  private struct Names {
    private let userDigits: Int
    private let itemDigits: Int

    init(users: Int, items: Int) {
      userDigits = String(users - 1).utf8.count
      itemDigits = String(items - 1).utf8.count
    }

    func appendUser(_ user: Int, to line: inout [UInt8]) {
      line.append(contentsOf: "user_".utf8)
      append(user, digits: userDigits, to: &line)
    }

    func appendItem(_ item: Int, to line: inout [UInt8]) {
      line.append(contentsOf: "item_".utf8)
      append(item, digits: itemDigits, to: &line)
    }

    private func append(_ number: Int, digits: Int, to line: inout [UInt8]) {
      var unit = 1
      for _ in 1..<digits { unit *= 10 }
      while unit > 0 {
        line.append(UInt8(ascii: "0") + UInt8(number / unit % 10))
        unit /= 10
      }
    }
  }
}
