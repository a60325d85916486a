// Which numbers of an item the network sees, and in which order.

import Datasets

/// The columns of the network's input: an embedding, then metrics in the sorted order of their names.
///
/// Training and use share it, so that a column means the same in both; the metadata of a model carries it.
public struct FeatureLayout: Sendable, Hashable, Codable {
  /// Numbers of the embedding; 0 where items have none.
  public let embeddingDimension: Int
  /// Ascending by their UTF-8.
  public let metricNames: [String]

  public init(embeddingDimension: Int, metricNames: some Sequence<String>) {
    self.embeddingDimension = embeddingDimension
    self.metricNames = Set(metricNames).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Columns in all.
  public var count: Int { embeddingDimension + metricNames.count }

  /// The columns that hold metrics, which may be missing (NaN).
  public var metricColumns: Range<Int> { embeddingDimension..<count }

  enum CodingKeys: String, CodingKey {
    case embeddingDimension = "embedding_dim"
    case metricNames = "metric_names"
  }

  /// What the columns are, in words: `embedding[384], then clarity, impact`.
  public var summary: String {
    let metrics = metricNames.joined(separator: ", ")
    if embeddingDimension == 0 { return metrics }
    return "embedding[\(embeddingDimension)]" + (metrics.isEmpty ? "" : ", then \(metrics)")
  }

  /// Writes an item's columns: NaN for a metric that it does not have.
  ///
  /// - Parameter row: `count` floats.
  /// - Returns: how many metrics are missing.
  /// - Throws: `RankingError` where the embedding is missing or of another width, or a metric leaves single precision.
  func write(_ item: Item, to row: UnsafeMutableBufferPointer<Float>) throws(RankingError) -> Int {
    let width = item.embedding?.count ?? 0
    // An embedding that the model does not take is left aside: metrics-only models rank items that carry one too.
    if embeddingDimension > 0 {
      guard width == embeddingDimension else {
        throw .embeddingWidth(item: item.id, found: item.embedding?.count, expected: embeddingDimension)
      }
      item.embedding!.withUnsafeBufferPointer { row.baseAddress!.update(from: $0.baseAddress!, count: width) }
    }
    var missing = 0
    for (column, name) in zip(metricColumns, metricNames) {
      guard let value = item.metrics[name] else {
        row[column] = .nan
        missing += 1
        continue
      }
      row[column] = Float(value)
      guard row[column].isFinite else { throw .metricTooLarge(item: item.id, metric: name, value: value) }
    }
    return missing
  }
}
