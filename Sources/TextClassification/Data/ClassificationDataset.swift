// Labelled texts read from a file of any form that is understood, checked.

import Checkpoints
import Datasets
import Glibc
import Threads

/// A text and the labels that it has.
public struct ClassificationSample: Sendable, Hashable {
  public var text: String
  /// Places in the labels of the dataset, ascending, each once, at least one.
  public var labels: [Int]
  /// Weighs the sample's loss; above 0, and 1 where the data does not say.
  public var confidence: Float
  /// The text of the sample that this one varies (``TextAugmentation``); nil for one of its own. A split leaves out what
  /// varies a sample that validates.
  public var variantOf: String?

  public init(text: String, labels: [Int], confidence: Float = 1, variantOf: String? = nil) {
    self.text = text
    self.labels = labels
    self.confidence = confidence
    self.variantOf = variantOf
  }
}

/// The labelled texts of a file, and what is to be known of them.
///
/// ```swift
/// let data = try ClassificationDataset(path: "reviews.json")
/// for warning in data.warnings { print(warning) }
/// let split = try data.split(validation: 0.2, seed: 42)
/// ```
public struct ClassificationDataset: Sendable {
  /// Where the data came from.
  public let path: String
  /// The digest of the file; nil for what can be read only once.
  public let sha256: String?
  /// What the file was found to be.
  public let format: ClassificationFormat
  /// The labels by place: those that were asked for, or those of the file, whole numbers by value where all are such,
  /// otherwise by their bytes. The order of samples has no part in it.
  public let labels: [String]
  /// In the order of the file.
  public let samples: [ClassificationSample]
  /// For each sample the number of its group: samples of one text, and variants of one sample, share it.
  public let groups: [Int]
  /// Rows that were left out, with reasons.
  public let skipped: SkippedLines
  /// Samples whose text another one before them has too.
  public let duplicateCount: Int
  /// What a person should know before trusting a model of this data.
  public let warnings: [String]
  /// What is worth saying and no reason to worry: how the file was understood.
  public let notes: [String]

  /// Reads labelled texts; the content tells the form, not the name.
  ///
  /// - Parameter path: JSON (`{"metadata": …, "samples": [{"text": …, "taxonomy_codes": […], "confidence": …}]}`, an
  ///   array of samples, or one a line) or separated fields; `-` for standard input.
  /// - Throws: `DatasetError` and ``ClassificationDataError`` where the file can't be read or holds no sample, and, with
  ///   `options.isStrict`, for the first bad row.
  public init(path: String, options: ClassificationReadOptions = ClassificationReadOptions()) throws {
    let columns = try ClassificationColumns(options)
    try Self.checkSample(path)
    let hash = Self.isRegularFile(path) ? Background { try SHA256.hexadecimal(ofFile: path) } : nil
    defer { hash?.wait() }
    let file = try DataFile(path: path)
    var draft: ClassificationDraft
    switch file.kind {
    case .directory: throw DatasetError.isDirectory(path: path)
    case .parquet:
      throw ClassificationDataError.badForm(
        path: path, problem: "is a Parquet file; labelled texts are read as JSON, JSON lines, CSV or TSV: export it so")
    case .json:
      format = .json
      draft = try .init(json: file, columns: columns, options: options)
    case .text, .empty:
      format = .csv
      draft = try .init(delimited: file, columns: columns, options: options)
    }
    self.path = file.path
    guard !draft.samples.isEmpty else {
      throw ClassificationDataError.noSamples(path: file.path, skipped: draft.skipped)
    }
    draft.judge()
    labels = draft.labels
    samples = draft.samples
    groups = draft.groups
    skipped = draft.skipped
    duplicateCount = draft.duplicateCount
    warnings = draft.warnings
    notes = draft.notes
    sha256 = try hash?.value()
  }

  /// How many samples have each label, in the order of `labels`.
  public var labelCounts: [Int] { Self.labelCounts(of: samples, labelCount: labels.count) }

  static func labelCounts(of samples: some Sequence<ClassificationSample>, labelCount: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: labelCount)
    for sample in samples {
      for label in sample.labels { counts[label] += 1 }
    }
    return counts
  }

  /// For each sample the number of its group: samples of one text, and what varies any of them.
  static func groups(of samples: [ClassificationSample]) -> [Int] {
    var numbers: [String: Int] = [:]
    return samples.map { sample in
      let key = sample.variantOf ?? sample.text
      let number = numbers[key] ?? numbers.count
      numbers[key] = number
      return number
    }
  }

  private static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return path != "-" && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
