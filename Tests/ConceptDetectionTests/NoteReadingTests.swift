// Notes in every form: what is read, what is refused, and what is said about it.

import CommandSupport
import ConceptDetection
import Datasets
import Foundation
import Testing

@Suite struct NoteReadingTests {
  let directory = try! TemporaryDirectory()

  func read(_ text: String, _ options: NoteReadOptions = NoteReadOptions()) throws -> NoteDataset {
    try NoteDataset(path: directory.write(text, to: "notes"), options: options)
  }

  @Test("the same notes as lines of JSON, as an array, and as CSV with other columns")
  func forms() throws {
    let expected = [
      Note(text: "Ring, small", language: "en", clientID: "C-1"), Note(text: "Été", language: "fr", clientID: "C-2"),
    ]
    let objects = [
      #"{"text": "Ring, small", "language": "en", "client_id": "C-1", "shop": 3}"#,
      #"{"client_id": "C-2", "text": "\u00c9t\u00e9", "language": "fr"}"#,
    ]
    for text in [
      objects.joined(separator: "\n"), "[\(objects.joined(separator: ","))]",
      "client_id,shop,text,language\nC-1,3,\"Ring, small\",en\nC-2,4,Été,fr\n",
      "Text;Lang;Client\nRing, small;en;C-1\nÉté;fr;C-2\n",
    ] {
      let data = try read(text)
      #expect(data.notes == expected)
      #expect(data.languageCounts == ["en": 1, "fr": 1])
      #expect(data.warnings == ["there are only 2 notes; a model sees few contexts in fewer than 50"])
    }
  }

  @Test("Parquet with ids of any type; rows without a text or a sentence are left out by number")
  func parquet() throws {
    let resources = try #require(Bundle.module.url(forResource: "Resources", withExtension: nil))
    let data = try NoteDataset(path: resources.appendingPathComponent("notes.parquet").path)
    #expect(data.format == .parquet)
    #expect(
      data.notes == [
        Note(text: "Cherche une bague.", language: "fr", clientID: "11"), Note(text: "Call me", language: "en"),
      ])
    #expect(data.skipped.count == 2)
    #expect(data.skipped.examples.first?.description == "line 2: \"text\" is missing")
    #expect(
      data.skipped.examples.last?.description
        == "line 4: \"text\" has no sentence: there is no word in \"…\"")
    #expect(data.warnings.last == "1 of 2 notes have no client_id")
  }

  @Test("a missing column is named: without the text nothing can be read, without the others it is said")
  func missingColumn() throws {
    #expect { try read("language,client_id\nen,C-1\n") } throws: { "\($0)".contains("names no column \"text\"") }
    #expect { try read("{\"language\": \"en\", \"client_id\": \"C-1\"}\n") } throws: { error in
      "\(error)".contains("holds no usable note: its only row was left out")
        && "\(error)".contains("\"text\" is missing")
    }
    let data = try read("text\n" + (0..<60).map { "note \($0)\n" }.joined())
    #expect(
      data.warnings == [
        "there is no column \"language\": measures for each language can't be told",
        "there is no column \"client_id\": whose note it is can't be told",
      ])
    let renamed = try read("remark,who\nHello,C-1\n", NoteReadOptions(columns: ["text=remark", "client_id=who"]))
    #expect(renamed.notes == [Note(text: "Hello", clientID: "C-1")])
  }

  @Test("49 notes are warned of, 50 are not")
  func fewNotes() throws {
    func warnings(_ count: Int) throws -> [String] {
      try read("text,language,client_id\n" + (0..<count).map { "note \($0),en,C\n" }.joined()).warnings
    }
    #expect(try warnings(49) == ["there are only 49 notes; a model sees few contexts in fewer than 50"])
    #expect(try warnings(50).isEmpty)
  }

  @Test("nothing to read is an error, and so is nothing usable", arguments: ["", "\n", "text,language,client_id\n"])
  func noNotes(text: String) throws {
    #expect(throws: (any Error).self) { try read(text) }
  }

  @Test("notes without sentences are left out, counted and named by line; with strictness they are an error")
  func withoutSentences() throws {
    let text = "{\"text\": \"Fine.\"}\n{\"text\": \"?! …\"}\n{\"text\": 3}\n{\"text\": \"  \"}\n"
    let data = try read(text)
    #expect(data.notes.map(\.text) == ["Fine."])
    #expect(data.skipped.count == 3 && data.skipped.examples.map(\.line) == [2, 3, 4])
    #expect { try read("{\"text\": \"...\"}\n", NoteReadOptions(isStrict: true)) } throws: {
      "\($0)".contains("line 1: \"text\" has no sentence")
    }
  }

  @Test("personal numbers are out of the texts as read, counted; they stay where nobody wants them out")
  func redaction() throws {
    let text = "{\"text\": \"Mail anne@example.com, call +33 6 12 34 56 78\"}\n"
    let data = try read(text)
    #expect(data.notes.map(\.text) == ["Mail [email], call [phone]"])
    #expect(data.redactions.emails == 1 && data.redactions.phones == 1 && data.redactions.total == 2)
    let raw = try read(text, NoteReadOptions(redacts: false))
    #expect(raw.notes[0].text.contains("anne@example.com") && raw.redactions.total == 0)
  }

  @Test("labels as lists and as texts with bars; unknown ones and a missing column are errors")
  func labels() throws {
    for text in [
      "{\"text\": \"one\", \"concepts\": [\"b\", \"a\", \"b\"]}\n{\"text\": \"two\", \"concepts\": []}\n",
      "text,concepts\none,b|a\ntwo,\n",
    ] {
      let data = try read(text, NoteReadOptions(isLabelled: true))
      #expect(data.labels == ["a", "b"])
      #expect(data.notes.map(\.concepts) == [[0, 1], []])
      let placed = try read(text, NoteReadOptions(isLabelled: true, labels: ["z", "b", "a"]))
      #expect(placed.notes.map(\.concepts) == [[1, 2], []])
      #expect { try read(text, NoteReadOptions(isLabelled: true, labels: ["a"])) } throws: {
        "\($0)".contains("labels notes with \"b\", which is no concept of the lexicon")
      }
    }
    #expect { try read("text\none\n", NoteReadOptions(isLabelled: true)) } throws: {
      "\($0)".contains("has no column \"concepts\"")
    }
  }

  @Test("a data folder has its notes in processed, Parquet before JSON lines before CSV, and a taxonomy its lexicon")
  func layout() throws {
    let root = directory.path("layout")
    for folder in ["processed", "taxonomy", "empty"] {
      try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
    }
    func put(_ name: String) throws { try Data("x".utf8).write(to: URL(fileURLWithPath: "\(root)/\(name)")) }
    try put("processed/notes_clean.csv")
    try put("taxonomy/lexicon_v1.json")
    func paths() throws -> ConceptDataPaths { try ConceptDataPaths(dataFolder: root, taxonomy: "\(root)/taxonomy") }
    #expect(try paths().notes == "\(root)/processed/notes_clean.csv" && paths().candidates == nil)
    try put("processed/notes_clean.jsonl")
    try put("processed/candidates.csv")
    #expect(try paths().notes == "\(root)/processed/notes_clean.jsonl")
    #expect(try paths().candidates == "\(root)/processed/candidates.csv")
    try put("processed/notes_clean.parquet")
    #expect(try paths().notes == "\(root)/processed/notes_clean.parquet")
    #expect(try paths().lexicon == "\(root)/taxonomy/lexicon_v1.json")
    // The folder itself may be named, and the lexicon.
    #expect(
      try ConceptDataPaths(dataFolder: "\(root)/processed", taxonomy: "\(root)/taxonomy/lexicon_v1.json") == paths())
    #expect { try ConceptDataPaths(dataFolder: "\(root)/empty", taxonomy: root) } throws: {
      "\($0)".contains("no notes_clean.parquet or notes_clean.jsonl or notes_clean.csv in \(root)/empty/processed")
    }
    #expect { try ConceptDataPaths(dataFolder: root, taxonomy: "\(root)/empty") } throws: {
      "\($0)".contains("no lexicon_v1.json in \(root)/empty")
    }
  }

  @Test("candidates: one column of a file with others, each once")
  func candidates() throws {
    let path = try directory.write("count,candidate\n3,plain ring\n1,\"door, left\"\n2,plain ring\n1,\n", to: "c.csv")
    let candidates = try Candidates(path: path)
    #expect(candidates.phrases == ["plain ring", "door, left"])
    #expect(candidates.skipped.count == 1)
    for text in ["", "candidate\n", "phrase\nx\n"] {
      let path = try directory.write(text, to: "bad.csv")
      #expect(throws: (any Error).self) { try Candidates(path: path) }
    }
  }

  @Test(
    "sentences end at stops, marks and line breaks, not behind abbreviations, initials, hours and numbers",
    arguments: [
      ("Likes gold. Budget 500!  Calls?", ["Likes gold.", "Budget 500!", "Calls?"]),
      ("Mr. Smith came. E. M. inside.", ["Mr. Smith came.", "E. M. inside."]),
      ("Termin am 3. um elf. Bringt z. B. Papiere.", ["Termin am 3. um elf.", "Bringt z. B. Papiere."]),
      ("At 10.30 with no. 4 of 1.250,00 left", ["At 10.30 with no. 4 of 1.250,00 left"]),
      ("He said no. Then yes.", ["He said no.", "Then yes."]),
      ("First line\nsecond line\r\n\r\n- …", ["First line", "second line"]),
      ("\"Really?\" she asked (twice!) and left…", ["\"Really?\"", "she asked (twice!)", "and left…"]),
      ("La sig.ra Rossi torna. Ok", ["La sig.ra Rossi torna.", "Ok"]),
      ("...", []), ("", []),
    ])
  func sentences(text: String, expected: [String]) {
    #expect(Note(text: text).sentences.map(String.init) == expected)
  }
}
