// From columns to labelled texts, with an eye on what is odd about them.

import Datasets

/// A dataset in the making.
struct ClassificationDraft {
  private(set) var labels: [String] = []
  private(set) var samples: [ClassificationSample] = []
  private(set) var groups: [Int] = []
  private(set) var skipped: SkippedLines
  private(set) var duplicateCount = 0
  private(set) var warnings: [String] = []
  private(set) var notes: [String] = []
  /// Texts that repeat another's with other labels, and the line of the first.
  private var contradictions: (count: Int, firstLine: Int) = (0, 0)

  /// Takes a table whose columns are those of ``ClassificationColumns``.
  ///
  /// - Throws: with `options.isStrict` for the first row that can't be used.
  private init(
    _ table: Table, skipped: SkippedLines, path: String, options: ClassificationReadOptions
  ) throws {
    self.skipped = skipped
    guard case .ids(let textPlaces, let texts) = table.columns[ClassificationColumns.text] else { return }
    var rows = LabelledRows(table.columns[ClassificationColumns.labels], options: options)
    if let guess = rows.guess { notes.append(guess) }
    labels = options.labels ?? rows.labelsInOrder
    rows.renumber(to: labels)

    let confidences: [Float]? =
      if case .numbers(let numbers) = table.columns[ClassificationColumns.confidence] { numbers } else { nil }
    let origins: (places: [Int32], texts: [String])? =
      if case .ids(let places, let texts) = table.columns[ClassificationColumns.variant] { (places, texts) } else {
        nil
      }
    samples.reserveCapacity(table.rowCount)
    var unknownLabels: [String: Int] = [:]
    var missingConfidences = 0
    var textOfSample: [Int32] = []
    var lineOfSample: [Int] = []

    for row in 0..<table.rowCount {
      let found = rows.labels(of: row)
      for label in found.unknown { unknownLabels[label, default: 0] += 1 }
      var problem: String?
      if found.known.isEmpty {
        problem =
          found.unknown.isEmpty
          ? "\"\(rows.name)\" names no label; name at least one, such as \(rows.example)"
          : "none of its labels (\(found.unknown.map(\.shortened).joined(separator: ", "))) is one of the model"
      }
      if let problem {
        let problem = LineProblem(line: table.lines[row], message: problem)
        if options.isStrict { throw DatasetError.badLine(path: path, problem: problem) }
        self.skipped.add(problem, keeping: options.keptProblems)
        continue
      }
      var confidence = confidences?[row] ?? 1
      if confidence.isNaN {
        confidence = 1
        missingConfidences += 1
      }
      let origin = origins.flatMap { $0.places[row] < 0 ? nil : $0.texts[Int($0.places[row])] }
      samples.append(
        ClassificationSample(
          text: texts[Int(textPlaces[row])], labels: found.known, confidence: confidence, variantOf: origin))
      textOfSample.append(textPlaces[row])
      lineOfSample.append(table.lines[row])
    }
    findGroups(textOfSample: textOfSample, textCount: texts.count, lineOfSample: lineOfSample)

    if missingConfidences > 0 {
      warnings.append(
        "\(missingConfidences) of \(samples.count) samples have no confidence; theirs is taken as 1")
    }
    let highest = samples.lazy.map(\.confidence).max() ?? 1
    if highest > 1 {
      warnings.append(
        "confidence goes up to \(highest); it weighs a sample's loss, and 1 is the weight of one that does not say "
          + "(were percentages meant?)")
    }
    if !unknownLabels.isEmpty {
      let names = unknownLabels.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5).map {
        "\"\($0.key.shortened)\" (\($0.value))"
      }
      warnings.append(
        "\(Self.count(unknownLabels.count, "label")) of the file \(unknownLabels.count == 1 ? "is" : "are") unknown to "
          + "the model and left out: \(names.joined(separator: ", "))\(unknownLabels.count > 5 ? ", …" : "")")
    }
  }

  /// Numbers the groups, and looks at texts that occur more than once.
  private mutating func findGroups(textOfSample: [Int32], textCount: Int, lineOfSample: [Int]) {
    var firstOfText = [Int](repeating: -1, count: textCount)
    for (index, text) in textOfSample.enumerated() {
      let first = firstOfText[Int(text)]
      guard first >= 0 else {
        firstOfText[Int(text)] = index
        continue
      }
      duplicateCount += 1
      if samples[first].labels != samples[index].labels {
        if contradictions.count == 0 { contradictions.firstLine = lineOfSample[index] }
        contradictions.count += 1
      }
    }
    groups = ClassificationDataset.groups(of: samples)
  }

  /// Notes what is odd about the whole.
  mutating func judge() {
    if duplicateCount > 0 {
      var text =
        "\(Self.count(duplicateCount, "sample")) repeat\(duplicateCount == 1 ? "s" : "") the text of another; a split "
        + "keeps them on one side"
      if contradictions.count > 0 {
        text +=
          "; \(contradictions.count) of them with other labels (first on line \(contradictions.firstLine))"
      }
      warnings.append(text)
    }
    if labels.count == 1 {
      warnings.append("there is only one label, \"\(labels[0].shortened)\"; a model can learn to say it always")
    }
    let counts = ClassificationDataset.labelCounts(of: samples, labelCount: labels.count)
    let few = labels.indices.filter { (1..<ClassificationDataset.fewSamples).contains(counts[$0]) }
    if !few.isEmpty {
      let names = few.prefix(5).map { "\"\(labels[$0].shortened)\" (\(counts[$0]))" }
      warnings.append(
        "\(Self.count(few.count, "label")) \(few.count == 1 ? "has" : "have") fewer than "
          + "\(ClassificationDataset.fewSamples) samples, too few to learn and to measure: "
          + "\(names.joined(separator: ", "))\(few.count > 5 ? ", …" : "")")
    }
  }

  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

extension ClassificationDraft {
  /// Reads separated fields.
  init(delimited file: DataFile, columns: ClassificationColumns, options: ClassificationReadOptions) throws {
    let read: DelimitedFile
    do throws(DatasetError) {
      read = try DelimitedFile(
        file, columns: columns.columns(for: .csv),
        delimited: DelimitedOptions(
          separator: options.separator, fieldNames: columns.fieldNames, hasHeader: options.hasHeader),
        options: options.reading)
    } catch {
      if case .empty(let path) = error {
        throw ClassificationDataError.noSamples(path: path, skipped: SkippedLines())
      }
      throw error
    }
    try self.init(read.table, skipped: read.skipped, path: file.path, options: options)
  }

  /// Reads JSON.
  init(json file: DataFile, columns: ClassificationColumns, options: ClassificationReadOptions) throws {
    let read = try JSONTableFile(
      file, sections: [("samples", .rows(columns.columns(for: .json))), ("metadata", .numbers)],
      options: options.reading)
    try self.init(read.tables[0], skipped: read.skipped, path: file.path, options: options)
    if read.form == .document, options.labels == nil, !samples.isEmpty { checkMetadata(read.numbers[1]) }
  }

  /// Compares what the file says of itself with what it holds.
  private mutating func checkMetadata(_ metadata: [String: Double]) {
    let rows = samples.count + skipped.count
    for (name, found) in [("num_samples", rows), ("num_classes", labels.count)] {
      if let claimed = metadata[name], claimed != Double(found) {
        warnings.append("metadata.\(name) is \(Self.plain(claimed)), but the file holds \(found)")
      }
    }
    // Rows that were left out had labels too.
    guard skipped.count == 0 else { return }
    let prefix = "class_distribution."
    let claims = metadata.filter { $0.key.hasPrefix(prefix) }
    guard !claims.isEmpty else { return }
    var counts: [String: Int] = [:]
    for (label, count) in zip(labels, ClassificationDataset.labelCounts(of: samples, labelCount: labels.count)) {
      counts[label] = count
    }
    let names = Set(claims.keys.map { String($0.dropFirst(prefix.count)) }).union(labels).sorted()
    for name in names where claims[prefix + name] ?? 0 != Double(counts[name] ?? 0) {
      warnings.append(
        "metadata.class_distribution says \(Self.plain(claims[prefix + name] ?? 0)) samples of \"\(name.shortened)\", "
          + "but the file holds \(counts[name] ?? 0)")
    }
  }

  private static func plain(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }
}
