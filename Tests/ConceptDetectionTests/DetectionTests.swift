// A trained detector in use: what it finds and by which words, in one note, in many, and in labelled ones.

import CommandSupport
import ConceptDetection
import Foundation
import Testing
import Verification

@Suite("Using a detector")
struct DetectionTests {
  /// One model for all tests: it takes a second to train.
  private static let world = Result { () -> ConceptWorld in
    let world = try ConceptWorld()
    var training = try world.training(epochs: 15)
    training.settings.holdsOutAliases = false
    training.settings.validationSplit = 0
    _ = try training.run()
    return world
  }

  private let world: ConceptWorld
  private let detector: ConceptDetector

  init() throws {
    world = try Self.world.get()
    detector = ConceptDetector(directory: world.folder.path("model"))
  }

  @Test("finds concepts with typos and other endings, in any order, and says by which words")
  func finds() throws {
    let text = "Her yachht is sold – a teleskope instead, ünd 🚤!"
    let found = try detector.detect(text).concepts
    #expect(Set(found.map(\.id)) == ["boat", "star"])
    #expect(found.map(\.probability) == found.map(\.probability).sorted(by: >))
    let boat = try #require(found.first { $0.id == "boat" })
    #expect(boat.bucket == .lifestyle && boat.label == "Boats" && boat.words(in: text).contains("yachht"))
    #expect(try #require(found.first { $0.id == "star" }).words(in: text).contains("teleskope"))
    #expect(try detector.detect("Asked for the parking meter.").concepts.isEmpty)
    #expect(try detector.detect(" … ").concepts.isEmpty && detector.detect("").concepts.isEmpty)
  }

  @Test("what comes out does not hang on the other notes, the threads or the length of the note")
  func independent() throws {
    let alone = try detector.detect("Sold the sailboat").concepts
    let texts =
      (0..<500).map { "the parking meter" + ($0 % 7 == 0 ? ", baguette" : "") } + ["Sold the sailboat"]
    for threads in 1...2 {
      let found = try ConceptDetector(directory: world.folder.path("model"), threads: threads).detect(texts)
      try #require(found.count == 501 && found[500].concepts.map(\.id) == ["boat"])
      #expect(abs(found[500].concepts[0].probability - alone[0].probability) < 1e-5)
      #expect(found[0].concepts.map(\.id) == ["bread"] && found[1].concepts.isEmpty)
    }
    // Far behind the beginning, and across the places where a long note is cut.
    for before in [250, 251, 252, 253, 254, 255, 1000] {
      let long = String(repeating: "umbrella ", count: before) + "Sold the sailboat " + "umbrella " + "today"
      let found = try detector.detect(long).concepts
      #expect(found.map(\.id) == ["boat"], "\(before) words before")
      #expect(found.first?.words(in: long).contains("sailboat") == true)
    }
  }

  @Test(
    "a note is read as the training read it, without what identifies a person, and its words stand where they stood")
  func redaction() throws {
    let plain = try detector.logits(["Sold the sailboat, then, of the comet"])
    for personal in [
      "Sold the sailboat, +44 20 7946 0958 then, anna.rossi@example.com of the comet",
      "Sold the sailboat [phone], then [email], of the comet",
      "Sold the sailboat, 4111 1111 1111 1111, then, DE89 3704 0044 0532 0130 00 of the comet",
    ] {
      #expect(try detector.logits([personal]) == plain, "\(personal)")
      let found = try detector.detect(personal).concepts
      let words = found.map { $0.words(in: personal) }.joined(separator: " ")
      #expect(words.contains("sailboat") && words.contains("comet") && !words.contains { $0.isNumber })
    }
    // Places are bytes of the text as it is, whatever stands before.
    let text = "müller@bücher.example ✉, sailboat"
    let boat = try #require(try detector.detect(text).concepts.first { $0.id == "boat" })
    #expect(boat.words(in: text) == "sailboat")
  }

  @Test("a model that was trained without redaction reads numbers as they are")
  func unredacted() throws {
    var training = try world.training(to: "open", epochs: 1)
    training.settings.redacts = false
    _ = try training.run()
    let open = ConceptDetector(directory: world.folder.path("open"))
    #expect(try open.logits(["sailboat 020 7946 0958"]) != open.logits(["sailboat"]))
    #expect(try detector.logits(["sailboat 020 7946 0958"]) == detector.logits(["sailboat"]))
  }

  @Test("a threshold decides what counts, and 0 names every concept")
  func thresholds() throws {
    let text = "Sold the sailboat"
    #expect(try detector.detect(text, threshold: 0).concepts.count == 3)
    let probability = try #require(try detector.detect(text).concepts.first).probability
    #expect(try detector.detect(text, threshold: Double(probability) + 1e-4).concepts.isEmpty)
    #expect(throws: ConceptUseError.invalidThreshold(1.5)) { try detector.detect(text, threshold: 1.5) }
  }

  @Test("a model that was changed, cut or is none at all is refused with the reason")
  func damaged() throws {
    func told(_ directory: String) -> String {
      do { return "\(try ConceptDetector(directory: directory).facts())" } catch { return "\(error)" }
    }
    let folder = try TemporaryDirectory()
    #expect(told(folder.path(".")).contains("ranker train concept"))
    try FileManager.default.copyItem(atPath: world.folder.path("model"), toPath: folder.path("copy"))
    let mapping = String(decoding: try folder.bytes(of: "copy/concept_mapping.json"), as: UTF8.self)
    try folder.write(mapping.replacing("Boats", with: "Ships"), to: "copy/concept_mapping.json")
    #expect(told(folder.path("copy")).contains("concept_mapping.json"))
  }

  @Test(
    "a stream of notes has the answers of the notes one by one, whatever the form",
    arguments: ["jsonl", "csv", "parquet"])
  func streams(form: String) throws {
    let folder = try TemporaryDirectory()
    let texts = (0..<20).map {
      $0 % 3 == 0 ? "Sold the sailboat, \($0)" : $0 % 3 == 1 ? "oven, \"quoted\"" : "nothing, here"
    }
    try folder.write(
      texts.enumerated().map { "{\"text\": \"\($1.replacing("\"", with: "\\\""))\", \"client_id\": \"C-\($0)\"}\n" }
        .joined()
        + "{\"text\": 7}\n", to: "notes.jsonl")
    let writer = try DetectionWriter(path: folder.path("found.\(form)"))
    var lines: [Int] = []
    let skipped = try NoteFile(path: folder.path("notes.jsonl")).read { notes in
      lines += notes.map(\.line)
      for (note, found) in zip(notes, try detector.detect(notes.map(\.text))) { try writer.write(note, found) }
    }
    try writer.finish()
    #expect(skipped.count == 1 && writer.rowCount == 20 && lines == Array(1...20))
    // What was written is a file of notes again; the concepts of CSV and Parquet stand where labels would.
    if form == "csv" {
      let read = try NoteDataset(path: folder.path("found.csv"), options: NoteReadOptions(isLabelled: true))
      #expect(read.notes.map(\.text) == texts && read.labels == ["boat", "bread"])
      #expect(read.notes.map(\.clientID) == (0..<20).map { "C-\($0)" })
      #expect(read.notes.map(\.concepts) == (0..<20).map { $0 % 3 == 0 ? [0] : $0 % 3 == 1 ? [1] : [] })
    } else {
      let read = try NoteDataset(path: folder.path("found.\(form)"))
      #expect(read.notes.map(\.text) == texts && read.notes.map(\.clientID) == (0..<20).map { "C-\($0)" })
    }
    var again: [ReadNote] = []
    _ = try NoteFile(path: folder.path("found.\(form)")).read { again += $0 }
    #expect(again.map(\.text) == texts && again.map(\.clientID) == (0..<20).map { "C-\($0)" })
    #expect(again.map(\.line) == (0..<20).map { $0 + (form == "csv" ? 2 : 1) })
    #expect(throws: ConceptUseError.unknownForm(path: "found.doc")) { try DetectionWriter(path: "found.doc") }
    try folder.write("", to: "empty.jsonl")
    #expect(throws: ConceptUseError.self) { try NoteFile(path: folder.path("empty.jsonl")).read { _ in } }
  }

  @Test("an evaluation counts what is found, missed and wrongly found, by concept, bucket and language")
  func evaluation() throws {
    let folder = try TemporaryDirectory()
    // Found rightly, missed, found wrongly, and nothing to find.
    try folder.write(
      """
      {"text": "Sold the sailboat", "language": "en", "concepts": ["boat"]}
      {"text": "Sold the umbrella", "language": "en", "concepts": ["bread"]}
      {"text": "Kauft das Segelboot", "language": "de", "concepts": []}
      {"text": "umbrella", "language": "de", "concepts": []}

      """, to: "labels.jsonl")
    let evaluation = try detector.evaluate(path: folder.path("labels.jsonl"))
    let measures = evaluation.measures
    #expect(measures.notes == 4 && evaluation.threshold == 0.5)
    #expect(abs(measures.accuracy - 10.0 / 12) < 1e-12 && measures.exactMatch == 0.5)
    #expect(measures.micro.precision == 0.5 && measures.micro.recall == 0.5 && measures.micro.f1 == 0.5)
    // boat: 2/3, bread: 0; the star is neither there nor found.
    #expect(abs(measures.macro.f1 - 1.0 / 3) < 1e-12)
    #expect(measures.concepts.map(\.name) == ["boat", "bread"])
    #expect(measures.buckets.map(\.name) == ["occasion", "preferences", "lifestyle"])
    #expect(measures.languages.map(\.name) == ["de", "en"] && measures.languages.map(\.precision) == [0, 1])
    #expect(measures.languages.map(\.recall) == [0, 0.5])
    // The loss, from the probabilities that detection gives.
    var loss = 0.0
    for (text, truth) in [
      ("Sold the sailboat", "boat"), ("Sold the umbrella", "bread"), ("Kauft das Segelboot", ""), ("umbrella", ""),
    ] {
      for finding in try detector.detect(text, threshold: 0).concepts {
        let probability = Double(finding.probability)
        loss -= log(finding.id == truth ? probability : 1 - probability) / 12
      }
    }
    #expect(abs(measures.loss - loss) < 1e-3 * loss)
    try folder.write(#"{"text": "x", "concepts": ["castle"]}"# + "\n", to: "unknown.jsonl")
    #expect {
      try detector.evaluate(path: folder.path("unknown.jsonl"))
    } throws: {
      "\($0)".contains("castle")
    }
  }

  @Test("trained on the sample, it finds what people labelled, far beyond plain alias matching")
  func quality() throws {
    let folder = try TemporaryDirectory()
    let metadata = try ConceptTraining(output: folder.path("model")).run().metadata
    #expect(metadata.loss < 0.1)
    #expect(metadata.aliasChecks.typos.top1 > 0.9)
    let measures = try ConceptDetector(directory: folder.path("model")).evaluate(path: ConceptSample.labelsPath)
      .measures
    let lexicon = try Lexicon(path: ConceptSample.lexiconPath)
    let labelled = try NoteDataset(
      path: ConceptSample.labelsPath, options: NoteReadOptions(isLabelled: true, labels: lexicon.concepts.map(\.id)))
    let baseline = AliasMatcher(lexicon).report(on: labelled.notes, lexicon: lexicon).micro.f1
    #expect(measures.micro.f1 > 0.85, "F1 \(measures.micro.f1)")
    #expect(measures.micro.f1 >= baseline + 0.15, "plain alias matching has \(baseline)")
    #expect(measures.accuracy > 0.85)
    #expect(measures.languages.count == 5 && measures.buckets.count == 7)
  }
}
