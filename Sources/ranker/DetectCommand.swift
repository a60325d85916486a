// `ranker detect`: the concepts of one note, or of all notes of a file.

import ArgumentParser
import ConceptDetection
import Reports

struct Detect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The concepts of notes, by a trained detector.",
    discussion: """
      A note has a concept where its probability reaches the threshold, the one that the training kept or --threshold. In \
      a terminal the words that speak for a concept are highlighted.

        ranker detect --model-path models/concept_model_base_… --text "Bague de fiançailles, budget 3000 maxi"
        ranker detect --model-path models/concept_model_base_… --input notes.jsonl --output concepts.parquet

      The input is Parquet, JSON lines, an array, or CSV or TSV with a header; the notes are in the column text, and the \
      columns language and client_id are carried along. It is read piece by piece, so a file may be larger than the \
      memory. Rows without a text are left out and counted.
      """)

  @Option(help: ArgumentHelp("The directory that a training wrote.", valueName: "directory"))
  var modelPath: String

  @Option(help: ArgumentHelp("A note; may be repeated.", valueName: "text"))
  var text: [String] = []

  @Option(help: ArgumentHelp("A file of notes; - for standard input.", valueName: "file"))
  var input: String?

  @Option(help: ArgumentHelp("From which probability on a note has a concept (default: the model's).", valueName: "x"))
  var threshold: Double?

  @Flag(inversion: .prefixedNo, help: "Say which words speak for each concept of a file's notes.")
  var words = true

  @Option(
    help: ArgumentHelp(
      "What the input's columns are called, as text=remark, or the names of a file without a header, in order.",
      valueName: "names"))
  var columns: String?

  @Option(help: ArgumentHelp("Threads (default: as many as there are cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Make the first row without a text an error, instead of leaving it out.")
  var strict = false

  @OptionGroup var output: AnswerOutput

  func validate() throws {
    guard text.isEmpty != (input == nil) else {
      throw ValidationError("Give notes in one way: --text TEXT (repeated), or --input FILE.")
    }
    if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected 1 or more.") }
    if let threshold, !(0...1).contains(threshold) {
      throw ValidationError("--threshold is \(threshold); expected 0 to 1.")
    }
  }

  func run() throws {
    let detector = ConceptDetector(directory: modelPath, threads: threads)
    // A missing model is told before a long file is read.
    _ = try detector.facts()
    guard let input else { return try detectTexts(detector) }
    var options = NoteReadOptions(isStrict: strict)
    options.columns = columns.map(idList) ?? []
    let file = try NoteFile(path: input, options: options)
    let path = output.path ?? "-"
    let writer = try DetectionWriter(path: path)
    let counter = CountView(unit: "notes", total: nil, isShown: path != "-")
    var empty = 0
    let skipped = try file.read { notes in
      let found = try detector.detect(notes.map(\.text), threshold: threshold, withWords: words)
      for (note, detection) in zip(notes, found) {
        if detection.concepts.isEmpty { empty += 1 }
        try writer.write(note, detection)
      }
      counter.advance(by: notes.count)
    }
    try writer.finish()
    counter.clear()
    remarkSkipped(skipped, of: file.path)
    guard path != "-" else { return }
    print(
      "\(path): \(count(writer.rowCount, "note"))"
        + (empty > 0 ? ", \(Figures.count(empty)) of them without a concept" : ""))
  }

  private func detectTexts(_ detector: ConceptDetector) throws {
    let found = try detector.detect(text, threshold: threshold)
    if let path = output.path {
      let writer = try DetectionWriter(path: path)
      for (index, detection) in found.enumerated() {
        try writer.write(ReadNote(line: index + 1, text: text[index]), detection)
      }
      return try writer.finish()
    }
    if output.json { return try printJSON(zip(text, found).map(Answer.init)) }
    let style = Style.output
    for (index, detection) in found.enumerated() {
      if index > 0 { print() }
      if found.count > 1 || style.isOn { print(highlighted(text[index], detection, style)) }
      guard !detection.concepts.isEmpty else {
        print("no concept")
        continue
      }
      var table = TextTable([
        .init(title: "CONCEPT"), .init(title: "LABEL", isFlexible: true), .init(title: "BUCKET"),
        .init(title: "PROBABILITY", alignsRight: true), .init(title: "WORDS", isFlexible: true),
      ])
      for finding in detection.concepts {
        table.add([
          finding.id, finding.label, finding.bucket.rawValue, Figures.number(Double(finding.probability), digits: 3),
          finding.words(in: text[index]),
        ])
      }
      table.printOut()
    }
  }

  /// The note with the words that speak for a concept highlighted.
  private func highlighted(_ text: String, _ detection: ConceptDetector.Detection, _ style: Style) -> String {
    let utf8 = Array(text.utf8)
    var result = ""
    var end = 0
    for range in Set(detection.concepts.flatMap(\.words)).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      result += String(decoding: utf8[end..<range.lowerBound], as: UTF8.self).printable
      result += style.bold(style.cyan(String(decoding: utf8[range], as: UTF8.self).printable))
      end = range.upperBound
    }
    return result + String(decoding: utf8[end...], as: UTF8.self).printable
  }

  private struct Answer: Encodable {
    struct Concept: Encodable {
      let concept: String
      let label: String
      let bucket: String
      let probability: Float
      let words: String
    }
    let text: String
    let concepts: [Concept]

    init(_ text: String, _ detection: ConceptDetector.Detection) {
      self.text = text
      concepts = detection.concepts.map {
        Concept(
          concept: $0.id, label: $0.label, bucket: $0.bucket.rawValue, probability: $0.probability,
          words: $0.words(in: text))
      }
    }
  }
}
