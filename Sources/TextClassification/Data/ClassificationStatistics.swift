// What labelled texts look like: how many, how long, and how the labels are shared out.

import Datasets

/// The shape of a dataset of labelled texts.
public struct ClassificationStatistics: Sendable, Hashable, Codable {
  /// A label and how often it occurs.
  public struct LabelCount: Sendable, Hashable, Codable {
    public let label: String
    public let count: Int
  }

  /// Two labels and how often they occur together.
  public struct LabelPair: Sendable, Hashable, Codable {
    public let first: String
    public let second: String
    public let count: Int
  }

  public let format: ClassificationFormat
  public let samples: Int
  /// Samples that vary others, and so only train.
  public let variants: Int
  /// Samples whose text another has too.
  public let duplicates: Int
  /// In the order of the dataset.
  public let classes: [LabelCount]
  /// The count of the most frequent label in proportion to that of the rarest one that occurs.
  public let imbalance: Double
  /// Labels of each sample.
  public let labelsPerSample: Quantiles
  /// Labels that occur together, the most frequent ten.
  public let pairs: [LabelPair]
  /// White space between them; what an encoder makes of a text has more parts.
  public let wordsPerText: Quantiles
  public let bytesPerText: Quantiles
  public let minimumConfidence: Float
  public let maximumConfidence: Float
  /// Rows that were left out.
  public let skippedRows: Int
  public let sha256: String?

  public init(_ data: ClassificationDataset) {
    format = data.format
    samples = data.samples.count
    variants = data.samples.count { $0.variantOf != nil }
    duplicates = data.duplicateCount
    let counts = data.labelCounts
    classes = zip(data.labels, counts).map { LabelCount(label: $0, count: $1) }
    let present = counts.filter { $0 > 0 }
    imbalance = Double(present.max() ?? 0) / Double(present.min() ?? 1)
    labelsPerSample = Quantiles(data.samples.map(\.labels.count).sorted())
    wordsPerText = Quantiles(data.samples.map { $0.text.split(whereSeparator: \.isWhitespace).count }.sorted())
    bytesPerText = Quantiles(data.samples.map(\.text.utf8.count).sorted())
    minimumConfidence = data.samples.lazy.map(\.confidence).min() ?? 1
    maximumConfidence = data.samples.lazy.map(\.confidence).max() ?? 1
    skippedRows = data.skipped.count
    sha256 = data.sha256

    var together: [[Int]: Int] = [:]
    for sample in data.samples {
      for (index, first) in sample.labels.enumerated() {
        for second in sample.labels[(index + 1)...] { together[[first, second], default: 0] += 1 }
      }
    }
    pairs = together.sorted { a, b in
      a.value == b.value ? a.key.lexicographicallyPrecedes(b.key) : a.value > b.value
    }.prefix(10).map { LabelPair(first: data.labels[$0.key[0]], second: data.labels[$0.key[1]], count: $0.value) }
  }
}
