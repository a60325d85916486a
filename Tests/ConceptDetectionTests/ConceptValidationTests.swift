// A look at the files of a training: what is found wrong, where, and how much there is of everything.

import CommandSupport
import ConceptDetection
import Datasets
import Testing

@Suite("Looking at a lexicon and notes")
struct ConceptValidationTests {
  @Test("every concept that can't be used is named with its line, and what is odd about the others")
  func lexicon() throws {
    let folder = try TemporaryDirectory()
    let path = try folder.write(
      """
      {
        "gift": {"label": "Gift", "aliases": ["present", "cadeau", "Présent"], "bucket": "intent"},
        "bare": {"label": "Bare", "aliases": [], "bucket": "intent"},
        "ring": {"aliases": "ring|present", "bucket": "preferences"},
        "odd \\"one\\"":
          {"label": "Odd", "aliases": ["x"], "bucket": "nowhere"},
        "gift": {"label": "Again", "aliases": ["again"], "bucket": "intent"}
      }
      """, to: "lexicon.json")
    let report = Lexicon.validate(path: path)
    #expect(report.usableRecords == 2 && !report.isSound)
    let problems = report.findings.filter { $0.severity == .problem }
    #expect(problems.map(\.lines) == [[3], [5], [2, 7]])
    #expect(problems[0].message.contains("\"bare\": has no aliases"))
    #expect(problems[1].message.contains("the bucket \"nowhere\" is unknown"))
    #expect(problems[2].message.contains("\"gift\": the id stands there twice"))
    let others = report.findings.filter { $0.severity != .problem }.map(\.message)
    #expect(others.contains { $0.contains("\"ring\" has no label") })
    #expect(others.contains { $0.contains("the alias \"present\" names \"gift\" and \"ring\"") })
    #expect(others.contains { $0.contains("1 alias repeats another of the same concept") })
    try folder.write("{}", to: "empty.json")
    #expect(
      Lexicon.validate(path: folder.path("empty.json")).findings.map(\.message).contains { $0.contains("no usable") })
    try folder.write("{\"a\": ", to: "cut.json")
    #expect(Lexicon.validate(path: folder.path("cut.json")).findings.map(\.message).contains { $0.contains("JSON") })
  }

  @Test("notes that say nothing are told with their lines, and missing columns by name")
  func notes() throws {
    let folder = try TemporaryDirectory()
    try folder.write(
      "{\"text\": \"Yacht, 020 7946 0958\"}\n{\"text\": \" … \"}\n{\"text\": 7}\n{\"text\": \"Yacht, 020 7946 0958\"}\n",
      to: "notes_clean.jsonl")
    try folder.write("candidate\numbrella\nyacht\numbrella\n", to: "candidates.csv")
    try folder.write(ConceptWorld.lexicon, to: "lexicon_v1.json")
    let paths = try ConceptDataPaths(dataFolder: folder.path("."), taxonomy: folder.path("."))
    #expect(ConceptDataPaths.seemsToBe(folder.path(".")) && !ConceptDataPaths.seemsToBe(folder.path("nowhere")))
    let reports = paths.validate()
    #expect(reports.map(\.usableRecords) == [3, 2, 2])
    #expect(reports.map(\.isSound) == [true, false, true])
    #expect(reports[1].findings.filter { $0.severity == .problem }.flatMap(\.lines).sorted() == [2, 3])
    let said = reports[1].findings.map(\.message)
    for part in [
      "only 2 notes", "\"language\"", "\"client_id\"", "repeat another's text", "2 e-mail addresses, telephone",
    ] {
      #expect(said.contains { $0.contains(part) }, "\(part)")
    }
    #expect(reports[2].findings.map(\.severity) == [.warning])
    // A file without the column that is needed.
    try folder.write("memorandum,language\nhello,en\n", to: "headless.csv")
    #expect(
      NoteDataset.validate(path: folder.path("headless.csv")).findings.contains { $0.message.contains("\"text\"") })
    let candidates = Candidates.validate(path: folder.path("headless.csv")).findings.map(\.message)
    #expect(candidates.contains { $0.contains("--columns candidate") })
  }

  @Test("the statistics count notes, sentences, languages, aliases and how far they reach")
  func statistics() throws {
    let folder = try TemporaryDirectory()
    try folder.write(
      """
      {"text": "The yacht. A comet!", "language": "en"}
      {"text": "Voilier, yacht", "language": "fr"}
      {"text": "Rien", "language": "fr"}
      {"text": "Rien", "language": "fr"}
      {"text": "mail anna@example.com", "language": null}

      """, to: "notes.jsonl")
    try folder.write("candidate\numbrella\na yacht\n", to: "candidates.csv")
    let statistics = ConceptStatistics(
      lexicon: try Lexicon(concepts: [
        Concept(id: "boat", label: "Boats", bucket: .lifestyle, aliases: ["yacht", "voilier", "tender"]),
        Concept(id: "star", label: "Stars", bucket: .occasion, aliases: ["comet", "tender"]),
      ]), notes: try NoteDataset(path: folder.path("notes.jsonl")),
      candidates: try Candidates(path: folder.path("candidates.csv")))
    #expect(statistics.notes == 5 && statistics.sentences == 6 && statistics.namedNotes == 2)
    #expect(statistics.languages.map(\.name) == ["", "en", "fr"] && statistics.languages.map(\.count) == [1, 1, 3])
    #expect(statistics.repeatedNotes == 1 && statistics.redactions.emails == 1)
    #expect(statistics.concepts.map(\.notes) == [2, 1] && statistics.concepts.map(\.aliases) == [3, 2])
    #expect(statistics.aliases == 5 && statistics.sharedAliases == 1 && statistics.aliasesPerConcept.maximum == 3)
    #expect(statistics.buckets.map(\.name) == ["occasion", "lifestyle"])
    #expect(statistics.candidates == 2 && statistics.namingCandidates == 1)
    #expect(statistics.wordsPerNote.minimum == 1 && statistics.wordsPerNote.maximum == 4)
  }
}
