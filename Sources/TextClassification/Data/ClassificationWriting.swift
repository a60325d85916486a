// Labelled texts as files: the name's suffix says the form.

import Datasets

/// Writes labelled texts so that they are read back as they were.
public struct ClassificationFile: Sendable {
  public var labels: [String]
  public var samples: [ClassificationSample]

  public init(labels: [String], samples: [ClassificationSample]) {
    self.labels = labels
    self.samples = samples
  }

  /// Writes the samples to `path`, `-` for standard output: a JSON document with metadata for `.json`, an object a line
  /// for `.jsonl`, separated fields for `.csv` and `.tsv`. The file appears when it is whole.
  ///
  /// Confidences are written where one is not 1, and what a sample varies where one does.
  ///
  /// - Throws: ``ClassificationDataError/badForm(path:problem:)`` where the name says no such form, or a label can't be
  ///   told from two in a field; `FileError`.
  public func write(to path: String) throws {
    guard let form = path == "-" ? .document : OutputForm(path: path), form != .parquet else {
      throw ClassificationDataError.badForm(
        path: path,
        problem: "does not say in which form to write; a name that ends in .json, .jsonl, .csv or .tsv was "
          + "expected")
    }
    if case .delimited = form, let label = labels.first(where: { $0.contains(Self.mark) }) {
      throw ClassificationDataError.badForm(
        path: path,
        problem:
          "can't hold the label \"\(label.shortened)\" in a field with others, as \"\(Self.mark)\" separates them "
          + "there; write .json or .jsonl")
    }
    let hasConfidence = samples.contains { $0.confidence != 1 }
    let hasVariants = samples.contains { $0.variantOf != nil }
    let writer = try LineWriter(path: path)
    switch form {
    case .document:
      try writer.writeLine { line in
        line.append(contentsOf: "{\"metadata\": ".utf8)
        appendMetadata(to: &line)
        line.append(contentsOf: ",".utf8)
      }
      try writer.writeLine { $0.append(contentsOf: "\"samples\": [".utf8) }
      for (index, sample) in samples.enumerated() {
        try writer.writeLine { line in
          append(sample, withConfidence: hasConfidence, to: &line)
          if index < samples.count - 1 { line.append(UInt8(ascii: ",")) }
        }
      }
      try writer.writeLine { $0.append(contentsOf: "]}".utf8) }
    case .lines, .parquet:
      for sample in samples {
        try writer.writeLine { append(sample, withConfidence: hasConfidence, to: &$0) }
      }
    case .delimited(let separator):
      let names =
        ["text", "taxonomy_codes"] + (hasConfidence ? ["confidence"] : []) + (hasVariants ? ["variant_of"] : [])
      // Where no field has two labels, the mark behind each says that nothing in a label separates.
      let hasLists = samples.contains { $0.labels.count > 1 }
      let isMarked = !hasLists && labels.contains { $0.contains { $0.isWhitespace || "|,".contains($0) } }
      let ending = isMarked ? String(Self.mark) : ""
      try writer.writeLine { $0.append(contentsOf: names.joined(separator: String(UnicodeScalar(separator))).utf8) }
      for sample in samples {
        let named = sample.labels.map { labels[$0] }.joined(separator: String(Self.mark))
        var fields = [sample.text, named + ending]
        if hasConfidence { fields.append("\(sample.confidence)") }
        if hasVariants { fields.append(sample.variantOf ?? "") }
        try writer.writeLine { line in
          for (index, field) in fields.enumerated() {
            if index > 0 { line.append(separator) }
            DelimitedText.append(field, separator: separator, to: &line)
          }
        }
      }
    }
    try writer.finish()
  }

  /// Between the labels of a field.
  private static let mark: Character = ";"

  private func appendMetadata(to line: inout [UInt8]) {
    let counts = ClassificationDataset.labelCounts(of: samples, labelCount: labels.count)
    let present = labels.indices.filter { counts[$0] > 0 }
    line.append(
      contentsOf: "{\"num_samples\": \(samples.count), \"num_classes\": \(present.count), \"class_distribution\": {"
        .utf8)
    for (index, label) in present.enumerated() {
      if index > 0 { line.append(contentsOf: ", ".utf8) }
      JSONWriter.append(labels[label], to: &line)
      line.append(contentsOf: ": \(counts[label])".utf8)
    }
    line.append(contentsOf: "}}".utf8)
  }

  private func append(_ sample: ClassificationSample, withConfidence: Bool, to line: inout [UInt8]) {
    line.append(contentsOf: "{\"text\": ".utf8)
    JSONWriter.append(sample.text, to: &line)
    line.append(contentsOf: ", \"taxonomy_codes\": [".utf8)
    for (index, label) in sample.labels.enumerated() {
      if index > 0 { line.append(contentsOf: ", ".utf8) }
      JSONWriter.append(labels[label], to: &line)
    }
    line.append(UInt8(ascii: "]"))
    if withConfidence {
      line.append(contentsOf: ", \"confidence\": ".utf8)
      JSONWriter.append(sample.confidence, to: &line)
    }
    if let origin = sample.variantOf {
      line.append(contentsOf: ", \"variant_of\": ".utf8)
      JSONWriter.append(origin, to: &line)
    }
    line.append(UInt8(ascii: "}"))
  }
}
