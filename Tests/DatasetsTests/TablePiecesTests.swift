// Files read piece by piece give the rows that files read at once give.

import CommandSupport
import Datasets
import Testing

@Suite struct TablePiecesTests {
  private let columns = [
    TableColumn("text", content: .texts, isRequired: true), TableColumn("client", content: .carried),
  ]

  private func rows(_ table: Table) -> [(line: Int, text: String, client: String?)] {
    guard case .ids(let places, let texts) = table.columns[0] else { return [] }
    return places.indices.map { row in
      var client: String?
      if case .ids(let own, let names) = table.columns[1], own[row] >= 0 { client = names[Int(own[row])] }
      return (table.lines[row], texts[Int(places[row])], client)
    }
  }

  /// Seven rows, the fourth of them bad.
  private static let forms = [
    "notes.jsonl": (1...7).map { $0 == 4 ? "{\"text\": 4}\n" : "{\"text\": \"note \($0)\", \"client\": \($0 % 2)}\n" }
      .joined(),
    "notes.json": "{\"notes\": ["
      + (1...7).map { $0 == 4 ? "{\"text\": 4}" : "{\"text\": \"note \($0)\", \"client\": \($0 % 2)}" }
      .joined(separator: ", ") + "]}",
    "notes.csv": "client,text\n" + (1...7).map { $0 == 4 ? "1,\n" : "\($0 % 2),\"note \($0)\"\n" }.joined(),
  ]

  @Test(
    "pieces are of the size that was asked for, in order, with the lines of the file", arguments: forms.keys.sorted())
  func pieces(_ name: String) throws {
    let folder = try TemporaryDirectory()
    let path = try folder.write(Self.forms[name]!, to: name)
    var pieces: [[(line: Int, text: String, client: String?)]] = []
    let skipped = try TablePieces(
      columns: columns, section: "notes", rowCount: 2, options: ReadOptions(keepsLines: true)
    ).read(DataFile(path: path)) { pieces.append(rows($0)) }
    #expect(pieces.map(\.count) == [2, 2, 2])
    let all = pieces.flatMap(\.self)
    #expect(all.map(\.text) == [1, 2, 3, 5, 6, 7].map { "note \($0)" })
    #expect(all.map(\.client) == ["1", "0", "1", "1", "0", "1"])
    let before = name == "notes.csv" ? 1 : 0
    if name != "notes.json" { #expect(all.map(\.line) == [1, 2, 3, 5, 6, 7].map { $0 + before }) }
    #expect(skipped.count == 1)
  }

  @Test("what the receiver throws ends the reading and is what is thrown")
  func stopping() throws {
    struct Enough: Error {}
    let folder = try TemporaryDirectory()
    let path = try folder.write(Self.forms["notes.jsonl"]!, to: "notes.jsonl")
    var count = 0
    #expect(throws: Enough.self) {
      _ = try TablePieces(columns: columns, section: "notes", rowCount: 2).read(DataFile(path: path)) { _ in
        count += 1
        throw Enough()
      }
    }
    #expect(count == 1)
  }
}
