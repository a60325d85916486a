// Pairs from JSON: what is read, and what is said about what can't be.

import CommandSupport
import Datasets
import Testing

private func item(_ id: String, _ rest: String = "") -> String {
  #"{"id": "\#(id)", "item_type": "project", "item_reference_id": "r-\#(id)", "metrics": {"clarity": 0.5}\#(rest)}"#
}

private func pair(_ a: String = item("p"), _ b: String = item("q"), _ rest: String = #""label": 1"#) -> String {
  #"{"item_a": \#(a), "item_b": \#(b), \#(rest)}"#
}

@Suite("Reading pairs")
struct PairReadingTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func read(_ text: String, _ options: ReadOptions = ReadOptions()) throws -> PairFile {
    try PairFile(path: directory.write(text, to: "pairs.jsonl"), options: options)
  }

  /// The reason why the middle one of three lines is left out.
  private func reason(_ line: String, _ options: ReadOptions = ReadOptions()) throws -> String? {
    let file = try read(pair() + "\n" + line + "\n" + pair() + "\n", options)
    #expect(file.pairs.map(\.line) == [1, 3])
    #expect(file.skipped.count == 1)
    #expect(file.skipped.examples.map(\.line) == [2])
    return file.skipped.examples.first?.message
  }

  /// The error of a file.
  private func error(_ text: String, _ options: ReadOptions = ReadOptions()) throws -> String? {
    do {
      _ = try read(text, options)
      return nil
    } catch { return "\(error)".replacing(directory.url.path + "/", with: "") }
  }

  @Test("every field of a pair and its items arrives")
  func wholePair() throws {
    let a = #"""
      {"id": "p\u00e9-1", "item_type": "project", "item_reference_id": "ref", "embedding": [0.5, -1e-3, 2, 3e2],
       "embedding_id": "e1", "metrics": {"b": 1, "a": 0.25}, "text": "tab\tquote\"", "created_at": "2026-01-02T03:04:05Z"}
      """#.replacing("\n", with: " ")
    let file = try read(
      pair(a, item("q"), #""label": -1, "reason_tags": ["x", "y"], "similarity": 0.85, "created_at": "2026-02-01""#))
    let read = file.preferencePair(at: 0)
    #expect(
      read.itemA
        == Item(
          id: "pé-1", itemType: "project", itemReferenceID: "ref", embedding: [0.5, -0.001, 2, 300],
          embeddingID: "e1", metrics: ["a": 0.25, "b": 1], text: "tab\tquote\"",
          createdAt: Timestamp("2026-01-02T03:04:05Z")))
    #expect(read.itemB.embedding == nil)
    #expect(read.label == .preferB)
    #expect(read.reasonTags == ["x", "y"])
    #expect(read.similarity == 0.85)
    #expect(read.createdAt == Timestamp("2026-02-01T00:00:00Z"))
  }

  @Test("an item needs nothing but its id")
  func defaults() throws {
    let file = try read(pair(#"{"id": "p"}"#, #"{"id": "q", "embedding": null, "metrics": null, "text": null}"#))
    #expect(file.items == [Item(id: "p"), Item(id: "q")])
    #expect(file.items[0].itemType == "item")
    #expect(file.items[0].itemReferenceID == "p")
  }

  @Test("an item that comes again is kept once, one whose content changes twice")
  func sharing() throws {
    let long = item("p", #", "text": "\#(String(repeating: "long ", count: 40))""#)
    let file = try read(
      [pair(long, item("q")), pair(item("q"), long), pair(item("p", #", "text": "new""#), item("q"))]
        .joined(separator: "\n"))
    #expect(file.items.map(\.id) == ["p", "q", "p"])
    #expect(file.pairs.map { [$0.itemA, $0.itemB] } == [[0, 1], [1, 0], [2, 1]])
  }

  @Test("a line that begins like a known item but goes on differently is read anew")
  func likeKnown() throws {
    let start = item("p", #", "text": "\#(String(repeating: "same beginning ", count: 10))"#)
    let file = try read(
      [pair(start.dropLast() + #"one"}"#, item("q")), pair(start.dropLast() + #"two"}"#, item("q"))]
        .joined(separator: "\n"))
    #expect(file.items.map { $0.text?.suffix(3) } == ["one", nil, "two"])
  }

  @Test("keys may stand in any order, unknown ones anywhere")
  func anyOrder() throws {
    let line = #"""
      {"label": 0, "note": {"item_a": {"id": "no"}, "s": "}\"{"}, "item_b": {"x": [[]], "id": "q"}, "item\u005fa": {"id": "p"}}
      """#
    let file = try read(line)
    #expect(file.items.map(\.id) == ["p", "q"])
    #expect(file.pairs[0].label == .equal)
  }

  @Test("a byte-order mark, CRLF, blank lines and a missing last line break change nothing")
  func lineEnds() throws {
    let file = try read("\u{FEFF}" + pair() + "\r\n\r\n   \n" + pair())
    #expect(file.pairs.map(\.line) == [1, 4])
    #expect(file.skipped.count == 0)
  }

  @Test("one JSON array reads like lines, problems named by the line that an element begins on")
  func array() throws {
    let text = "\n [\n\(pair()),\n\n  {\"label\": 1},\n\(pair().replacing(", ", with: ",\n"))\n]\n"
    let file = try read(text)
    #expect(file.pairs.map(\.line) == [3, 6])
    #expect(file.skipped.examples == [LineProblem(line: 5, message: "\"item_a\" is missing")])
    #expect(try read("[\(pair())]").pairs.count == 1)
  }

  @Test(
    "an array that is broken off or badly separated keeps what came before",
    arguments: [
      (",", "the array is not closed (a file cut short?)"), ("", "the array is not closed (a file cut short?)"),
      (", {\"item_a\":", "the array ends inside this element (a file cut short?)"),
      (" {}]", "a comma or the array's end was expected here"), (",]", "an element was expected behind the comma"),
      (", 5]", "an object was expected as an element of the array"), ("] x", "text behind the end of the array"),
    ])
  func brokenArray(_ rest: String, _ message: String) throws {
    let file = try read("[" + pair() + rest)
    #expect(file.pairs.count == 1)
    #expect(file.skipped.examples == [LineProblem(line: 1, message: message)])
  }

  @Test(
    "what is wrong with a line is said",
    arguments: [
      ("hello", "not valid JSON: an object was expected, found \"hello\""),
      (#"{"item_a": {"id": "p""#, "not valid JSON: it ends before its object is closed (cut short?)"),
      ("[1, 2]", "a pair must be an object, found an array"),
      (pair() + " x", "not valid JSON"),
      (
        pair(item("p", #", "text": "\q""#)), "item_a: not valid JSON: a string with a bad escape or a control character"
      ),
      (
        pair(item("p", #", "text": "\#t""#.replacing("\\#t", with: "\t"))),
        "item_a: not valid JSON: a string with a bad escape or a control character"
      ),
      (pair(item("p", #", "text": tru"#)), "item_a: not valid JSON: a word that is not true, false or null"),
      (pair(item("p", #", "embedding": [01]"#)), "item_a: not valid JSON: a number in a form that JSON does not have"),
      (pair(item("p", #", "embedding": [1, 2"#)), "item_a: not valid JSON"),
      (pair("5"), "\"item_a\" must be an object, found a number"),
      (pair("null"), "\"item_a\" must be an object, found null"),
      (pair(item("p"), item("q"), #""similarity": 1"#), "\"label\" is missing"),
      (#"{"item_a": \#(item("p")), "label": 1}"#, "\"item_b\" is missing"),
      (pair("{}"), "item_a: \"id\" is missing"),
      (pair(#"{"id": 7}"#), "item_a: \"id\" must be a string, found a number"),
      (pair(#"{"id": ""}"#), "item_a: \"id\" is an empty string"),
      (
        pair(item("p"), item("q"), #""label": 2"#),
        "\"label\" is 2; it must be 1 (A preferred), 0 (equal) or -1 (B preferred)"
      ),
      (
        pair(item("p"), item("q"), #""label": 0.5"#),
        "\"label\" is 0.5; it must be 1 (A preferred), 0 (equal) or -1 (B preferred)"
      ),
      (
        pair(item("p"), item("q"), #""label": 99999999999999999999.0"#),
        "\"label\" is 1e+20; it must be 1 (A preferred), 0 (equal) or -1 (B preferred)"
      ),
      (pair(item("p"), item("q"), #""label": "1""#), "\"label\" must be 1, 0 or -1, found a string"),
      (pair(item("p"), item("q"), #""label": 1, "label": -1"#), "\"label\" is there twice"),
      (pair(item("p"), item("q"), #""item_a": \#(item("r")), "label": 1"#), "\"item_a\" is there twice"),
      (pair(item("p", #", "id": "r""#)), "item_a: \"id\" is there twice"),
      (pair(#"{"id": "p", "metrics": {"a": 1, "a": 2}}"#), "item_a: \"metrics.a\" is there twice"),
      (pair(#"{"id": "p", "metrics": {"a": null, "a": 2}}"#), "item_a: \"metrics.a\" is there twice"),
      (pair(#"{"id": "p", "metrics": {"a": "high"}}"#), "item_a: \"metrics.a\" must be a number, found a string"),
      (pair(#"{"id": "p", "metrics": [1]}"#), "item_a: \"metrics\" must be an object, found an array"),
      (
        pair(item("p"), item("q", #", "embedding": [1, "x"]"#)),
        "item_b: \"embedding[1]\" must be a number, found a string"
      ),
      (
        pair(item("p"), item("q", #", "embedding": [1, null]"#)),
        "item_b: \"embedding[1]\" must be a number, found null"
      ),
      (
        pair(item("p"), item("q", #", "embedding": [[1]]"#)),
        "item_b: \"embedding[0]\" must be a number, found an array"
      ),
      (
        pair(item("p"), item("q", #", "embedding": []"#)),
        "item_b: \"embedding\" is an empty array; leave it out where there is none"
      ),
      (pair(item("p"), item("q", #", "embedding": "e""#)), "item_b: \"embedding\" must be an array, found a string"),
      (
        pair(item("p"), item("q", #", "created_at": "yesterday""#)),
        "item_b: \"created_at\" is \"yesterday\", not a date such as 2026-01-31T08:30:00Z"
      ),
      (
        pair(item("p"), item("q"), #""label": 1, "reason_tags": ["a", 1]"#),
        "\"reason_tags[1]\" must be a string, found a number"
      ),
      (pair(item("p"), item("p")), "\"p\" is compared with itself"),
      (
        pair(#""p-1""#),
        "\"item_a\" is only an id, \"p-1\"; whole items are expected here "
          + "(ranker pairs import takes ids, and ranker export writes whole items)"
      ),
    ])
  func badLine(_ line: String, _ message: String) throws {
    #expect(try reason(line) == message)
    #expect(
      try error([pair(), line, pair(), "x"].joined(separator: "\n"), ReadOptions(isStrict: true))
        == "pairs.jsonl, line 2: \(message)")
  }

  @Test("bytes that are not UTF-8 are a bad line")
  func notUTF8() throws {
    var bytes = Array((pair() + "\n").utf8)
    bytes += Array(#"{"item_a": {"id": ""#.utf8) + [0xC3, 0x28] + Array(#""}, "label": 1}"#.utf8)
    let file = try PairFile(path: directory.write(bytes, to: "bytes.jsonl"))
    #expect(file.skipped.examples[0].message == "item_a: not valid UTF-8; convert the file, or write it anew as UTF-8")
  }

  @Test(
    "a number that is not finite is fatal, strict or not, and its line is named",
    arguments: [
      (
        #"{"id": "p", "embedding": [1, NaN]}"#,
        "item_a: holds NaN, which is not a number in JSON; every number must be finite"
      ),
      (
        #"{"id": "p", "metrics": {"a": -Infinity}}"#,
        "item_a: holds -Infinity, which is not a number in JSON; every number must be finite"
      ),
      (
        #"{"id": "p", "metrics": {"a": 1e999}}"#,
        "item_a: holds 1e999, which is beyond a 64-bit float's range; every number must be finite"
      ),
      (
        #"{"id": "p", "embedding": [0, 1e39]}"#,
        "item_a: \"embedding[1]\" is 1e+39, which is beyond a 32-bit float's range"
      ),
    ])
  func notFinite(_ a: String, _ message: String) throws {
    #expect(try error(pair() + "\nbad line\n" + pair(a)) == "pairs.jsonl, line 3: \(message)")
  }

  @Test("the word NaN within a string is a word")
  func nanInString() throws {
    #expect(try reason(pair(item("p", #", "text": "NaN" oops"#)))?.contains("NaN") == false)
  }

  @Test("mixed embedding widths: the most frequent one holds, the others are named with line, found and expected")
  func mixedWidths() throws {
    let wide = #", "embedding": [1, 2, 3]"#
    let lines = [
      pair(item("a", #", "embedding": [1, 2]"#), item("b", wide)), pair(item("b", wide), item("c", wide)),
      pair(item("c", wide), item("d")), pair(item("b", wide), item("e", wide)),
    ]
    let options = ReadOptions(embeddingWidth: .uniform)
    let file = try read(lines.joined(separator: "\n"), options)
    #expect(file.embeddingWidth == 3)
    #expect(file.pairs.map(\.line) == [2, 4])
    #expect(file.items.map(\.id) == ["b", "c", "e"])
    #expect(
      file.skipped.examples == [
        LineProblem(
          line: 1,
          message: "item_a: \"a\" has an embedding of 2 numbers, expected an embedding of 3 numbers (as on line 1)"),
        LineProblem(
          line: 3, message: "item_b: \"d\" has no embedding, expected an embedding of 3 numbers (as on line 1)"),
      ])
    #expect(
      try error(lines[1], ReadOptions(isStrict: true, embeddingWidth: .exactly(4)))
        == "pairs.jsonl, line 1: item_a: \"b\" has an embedding of 3 numbers, expected an embedding of 4 numbers (as asked for)"
    )
    #expect(try read(lines.joined(separator: "\n")).pairs.count == 4)
    #expect(try read(pair(), options).embeddingWidth == nil)
  }

  @Test("of two widths as frequent the earlier one holds, each time")
  func evenWidths() throws {
    // Found by fuzzing: it was a dictionary's order that decided.
    let even = pair(item("a", #", "embedding": [1, 2]"#), item("b", #", "embedding": [1]"#))
    for _ in 0..<20 {
      #expect(
        try error(even, ReadOptions(isStrict: true, embeddingWidth: .uniform))
          == "pairs.jsonl, line 1: item_b: \"b\" has an embedding of 1 number, "
          + "expected an embedding of 2 numbers (as on line 1)")
    }
  }

  @Test("ids alone are read where they are asked for")
  func references() throws {
    let file = try read(
      [pair(#""p""#, #""q""#), pair(item("q"), #""p""#)].joined(separator: "\n"), ReadOptions(allowsReferences: true))
    #expect(file.items.map(\.id) == ["p", "q", "q"])
    #expect(file.references == [0, 1])
    #expect(file.pairs.map { [$0.itemA, $0.itemB] } == [[0, 1], [2, 0]])
  }

  @Test("files that are not there, empty, directories or something else are named as that")
  func wrongFiles() throws {
    #expect(
      throws: DatasetError.unreadable(path: "/nowhere/x.jsonl", reason: "No such file or directory")
    ) { try PairFile(path: "/nowhere/x.jsonl") }
    #expect(throws: DatasetError.isDirectory(path: directory.url.path)) { try PairFile(path: directory.url.path) }
    #expect(try error("") == "pairs.jsonl is empty; one JSON object a line was expected")
    #expect(try error("\n \r\n") == "pairs.jsonl is empty; one JSON object a line was expected")
    #expect(
      try error("x\ny") == """
        pairs.jsonl holds no usable pair: all 2 lines were left out
          line 1: not valid JSON: an object was expected, found "x"
          line 2: not valid JSON: an object was expected, found "y"
        """)
    for (bytes, found) in [
      ([0xFF, 0xFE, 0x7B, 0], "UTF-16 text"), ([0x1F, 0x8B, 8, 0], "compressed with gzip"),
      (Array("PAR1....".utf8), "a Parquet file"), (Array("PK\u{3}\u{4}..".utf8), "a zip archive"),
    ] as [([UInt8], String)] {
      let path = try directory.write(bytes, to: "other")
      #expect { try PairFile(path: path) } throws: { "\($0)".contains("is \(found), not JSON text") }
    }
  }

  @Test("deep nesting is a bad line, however deep")
  func nesting() throws {
    for depth in [100, 1_000_000] {
      let deep = #"{"id": "p", "x": \#(String(repeating: "[", count: depth))\#(String(repeating: "]", count: depth))}"#
      #expect(try reason(pair(deep)) == "item_a: arrays and objects are nested deeper than 64 levels")
      #expect(
        try reason(pair(item("p"), item("q"), #""label": 1, "x": \#(deep)"#))
          == "arrays and objects are nested deeper than 64 levels")
    }
    // As the beginning of the file it would be an array's.
    #expect(try reason(String(repeating: "[", count: 1_000_000))?.hasPrefix("not valid JSON: an object was") == true)
  }

  @Test("a line past the limit is left out without being held in memory")
  func longLine() throws {
    let options = ReadOptions(maximumLineLength: 1000)
    let long = pair(item("p", #", "text": "\#(String(repeating: "x", count: 3_000_000))""#))
    #expect(try reason(long, options) == "the line is longer than 1000 bytes")
    #expect(try error("[\(pair()), \(long)]", options) == nil)
    #expect(try read("[\(pair()), \(long)]", options).skipped.count == 1)
    #expect(try read(long).pairs.count == 1)
  }

  @Test("any number of threads and any place of a cut read the same", arguments: [2, 3, 7, 64])
  func threads(_ count: Int) throws {
    var generator = SeededGenerator(seed: 5)
    var lines: [String] = []
    for number in 0..<300 {
      switch generator.below(8) {
      case 0: lines.append("bad \(number)")
      case 1: lines.append("")
      default:
        let (a, b) = (generator.below(20), 20 + generator.below(20))
        lines.append(
          pair(item("i\(a)", #", "text": "\#(String(repeating: "t", count: a * 7))""#), item("i\(b)")))
      }
    }
    let text = lines.joined(separator: "\n")
    let one = try read(text, ReadOptions(threadCount: 1))
    let many = try read(text, ReadOptions(threadCount: count))
    #expect(one.items == many.items)
    #expect(one.pairs == many.pairs)
    #expect(one.skipped == many.skipped)
    #expect(one.pairs.map(\.line) == lines.indices.filter { lines[$0].hasPrefix("{") }.map { $0 + 1 })
  }

  @Test("the first bad line is the one that strict reading names, whichever thread meets it")
  func firstBadLine() throws {
    let lines = (1...400).map { [150, 390].contains($0) ? "oops" : pair() }
    #expect(
      try error(lines.joined(separator: "\n"), ReadOptions(isStrict: true, threadCount: 4))?
        .hasPrefix("pairs.jsonl, line 150: ") == true)
  }

  @Test("only so many reasons are kept, and they are the first; all are counted")
  func keptProblems() throws {
    let text = (1...100).map { $0 == 50 ? pair() : "x" }.joined(separator: "\n")
    let file = try read(text, ReadOptions(threadCount: 3, keptProblems: 5))
    #expect(file.skipped.count == 99)
    #expect(file.skipped.examples.map(\.line) == [1, 2, 3, 4, 5])
  }

  @Test("a pair, its repetition and its mirror share a group, whatever their items' content")
  func groups() throws {
    let file = try read(
      [
        pair(item("p"), item("q")), pair(item("p"), item("r")), pair(item("q"), item("p", #", "text": "new""#)),
        pair(item("p"), item("q")),
      ].joined(separator: "\n"))
    #expect(file.groups == [0, 1, 0, 0])
  }
}
