// Lexicons: what is read, what is refused, and what is said about it.

import CommandSupport
import ConceptDetection
import Datasets
import Testing

@Suite struct LexiconTests {
  let directory = try! TemporaryDirectory()

  func read(_ text: String) throws -> Lexicon { try Lexicon(path: directory.write(text, to: "lexicon.json")) }

  @Test("aliases come as an array or as one text with bars; concepts stand in the order of their ids")
  func forms() throws {
    let lexicon = try read(
      """
      {"ring": {"label": "Ring", "aliases": ["ring", " anello "], "bucket": "preferences", "since": 2},
       "call": {"label": "Call back", "aliases": "call|call back||call ", "bucket": "next_action"}}
      """)
    #expect(lexicon.concepts.map(\.id) == ["call", "ring"])
    #expect(lexicon["ring"]?.aliases == ["ring", "anello"])
    #expect(lexicon["call"]?.aliases == ["call", "call back"])
    #expect(lexicon["call"]?.bucket == .nextAction && lexicon["ring"]?.label == "Ring")
    #expect(lexicon.place(of: "ring") == 1 && lexicon.place(of: "rings") == nil)
    #expect(lexicon.sha256?.count == 64 && lexicon.warnings.isEmpty)
    #expect(
      lexicon.notes == [
        "1 alias repeats another of the same concept (case and accents aside) and was left out"
      ])
  }

  @Test(
    "what can't be used is named with its concept and what was expected",
    arguments: [
      ("{}", "is an empty lexicon; at least one concept was expected"),
      ("[1]", "is an array; an object of concepts was expected"),
      ("", "is empty; a JSON object was expected"),
      (#"{"a": {"label"}}"#, "can't be read as JSON: not valid JSON"),
      (#"{"a": 3}"#, "concept \"a\": is a number; an object of label, aliases and bucket was expected"),
      (#"{"a": {"label": "A", "bucket": "intent"}}"#, "concept \"a\": has no aliases; at least one word"),
      (#"{"a": {"label": "A", "bucket": "intent", "aliases": []}}"#, "concept \"a\": has no aliases"),
      (#"{"a": {"label": "A", "bucket": "intent", "aliases": " | "}}"#, "concept \"a\": has no aliases"),
      (
        #"{"a": {"label": "A", "bucket": "intent", "aliases": ["x", 3]}}"#,
        "\"aliases[1]\" must be a string, found a number"
      ),
      (#"{"a": {"label": "A", "bucket": "intent", "aliases": {}}}"#, "found an object"),
      (
        #"{"a": {"label": "A", "bucket": "mood", "aliases": "x"}}"#,
        "concept \"a\": the bucket \"mood\" is unknown; there are intent, occasion, preferences, constraints, lifestyle, "
          + "next_action, other"
      ),
      (#"{"a": {"label": "A", "aliases": "x"}}"#, "\"bucket\" must be one of intent, occasion"),
      (
        #"{"a": {"label": true, "bucket": "intent", "aliases": "x"}}"#,
        "\"label\" must be a string, found true or false"
      ),
      (
        #"{"a": {"bucket": "other", "aliases": "x"}, "a": {"bucket": "intent", "aliases": "y"}}"#,
        "concept \"a\": the id stands there twice"
      ),
      (#"{"a": {"bucket": "other", "bucket": "intent", "aliases": "x"}}"#, "\"bucket\" stands there twice"),
    ])
  func problems(text: String, message: String) throws {
    #expect { try read(text) } throws: { error in
      "\(error)".contains(message) && "\(error)".contains("lexicon.json")
    }
  }

  @Test("the same alias in two concepts is allowed and said, whatever its case and accents")
  func sharedAlias() throws {
    let lexicon = try read(
      """
      {"birthday": {"label": "B", "aliases": ["Anniversaire"], "bucket": "occasion"},
       "wedding": {"label": "W", "aliases": ["noces", "anniversaire"], "bucket": "occasion"}}
      """)
    #expect(
      lexicon.notes == [
        "the alias \"Anniversaire\" names \"birthday\" and \"wedding\"; where it stands, all of them are meant"
      ])
    let matcher = AliasMatcher(lexicon)
    #expect(matcher.concepts(in: "Son anniversaire approche") == [0, 1])
    #expect(matcher.concepts(in: "des noces") == [1])
  }

  @Test("aliases in both of Unicode's forms are one alias, in the composed form")
  func normalisation() throws {
    let lexicon = try read(
      "{\"a\": {\"label\": \"A\", \"aliases\": [\"e\u{301}te\u{301}\", \"\u{E9}t\u{E9}\"], \"bucket\": \"other\"}}")
    let alias = try #require(lexicon["a"]?.aliases.first)
    #expect(lexicon["a"]?.aliases.count == 1)
    #expect(Array(alias.unicodeScalars).map(\.value) == [0xE9, 0x74, 0xE9])
    #expect(lexicon.notes.first == "1 alias was brought to Unicode's composed form (NFC)")
    #expect(lexicon.warnings == ["there is only one concept, \"a\"; nothing can be told apart"])
    // Both forms are found, and capitals.
    let matcher = AliasMatcher(lexicon)
    for text in ["cet \u{E9}t\u{E9}", "cet e\u{301}te\u{301}", "CET ÉTÉ"] { #expect(matcher.concepts(in: text) == [0]) }
  }

  @Test("concepts at hand are checked as those of a file")
  func atHand() throws {
    let concept = Concept(id: "a", label: "A", bucket: .other, aliases: ["x", "y"])
    #expect(try Lexicon(concepts: [concept]).concepts == [concept])
    #expect(throws: ConceptDataError.self) { try Lexicon(concepts: []) }
    #expect(throws: ConceptDataError.self) { try Lexicon(concepts: [concept, concept]) }
    #expect(throws: ConceptDataError.self) {
      try Lexicon(concepts: [Concept(id: "a", label: "A", bucket: .other, aliases: ["!"])])
    }
  }
}
