// `ranker classify`: the labels of one text, or of all texts of a file.

import ArgumentParser
import Reports
import TextClassification

struct Classify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The labels of texts, by a trained classifier.",
    discussion: """
      A label is assigned where its probability reaches its threshold, the one that the training kept or --threshold. \
      For one text the most probable labels are shown, assigned or not; for a file the assigned ones are written, with \
      their probabilities, and --threshold 0 writes all.

        ranker classify --model models/classification/benchmark_v1 --text "How stars are born"
        ranker classify --model models/classification/benchmark_v1 --input books.jsonl --output labels.parquet

      The input is JSON lines, an array, an object with samples, or CSV or TSV with a header; its texts are in the column \
      text (--columns text=NAME for another), and a column id is carried along. Rows without a text are left out and counted.
      """)

  @Option(help: ArgumentHelp("The directory that a training wrote.", valueName: "directory"))
  var model: String

  @Option(help: ArgumentHelp("A text; may be repeated.", valueName: "text"))
  var text: [String] = []

  @Option(help: ArgumentHelp("A file of texts; - for standard input.", valueName: "file"))
  var input: String?

  @Option(
    help: ArgumentHelp("From which probability on labels are assigned (default: the model's).", valueName: "x"))
  var threshold: Double?

  @Option(
    help: ArgumentHelp(
      "Labels for each text, at most (default: 5 for --text, all that are assigned for --input).", valueName: "n"))
  var topK: Int?

  @Option(
    help: ArgumentHelp("The graph to run: float32, or int8 of a training with --precision int8.", valueName: "name"))
  var precision = ExportPrecision.float32

  @Option(help: ArgumentHelp("Threads (default: as many as there are cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Make the first row without a text an error, instead of leaving it out.")
  var strict = false

  @OptionGroup var output: AnswerOutput
  @OptionGroup(title: "Understanding the input") var table: TableOptions

  /// Texts that are classified before anything is written: some of like lengths are among so many.
  private static let piece = 1024

  func validate() throws {
    guard text.isEmpty != (input == nil) else {
      throw ValidationError("Give texts in one way: --text TEXT (repeated), or --input FILE.")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k is \(topK); expected 1 or more.") }
    if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected 1 or more.") }
    if let threshold, !(0...1).contains(threshold) {
      throw ValidationError("--threshold is \(threshold); expected 0 to 1.")
    }
  }

  func run() throws {
    let classifier = TextClassifier(directory: model, precision: precision, threads: threads)
    guard let input else { return try classifyTexts(classifier) }
    // A missing model is told before a long file is read.
    _ = try classifier.facts()
    let file = try TextFile(path: input, options: LabelOptions.textReading(table, isStrict: strict))
    remarkSkipped(file.skipped, of: file.path)
    let path = output.path ?? "-"
    let writer = try ClassificationWriter(path: path, hasIDs: file.ids != nil)
    let counter = CountView(unit: "texts", total: file.texts.count, isShown: path != "-")
    var (truncated, unlabelled) = (0, 0)
    for start in stride(from: 0, to: file.texts.count, by: Self.piece) {
      let end = min(start + Self.piece, file.texts.count)
      let found = try classifier.classify(Array(file.texts[start..<end]), threshold: threshold)
      for (index, classification) in zip(start..<end, found) {
        let labels = classification.assigned.prefix(topK ?? .max)
        try writer.write(
          .init(
            line: file.lines[index], id: file.ids?[index], text: file.texts[index], labels: Array(labels),
            isTruncated: classification.isTruncated))
        if classification.isTruncated { truncated += 1 }
        if labels.isEmpty { unlabelled += 1 }
      }
      counter.advance(by: end - start)
    }
    try writer.finish()
    counter.clear()
    if truncated > 0 { try remarkTruncated(truncated, classifier.facts().maximumLength) }
    guard path != "-" else { return }
    print(
      "\(path): \(count(writer.rowCount, "text"))"
        + (unlabelled > 0 ? ", \(Figures.count(unlabelled)) of them without a label" : ""))
  }

  private func classifyTexts(_ classifier: TextClassifier) throws {
    let found = try classifier.classify(text, threshold: threshold)
    if let path = output.path {
      let writer = try ClassificationWriter(path: path, hasIDs: false)
      for (index, classification) in found.enumerated() {
        try writer.write(
          .init(
            line: index + 1, text: text[index], labels: Array(classification.assigned.prefix(topK ?? .max)),
            isTruncated: classification.isTruncated))
      }
      return try writer.finish()
    }
    if output.json { return try printJSON(zip(text, found).map { Answer($0, $1, topK: topK) }) }
    for (index, classification) in found.enumerated() {
      if found.count > 1 { print("\(index == 0 ? "" : "\n")\(text[index].printable.fitted(100))") }
      var table = TextTable([
        .init(title: "LABEL", isFlexible: true), .init(title: "PROBABILITY", alignsRight: true), .init(title: ""),
      ])
      for label in classification.labels.prefix(topK ?? 5) {
        table.add([
          label.name, Figures.number(Double(label.probability), digits: 3), label.isAssigned ? "assigned" : "",
        ])
      }
      table.printOut()
    }
    flushOutput()
    let truncated = found.count { $0.isTruncated }
    if truncated > 0 { try remarkTruncated(truncated, classifier.facts().maximumLength) }
  }

  private func remarkTruncated(_ number: Int, _ maximumLength: Int) throws {
    remark(
      "note: \(count(number, "text")) \(number == 1 ? "is" : "are") longer than the \(maximumLength) tokens that the model "
        + "reads; what is behind was not read")
  }

  private struct Answer: Encodable {
    struct Label: Encodable {
      let label: String
      let probability: Float
      let isAssigned: Bool
    }
    let text: String
    let labels: [Label]
    let isTruncated: Bool

    init(_ text: String, _ found: TextClassifier.Classification, topK: Int?) {
      self.text = text
      labels = found.labels.prefix(topK ?? .max).map {
        Label(label: $0.name, probability: $0.probability, isAssigned: $0.isAssigned)
      }
      isTruncated = found.isTruncated
    }
  }
}
