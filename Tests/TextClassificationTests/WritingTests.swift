// What is written is read back as it was; what is made up has topics in it.

import CommandSupport
import Foundation
import Testing
import TextClassification

@Suite struct WritingTests {
  let directory = try! TemporaryDirectory()

  @Test(
    "samples are read back as they were written, in every form",
    arguments: ["data.json", "data.jsonl", "data.csv", "data.tsv"])
  func roundTrip(name: String) throws {
    let texts = [
      "plain", "comma, semicolon; tab\t\"quotes\"", " blanks around ", "line\nbreak and \r return", "\u{1}控制 é 🧪",
      "\"quoted\"",
    ]
    var samples = texts.enumerated().map { index, text in
      ClassificationSample(text: text, labels: index % 2 == 0 ? [0] : [0, 2], confidence: index == 3 ? 0.25 : 1)
    }
    samples.append(ClassificationSample(text: "variant", labels: [1], variantOf: "plain"))
    let path = directory.path(name)
    try ClassificationFile(labels: ["004", "fine arts", "x|y,z"], samples: samples).write(to: path)
    let data = try ClassificationDataset(path: path, options: ClassificationReadOptions(isStrict: true))
    #expect(data.labels == ["004", "fine arts", "x|y,z"])
    #expect(data.samples == samples)
    // Without two labels in any field too, which would show what separates them.
    let alone = samples.filter { $0.labels.count == 1 }
    try ClassificationFile(labels: ["fine arts", "x|y,z"], samples: alone).write(to: path)
    let again = try ClassificationDataset(path: path, options: ClassificationReadOptions(isStrict: true))
    #expect(again.labels == ["fine arts", "x|y,z"] && again.samples == alone && again.notes.isEmpty)
    // The metadata that was written holds.
    #expect(!data.warnings.contains { $0.contains("metadata") })
  }

  @Test("a name without a form, and a label that a field can't hold, are errors")
  func unwritable() throws {
    let file = ClassificationFile(labels: ["a;b"], samples: [ClassificationSample(text: "x", labels: [0])])
    for name in ["data", "data.parquet", "data.csv"] {
      #expect(throws: ClassificationDataError.self) { try file.write(to: directory.path(name)) }
      #expect(!FileManager.default.fileExists(atPath: directory.path(name)))
    }
    try file.write(to: directory.path("data.json"))
  }

  /// How often the most probable label by a naive Bayes classifier of the first half is one of the second half's.
  private func accuracy(_ synthesis: ClassificationSynthesis) throws -> Double {
    let file = try synthesis.file()
    func words(_ sample: ClassificationSample) -> [String] {
      sample.text.lowercased().split { !$0.isLetter }.map(String.init)
    }
    var counts = [[String: Double]](repeating: [:], count: file.labels.count)
    var totals = [Double](repeating: 0, count: file.labels.count)
    let half = file.samples.count / 2
    for sample in file.samples.prefix(half) {
      for label in sample.labels {
        for word in words(sample) {
          counts[label][word, default: 0] += 1
          totals[label] += 1
        }
      }
    }
    let hits = file.samples.dropFirst(half).count { sample in
      let found = words(sample)
      let scores = file.labels.indices.map { label in
        found.reduce(0.0) { $0 + log(((counts[label][$1] ?? 0) + 0.1) / (totals[label] + 100)) }
      }
      return sample.labels.contains(scores.indices.max { scores[$0] < scores[$1] }!)
    }
    return Double(hits) / Double(file.samples.count - half)
  }

  @Test("made-up texts can be told apart by their topics' words, and not where topics are alike")
  func topics() throws {
    let clear = ClassificationSynthesis(labelSkew: 0)
    #expect(try accuracy(clear) > 0.85)
    var alike = clear
    alike.sharpness = 0
    #expect(try accuracy(alike) < 0.25)
    var noisy = clear
    noisy.noise = 1
    #expect(try accuracy(noisy) < 0.25)
  }

  @Test("made-up texts have the labels, sizes and mixtures that were asked for, the same for the same seed")
  func settings() throws {
    let synthesis = ClassificationSynthesis(
      samples: 4_000, labels: 4, words: 5...9, secondLabelShare: 0.3, labelSkew: 1)
    let file = try synthesis.file()
    #expect(file.samples.count == 4_000 && file.labels == ["000", "001", "002", "003"])
    #expect(file.samples.allSatisfy { (5...9).contains($0.text.split(separator: " ").count) })
    // 1 + 0.3 + 0.09 labels a text; 0.3 of 4,000 drawn is within 0.03 of its mean at four standard deviations.
    let labels = file.samples.reduce(0) { $0 + $1.labels.count }
    #expect(abs(Double(labels) / 4_000 - 1.39) < 0.05)
    #expect(try synthesis.file().samples == file.samples)
    var other = synthesis
    other.seed = 1
    #expect(try other.file().samples != file.samples)
    #expect(throws: ClassificationSynthesisError.self) { try ClassificationSynthesis(noise: 2).file() }
  }

  @Test("statistics count what there is")
  func statistics() throws {
    let path = try directory.write(
      "text\tlabels\tconfidence\na b c\tx,y\t0.5\na\tx\t\nd e\tx,y\t1\na\tz\t1\n", to: "data.tsv")
    let statistics = ClassificationStatistics(try ClassificationDataset(path: path))
    #expect(statistics.samples == 4 && statistics.duplicates == 1 && statistics.variants == 0)
    #expect(statistics.classes.map(\.count) == [3, 2, 1] && statistics.classes.map(\.label) == ["x", "y", "z"])
    #expect(statistics.imbalance == 3)
    #expect(statistics.labelsPerSample.mean == 1.5 && statistics.labelsPerSample.maximum == 2)
    #expect(statistics.wordsPerText.median == 1 && statistics.wordsPerText.maximum == 3)
    #expect(statistics.pairs.map(\.count) == [2])
    #expect(statistics.minimumConfidence == 0.5)
  }

  @Test("a file of labelled texts is known by its first bytes")
  func looking() throws {
    func looks(_ text: String, _ name: String = "data") throws -> Bool {
      try ClassificationDataset.seemsToBe(directory.write(text, to: name))
    }
    #expect(try looks(#"{"metadata": {}, "samples": [{"text": "a", "taxonomy_codes": []}]}"#))
    #expect(try looks(#"{"labels": ["a"], "text": "b"}"#))
    #expect(try looks("id\ttext\tlabels\n"))
    #expect(try !looks(#"{"interactions": [{"user_id": "text", "item_id": "labels"}]}"#))
    #expect(try !looks("user_id,item_id\n"))
    #expect(try !looks(""))
  }
}
